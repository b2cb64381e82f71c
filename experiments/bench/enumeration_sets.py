"""Which sets are enumerated?  float32 layers in a box, each from its size and seed."""

from dataclasses import dataclass

import numpy as np

from polytope import Box, CollisionPolytope

#: Dimension and half-spaces (units and 2 d bounds); 67 to 90,685 vertices with seed 0.
SIZES = (
    (4, 30), (4, 50), (4, 70), (6, 30), (6, 50), (6, 70), (8, 30), (8, 40), (8, 50), (8, 60),
    (8, 70), (9, 40), (9, 50), (10, 30), (10, 40), (10, 50), (12, 30), (12, 36),
)  # fmt: skip
QUICK = ((4, 30), (4, 70), (6, 30), (6, 70), (8, 30), (8, 40), (10, 30))
SMOKE = ((2, 6), (3, 10))


Layer = tuple[np.ndarray, np.ndarray, np.ndarray]


@dataclass(frozen=True)
class LayerSize:
    """A layer of `halfspaces - 2 d` units on d inputs in [0, 1]^d, all inactive at the target.

    Weights are N(0, 1/d) and the target is the middle of the box, from which unit i is
    `margin_i` below its threshold, uniform in [0.2, 0.6]: most units cut the box.
    """

    dimension: int
    halfspaces: int
    seed: int

    def layer(self) -> Layer:
        """Returns weight (N, d), bias (N,) and target (d,), float32."""
        d, units = self.dimension, self.halfspaces - 2 * self.dimension
        rng = np.random.default_rng(self.seed)
        weight = (rng.standard_normal((units, d)) / d**0.5).astype(np.float32)
        target = np.full(d, 0.5, np.float32)
        bias = (-(weight @ target) - rng.uniform(0.2, 0.6, units)).astype(np.float32)
        return weight, bias, target


def polytope_of(layer: Layer) -> CollisionPolytope:
    """Returns the collision polytope of a layer in [0, 1]^d."""
    return CollisionPolytope.from_layer(*layer, domain=Box(0, 1))
