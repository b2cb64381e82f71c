"""What is minimised?  Equation 1 of the paper, one function per term.

With pre-activations p of a candidate and p_t of the target, for an inactive unit i of the target:

    alpha * L+ + L_i,   L+  = 1/2 sum over active j of (p_j - p_t,j)^2
                        L_i = p_i + sum over inactive j != i of |p_j|         others = "absolute"
                        L_i = p_i + sum over inactive j != i of max(0, p_j)   others = "hinge"

"absolute" is the paper's penalty, "hinge" what the polytope asks.  Both are relaxations: a minimum
of either may miss the target's activation (the tests hold a layer where it does).
"""

import math
from dataclasses import dataclass
from typing import Literal, get_args

import torch
from torch import Tensor

from polytope.errors import InputError

Others = Literal["absolute", "hinge"]


@dataclass(frozen=True)
class Pattern:
    """Which units of which target each of V vertices must hold, clear, and push down.

    Attributes:
        target_pre: (V, N), the target's pre-activations.
        active: (V, N) bool, where `target_pre` is positive.
        chosen: (V, N) bool, the one inactive unit that is pushed down.
        others: (V, N) bool, the other inactive units.
    """

    target_pre: Tensor
    active: Tensor
    chosen: Tensor
    others: Tensor

    @staticmethod
    def of(target_pre: Tensor, units: Tensor) -> "Pattern":
        """The pattern of V pre-activations (V, N) and as many unit indices (V,)."""
        active = target_pre > 0
        chosen = torch.zeros_like(active)
        chosen.scatter_(1, units[:, None], True)
        return Pattern(target_pre, active, chosen, ~active & ~chosen)

    def take(self, index: Tensor | slice) -> "Pattern":
        """The pattern of the vertices `index` only."""
        return Pattern(
            self.target_pre[index], self.active[index], self.chosen[index], self.others[index]
        )


@dataclass(frozen=True, eq=False)
class Slope:
    """``clamp(scale * (p - shift) + offset, low, high)``, entry by entry: a derivative in p.

    Every derivative needed here has this form, and it takes three passes without any branch;
    choosing between terms by masks took ten times as long on a CPU.
    """

    shift: Tensor
    scale: Tensor
    low: Tensor
    high: Tensor
    offset: Tensor | None = None

    def __call__(self, pre: Tensor) -> Tensor:
        """The derivative at the pre-activations `pre`."""
        found = torch.sub(pre, self.shift)
        if self.offset is None:
            found.mul_(self.scale)
        else:
            found = torch.addcmul(self.offset, found, self.scale)
        return torch.clamp(found, self.low, self.high, out=found)


def choose(pattern: Pattern, *, active: float, chosen: float, others: float) -> Tensor:
    """(V, N) in the type of the target's pre-activations: one number for each kind of unit."""
    table = torch.full_like(pattern.target_pre, others)
    table.masked_fill_(pattern.active, active)
    return table.masked_fill_(pattern.chosen, chosen)


def equality_term(pre: Tensor, pattern: Pattern) -> Tensor:
    """L+ of eq. 1, (V,): half the squared error over the target's active units."""
    error = torch.where(pattern.active, pre - pattern.target_pre, 0.0)
    return 0.5 * error.square().sum(1)


def chosen_term(pre: Tensor, pattern: Pattern) -> Tensor:
    """The pre-activation (V,) of the unit that is pushed down: the first part of L_i."""
    return torch.where(pattern.chosen, pre, 0.0).sum(1)


def others_term(pre: Tensor, pattern: Pattern, others: Others) -> Tensor:
    """The second part of L_i, (V,): |p| or max(0, p) over the other inactive units."""
    size = pre.abs() if others == "absolute" else pre.clamp(min=0)
    return torch.where(pattern.others, size, 0.0).sum(1)


def equality_residual(pre: Tensor, pattern: Pattern) -> Tensor:
    """Largest |p_j - p_t,j| over the active units, (V,); 0 where there is none."""
    return torch.where(pattern.active, (pre - pattern.target_pre).abs(), 0.0).amax(1)


def violation(pre: Tensor, pattern: Pattern) -> Tensor:
    """Largest max(0, p_j) over all inactive units, (V,), the one pushed down included."""
    return torch.where(pattern.active, 0.0, pre.clamp(min=0)).amax(1)


@dataclass(frozen=True)
class Objective:
    """Equation 1 (Li, Zhang & Malik 2019) with its two open choices.

    Args:
        alpha: weight of the equality term, > 0 (the paper's released scripts: 10, later 1000).
        others: "absolute" (the paper's penalty) or "hinge" (the polytope's).

    Raises:
        InputError: alpha is not a positive finite number, or `others` is unknown.
    """

    alpha: float = 10.0
    others: Others = "absolute"

    def __post_init__(self) -> None:
        """Check both choices."""
        if not (math.isfinite(self.alpha) and self.alpha > 0):
            raise InputError(f"alpha: expected a positive finite number, got {self.alpha!r}")
        if self.others not in get_args(Others):
            raise InputError(f"others: expected 'absolute' or 'hinge', got {self.others!r}")

    def value(self, pre: Tensor, pattern: Pattern) -> Tensor:
        """Equation 1 at the pre-activations `pre` (V, N): (V,)."""
        return (
            self.alpha * equality_term(pre, pattern)
            + chosen_term(pre, pattern)
            + others_term(pre, pattern, self.others)
        )

    def slope(self, pattern: Pattern) -> Slope:
        """The derivative of `value` in the pre-activations; 0 at the kink of |p| and max(0, p).

        Written out because the loop then needs one product with the layer's Jacobian and no
        graph; a test holds it equal to autograd's.
        """
        # A steep line between the two slopes of a kink: 0 at 0, cut at both ends from the smallest
        # normal number on.
        steep = 1 / torch.finfo(pattern.target_pre.dtype).tiny
        least = -1.0 if self.others == "absolute" else 0.0
        return Slope(
            shift=torch.where(pattern.active, pattern.target_pre, 0.0),
            scale=choose(pattern, active=self.alpha, chosen=0.0, others=steep),
            low=choose(pattern, active=-math.inf, chosen=1.0, others=least),
            high=choose(pattern, active=math.inf, chosen=1.0, others=1.0),
        )
