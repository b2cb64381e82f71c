"""Which layer, which target, which set?  The exact data behind a collision polytope.

``y = max(0, W x + b)`` with N units and d inputs.  The split into active units (``z_i > 0``) and
the others is taken from the exact pre-activation ``z = W x_t + b``: rigorous float bounds decide
nearly every sign, exact arithmetic the rest, so that layers of VGG's size are split in seconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from fractions import Fraction
from functools import cached_property
from operator import mul
from typing import Any

import numpy as np

from polytope.errors import DomainError, InputError, ShapeError
from polytope.exact.arguments import shown
from polytope.exact.array import ExactArray
from polytope.exact.brief import Brief
from polytope.exact.matrix import Matrix
from polytope.exact.products import Support
from polytope.exact.rational import RationalVector, nearest_float, to_fraction
from polytope.sets.domains import Box, Domain, Free
from polytope.sets.halfspaces import Row, System

#: Rows made to Python integers at a time.
_CHUNK = 256
#: Entries from which no row is kept as integers, of 40 bytes each: polytope/exact/products.py.
_LARGE = 1 << 20


@dataclass(frozen=True, eq=False, repr=False)
class Layer(Brief):
    """Exact weights, the target (or a wanted post-activation), the domain and the tolerance."""

    weight: Matrix
    bias: ExactArray
    target: ExactArray | None
    activation: ExactArray | None
    domain: Domain
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
        # Sparse and scaled matrices are exact and checked as they are made.
        exact = hasattr(weight, "integer_rows")
        w: Matrix = weight if exact else ExactArray.of(weight, "weight", ndim=2)
        n_units, n_inputs = w.shape
        if n_inputs == 0:
            raise ShapeError(f"weight: expected at least one input, got shape {w.shape}")
        b = _vector(bias, "bias", n_units, w.shape)
        epsilon = to_fraction(tolerance, "tolerance")
        if epsilon < 0:
            raise InputError(f"tolerance: expected a number >= 0, got {shown(tolerance)}")
        domain = Free() if domain is None else domain
        if isinstance(domain, type) or not hasattr(domain, "bounds"):
            raise InputError(
                f"domain: expected Free(), Nonnegative() or Box(lower, upper), got {shown(domain)}"
            )
        lower, upper = domain.bounds(n_inputs)
        if activation is not None:
            y = _vector(activation, "activation", n_units, w.shape)
            _expect_nonnegative(y)
            return cls(w, b, None, y, domain, epsilon)
        x = _vector(target, "target", n_inputs, w.shape)
        for j, (v, low, high) in enumerate(zip(x.fractions(), lower, upper, strict=True)):
            if (low is not None and v < low) or (high is not None and v > high):
                raise DomainError(
                    f"target: expected a point of the domain, got {nearest_float(v)} at "
                    f"coordinate {j}, outside of [{_shown(low, '-inf')}, {_shown(high, 'inf')}]"
                )
        return cls(w, b, x, None, domain, epsilon)

    @cached_property
    def answers(self) -> dict[object, object]:
        """What was asked before (polytope/answers/memory.py), by question."""
        return {}

    def __getstate__(self) -> dict[str, object]:
        # What was computed may be larger by far, and cannot all be sent to another process.
        return {each.name: self.__dict__[each.name] for each in fields(self)}

    @property
    def n_units(self) -> int:
        """Number N of units."""
        return self.weight.shape[0]

    @property
    def n_inputs(self) -> int:
        """Number d of inputs."""
        return self.weight.shape[1]

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

    def values(self, x: RationalVector) -> list[Fraction]:
        """Exact ``w_i x`` for every unit."""
        return self.weight.multiply(x) if self.is_large else self.system.values(x)

    @property
    def is_large(self) -> bool:
        """Whether the weights are worth not being kept as Python integers, or may not be dense."""
        n, d = self.weight.shape
        return self.weight.is_sparse or n * d >= _LARGE

    def contains(self, x: RationalVector) -> bool:
        """Whether x lies in the set, by exact substitution."""
        system = self.system
        if not self.is_large:
            return system.contains(x)
        kept = [
            s == 0 or (s > 0 and r.kind != "equality")
            for s, r in zip(system.slack_signs(x), system.rows, strict=True)
        ]
        return all(kept) and system.bound_violation(x) == 0

    @cached_property
    def post_activation(self) -> tuple[Fraction, ...]:
        """Exact post-activation every point of the set shares (up to the tolerance)."""
        if self.activation is not None:
            return tuple(self.activation.fractions())
        return tuple(max(z, Fraction(0)) for z in self.pre_activations)

    @cached_property
    def biases(self) -> tuple[Fraction, ...]:
        """Exact biases."""
        return tuple(self.bias.fractions())

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
    def system(self) -> System:
        """The H-representation of the collision polytope (docs/certificates.md names the rows)."""
        lower, upper = self.domain.bounds(self.n_inputs)
        rows: list[Row] = []
        rhs: list[Fraction] = []
        e = self.tolerance
        for i, (y, b) in enumerate(zip(self.post_activation, self.biases, strict=True)):
            if e == 0:
                rows.append(Row("equality" if y > 0 else "upper", i))
                rhs.append(y - b)
                continue
            rows.append(Row("upper", i))
            rhs.append(y + e - b)
            if y > e:
                rows.append(Row("lower", i))
                rhs.append(b + e - y)
        return System(self.weight, tuple(rows), tuple(rhs), lower, upper)

    @property
    def is_box(self) -> bool:
        """Whether the domain is bounded."""
        return isinstance(self.domain, Box)


def _vector(values: Any, name: str, n: int, shape: tuple[int, ...]) -> ExactArray:
    """The n numbers that go with a weight of this shape."""
    try:
        array = ExactArray.of(values, name, ndim=1)
    except ShapeError as error:
        raise ShapeError(f"{error} for a weight of shape {shape}") from None
    if array.shape[0] != n:
        raise ShapeError(
            f"{name}: expected length {n} for a weight of shape {shape}, got {array.shape[0]}"
        )
    return array


def _expect_nonnegative(y: ExactArray) -> None:
    for i, v in enumerate(y.fractions()):
        if v < 0:
            raise InputError(
                f"activation: expected y >= 0 (a ReLU's output), got {nearest_float(v)} at unit {i}"
            )


def _shown(bound: Fraction | None, missing: str) -> str:
    return missing if bound is None else str(nearest_float(bound))
