"""Which layer, which target, which set?  The exact data behind a collision polytope.

``y = max(0, W x + b)`` with N units and d inputs.  The split into active units (``z_i > 0``) and
the others is taken from the exact pre-activation ``z = W x_t + b``: rigorous float bounds decide
nearly every sign, exact arithmetic the rest, so that layers of VGG's size are split in seconds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from operator import mul
from typing import Any

import numpy as np

from polytope.errors import DomainError, InputError
from polytope.exact.arguments import instance, shown
from polytope.exact.array import ExactArray
from polytope.exact.matrix import Matrix
from polytope.exact.products import Support
from polytope.exact.rational import RationalVector, nearest_float, to_fraction
from polytope.sets.domains import Domain
from polytope.sets.halfspaces import Row
from polytope.sets.rows import Misfit, Rows, Sides, as_domain, as_vector, as_weight, entries

#: Rows made to Python integers at a time.
_CHUNK = 256


@dataclass(frozen=True, eq=False, repr=False)
class Layer(Rows):
    """What a ReLU layer asks of an input for a target's (or a wanted) post-activation.

    Attributes:
        target: (d,) exact; None where a post-activation is wanted.
        activation: (N,) the wanted post-activation; None with a target.
        tolerance: e >= 0, by which the post-activations may differ.
    """

    target: ExactArray | None
    activation: ExactArray | None
    tolerance: Fraction

    @classmethod
    def of(
        cls,
        weight: Any,
        bias: Any,
        target: Any,
        *,
        activation: Any = None,
        domain: Domain | None = None,
        tolerance: Any = 0,
    ) -> Layer:
        """Validate everything before any work starts; see ``CollisionPolytope.from_layer``.

        A layer without units (N = 0) asks nothing: its set is the domain.
        """
        w = as_weight(weight)
        n_units, n_inputs = w.shape
        b = as_vector(bias, "bias", n_units, w.shape)
        epsilon = as_tolerance(tolerance)
        domain = as_domain(domain)
        if activation is not None:
            y = as_vector(activation, "activation", n_units, w.shape)
            _expect_nonnegative(y)
            domain.bounds(n_inputs)
            return cls(w, b, domain, None, y, epsilon)
        return cls(w, b, domain, as_target(target, w.shape, domain), None, epsilon)

    @property
    def arrays(self) -> Mapping[str, Matrix | ExactArray]:
        """Weight and bias, and the target or the wanted post-activation."""
        stated = {"target": self.target, "activation": self.activation}
        return {**super().arrays, **{k: v for k, v in stated.items() if v is not None}}

    @cached_property
    def target_vector(self) -> RationalVector | None:
        """The target, exact; None if the set was asked for by its activation."""
        return None if self.target is None else self.target.vector()

    @cached_property
    def signs(self) -> tuple[int, ...]:
        """Exact sign (-1, 0, +1) of each unit's pre-activation at the target, or of ``y_i``."""
        if self.target is None or self.target_vector is None:
            return tuple((v > 0) - (v < 0) for v in self.post_activation)
        out = self.weight.certain_signs(self.target_vector, self.bias.approx)
        for unit in np.flatnonzero(out == 0).tolist():
            z = self.pre_activation(unit)
            out[unit] = (z > 0) - (z < 0)
        return tuple(int(s) for s in out)

    @cached_property
    def active(self) -> tuple[int, ...]:
        """Units with a positive pre-activation (a zero counts as non-positive)."""
        return tuple(i for i, s in enumerate(self.signs) if s > 0)

    @cached_property
    def inactive(self) -> tuple[int, ...]:
        """The other units."""
        return tuple(i for i, s in enumerate(self.signs) if s <= 0)

    @cached_property
    def ties(self) -> tuple[int, ...]:
        """Units whose pre-activation at the target is exactly zero."""
        if self.target is None:
            return ()
        return tuple(i for i, s in enumerate(self.signs) if s == 0)

    @cached_property
    def _support(self) -> Support:
        return Support.of(self.target_vector or RationalVector(()))

    def pre_activation(self, unit: int) -> Fraction:
        """Exact ``w_i x_t + b_i`` (or the wanted ``y_i``)."""
        if self.target is None:
            return self.post_activation[unit]
        return self._pre_activations([unit])[0]

    def _pre_activations(self, units: Sequence[int]) -> list[Fraction]:
        if self.is_large and self.target_vector is not None:
            products = self.weight.multiply(self.target_vector, units)
            return [v + self.biases[i] for v, i in zip(products, units, strict=True)]
        x = self._support
        rows, scales = self.weight.integer_rows(units, x.columns)
        return [
            Fraction(sum(map(mul, row, x.numerators)), scale * x.denominator) + self.biases[unit]
            for unit, row, scale in zip(units, rows, scales, strict=True)
        ]

    @cached_property
    def pre_activations(self) -> tuple[Fraction, ...]:
        """Exact pre-activation of every unit at the target."""
        if self.target is None:
            return self.post_activation
        out: list[Fraction] = []
        for start in range(0, self.n_units, _CHUNK):
            out += self._pre_activations(range(self.n_units)[start : start + _CHUNK])
        return tuple(out)

    @cached_property
    def post_activation(self) -> tuple[Fraction, ...]:
        """Exact post-activation every point of the set shares (up to the tolerance)."""
        if self.activation is not None:
            return tuple(self.activation.fractions())
        return tuple(max(z, Fraction(0)) for z in self.pre_activations)

    @cached_property
    def sign_disagreements(self) -> tuple[int, ...]:
        """Units that one float execution puts on the other side of zero.

        The execution is numpy's product on this machine, in the stored type (half precision is
        accumulated in float32, as accelerators do).  Other libraries sum in another order and may
        disagree on other units; the exact split is the same for all.
        """
        stored = self.weight.stored_type
        if self.target is None or stored is None or stored.kind != "f":
            return ()
        kind = np.promote_types(stored, np.float32)
        x, b = self.target.approx.astype(kind), self.bias.approx.astype(kind)
        with np.errstate(all="ignore"):  # an overflow is a disagreement like any other
            z = self.weight.float_product(x) + b
        return tuple(
            i for i, (f, s) in enumerate(zip(z, self.signs, strict=True)) if (f > 0) != (s > 0)
        )

    @cached_property
    def floors(self) -> Sides:
        """``y_i - e`` where a unit fires beyond the tolerance; a ReLU's 0 has none."""
        e = self.tolerance
        return tuple(y - e if y > e else None for y in self.post_activation)

    @cached_property
    def ceilings(self) -> Sides:
        """``y_i + e`` for every unit."""
        return tuple(y + self.tolerance for y in self.post_activation)

    @property
    def equations(self) -> tuple[Row, ...]:
        """The rows of the active units, unless a tolerance makes them two inequalities each."""
        return super().equations if self.tolerance == 0 else ()

    @property
    def one_row_a_unit(self) -> tuple[Row, ...]:
        """By the signs alone, without a single exact pre-activation."""
        equal = set(self.active) if self.tolerance == 0 else set()
        return tuple(Row("equality" if i in equal else "upper", i) for i in range(self.n_units))

    @property
    def is_strict_at_target(self) -> bool:
        """Whether it is without a look: no tolerance, no tie."""
        return self.target is not None and self.tolerance == 0 and not self.ties

    def misfit(self, values: Sequence[Fraction]) -> Misfit:
        """By how much values ``w_i x + b_i`` (N,) miss colliding, whatever the tolerance."""
        wanted, zero = self.pre_activations, Fraction(0)
        pairs = zip(values, self.post_activation, strict=True)
        return Misfit(
            max((abs(values[i] - wanted[i]) for i in self.active), default=zero),
            max((max(values[i], zero) for i in self.inactive), default=zero),
            max((abs(max(v, zero) - y) for v, y in pairs), default=zero),
        )

    def half_space(self, unit: int) -> tuple[Fraction | None, ...]:
        """The bias: equal weights and biases repeat each other, whatever the target."""
        return (self.biases[unit],)

    def part(self, units: list[int], inputs: list[int], *, domain: Domain) -> Layer:
        """Some units on some inputs; without units, one of weight 0 that never fires."""
        if units:
            weight, bias = self.weight.take(units, inputs), entries(self.bias, units)
            wanted = None if self.activation is None else entries(self.activation, units)
        else:
            zero = np.zeros((1, len(inputs)), dtype=np.int64)
            weight, bias = ExactArray(zero, "int64"), ExactArray(np.array([-1]), "int64")
            wanted = None if self.activation is None else ExactArray(np.array([0]), "int64")
        target = None if self.target is None else entries(self.target, inputs)
        return Layer(weight, bias, domain, target, wanted, self.tolerance)


def relu_layer(rows: Rows) -> Layer:
    """The ReLU layer behind a set.

    Raises:
        InputError: if there is none: a polyhedron, say.
    """
    return instance(rows, Layer, "layer")


def as_tolerance(tolerance: Any) -> Fraction:
    """Take a tolerance exactly.

    Raises:
        InputError: if it is negative or no finite number.
    """
    epsilon = to_fraction(tolerance, "tolerance")
    if epsilon < 0:
        raise InputError(f"tolerance: expected a number >= 0, got {shown(tolerance)}")
    return epsilon


def _expect_nonnegative(y: ExactArray) -> None:
    for i, v in enumerate(y.fractions()):
        if v < 0:
            raise InputError(
                f"activation: expected y >= 0 (a ReLU's output), got {nearest_float(v)} at unit {i}"
            )


def as_target(target: Any, shape: tuple[int, ...], domain: Domain) -> ExactArray:
    """Take a target (d,) exactly, for a weight of this shape.

    Raises:
        ShapeError, NonFiniteError, InexactError: naming it.
        DomainError: if it lies outside of the domain.
    """
    lower, upper = domain.bounds(shape[1])
    x = as_vector(target, "target", shape[1], shape)
    for j, (v, low, high) in enumerate(zip(x.fractions(), lower, upper, strict=True)):
        if (low is not None and v < low) or (high is not None and v > high):
            raise DomainError(
                f"target: expected a point of the domain, got {nearest_float(v)} at "
                f"coordinate {j}, outside of [{_shown(low, '-inf')}, {_shown(high, 'inf')}]"
            )
    return x


def _shown(bound: Fraction | None, missing: str) -> str:
    return missing if bound is None else str(nearest_float(bound))
