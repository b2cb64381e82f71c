"""When does the search stop?  Limits, the plateau rule, and what "converged" may mean.

* converged: only where a method proves it by a duality gap (`optimize/search/splitting.py` states
  the rule).  Gradient methods never say so.
* plateau: at a check, the best value seen so far has not fallen by more than
  `plateau_tolerance * max(1, |best|)` during the last `patience` checks.
* step limit, time limit: `max_steps` steps for every vertex, `max_seconds` of wall time in all,
  looked at only at the checks, which are `check_every` steps apart.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from polytope.errors import InputError


@dataclass(frozen=True, kw_only=True)
class Stopping:
    """Limits of one search.

    Args:
        max_steps: steps per vertex at most.
        check_every: steps between two looks at the state (the loop does not wait for the device
            in between).
        plateau_tolerance: relative fall that still counts as progress.
        patience: checks without progress after which a gradient method stops.
        max_seconds: wall time after which the search stops at the next check; None for no limit.

    Raises:
        InputError: a limit is not positive.
    """

    max_steps: int = 20_000
    check_every: int = 100
    plateau_tolerance: float = 1e-6
    patience: int = 10
    max_seconds: float | None = None

    def __post_init__(self) -> None:
        """Check every limit."""
        for name in ("max_steps", "check_every", "patience"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise InputError(f"{name}: expected a positive whole number, got {value!r}")
        if not (math.isfinite(self.plateau_tolerance) and self.plateau_tolerance >= 0):
            raise InputError(
                f"plateau_tolerance: expected a finite number >= 0, got {self.plateau_tolerance!r}"
            )
        if self.max_seconds is not None and not self.max_seconds > 0:
            raise InputError(
                f"max_seconds: expected None or a positive number, got {self.max_seconds!r}"
            )


def begin_watch(count: int, like: Tensor) -> dict[str, Tensor]:
    """The state of the plateau rule for `count` vertices, before the first check."""
    return {
        "best": torch.full((count,), math.inf, dtype=like.dtype, device=like.device),
        "stale": torch.zeros(count, dtype=torch.int64, device=like.device),
    }


def stalled(state: dict[str, Tensor], value: Tensor, stopping: Stopping) -> Tensor:
    """Record the values (V,) of one check in `state`; True (V,) where the plateau rule holds.

    NaN counts as no progress.
    """
    best = state["best"]
    margin = stopping.plateau_tolerance * best.abs().clamp(min=1)
    progress = torch.where(torch.isinf(best), value < best, value < best - margin)
    # `best` moves with every true progress only: many falls too small to count, one after the
    # other, still count together once their sum exceeds the margin.
    state["best"] = torch.where(progress, value, best)
    state["stale"] = torch.where(progress, 0, state["stale"] + 1)
    return state["stale"] >= stopping.patience
