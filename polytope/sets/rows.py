"""What is a set made of?  Rows with floors and ceilings: ``floor_i <= w_i x + b_i <= ceiling_i``.

Every set of this package is ``{x in D : floor_i <= w_i x + b_i <= ceiling_i for every unit i}``,
exact, either side absent; a unit whose sides are equal is an equation.  Where the sides come from
is what the kinds of rows differ in: stated (`StatedRows`: half-spaces, regions), or what a layer
and a target ask for (polytope/sets/layer.py).  All questions are about `Rows`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from polytope.errors import InputError, ShapeError
from polytope.exact.arguments import shown
from polytope.exact.array import ExactArray
from polytope.exact.brief import Brief, number
from polytope.exact.matrix import Matrix
from polytope.exact.rational import RationalVector, to_fraction
from polytope.sets.domains import Box, Domain, Free
from polytope.sets.halfspaces import Row, System

#: Entries from which no row is kept as integers, of 40 bytes each: polytope/exact/products.py.
_LARGE = 1 << 20

#: One side a unit: a floor or a ceiling; None where the unit has none.
Sides = tuple[Fraction | None, ...]


class Misfit(NamedTuple):
    """By how much values (N,) of the units miss their sides; see `Residuals` for the three."""

    worst_equality: Fraction
    worst_inactive: Fraction
    smallest_tolerance: Fraction


@dataclass(frozen=True, eq=False, repr=False)
class Rows(Brief):
    """``{x in D : floor_i <= w_i x + b_i <= ceiling_i}``; a subclass says where the sides are from.

    Attributes:
        weight: (N, d), exact.
        bias: (N,), exact.
        domain: D.
    """

    weight: Matrix
    bias: ExactArray
    domain: Domain

    if TYPE_CHECKING:  # fields of some subclasses, which a property here would be a default of

        @property
        def floors(self) -> Sides:
            """The least value of each unit, None where there is none."""

        @property
        def ceilings(self) -> Sides:
            """The largest value of each unit, None where there is none."""

    @property
    def arrays(self) -> Mapping[str, Matrix | ExactArray]:
        """The arrays that a certificate states, by role; each may come from a file."""
        return {"weight": self.weight, "bias": self.bias}

    @property
    def words(self) -> Mapping[str, str]:
        """What a line about the set says beside its sizes."""
        return {}

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

    @property
    def is_box(self) -> bool:
        """Whether the domain is bounded."""
        return isinstance(self.domain, Box)

    @property
    def is_large(self) -> bool:
        """Whether the weights are worth not being kept as Python integers, or may not be dense."""
        n, d = self.weight.shape
        return self.weight.is_sparse or n * d >= _LARGE

    @property
    def target_vector(self) -> RationalVector | None:
        """A point of the set that is known beforehand, exact; None if there is none."""
        return None

    @property
    def is_strict_at_target(self) -> bool:
        """Whether `target_vector` is known to be strict in every row that is no equation."""
        return False

    @cached_property
    def active(self) -> tuple[int, ...]:
        """The units of W+: those that are equations (of a ReLU layer: those that fire)."""
        pairs = zip(self.floors, self.ceilings, strict=True)
        return tuple(i for i, (low, high) in enumerate(pairs) if low is not None and low == high)

    @cached_property
    def inactive(self) -> tuple[int, ...]:
        """The other units, those of W-."""
        held = set(self.active)
        return tuple(i for i in range(self.n_units) if i not in held)

    @property
    def equations(self) -> tuple[Row, ...]:
        """The equality rows; known before the rest of `system` is where that is cheaper."""
        return tuple(Row("equality", i) for i in self.active)

    @property
    def one_row_a_unit(self) -> tuple[Row, ...]:
        """A row of each unit that has any: what lines and rays of the set have to keep."""
        return self.system.one_row_a_unit

    @property
    def ties(self) -> tuple[int, ...]:
        """The units that a target leaves exactly at zero; known of a ReLU layer alone."""
        return ()

    @property
    def sign_disagreements(self) -> tuple[int, ...]:
        """The units that a float run splits differently; known of a ReLU layer alone."""
        return ()

    @cached_property
    def biases(self) -> tuple[Fraction, ...]:
        """Exact biases."""
        return tuple(self.bias.fractions())

    def values(self, x: RationalVector) -> list[Fraction]:
        """Exact ``w_i x`` for every unit."""
        return self.weight.multiply(x) if self.is_large else self.system.values(x)

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
    def system(self) -> System:
        """The H-representation of the set (docs/certificates.md names the rows).

        A ceiling is an upper row, a floor a lower one, two equal sides are one equality.
        """
        rows: list[Row] = []
        rhs: list[Fraction] = []
        for i, (low, high, b) in enumerate(
            zip(self.floors, self.ceilings, self.biases, strict=True)
        ):
            if low is not None and low == high:
                rows.append(Row("equality", i))
                rhs.append(low - b)
                continue
            if high is not None:
                rows.append(Row("upper", i))
                rhs.append(high - b)
            if low is not None:
                rows.append(Row("lower", i))
                rhs.append(b - low)
        lower, upper = self.domain.bounds(self.n_inputs)
        return System(self.weight, tuple(rows), tuple(rhs), lower, upper)

    def misfit(self, values: Sequence[Fraction]) -> Misfit:
        """By how much values ``w_i x + b_i`` (N,) miss the sides."""
        zero = Fraction(0)
        gaps = [
            max(zero, zero if low is None else low - v, zero if high is None else v - high)
            for v, low, high in zip(values, self.floors, self.ceilings, strict=True)
        ]
        equal = max((gaps[i] for i in self.active), default=zero)
        other = max((gaps[i] for i in self.inactive), default=zero)
        return Misfit(equal, other, max(equal, other))

    def half_space(self, unit: int) -> tuple[Fraction | None, ...]:
        """What a unit asks of ``w_i x``: two units of equal weights with the same one repeat."""
        bias = self.biases[unit]
        sides = (self.floors[unit], self.ceilings[unit])
        return tuple(None if side is None else side - bias for side in sides)

    def part(self, units: list[int], inputs: list[int], *, domain: Domain) -> Rows:
        """Some units on some inputs; no other input is seen by them."""
        raise NotImplementedError


@dataclass(frozen=True, eq=False, repr=False)
class StatedRows(Rows):
    """Rows whose floors and ceilings are stated as they are."""

    floors: Sides
    ceilings: Sides

    @classmethod
    def of(
        cls, weight: Any, bias: Any, *, floors: Any, ceilings: Any, domain: Domain | None = None
    ) -> StatedRows:
        """Validate everything before any work starts.

        Args:
            weight: (N, d) floats, ints or Fractions, taken exactly, or a `Matrix`.
            bias: (N,).
            floors: (N,) numbers, or None where a unit has none.
            ceilings: (N,) likewise, none below its floor.
            domain: ``Free()`` by default.

        Raises:
            ShapeError, NonFiniteError, InexactError: naming the argument.
            InputError: if a floor lies above its ceiling, or `domain` is none.
        """
        w = as_weight(weight)
        b = as_vector(bias, "bias", w.shape[0], w.shape)
        low, high = (
            _sides(values, name, w.shape[0])
            for name, values in (("floors", floors), ("ceilings", ceilings))
        )
        for i, (least, most) in enumerate(zip(low, high, strict=True)):
            if least is not None and most is not None and least > most:
                got = f"{number(least)} > {number(most)} at unit {i}"
                raise InputError(f"floors: expected floor <= ceiling, got {got}")
        domain = as_domain(domain)
        domain.bounds(w.shape[1])
        return cls(w, b, domain, low, high)

    def part(self, units: list[int], inputs: list[int], *, domain: Domain) -> StatedRows:
        """Some units on some inputs."""
        sides = ([of[i] for i in units] for of in (self.floors, self.ceilings))
        weight = self.weight.take(units, inputs)
        return StatedRows(weight, entries(self.bias, units), domain, *map(tuple, sides))


def as_weight(weight: Any) -> Matrix:
    """Take a weight (N, d) exactly, d > 0; sparse and scaled matrices are exact as they are made.

    Raises:
        ShapeError, NonFiniteError, InexactError: naming it.
    """
    w: Matrix = (
        weight if hasattr(weight, "integer_rows") else ExactArray.of(weight, "weight", ndim=2)
    )
    if w.shape[1] == 0:
        raise ShapeError(f"weight: expected at least one input, got shape {w.shape}")
    return w


def as_vector(values: Any, name: str, n: int, shape: tuple[int, ...]) -> ExactArray:
    """Take the n numbers that go with a weight of this shape.

    Raises:
        ShapeError, NonFiniteError, InexactError: by this name.
    """
    try:
        array = ExactArray.of(values, name, ndim=1)
    except ShapeError as error:
        raise ShapeError(f"{error} for a weight of shape {shape}") from None
    if array.shape[0] != n:
        raise ShapeError(
            f"{name}: expected length {n} for a weight of shape {shape}, got {array.shape[0]}"
        )
    return array


def as_domain(domain: Any) -> Domain:
    """Take a domain; None is ``Free()``.

    Raises:
        InputError: if it is none.
    """
    found: Domain = Free() if domain is None else domain
    if isinstance(found, type) or not hasattr(found, "bounds"):
        raise InputError(
            f"domain: expected Free(), Nonnegative() or Box(lower, upper), got {shown(found)}"
        )
    return found


def entries(array: ExactArray, places: list[int]) -> ExactArray:
    """Some entries of a vector."""
    return ExactArray(array.data[places], array.dtype)


def _sides(values: Any, name: str, n: int) -> Sides:
    if isinstance(values, (str, bytes)) or not hasattr(values, "__len__"):
        raise InputError(f"{name}: expected {n} numbers or None, got {shown(values)}")
    if len(values) != n:
        raise ShapeError(f"{name}: expected length {n}, got {len(values)}")
    return tuple(
        None if value is None else to_fraction(value, f"{name}[{i}]")
        for i, value in enumerate(values)
    )
