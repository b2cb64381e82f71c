"""How long is a halfspace's normal within the affine hull?  Rational bounds, at any size.

The distance from a point x of the hull to the hyperplane ``a x = b`` within the hull is
``(b - a x) / |P a|``, with P the orthogonal projection onto the hull's directions: the kernel of
the rows E that are equalities on the whole set.  Below, ``a`` stands for integer rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import isqrt
from typing import Any

import numpy as np
from flint import fmpz_mat

from polytope.answers.generators import Bound, Halfspace
from polytope.errors import InputError
from polytope.lp.proposals import proposing
from polytope.measures.local import LocalRows, balanced, local_rows
from polytope.questions.dimension import dimension
from polytope.sets.halfspaces import Multipliers, Row
from polytope.sets.linalg import Minor
from polytope.sets.rows import Rows
from polytope.vertices.reduction import reduce

#: Equalities up to which projections are computed exactly, at some 100 bits an equality.
_EXACT = 24
#: Entries of a chart's basis up to which its coordinates are chosen well, in rationals.
_SMALL = 10_000
#: Bits behind the point of the float proposals, once they are integers.
_BITS = 64


@dataclass(frozen=True, eq=False)
class Hull:
    """The affine hull: which rows are equalities on the whole set, and which coordinates fixed.

    Attributes:
        layer: whose set it is.
        dimension: of the hull.
        implicit: inequality rows that are tight on the whole set.
        proof: Farkas multipliers that prove them so; None if there are none.
        fixed: coordinates with one value on the whole set.
        minor: rows E, independent, that span all equalities outside the fixed coordinates.
    """

    layer: Rows
    dimension: int
    implicit: frozenset[Row]
    proof: Multipliers | None
    fixed: frozenset[int]
    minor: Minor

    @classmethod
    def of(cls, layer: Rows) -> Hull | str:
        """Find the hull by the proof of the dimension; a reason if the set is empty or undecided.

        The reason is "empty" for an empty set.
        """
        found = dimension(layer)
        if found.value is None or found.certificate is None:
            return found.reason or "the dimension is undecided"
        if found.value == -1:
            return "empty"
        system, witness = layer.system, found.certificate.witness
        fixed = {
            j
            for j, (low, high) in enumerate(zip(system.lower, system.upper, strict=True))
            if low is not None and low == high
        }
        implicit: Multipliers | None = witness.get("implicit")
        rows: set[Row] = set()
        if implicit is not None:
            rows = {r for r, w in implicit.weights.items() if w and r.kind != "equality"}
            fixed |= {j for j, g in enumerate(system.combine(implicit).numerators) if g}
        # Where the target shows the dimension, its minor has the equalities' full rank.
        minor = witness["target"] if "target" in witness else witness["minor"]
        return cls(layer, found.value, frozenset(rows), implicit, frozenset(fixed), minor)

    def flattened(self) -> LocalRows:
        """The whole set in coordinates of the hull, exactly; for some hundred inputs at most.

        Raises:
            InputError: if an inequality is tight on the whole set and was not proved to be.
        """
        reduced = reduce(self.layer, self.proof)
        if reduced is None:
            raise InputError("hull: expected all implicit equalities to be known, got more")
        chart = reduced.chart
        if chart.dimension * self.layer.n_inputs <= _SMALL:
            chart = balanced(chart)
        return local_rows(self.layer.system, chart, reduced.halfspaces)

    def inequalities(self) -> list[Halfspace]:
        """All rows and bounds that are not tight on the whole set."""
        system = self.layer.system
        out: list[Halfspace] = [
            row for row in system.rows if row.kind != "equality" and row not in self.implicit
        ]
        for j, (low, high) in enumerate(zip(system.lower, system.upper, strict=True)):
            if j not in self.fixed:
                out += [Bound("lower", j)] if low is not None else []
                out += [Bound("upper", j)] if high is not None else []
        return out

    def squared_norms(self, halfspaces: Sequence[Halfspace]) -> list[tuple[Fraction, Fraction]]:
        """Bounds of ``|P a|^2`` for each halfspace; equal where few equalities allow it.

        The normal of a row is taken times its scale, as an integer row; that of a bound is +-1.
        """
        columns = [j for j in range(self.layer.n_inputs) if j not in self.fixed]
        place = {j: k for k, j in enumerate(columns)}
        system = self.layer.system
        units = sorted({h.unit for h in halfspaces if isinstance(h, Row)})
        coordinates = sorted({h.coordinate for h in halfspaces if isinstance(h, Bound)})
        table = [[system.integer_row(i)[j] for j in columns] for i in units]
        table += [[int(j == place[c]) for j in range(len(columns))] for c in coordinates]
        equal = [[system.integer_row(row.unit)[j] for j in columns] for row in self.minor.rows]
        found = _projected(table, equal)
        by_unit = dict(zip(units, found, strict=False))
        by_coordinate = dict(zip(coordinates, found[len(units) :], strict=True))
        return [
            by_unit[h.unit] if isinstance(h, Row) else by_coordinate[h.coordinate]
            for h in halfspaces
        ]


def _projected(table: list[list[int]], equal: list[list[int]]) -> list[tuple[Fraction, Fraction]]:
    """Bounds of the squared distance of each row from the span of the rows ``equal``."""
    if not table:
        return []
    if not equal:
        squares = [Fraction(sum(v * v for v in row)) for row in table]
        return [(s, s) for s in squares]
    if len(equal) > _EXACT:
        found = _projected_by_floats(table, equal)
        if found is not None:
            return found
    return _projected_exactly(table, equal)


def _projected_exactly(
    table: list[list[int]], equal: list[list[int]]
) -> list[tuple[Fraction, Fraction]]:
    """``|a|^2 - (E a)^T (E E^T)^-1 (E a)``."""
    a, e = fmpz_mat(table), fmpz_mat(equal)
    products = e * a.transpose()
    shares = (e * e.transpose()).solve(products)
    out = []
    for c, row in enumerate(table):
        within = sum((shares[r, c] * products[r, c] for r in range(len(equal))), shares[0, 0] * 0)
        square = Fraction(sum(v * v for v in row)) - Fraction(int(within.p), int(within.q))
        out.append((square, square))
    return out


def _projected_by_floats(
    table: list[list[int]], equal: list[list[int]]
) -> list[tuple[Fraction, Fraction]] | None:
    """Floats propose the share of E in each row and a right inverse of E; integers prove.

    With any w = a - E^T m:  ``|P a|^2 = |P w|^2 = |w|^2 - |Q w|^2``, and the part Q w in the span
    of E is ``|E^+ E w| <= |M| |E w| / (1 - |I - E M|)`` if ``|I - E M| < 1``
    (Frobenius).  None if the proposals are too coarse for that.
    """
    scaled, top = _aligned(equal)
    tops = [max(map(abs, row)).bit_length() for row in table]
    floats = np.array([[v / (1 << t) for v in row] for row, t in zip(table, tops, strict=True)])
    inverse = None
    with np.errstate(all="ignore"), proposing():
        inverse = np.linalg.pinv(np.array([[v / (1 << top) for v in row] for row in scaled]))
        shares = floats @ inverse
    if inverse is None or not (np.isfinite(inverse).all() and np.isfinite(shares).all()):
        return None
    e, m = fmpz_mat(scaled), fmpz_mat(_integers(inverse))
    # In these units E is an integer matrix, and its approximate right inverse M is m / one.
    one = 1 << (top + _BITS)
    identity = fmpz_mat([[one * (i == j) for j in range(len(equal))] for i in range(len(equal))])
    defect = Fraction(isqrt(_square_sum((identity - e * m).entries())) + 1, one)
    if defect >= Fraction(1, 2):
        return None
    size = Fraction(_square_sum(m.entries()), one * one) / (1 - defect) ** 2
    moved = (fmpz_mat(_integers(shares)) * e).tolist()
    # Each w, times ``one``.
    w = [
        [(v << (top + _BITS)) - (int(s) << t) for v, s in zip(row, share, strict=True)]
        for row, share, t in zip(table, moved, tops, strict=True)
    ]
    left = (fmpz_mat(w) * e.transpose()).tolist()
    out = []
    for original, row, rest in zip(table, w, left, strict=True):
        length = Fraction(_square_sum(row), one * one)
        within = size * Fraction(_square_sum(rest), one * one)
        # A normal that may be in the span of E is settled: zero or not makes a difference.
        small = length <= within
        out += _projected_exactly([original], equal) if small else [(length - within, length)]
    return out


def _aligned(rows: list[list[int]]) -> tuple[list[list[int]], int]:
    """Rows times powers of two, their largest entries of one bit length, and that length."""
    bits = [max(map(abs, row)).bit_length() for row in rows]
    top = max(bits)
    return [[v << (top - b) for v in row] for row, b in zip(rows, bits, strict=True)], top


def _integers(values: np.ndarray) -> list[list[int]]:
    """Floats times 2^BITS, rounded."""
    return [[int(Fraction(v) * (1 << _BITS)) for v in row] for row in values.tolist()]


def _square_sum(values: Iterable[Any]) -> int:
    return sum(int(v) ** 2 for v in values)
