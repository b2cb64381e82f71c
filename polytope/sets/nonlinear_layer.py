"""What does a layer with another function than the ReLU ask for?  An interval of each unit.

``|f(w_i x + b_i) - y_i| <= e`` is ``floor_i <= w_i x + b_i <= ceiling_i`` for a monotone f (M25 in
docs/mathematics.md).  Irrational ends are rounded, all to the same side: the set is then a part of
the true one ("inner") or has it as a part ("outer").
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

from flint import ctx

from polytope.errors import InputError
from polytope.exact.array import ExactArray
from polytope.exact.matrix import Matrix
from polytope.exact.rational import RationalVector
from polytope.sets.domains import Domain
from polytope.sets.functions import Function, Piecewise, ball
from polytope.sets.layer import as_target, as_tolerance
from polytope.sets.nonlinearity import function_of
from polytope.sets.preimages import (
    Interval,
    Rounding,
    around_point,
    around_value,
    as_rounding,
    to_fraction_above,
)
from polytope.sets.rows import Misfit, Rows, Sides, as_domain, as_vector, as_weight, entries

#: Bits with which the least tolerance of a point is bounded from above.
_BITS = 256


@dataclass(frozen=True, eq=False, repr=False)
class NonlinearLayer(Rows):
    """What ``y = f(W x + b)`` asks of an input for a target's (or a wanted) post-activation.

    Attributes:
        nonlinearity: the name of f, as for `function_of`.
        target: (d,) exact; None where a post-activation is wanted.
        activation: (N,) the wanted post-activation; None with a target.
        tolerance: e >= 0, by which the post-activations may differ.
        rounding: the side to which irrational ends are rounded.
    """

    nonlinearity: str
    target: ExactArray | None
    activation: ExactArray | None
    tolerance: Fraction
    rounding: Rounding

    @classmethod
    def of(
        cls,
        nonlinearity: str,
        weight: Any,
        bias: Any,
        *,
        target: Any = None,
        activation: Any = None,
        domain: Domain | None = None,
        tolerance: Any = 0,
        rounding: Any = "inner",
    ) -> NonlinearLayer:
        """Validate everything, and compute the intervals; see ``CollisionPolytope.from_layer``.

        Raises:
            InputError: if no input of R^d has the wanted post-activation, or an irrational one
                alone; the rest as for a ReLU layer.
            LimitError: if an interval is too narrow to be computed.
        """
        w = as_weight(weight)
        n_units, n_inputs = w.shape
        b = as_vector(bias, "bias", n_units, w.shape)
        epsilon, side, domain = as_tolerance(tolerance), as_rounding(rounding), as_domain(domain)
        if activation is not None:
            y = as_vector(activation, "activation", n_units, w.shape)
            domain.bounds(n_inputs)
            made = cls(w, b, domain, nonlinearity, None, y, epsilon, side)
        else:
            x = as_target(target, w.shape, domain)
            made = cls(w, b, domain, nonlinearity, x, None, epsilon, side)
        _ = made.intervals
        return made

    @property
    def arrays(self) -> Mapping[str, Matrix | ExactArray]:
        """Weight and bias, and the target or the wanted post-activation."""
        stated = {"target": self.target, "activation": self.activation}
        return {**super().arrays, **{k: v for k, v in stated.items() if v is not None}}

    @property
    def words(self) -> Mapping[str, str]:
        """The function, and to which side its intervals are rounded."""
        return {"nonlinearity": self.nonlinearity, "rounding": self.rounding}

    @cached_property
    def function(self) -> Function:
        """f."""
        found = function_of(self.nonlinearity)
        if found is None:
            raise InputError("nonlinearity: expected another one than relu; use Layer for it")
        return found

    @cached_property
    def target_vector(self) -> RationalVector | None:
        """The target, exact: it lies in the set whatever the rounding."""
        return None if self.target is None else self.target.vector()

    @cached_property
    def pre_activations(self) -> tuple[Fraction, ...]:
        """Exact ``w_i x_t + b_i`` of every unit; empty without a target."""
        if self.target_vector is None:
            return ()
        products = self.weight.multiply(self.target_vector)
        return tuple(v + b for v, b in zip(products, self.biases, strict=True))

    @cached_property
    def intervals(self) -> tuple[Interval, ...]:
        """The interval of each unit's pre-activation, rounded."""
        f, e, side = self.function, self.tolerance, self.rounding
        if self.activation is None:
            return tuple(around_point(f, z, e, rounding=side) for z in self.pre_activations)
        found = []
        for i, y in enumerate(self.activation.fractions()):
            interval = around_value(f, y, e, rounding=side)
            if isinstance(interval, str):
                raise InputError(f"activation: expected an attainable one at unit {i}: {interval}")
            found.append(interval)
        return tuple(found)

    @cached_property
    def floors(self) -> Sides:
        """The lower ends."""
        return tuple(interval.floor for interval in self.intervals)

    @cached_property
    def ceilings(self) -> Sides:
        """The upper ends."""
        return tuple(interval.ceiling for interval in self.intervals)

    @cached_property
    def saturated(self) -> tuple[int, ...]:
        """Units with an end missing: as far as the tolerance sees, f is constant that way."""
        return tuple(i for i, ends in enumerate(self.intervals) if None in ends)

    def misfit(self, values: Sequence[Fraction]) -> Misfit:
        """By how much values ``w_i x + b_i`` (N,) miss the sides.

        The least tolerance is that of the true function, rounded up where it is irrational.
        """
        sides = super().misfit(values)
        gaps = [self._gap(i, value) for i, value in enumerate(values)]
        return sides._replace(smallest_tolerance=max(gaps, default=Fraction(0)))

    def _gap(self, unit: int, value: Fraction) -> Fraction:
        """``|f(value) - y|``, or a number just above."""
        f = self.function
        if self.activation is None:
            z = self.pre_activations[unit]
            if z == value:
                return Fraction(0)
            wanted = f.exact_value(z)
        else:
            z, wanted = value, self.activation.fractions()[unit]
        found = f.exact_value(value)
        if found is not None and wanted is not None:
            return abs(found - wanted)
        if isinstance(f, Piecewise):
            raise AssertionError("a piecewise linear function has rational values")
        with ctx.workprec(_BITS):
            aim = f.value(z) if wanted is None else ball(wanted)
            return to_fraction_above(abs(f.value(value) - aim))

    def part(self, units: list[int], inputs: list[int], *, domain: Domain) -> NonlinearLayer:
        """Some units on some inputs."""
        target = None if self.target is None else entries(self.target, inputs)
        wanted = None if self.activation is None else entries(self.activation, units)
        weight, bias = self.weight.take(units, inputs), entries(self.bias, units)
        return NonlinearLayer(
            weight, bias, domain, self.nonlinearity, target, wanted, self.tolerance, self.rounding
        )
