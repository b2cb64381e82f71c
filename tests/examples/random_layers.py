"""Random layers on which exact answers are easy to get wrong, each from its own seed."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from polytope import Box, CollisionPolytope, Free, Nonnegative
from tests.oracles.exact_oracle import Oracle, dot, exact

FAMILIES = (
    "integers",
    "zeros and ones",
    "float16",
    "float32",
    "float64",
    "fractions",
    "row and column scales",
    "wide entries",
    "nearly parallel",
    "repeated rows",
    "ties",
    "low rank",
)
DOMAINS = ("free", "nonnegative", "box", "box by coordinate")
TOLERANCES = (0, 0, 0, 0.25, 1e-6, Fraction(1, 3), 2.0**-40)


@dataclass(frozen=True)
class Instance:
    """A layer with a target or a wanted activation, as the public interface takes it."""

    name: str
    weight: Any
    bias: Any
    target: Any
    activation: Any
    domain: Free | Nonnegative | Box
    tolerance: Any

    def polytope(self) -> CollisionPolytope:
        if self.activation is not None:
            return CollisionPolytope.from_activation(
                self.weight,
                self.bias,
                self.activation,
                domain=self.domain,
                tolerance=self.tolerance,
            )
        return CollisionPolytope.from_layer(
            self.weight, self.bias, self.target, domain=self.domain, tolerance=self.tolerance
        )

    def oracle(self) -> Oracle:
        weight, bias = tuple(exact(row) for row in self.weight), exact(self.bias)
        if self.activation is None:
            x = exact(self.target)
            post = tuple(max(dot(w, x) + b, Fraction(0)) for w, b in zip(weight, bias, strict=True))
        else:
            post = exact(self.activation)
        lower, upper = domain_bounds(self.domain, self.shape[1])
        return Oracle(weight, bias, post, lower, upper, Fraction(self.tolerance))

    @property
    def shape(self) -> tuple[int, int]:
        if hasattr(self.weight, "shape"):
            return int(self.weight.shape[0]), int(self.weight.shape[1])
        return len(self.weight), len(self.weight[0])


def domain_bounds(domain: Any, n: int) -> tuple[tuple[Fraction | None, ...], ...]:
    if isinstance(domain, Free):
        return (None,) * n, (None,) * n
    if isinstance(domain, Nonnegative):
        return (Fraction(0),) * n, (None,) * n
    sides = []
    for side in (domain.lower, domain.upper):
        values = exact(side) if np.ndim(side) else exact([side]) * n
        sides.append(values)
    return sides[0], sides[1]


def instance(seed: int, *, largest: tuple[int, int] = (6, 4)) -> Instance:
    """Draw a layer of at most ``largest`` = (units, inputs); the family follows from the seed."""
    rng = np.random.default_rng([20191208, seed])
    family = FAMILIES[seed % len(FAMILIES)]
    n_units, n_inputs = (int(rng.integers(1, most + 1)) for most in largest)
    weight, bias = _weights(family, n_units, n_inputs, rng)
    kind = DOMAINS[int(rng.integers(len(DOMAINS)))]
    domain, target = _domain(kind, n_inputs, rng)
    weight, bias = _special(family, weight, bias, target, rng)
    tolerance = TOLERANCES[int(rng.integers(len(TOLERANCES)))]
    activation = None
    if rng.random() < 0.3:
        target, activation = None, _activation(weight, bias, target, rng)
    name = f"seed {seed}: {family}, {n_units} x {n_inputs}, {kind}, tolerance {tolerance}"
    return Instance(name, weight, bias, target, activation, domain, tolerance)


def _weights(
    family: str, n_units: int, n_inputs: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    shape = (n_units, n_inputs)
    if family == "zeros and ones":
        return rng.integers(0, 2, shape).astype(np.int8), rng.integers(-1, 2, n_units)
    if family in ("integers", "ties", "repeated rows", "low rank"):
        return rng.integers(-2, 3, shape), rng.integers(-2, 3, n_units)
    if family == "fractions":
        draw = [
            [Fraction(int(a), int(b)) for a, b in zip(*pair, strict=True)]
            for pair in zip(rng.integers(-5, 6, shape), rng.integers(1, 8, shape), strict=True)
        ]
        bias = [Fraction(int(a), 7) for a in rng.integers(-9, 10, n_units)]
        return np.array(draw, dtype=object).reshape(shape), np.array(bias, dtype=object)
    weight, bias = rng.standard_normal(shape), rng.standard_normal(n_units)
    if family in ("float16", "float32"):
        return weight.astype(family), bias.astype(family)
    if family == "row and column scales":
        rows = 2.0 ** rng.integers(-60, 61, (n_units, 1))
        columns = 2.0 ** rng.integers(-60, 61, (1, n_inputs))
        return weight * rows * columns, bias * rows[:, 0]
    if family == "wide entries":
        return weight * 10.0 ** rng.uniform(-30, 30, shape), bias * 10.0 ** rng.uniform(-9, 9)
    if family == "nearly parallel":
        weight[1:] = np.nextafter(weight[0], rng.choice([-9.0, 9.0], (n_units - 1, n_inputs)))
        bias[1:] = np.nextafter(bias[0], rng.choice([-9.0, 9.0], n_units - 1))
        weight *= rng.choice([-1.0, 1.0], (n_units, 1))
    return weight, bias


def _special(
    family: str, weight: Any, bias: Any, target: np.ndarray, rng: np.random.Generator
) -> tuple[Any, Any]:
    n_units, n_inputs = weight.shape
    if family == "ties":
        # The targets are multiples of 1/8 here, so that this product is exact.
        tied = rng.random(n_units) < 0.7
        return weight, np.where(tied, -(weight @ target), bias)
    if family == "repeated rows":
        source = rng.integers(0, n_units, n_units)
        factor = rng.choice([1, 1, 2, -1, 0], n_units)
        return weight[source] * factor[:, None], bias[source] * factor
    if family == "low rank":
        left, right = rng.integers(-1, 2, (n_units, 2)), rng.integers(-2, 3, (2, n_inputs))
        return left @ right, bias
    return weight, bias


def _domain(
    kind: str, n: int, rng: np.random.Generator
) -> tuple[Free | Nonnegative | Box, np.ndarray]:
    coarse = rng.integers(-8, 9, n) / 8.0
    if kind == "free":
        return Free(), coarse
    zero = rng.random(n) < 0.4
    if kind == "nonnegative":
        return Nonnegative(), np.where(zero, 0.0, np.abs(coarse))
    if kind == "box":
        return Box(0, 1), np.where(zero, rng.integers(0, 2, n), np.abs(coarse))
    lower = rng.integers(-8, 1, n) / 8.0
    upper = lower + rng.integers(0, 9, n) / 8.0
    inside = np.clip(coarse, lower, upper)
    return Box(lower, upper), np.where(zero, lower, inside)


def _activation(weight: Any, bias: Any, target: np.ndarray, rng: np.random.Generator) -> Any:
    """What the target attains, or nearly, or something arbitrary; kept exact."""
    values = [
        max(dot(exact(w), exact(target)) + b, Fraction(0))
        for w, b in zip(weight, exact(bias), strict=True)
    ]
    choice = rng.integers(4)
    if choice == 1:  # as a float forward pass would have it
        values = [Fraction(float(v)) for v in values]
    elif choice == 2:
        values = [max(Fraction(0), v + int(rng.integers(-1, 2))) for v in values]
    elif choice == 3:
        values[int(rng.integers(len(values)))] += Fraction(1, 10**9)
    out = np.empty(len(values), dtype=object)
    out[:] = values
    return out
