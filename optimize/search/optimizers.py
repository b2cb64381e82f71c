"""How is a vertex searched by gradients?  The authors' momentum form, Adam, augmented Lagrangian.

Each method is a frozen dataclass of its options.  Its state is a dict of tensors whose first axis
is the vertex, so that finished vertices can be dropped and a state can be saved as it is.

Every step ends with the projection onto the box (the paper's clipping).
"""

import math
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from optimize.search.objective import (
    Pattern,
    Slope,
    choose,
    chosen_term,
    equality_residual,
    violation,
)
from optimize.search.problem import Problem, in_blocks
from optimize.search.stopping import Stopping, begin_watch, stalled
from polytope.errors import InputError

State = dict[str, Tensor]


@dataclass(frozen=True)
class Inspection:
    """What a method says about V vertices at a check.

    Attributes:
        points: (V, D), inside the box up to rounding.
        converged: (V,) bool, where the method's own duality-gap rule holds.
        plateau: (V,) bool, where it stopped making progress.
        gap: (V,) relative duality gap, NaN where the method has none.
        lower_bound: (V,) lower bound on the optimal value, NaN where the method has none.
    """

    points: Tensor
    converged: Tensor
    plateau: Tensor
    gap: Tensor
    lower_bound: Tensor


class Method(Protocol):
    """What the finder asks of a method; options only, all state lies in the dict."""

    def begin(self, problem: Problem, points: Tensor) -> State:
        """The state before the first step, from starting points (V, D)."""

    def advance(self, problem: Problem, state: State, steps: int) -> None:
        """Take `steps` steps, changing `state`, without waiting for the device."""

    def inspect(self, problem: Problem, state: State, stopping: Stopping) -> Inspection:
        """Look at the state after a round of steps; may adapt step sizes in `state`."""


def check_positive(**options: float) -> None:
    """Raise InputError for the first option that is not a positive finite number."""
    for name, value in options.items():
        if not (math.isfinite(value) and value > 0):
            raise InputError(f"{name}: expected a positive finite number, got {value!r}")


def _gradient_inspection(state: State, plateau: Tensor) -> Inspection:
    unknown = torch.full_like(state["points"][:, 0], math.nan)
    return Inspection(state["points"], torch.zeros_like(plateau), plateau, unknown, unknown)


@dataclass(frozen=True, kw_only=True)
class Authors:
    """The authors' momentum form: v <- 0.99 v + 0.01 g, x <- clip(x - 0.01 v), v = 0 at the start.

    No bias correction.  Source: the released scripts of Li, Zhang & Malik 2019.  The defaults are
    theirs.  Stops by the plateau rule or a limit, never as converged.
    """

    learning_rate: float = 0.01
    momentum: float = 0.99

    def __post_init__(self) -> None:
        """Check both options."""
        check_positive(learning_rate=self.learning_rate)
        if not 0 <= self.momentum < 1:
            raise InputError(f"momentum: expected 0 <= momentum < 1, got {self.momentum!r}")

    def begin(self, problem: Problem, points: Tensor) -> State:
        """Velocity zero."""
        watch = begin_watch(len(points), points)
        return {"points": points.clone(), "velocity": torch.zeros_like(points), **watch}

    def advance(self, problem: Problem, state: State, steps: int) -> None:
        """Steps of the momentum form, in float32 as the authors' are."""

        def walk(block: Problem, local: State) -> None:
            points, velocity = local["points"], local["velocity"]
            slope = block.objective.slope(block.pattern)
            for _ in range(steps):
                velocity.lerp_(block.gradient(points, slope), 1 - self.momentum)
                block.project_inplace(points.sub_(velocity, alpha=self.learning_rate))

        names = ("points", "velocity")
        in_blocks(problem, state, names, dtype=torch.float32, round_of_steps=walk)

    def inspect(self, problem: Problem, state: State, stopping: Stopping) -> Inspection:
        """Apply the plateau rule to eq. 1."""
        value = problem.objective.value(problem.pre_activation(state["points"]), problem.pattern)
        return _gradient_inspection(state, stalled(state, value, stopping))


_ADAM = ("points", "mean", "square", "mean_weight", "square_weight", "rate")


def _begin_adam(points: Tensor, rate: float) -> State:
    column = points.new_ones((len(points), 1))
    return {
        "points": points.clone(),
        "mean": torch.zeros_like(points),
        "square": torch.zeros_like(points),
        "mean_weight": column.clone(),
        "square_weight": column.clone(),
        "rate": column * rate,
    }


def _adam_step(state: State, gradient: Tensor, problem: Problem) -> None:
    """One step of Adam (Kingma & Ba 2015, beta 0.9 and 0.999), a rate for each vertex.

    mean / (1 - 0.9^t) / (sqrt(square / (1 - 0.999^t)) + 1e-8), with the factors that belong to a
    whole vertex gathered, so that they are columns instead of passes over all coordinates.
    """
    state["mean"].lerp_(gradient, 0.1)
    state["square"].mul_(0.999).addcmul_(gradient, gradient, value=0.001)
    state["mean_weight"].mul_(0.9)
    state["square_weight"].mul_(0.999)
    root = (1 - state["square_weight"]).sqrt_()
    rate = state["rate"] / (1 - state["mean_weight"])
    spread = torch.sqrt(state["square"], out=gradient).add_(1e-8 * root)
    step = torch.mul(state["mean"], rate.mul_(root))
    problem.project_inplace(state["points"].addcdiv_(step, spread, value=-1))


@dataclass(frozen=True, kw_only=True)
class Adam:
    """Adam on eq. 1, its rate halved for a vertex whenever that vertex meets the plateau rule.

    After `halvings` halvings the next plateau ends the vertex.  Never says converged.  Ours.
    """

    learning_rate: float = 0.02
    halvings: int = 8

    def __post_init__(self) -> None:
        """Check both options."""
        check_positive(learning_rate=self.learning_rate)
        if self.halvings < 0:
            raise InputError(f"halvings: expected a whole number >= 0, got {self.halvings!r}")

    def begin(self, problem: Problem, points: Tensor) -> State:
        """Moments zero."""
        return {
            **_begin_adam(points, self.learning_rate),
            **begin_watch(len(points), points),
            "halved": torch.zeros(len(points), dtype=torch.int64, device=points.device),
        }

    def advance(self, problem: Problem, state: State, steps: int) -> None:
        """Steps of Adam, in float32."""

        def walk(block: Problem, local: State) -> None:
            slope = block.objective.slope(block.pattern)
            for _ in range(steps):
                _adam_step(local, block.gradient(local["points"], slope), block)

        first = state["halved"] == 0 if problem.execution.mixed else None
        in_blocks(
            problem,
            state,
            _ADAM,
            dtype=torch.float32,
            round_of_steps=walk,
            coarse_part=first,
        )

    def inspect(self, problem: Problem, state: State, stopping: Stopping) -> Inspection:
        """Halve the rate on a plateau; end after the last halving."""
        value = problem.objective.value(problem.pre_activation(state["points"]), problem.pattern)
        flat = stalled(state, value, stopping)
        over = flat & (state["halved"] >= self.halvings)
        again = flat & ~over
        state["halved"] = state["halved"] + again
        state["rate"] = torch.where(again[:, None], state["rate"] / 2, state["rate"])
        state["stale"] = torch.where(again, 0, state["stale"])
        return _gradient_inspection(state, over)


@dataclass(frozen=True, kw_only=True)
class AugmentedLagrangian:
    """The constrained problem that eq. 1 relaxes, for layers behind anything differentiable.

    Minimises p_i over the box subject to p_j = p_t,j (active j) and p_j <= 0 (the other inactive
    j), by the augmented Lagrangian with Adam as the inner method: one round of `check_every` steps,
    then multipliers += penalty * residual (cut at 0 for inequalities).  The rate falls by `decay`
    each round, down to a thousandth.  Plateau: the largest residual is at most `feasibility` and
    p_i has stayed within `plateau_tolerance * max(1, |p_i|)` over the last `patience` rounds; never
    converged, since nothing proves a minimum here.  Hestenes 1969, Powell 1969; this form ours.
    """

    learning_rate: float = 0.02
    penalty: float = 10.0
    decay: float = 0.97
    feasibility: float = 1e-3

    def __post_init__(self) -> None:
        """Check all options."""
        check_positive(
            learning_rate=self.learning_rate,
            penalty=self.penalty,
            decay=self.decay,
            feasibility=self.feasibility,
        )
        if self.decay > 1:
            raise InputError(f"decay: expected 0 < decay <= 1, got {self.decay!r}")

    def begin(self, problem: Problem, points: Tensor) -> State:
        """Multipliers zero."""
        return {
            **_begin_adam(points, self.learning_rate),
            "multipliers": torch.zeros_like(problem.pattern.target_pre),
            "anchor": points.new_full((len(points),), math.inf),
            "steady": torch.zeros(len(points), dtype=torch.int64, device=points.device),
        }

    def _slope(self, pattern: Pattern, multipliers: Tensor) -> Slope:
        """The derivative of the augmented Lagrangian in the pre-activations."""
        return Slope(
            shift=torch.where(pattern.active, pattern.target_pre, 0.0),
            scale=torch.full_like(multipliers, self.penalty),
            low=choose(pattern, active=-math.inf, chosen=1.0, others=0.0),
            high=choose(pattern, active=math.inf, chosen=1.0, others=math.inf),
            offset=multipliers,
        )

    def advance(self, problem: Problem, state: State, steps: int) -> None:
        """One round: `steps` steps of Adam, then the multipliers."""

        def walk(block: Problem, local: State) -> None:
            slope = self._slope(block.pattern, local["multipliers"])
            for _ in range(steps):
                _adam_step(local, block.gradient(local["points"], slope), block)

        multipliers = state["multipliers"]
        first = state["rate"][:, 0] > self.learning_rate / 2 if problem.execution.mixed else None
        in_blocks(
            problem,
            state,
            (*_ADAM, "multipliers"),
            dtype=torch.float32,
            round_of_steps=walk,
            coarse_part=first,
        )
        pre, pattern = problem.pre_activation(state["points"]), problem.pattern
        updated = self._slope(pattern, multipliers)(pre)
        state["multipliers"] = torch.where(pattern.chosen, 0.0, updated)
        state["rate"] = (state["rate"] * self.decay).clamp(min=self.learning_rate / 1000)

    def inspect(self, problem: Problem, state: State, stopping: Stopping) -> Inspection:
        """Plateau where the residual is small and the unit stands still."""
        pre, pattern = problem.pre_activation(state["points"]), problem.pattern
        value = chosen_term(pre, pattern)
        margin = stopping.plateau_tolerance * value.abs().clamp(min=1)
        still = (value - state["anchor"]).abs() <= margin
        state["steady"] = torch.where(still, state["steady"] + 1, 0)
        state["anchor"] = torch.where(still, state["anchor"], value)
        residual = torch.maximum(equality_residual(pre, pattern), violation(pre, pattern))
        plateau = (residual <= self.feasibility) & (state["steady"] >= stopping.patience)
        return _gradient_inspection(state, plateau)
