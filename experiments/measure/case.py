"""Which layer, which target?  The part of a run that exact work needs, light enough to send."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from polytope import Box, CollisionPolytope, Source


@dataclass(frozen=True, eq=False)
class Case:
    """One layer and one target, in numbers a fresh process can be sent.

    Attributes:
        weight: (N, d) float32.
        bias: (N,) float32.
        target: (d,) float32, inside [0, 1].
        units: the units whose pre-activation is minimised; empty means not chosen yet.
        sources: files that hold these arrays: certificates name them.
    """

    weight: NDArray[np.float32]
    bias: NDArray[np.float32]
    target: NDArray[np.float32]
    units: tuple[int, ...] = ()
    sources: Mapping[str, Source] = field(default_factory=dict)

    def bounds(
        self, fixed: NDArray[np.bool_] | None = None
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Returns lower and upper bounds (d,) of the pixels, equal where `fixed` holds them."""
        lower, upper = np.zeros_like(self.target), np.ones_like(self.target)
        if fixed is not None:
            lower[fixed] = upper[fixed] = self.target[fixed]
        return lower, upper

    def polytope(
        self, *, fixed: NDArray[np.bool_] | None = None, tolerance: float = 0.0
    ) -> CollisionPolytope:
        """Returns the collision polytope in [0, 1]^d.

        Args:
            fixed: (d,) True where the pixel is held at the target's value; None for nowhere.
            tolerance: see `CollisionPolytope.from_layer`.
        """
        lower, upper = self.bounds(fixed)
        return CollisionPolytope.from_layer(
            self.weight, self.bias, self.target, domain=Box(lower, upper), tolerance=tolerance
        )
