"""What is a polyhedron here?  Rows of a layer with exact right-hand sides, and bounds.

Every set this package speaks of is ``{x : w_i x = r (equality rows), w_i x <= r (upper rows),
-w_i x <= r (lower rows), lower <= x <= upper}`` with the weight rows ``w_i`` of one layer, its
H-representation.  See docs/certificates.md for the names of the rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import lcm
from operator import mul
from typing import Literal, NamedTuple

import numpy as np
from flint import fmpz_mat

from polytope.exact.brief import Brief
from polytope.exact.matrix import IntegerRows, Matrix
from polytope.exact.rational import RationalVector, nearest_float, rounded
from polytope.sets.domains import Bounds

#: From this bit length on, FLINT's products pay for turning the rows into its integers once.
_FLINT_BITS = 512

RowKind = Literal["equality", "upper", "lower"]


class Row(NamedTuple):
    """Name of a row: ``w_i x = r``, ``w_i x <= r`` ("upper") or ``-w_i x <= r`` ("lower")."""

    kind: RowKind
    unit: int

    @property
    def sign(self) -> int:
        """Sign with which the weight row enters."""
        return -1 if self.kind == "lower" else 1


@dataclass(frozen=True)
class Bound:
    """Name of a bound of the domain: ``x_j >= lo_j`` ("lower") or ``x_j <= up_j`` ("upper").

    Not a tuple like ``Row``: ``("upper", 3)`` names a row and a bound, which must not be equal.
    """

    side: Literal["lower", "upper"]
    coordinate: int


#: An inequality of the set: a row of the layer or a bound of the domain.
Halfspace = Row | Bound


@dataclass(frozen=True, eq=False, repr=False)
class Multipliers(Brief):
    """A Farkas combination of rows: free at equalities, nonnegative at inequalities."""

    weights: Mapping[Row, int]
    denominator: int = 1

    @classmethod
    def of(cls, values: Mapping[Row, Fraction]) -> Multipliers:
        """Bring rational multipliers over one denominator."""
        denominator = lcm(*(v.denominator for v in values.values())) if values else 1
        numerators = {
            row: v.numerator * (denominator // v.denominator) for row, v in values.items() if v
        }
        return cls(numerators, denominator)


class FloatRows(NamedTuple):
    """Rows (N, d) scaled to [1/2, 1): row i is ``integer_row(i) / 2**exponents[i]``."""

    table: np.ndarray
    exponents: list[int]


@dataclass(frozen=True, eq=False, repr=False)
class System(Brief):
    """An exact H-representation over the weight rows of one layer.

    Attributes:
        weight: (N, d), exact.
        rows: names of the rows, in unit order.
        rhs: right-hand side of each row, exact, for the row as stored (not scaled).
        lower: lower bounds (d,), None where there is none.
        upper: upper bounds (d,), None where there is none.
    """

    weight: Matrix
    rows: tuple[Row, ...]
    rhs: tuple[Fraction, ...]
    lower: Bounds
    upper: Bounds

    @property
    def n_inputs(self) -> int:
        """Number d of coordinates."""
        return self.weight.shape[1]

    @cached_property
    def position(self) -> dict[Row, int]:
        """Place of each row in ``rows``."""
        return {row: k for k, row in enumerate(self.rows)}

    @cached_property
    def one_row_a_unit(self) -> tuple[Row, ...]:
        """The first row of each unit that has any: the lines and rays of the set know no other."""
        first: dict[int, Row] = {}
        for row in self.rows:
            first.setdefault(row.unit, row)
        return tuple(first.values())

    @cached_property
    def _scaled(self) -> IntegerRows:
        return self.weight.integer_rows(range(self.weight.shape[0]))

    def prepare(self) -> None:
        """Compute what is kept now, so that threads only read it."""
        _ = self._scaled, self.float_rows, self.position

    def integer_row(self, unit: int) -> list[int]:
        """Weight row of a unit times ``scale(unit)``, as integers (do not alter)."""
        return self._scaled[0][unit]

    @cached_property
    def _matrix(self) -> fmpz_mat:
        """All integer rows, for products with large numbers."""
        return fmpz_mat(self._scaled[0])

    def scale(self, unit: int) -> int:
        """Least positive integer that makes the unit's weight row integral."""
        return self._scaled[1][unit]

    @cached_property
    def float_rows(self) -> FloatRows:
        """All weight rows as floats; exact if the weights are floats."""
        if self.weight.is_float64_exact:
            floats = self.weight.approx  # its scales are powers of two
            largest, exponents = np.frexp(np.abs(floats).max(axis=1))
            scales = [scale.bit_length() - 1 for scale in self._scaled[1]]
            powers = np.where(largest > 0, exponents + np.array(scales, dtype=np.int32), 0)
            shifts = np.array(scales, dtype=np.int32) - powers.astype(np.int32)
            return FloatRows(np.ldexp(floats, shifts[:, None]), powers.tolist())
        bits = [max(map(abs, row)).bit_length() for row in self._scaled[0]]
        rows = [[rounded(v, 1 << b) for v in self.integer_row(i)] for i, b in enumerate(bits)]
        return FloatRows(np.array(rows).reshape(self.weight.shape), bits)

    @cached_property
    def float_bounds(self) -> tuple[np.ndarray, np.ndarray]:
        """Bounds as float64 arrays, infinite where there are none."""
        lower = [-np.inf if v is None else nearest_float(v) for v in self.lower]
        upper = [np.inf if v is None else nearest_float(v) for v in self.upper]
        return np.array(lower), np.array(upper)

    def values(self, x: RationalVector) -> list[Fraction]:
        """Exact ``w_i x`` for every unit."""
        totals: Iterable[int]
        if _is_large(x.numerators):
            product = self._matrix * fmpz_mat(self.n_inputs, 1, list(x.numerators))
            totals = map(int, product.entries())
        else:
            columns = [j for j, v in enumerate(x.numerators) if v]
            point = [x.numerators[j] for j in columns]
            totals = (
                sum(map(mul, map(row.__getitem__, columns), point)) for row in self._scaled[0]
            )
        return [
            Fraction(total, scale * x.denominator)
            for total, scale in zip(totals, self._scaled[1], strict=True)
        ]

    def contains(self, x: RationalVector) -> bool:
        """Whether ``x`` lies in the set, by exact substitution."""
        return self.bound_violation(x) == 0 and self._rows_hold(self.values(x))

    def slack_signs(self, x: RationalVector, rows: Sequence[int] | None = None) -> list[int]:
        """Signs of the slacks of all rows at x (d,) or of some places in ``rows``: -1 is violated.

        Floats decide nearly all; no weight becomes a Python integer but those of the other rows.
        """
        places = range(len(self.rows)) if rows is None else rows
        named = [(self.rows[r], self.rhs[r]) for r in places]
        units, sides = [row.unit for row, _ in named], np.array([row.sign for row, _ in named])
        right = np.array([nearest_float(rhs) for _, rhs in named])
        # The slack is -side (w x - side rhs).
        signs = -sides * self.weight.certain_signs(x, -sides * right, units)
        unknown = np.flatnonzero(signs == 0).tolist()
        values = self.weight.multiply(x, [units[k] for k in unknown])
        for k, value in zip(unknown, values, strict=True):
            slack = named[k][1] - named[k][0].sign * value
            signs[k] = (slack > 0) - (slack < 0)
        return list(map(int, signs))

    def _rows_hold(self, values: Sequence[Fraction]) -> bool:
        for row, rhs in zip(self.rows, self.rhs, strict=True):
            slack = rhs - row.sign * values[row.unit]
            if slack < 0 or (row.kind == "equality" and slack != 0):
                return False
        return True

    def bound_violation(self, x: RationalVector) -> Fraction:
        """Return the largest distance by which ``x`` leaves its bounds (0 inside)."""
        worst = Fraction(0)
        den = x.denominator
        for n, low, high in zip(x.numerators, self.lower, self.upper, strict=True):
            if low is not None and n * low.denominator < low.numerator * den:
                worst = max(worst, low - Fraction(n, den))
            if high is not None and n * high.denominator > high.numerator * den:
                worst = max(worst, Fraction(n, den) - high)
        return worst

    def combine(self, multipliers: Multipliers) -> RationalVector:
        """Exact combination of weight rows, ``sum m_r sign_r w_r`` (d,)."""
        common = lcm(*(self.scale(row.unit) for row in multipliers.weights))
        factors: dict[int, int] = {}
        for row, weight in multipliers.weights.items():
            factor = row.sign * weight * (common // self.scale(row.unit))
            factors[row.unit] = factors.get(row.unit, 0) + factor
        return RationalVector(self._combined(factors), common * multipliers.denominator)

    def _combined(self, factors: Mapping[int, int]) -> tuple[int, ...]:
        """Return the sum of factors times integer rows."""
        if _is_large(factors.values()):
            n_units = self.weight.shape[0]
            line = fmpz_mat(1, n_units, [factors.get(i, 0) for i in range(n_units)])
            return tuple(map(int, (line * self._matrix).entries()))
        total = [0] * self.n_inputs
        for unit, factor in factors.items():
            total = [t + factor * v for t, v in zip(total, self.integer_row(unit), strict=True)]
        return tuple(total)

    def lower_bound(self, objective: RationalVector, multipliers: Multipliers) -> Fraction | None:
        """Weak duality: a number below ``objective . x`` for every x of the set.

        With ``g = objective + sum m_r row_r`` the bound is ``min g.x over the bounds - m.rhs``;
        None where that minimum is infinite.
        """
        combined = self.combine(multipliers)
        common = lcm(combined.denominator, objective.denominator)
        left, right = common // combined.denominator, common // objective.denominator
        total = -sum(
            (
                Fraction(w, multipliers.denominator) * self.rhs[self.position[row]]
                for row, w in multipliers.weights.items()
            ),
            Fraction(0),
        )
        at_bounds = Fraction(0)
        for j, (a, c) in enumerate(zip(combined.numerators, objective.numerators, strict=True)):
            g = a * left + c * right
            if g:
                bound = self.lower[j] if g > 0 else self.upper[j]
                if bound is None:
                    return None
                at_bounds += g * bound
        return total + at_bounds / common


def inequalities(system: System) -> tuple[Halfspace, ...]:
    """Names of all inequalities: rows in unit order, then the bounds of each coordinate."""
    names: list[Halfspace] = [row for row in system.rows if row.kind != "equality"]
    for j, (low, high) in enumerate(zip(system.lower, system.upper, strict=True)):
        names += [Bound("lower", j)] if low is not None else []
        names += [Bound("upper", j)] if high is not None else []
    return tuple(names)


def _is_large(numbers: Iterable[int]) -> bool:
    return max(map(int.bit_length, numbers), default=0) > _FLINT_BITS
