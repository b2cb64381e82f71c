"""Which sets are enumerated?  float32 layers in a box or alone, each from its size and seed."""

from dataclasses import dataclass

import numpy as np

from polytope import Box, CollisionPolytope, Free

#: Family -> what it is.  In a box most numbers of a set are short, which suits the peers.
FAMILIES = {"box": "in the box [0, 1]^d", "free": "alone (free domain)"}
#: Dimension and half-spaces (of units and bounds); some 70 to 40,000 vertices.
SIZES = (
    (4, 30), (4, 50), (4, 70), (6, 30), (6, 50), (6, 70), (8, 30), (8, 40), (8, 50), (8, 70),
    (10, 30), (10, 40), (12, 30),
)  # fmt: skip
QUICK = ((4, 30), (4, 70), (6, 30), (6, 70), (8, 30), (8, 40), (10, 30))
SMOKE = ((2, 6), (3, 10))


Layer = tuple[np.ndarray, np.ndarray, np.ndarray]


@dataclass(frozen=True)
class LayerSize:
    """A layer of units that are all inactive at the target, and cut the set around it.

    Weights are N(0, 1/d), the target is (1/2, ..., 1/2), and unit i is a margin below its
    threshold there, uniform in [0.2, 0.6].

    Attributes:
        family: "box" has `halfspaces - 2 d` units and x in [0, 1]^d; "free" `halfspaces` units.
        dimension: d.
        halfspaces: of units and bounds.
        seed: of the weights.
    """

    family: str
    dimension: int
    halfspaces: int
    seed: int

    @property
    def units(self) -> int:
        """Number of units."""
        return self.halfspaces - (2 * self.dimension if self.family == "box" else 0)

    def layer(self) -> Layer:
        """Returns weight (N, d), bias (N,) and target (d,), float32."""
        d = self.dimension
        rng = np.random.default_rng(self.seed)
        weight = (rng.standard_normal((self.units, d)) / d**0.5).astype(np.float32)
        target = np.full(d, 0.5, np.float32)
        bias = (-(weight @ target) - rng.uniform(0.2, 0.6, self.units)).astype(np.float32)
        return weight, bias, target

    def polytope(self, layer: Layer) -> CollisionPolytope:
        """Returns the collision polytope of the layer."""
        domain = Box(0, 1) if self.family == "box" else Free()
        return CollisionPolytope.from_layer(*layer, domain=domain)
