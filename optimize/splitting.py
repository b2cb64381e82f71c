"""How is a vertex searched in a first layer, with a proof of convergence?  ADMM, all at once.

Where the pre-activation is affine, p = W x + b, eq. 1 over a box is a convex problem, and so is the
constrained problem it relaxes.  Both read

    minimise  sum_j phi_j(p_j)   over   lower <= x <= upper,  p = W x + b,

with phi_i(p) = p for the unit pushed down and, for the penalty form, alpha/2 (p - p_t)^2 on active
units and |p| or max(0, p) on the others; for the constrained form, p = p_t and p <= 0 instead.
Every phi_j has a closed proximal map and a closed conjugate, so that operator splitting
(Gabay & Mercier 1976; Boyd et al. 2011, section 5; over-relaxed as in Stellato et al. 2020) takes
steps of two matrix products, one eigenvalue decomposition of W W^T serving all vertices of all
targets, and every multiplier l gives a lower bound of the minimum (weak duality):

    sum_j min over the box of (W^T l)_j x_j  +  l b  -  sum_j phi_j*(l_j).
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from optimize.objective import Pattern, chosen_term, equality_residual, violation
from optimize.optimizers import Inspection, State, check_positive
from optimize.problem import Problem
from optimize.stopping import Stopping
from polytope.errors import InputError


@dataclass(frozen=True)
class _Scaled:
    """The problem in unit lengths: x = base + width * u, p = size * q, |rows of matrix| about 1.

    Attributes:
        base, width: (D,), width 0 where a coordinate is fixed.
        lower, upper: (D,) bounds of u.
        matrix, bias: (N, D) and (N,) with q = matrix u + bias.
        size: pre-activation per unit of q.
        vectors, rotated, values: eigenvectors (N, N) of matrix matrix^T, vectors^T matrix, and
            eigenvalues (N,).
    """

    base: Tensor
    width: Tensor
    lower: Tensor
    upper: Tensor
    bias: Tensor
    size: float
    vectors: Tensor
    rotated: Tensor
    values: Tensor


def _scale(problem: Problem) -> _Scaled:
    """Lengths by which the step sizes mean the same for every layer and box; computed once."""
    if "scaled" not in problem.cache:
        problem.cache["scaled"] = _new_scale(problem)
    scaled = problem.cache["scaled"]
    assert isinstance(scaled, _Scaled)
    return scaled


def _new_scale(problem: Problem) -> _Scaled:
    assert problem.weight is not None
    assert problem.bias is not None
    lower, upper = problem.lower, problem.upper
    width = torch.where(torch.isfinite(upper - lower), upper - lower, 1.0)
    base = torch.where(torch.isfinite(lower), lower, torch.where(upper.isfinite(), upper, 0.0))
    matrix = problem.weight * width
    size = float(matrix.norm(dim=1).mean()) or 1.0
    matrix = matrix / size
    values, vectors = torch.linalg.eigh(matrix @ matrix.T)
    safe = torch.where(width > 0, width, 1.0)
    return _Scaled(
        base=base,
        width=width,
        lower=(lower - base) / safe,
        upper=(upper - base) / safe,
        bias=(problem.weight @ base + problem.bias) / size,
        size=size,
        vectors=vectors,
        rotated=vectors.T @ matrix,
        values=values.clamp(min=0),
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
        tolerance: relative duality gap; None for 1e-4 (penalty) or 1e-3 (constrained).
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
        pre = problem.pre_activation(points)
        return {
            "points": points.clone(),
            "input_dual": torch.zeros_like(points),
            "pre": pre,
            "pre_dual": torch.zeros_like(pre),
        }

    def _steps(self, problem: Problem) -> tuple[float, float]:
        unit = self.unit_penalty or (3.0 if self.is_constrained(problem) else 1.0)
        return unit, self.input_penalty or 1.0

    def _prox(self, problem: Problem, size: float) -> "_Prox":
        unit, _ = self._steps(problem)
        return _Prox.of(problem, self.is_constrained(problem), unit, size)

    def advance(self, problem: Problem, state: State, steps: int) -> None:
        """Steps of over-relaxed ADMM on the scaled problem."""
        scaled = _scale(problem)
        unit, inner = self._steps(problem)
        prox = self._prox(problem, scaled.size)
        shrink = 1 / (scaled.values + inner / unit)
        safe = torch.where(scaled.width > 0, scaled.width, 1.0)
        u = (state["points"] - scaled.base) / safe
        q = state["pre"] / scaled.size
        u_dual, q_dual = state["input_dual"], state["pre_dual"]
        for _ in range(steps):
            free = u - u_dual
            projected = free @ scaled.rotated.T
            move = ((q - scaled.bias - q_dual) @ scaled.vectors - projected) * shrink
            u_new = torch.addmm(free, move, scaled.rotated)
            q_new = torch.addmm(
                scaled.bias, projected.addcmul_(move, scaled.values), scaled.vectors.T
            )
            # Over-relaxed points; the duals take up what the projection and the prox cut off.
            u_dual = u_dual + torch.lerp(u, u_new, self.relaxation)
            u = torch.minimum(torch.maximum(u_dual, scaled.lower), scaled.upper)
            u_dual -= u
            q_dual = q_dual + torch.lerp(q, q_new, self.relaxation)
            q = prox(q_dual)
            q_dual -= q
        state["points"] = problem.project(scaled.base + scaled.width * u)
        state["pre"] = q * scaled.size
        state["input_dual"], state["pre_dual"] = u_dual, q_dual

    def inspect(self, problem: Problem, state: State, stopping: Stopping) -> Inspection:
        """Duality gap and residuals at the present points."""
        constrained = self.is_constrained(problem)
        points, pattern = state["points"], problem.pattern
        pre = problem.pre_activation(points)
        unit, _ = self._steps(problem)
        multipliers = _dual_point(problem, unit * state["pre_dual"], constrained)
        bound, reduced = _lower_bound(problem, multipliers, points, constrained)
        value = chosen_term(pre, pattern) if constrained else problem.objective.value(pre, pattern)
        gap = (value - bound).abs() / value.abs().clamp(min=1)
        tolerance = self.tolerance or (1e-3 if constrained else 1e-4)
        converged = (gap <= tolerance) & (reduced <= tolerance)
        if constrained:
            residual = torch.maximum(equality_residual(pre, pattern), violation(pre, pattern))
            converged &= residual <= self.feasibility
        return Inspection(points, converged, torch.zeros_like(converged), gap, bound)


@dataclass(frozen=True)
class _Prox:
    """The proximal map of every phi_j at once, in scaled lengths.

    Attributes:
        pattern: which phi_j each unit has.
        target: (V, N), the target's pre-activations in scaled lengths.
        step: 1 / unit_penalty.
        pull: alpha in scaled lengths times `step`; not used in the constrained form.
        kind: "constrained", "absolute" or "hinge".
    """

    pattern: Pattern
    target: Tensor
    step: float
    pull: float
    kind: str

    @staticmethod
    def of(problem: Problem, constrained: bool, unit: float, size: float) -> "_Prox":
        """The map for one problem; `pull` is alpha in scaled lengths over the step size."""
        kind = "constrained" if constrained else problem.objective.others
        target = problem.pattern.target_pre / size
        pull = math.inf if constrained else problem.objective.alpha * size / unit
        return _Prox(problem.pattern, target, 1 / unit, pull, kind)

    def __call__(self, q: Tensor) -> Tensor:
        """The r that minimises phi(r) + unit / 2 |r - q|^2, elementwise, (V, N)."""
        if self.kind == "constrained":
            held = self.target
            others = q.clamp(max=0)
        else:
            held = (q + self.pull * self.target) / (1 + self.pull)
            upper = (q - self.step).clamp(min=0)
            lower = q + self.step if self.kind == "absolute" else q
            others = upper + lower.clamp(max=0)
        pattern = self.pattern
        return torch.where(pattern.active, held, torch.where(pattern.chosen, q - self.step, others))


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
