"""Which layer of fc6's size?  Seeded random float32 weights, or VGG-16's; the target is drawn."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from polytope import CollisionPolytope
from polytope.sets.domains import Domain


@dataclass(frozen=True)
class Size:
    """N units on d inputs, about N+ of them active."""

    units: int
    inputs: int
    active: int


@dataclass(frozen=True, eq=False)
class BigLayer:
    """Weight (units, inputs), bias (units,) and target (inputs,), all float32."""

    weight: np.ndarray
    bias: np.ndarray
    target: np.ndarray

    def polytope(self, domain: Domain) -> CollisionPolytope:
        """Returns the target's collision polytope."""
        return CollisionPolytope.from_layer(self.weight, self.bias, self.target, domain=domain)


def random_layer(size: Size, *, seed: int) -> BigLayer:
    """Returns a layer with weights N(0, 1/inputs), no structure that a real network might add.

    The target is |N(0, 1)| on a fifth of its coordinates and zero elsewhere; one bias for all
    units leaves about `active` of them active.
    """
    rng = np.random.default_rng(seed)
    weight = rng.standard_normal((size.units, size.inputs), dtype=np.float32)
    weight *= np.float32(size.inputs**-0.5)
    target = _positive_fifth(size.inputs, rng)
    reached = np.sort(weight @ target)
    shift = -(reached[-size.active] + reached[-size.active - 1]) / 2
    return BigLayer(weight, np.full(size.units, shift, dtype=np.float32), target)


def real_layer(path: Path, *, seed: int) -> BigLayer:
    """Returns fc6 from a file of VGG-16's weights, with a seeded target."""
    from experiments.models.vgg16_weights import load_vgg16  # torch, where it is needed only

    state = load_vgg16(path).model.state_dict()
    weight, bias = (state[f"classifier.0.{name}"].numpy() for name in ("weight", "bias"))
    return BigLayer(weight, bias, _positive_fifth(weight.shape[1], np.random.default_rng(seed)))


def _positive_fifth(inputs: int, rng: np.random.Generator) -> np.ndarray:
    target = np.abs(rng.standard_normal(inputs, dtype=np.float32))
    target[rng.random(inputs) < 0.8] = 0
    return target
