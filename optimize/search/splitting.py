"""How is a vertex searched in a first layer, with a proof of convergence?  ADMM, all at once.

Where the pre-activation is affine, p = W x + b, eq. 1 over a box is a convex problem, and so is the
constrained problem it relaxes.  Both read

    minimise  sum_j phi_j(p_j)   over   lower <= x <= upper,  p = W x + b,

with phi_i(p) = p for the unit pushed down and, for the penalty form, alpha/2 (p - p_t)^2 on active
units and |p| or max(0, p) on the others; for the constrained form, p = p_t and p <= 0 instead.
Every phi_j has a closed proximal map and a closed conjugate, so that operator splitting
(Gabay & Mercier 1976; Boyd et al. 2011, section 5; over-relaxed as in Stellato et al. 2020) takes
steps of two products with W and one with the inverse of W W^T + ratio * identity, which serves all
vertices of all targets, and every multiplier l gives a lower bound of the minimum (weak duality):

    sum_j min over the box of (W^T l)_j x_j  +  l b  -  sum_j phi_j*(l_j).
"""

import math
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from optimize.search.objective import chosen_term, equality_residual, violation
from optimize.search.optimizers import Inspection, State, check_positive
from optimize.search.problem import Problem, in_blocks
from optimize.search.products import product
from optimize.search.stopping import Stopping
from polytope.errors import InputError

#: Relative duality gap at which a search has converged, by form; used where none is asked for.
PENALTY_TOLERANCE = 1e-4
CONSTRAINED_TOLERANCE = 1e-3

# After so many steps what is left runs in float64: float32 may have reached its floor.
_SINGLE_STEPS = 5000


@dataclass(frozen=True)
class _Scaled:
    """The layer in unit lengths: x = base + width * u, p = size * q, q = matrix u + bias.

    Attributes:
        base, width: (D,), width 0 where a coordinate is fixed.
        lower, upper: (D,) bounds of u.
        matrix, bias: (N, D), rows of length about 1, and (N,).
        size: pre-activation per unit of q.
        inverse: (N, N), of matrix matrix^T + ratio * identity.
        ratio: input_penalty / unit_penalty.
    """

    base: Tensor
    width: Tensor
    lower: Tensor
    upper: Tensor
    matrix: Tensor
    bias: Tensor
    size: float
    inverse: Tensor
    ratio: float

    @staticmethod
    def of(problem: Problem, ratio: float) -> "_Scaled":
        """Lengths by which the step sizes mean the same for every layer and box; kept."""
        key = ("scaled", ratio)
        if key not in problem.cache:
            problem.cache[key] = _scale(problem, ratio)
        scaled = problem.cache[key]
        assert isinstance(scaled, _Scaled)
        return scaled

    def cast(self, dtype: torch.dtype) -> "_Scaled":
        """The same numbers rounded to `dtype`."""
        names = ("base", "width", "lower", "upper", "matrix", "bias", "inverse")
        return replace(self, **{name: getattr(self, name).to(dtype) for name in names})


def _scale(problem: Problem, ratio: float) -> _Scaled:
    assert problem.weight is not None
    assert problem.bias is not None
    lower, upper = problem.lower, problem.upper
    width = torch.where(torch.isfinite(upper - lower), upper - lower, 1.0)
    base = torch.where(torch.isfinite(lower), lower, torch.where(upper.isfinite(), upper, 0.0))
    matrix = problem.weight * width
    size = float(matrix.norm(dim=1).mean()) or 1.0
    matrix = matrix / size
    gram = matrix @ matrix.T
    gram.diagonal().add_(ratio)
    safe = torch.where(width > 0, width, 1.0)
    return _Scaled(
        base=base,
        width=width,
        lower=(lower - base) / safe,
        upper=(upper - base) / safe,
        matrix=matrix,
        bias=(problem.weight @ base + problem.bias) / size,
        size=size,
        inverse=torch.linalg.inv(gram),
        ratio=ratio,
    )


@dataclass(frozen=True, kw_only=True)
class Splitting:
    """Operator splitting for a first layer: the default there.

    With others="absolute" it minimises eq. 1 as it stands.  With others="hinge" the default is to
    solve the *constrained* problem to which eq. 1 is the penalty relaxation (equalities on the
    active units, p_j <= 0 on the inactive ones), since a hinge of weight 1 and a finite alpha leave
    a bias; `constrained=False` minimises eq. 1 with the hinge as it stands.

    Converged means, checked in float64 at each check:
      penalty form: (value - bound) <= tolerance * max(1, |value|), value being eq. 1 at the point;
      constrained form: the largest residual max(|p_j - p_t,j|, max(0, p_j)) is at most
      `feasibility`, in units of the pre-activation, and |p_i - bound| <= tolerance * max(1, |p_i|).
    `bound` is the lower bound in this module's docstring, valid up to rounding on a finite box.
    Where a bound is missing, the coordinate counts with the present point's value and its reduced
    cost must in addition be at most `tolerance` in size: an estimate.

    Args:
        constrained: None for the choice above, or True / False.
        tolerance: relative duality gap; None for PENALTY_TOLERANCE or CONSTRAINED_TOLERANCE.
        feasibility: residual asked for in the constrained form.
        unit_penalty, input_penalty: the two step sizes of ADMM in scaled lengths; None for
            3 and 1 (constrained) or 1 and 1 (penalty), measured best on MNIST layers.
        relaxation: over-relaxation, in (0, 2).
    """

    constrained: bool | None = None
    tolerance: float | None = None
    feasibility: float = 1e-4
    unit_penalty: float | None = None
    input_penalty: float | None = None
    relaxation: float = 1.6

    def __post_init__(self) -> None:
        """Check all options."""
        check_positive(feasibility=self.feasibility, relaxation=self.relaxation)
        for name in ("tolerance", "unit_penalty", "input_penalty"):
            value = getattr(self, name)
            if value is not None:
                check_positive(**{name: value})
        if self.relaxation >= 2:
            raise InputError(f"relaxation: expected a number below 2, got {self.relaxation!r}")

    def is_constrained(self, problem: Problem) -> bool:
        """Which of the two forms is solved?"""
        if self.constrained is None:
            return problem.objective.others == "hinge"
        return self.constrained

    def begin(self, problem: Problem, points: Tensor) -> State:
        """Multipliers zero, the split variables at the start.

        Raises:
            InputError: the layer is not a first Linear layer, or the penalty asked for as a
                constraint is the absolute one.
        """
        if not problem.affine:
            raise InputError(
                "optimizer: expected 'adam', 'authors' or 'augmented' for a layer that is not the "
                "model's first, got 'splitting'"
            )
        if self.constrained and problem.objective.others == "absolute":
            raise InputError(
                "constrained: expected others='hinge', the polytope's inequalities, "
                "got others='absolute'"
            )
        scaled = _Scaled.of(problem, self._ratio(problem))
        safe = torch.where(scaled.width > 0, scaled.width, 1.0)
        pre = problem.pre_activation(points) / scaled.size
        return {
            "points": points.clone(),
            "input": (points - scaled.base) / safe,
            "input_dual": torch.zeros_like(points),
            "pre": pre,
            "pre_dual": torch.zeros_like(pre),
            "age": torch.zeros(len(points), dtype=torch.int64, device=points.device),
        }

    def _unit_penalty(self, problem: Problem) -> float:
        return self.unit_penalty or (3.0 if self.is_constrained(problem) else 1.0)

    def _ratio(self, problem: Problem) -> float:
        return (self.input_penalty or 1.0) / self._unit_penalty(problem)

    def _tolerance(self, problem: Problem) -> float:
        usual = CONSTRAINED_TOLERANCE if self.is_constrained(problem) else PENALTY_TOLERANCE
        return self.tolerance or usual

    def _dtype(self, problem: Problem, state: State, size: float) -> torch.dtype:
        """Float32 at first; float64 for what is old, or asked for more finely than it resolves."""
        fine = min(self._tolerance(problem), self.feasibility / size) < 1e-5
        old = len(state["age"]) > 0 and int(state["age"][0]) >= _SINGLE_STEPS
        return torch.float64 if fine or old else torch.float32

    def advance(self, problem: Problem, state: State, steps: int) -> None:
        """Steps of over-relaxed ADMM on the scaled problem."""
        scaled = _Scaled.of(problem, self._ratio(problem))
        dtype = self._dtype(problem, state, scaled.size)
        rounded = scaled.cast(dtype)
        unit, constrained = self._unit_penalty(problem), self.is_constrained(problem)

        def walk(block: Problem, local: State) -> None:
            dual_map = _DualMap.of(block, constrained=constrained, unit=unit, size=scaled.size)
            _admm_steps(local, rounded, dual_map, relaxation=self.relaxation, steps=steps)

        names = ("input", "input_dual", "pre", "pre_dual")
        in_blocks(problem, state, names, dtype=dtype, round_of_steps=walk)
        state["points"] = problem.project(scaled.base + scaled.width * state["input"])
        state["age"] = state["age"] + steps

    def inspect(self, problem: Problem, state: State, stopping: Stopping) -> Inspection:
        """Duality gap and residuals at the present points."""
        constrained = self.is_constrained(problem)
        points, pattern = state["points"], problem.pattern
        pre = problem.pre_activation(points)
        scaled_dual = self._unit_penalty(problem) * state["pre_dual"]
        multipliers = _dual_point(problem, scaled_dual, constrained)
        bound, reduced = _lower_bound(problem, multipliers, points, constrained)
        value = chosen_term(pre, pattern) if constrained else problem.objective.value(pre, pattern)
        gap = (value - bound).abs() / value.abs().clamp(min=1)
        tolerance = self._tolerance(problem)
        converged = (gap <= tolerance) & (reduced <= tolerance)
        if constrained:
            residual = torch.maximum(equality_residual(pre, pattern), violation(pre, pattern))
            converged &= residual <= self.feasibility
        return Inspection(points, converged, torch.zeros_like(converged), gap, bound)


@dataclass(frozen=True)
class _DualMap:
    """What the proximal map of every phi_j cuts off: clamp(offset + slope * v, low, high), (V, N).

    By Moreau's identity v minus this is the proximal map, and this is the next scaled multiplier.
    In scaled lengths with step s = 1 / unit_penalty: the chosen unit gives s; |q| gives v cut to
    [-s, s]; max(0, q) gives v cut to [0, s]; q <= 0 gives max(0, v); q = t gives v - t; and
    a/2 (q - t)^2 gives (v - t) * a s / (1 + a s).
    """

    offset: Tensor
    slope: Tensor
    low: Tensor
    high: Tensor

    @staticmethod
    def of(problem: Problem, *, constrained: bool, unit: float, size: float) -> "_DualMap":
        """The map for one block of vertices."""
        pattern, step = problem.pattern, 1 / unit
        pull = problem.objective.alpha * size * step
        pull = 1.0 if constrained else pull / (1 + pull)
        absolute = problem.objective.others == "absolute" and not constrained
        target = pattern.target_pre / size
        offset = torch.where(pattern.active, -pull * target, 0.0)
        slope = torch.where(pattern.active, torch.full_like(offset, pull), 1.0)
        low = torch.where(pattern.active, -math.inf, torch.full_like(offset, 0.0))
        low = torch.where(pattern.others, -step if absolute else 0.0, low)
        high = torch.where(pattern.active, math.inf, torch.full_like(offset, step))
        high = torch.where(pattern.others, math.inf if constrained else step, high)
        return _DualMap(offset, slope, torch.where(pattern.chosen, step, low), high)

    def __call__(self, v: Tensor) -> Tensor:
        """The part of v that the proximal map cuts off."""
        return torch.addcmul(self.offset, self.slope, v).clamp_(self.low, self.high)


def _admm_steps(
    local: State, scaled: _Scaled, dual_map: _DualMap, *, relaxation: float, steps: int
) -> None:
    """Steps of over-relaxed ADMM: the nearest point with q = matrix u + bias, then both prox maps.

    With move = inverse (q - bias - matrix u) that nearest point is u + matrix^T move, and its image
    is q - ratio * move, which saves a product.  Between two steps v = u + u_dual and
    w = q + q_dual carry the state; u = clamp(v) and q_dual = dual_map(w) are kept beside them.
    """
    u, v = local["input"], local["input"] + local["input_dual"]
    q_dual, w = local["pre_dual"], local["pre"] + local["pre_dual"]
    down, up, bias = -scaled.matrix.T, relaxation * scaled.matrix, -scaled.bias
    for _ in range(steps):
        # v + 2 (u - v) = u - u_dual, and w - 2 q_dual = q - q_dual.
        miss = product(torch.lerp(v, u, 2.0), down, bias=bias, added=torch.sub(w, q_dual, alpha=2))
        move = product(miss, scaled.inverse)
        # Dual plus over-relaxed point: dual + (1 - r) u + r (u - dual + step) = v + r (u - v) + ...
        v = product(move, up, added=v.lerp_(u, relaxation))
        u = torch.clamp(v, scaled.lower, scaled.upper)
        w.sub_(q_dual, alpha=relaxation).sub_(move, alpha=relaxation * scaled.ratio)
        q_dual = dual_map(w)
    local["input"], local["input_dual"] = u, v - u
    local["pre"], local["pre_dual"] = w - q_dual, q_dual


def _dual_point(problem: Problem, multipliers: Tensor, constrained: bool) -> Tensor:
    """The nearest multipliers (V, N) at which every conjugate is finite."""
    pattern = problem.pattern
    if constrained:
        others = multipliers.clamp(min=0)
    else:
        others = multipliers.clamp(-1.0 if problem.objective.others == "absolute" else 0.0, 1.0)
    return torch.where(pattern.active, multipliers, torch.where(pattern.chosen, 1.0, others))


def _lower_bound(
    problem: Problem, multipliers: Tensor, points: Tensor, constrained: bool
) -> tuple[Tensor, Tensor]:
    """Weak duality at `multipliers`: the bound (V,), and the worst unbacked reduced cost (V,)."""
    assert problem.weight is not None
    assert problem.bias is not None
    pattern = problem.pattern
    cost = multipliers @ problem.weight
    end = torch.where(cost > 0, problem.lower, problem.upper)
    backed = torch.isfinite(end)
    place = torch.where(backed, end, points)
    conjugate = torch.where(pattern.active, multipliers * pattern.target_pre, 0.0).sum(1)
    if not constrained:
        square = torch.where(pattern.active, multipliers, 0.0).square().sum(1)
        conjugate = conjugate + square / (2 * problem.objective.alpha)
    bound = (cost * place).sum(1) + multipliers @ problem.bias - conjugate
    return bound, torch.where(backed, 0.0, cost.abs()).amax(1)
