"""Are two V-representations the same set?  A form that is equal iff they are, up to redundancy.

Lines are a reduced row echelon basis; points and rays are reduced modulo the lines, to 0 at their
pivots; everything is in coprime integers.  Minimal V-representations of one set then agree.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import gcd, lcm
from typing import Any

from polytope.formats.representations import HasGenerators, rows_of

IntegerRow = tuple[int, ...]


@dataclass(frozen=True)
class HalfspaceSystem:
    """Integer rows `(b, c)`, `b + c x >= 0`, or `= 0` for the last `n_equations` of them."""

    rows: tuple[IntegerRow, ...]
    n_equations: int

    @property
    def n_inputs(self) -> int:
        """Returns d."""
        return len(self.rows[0]) - 1

    @property
    def inequalities(self) -> tuple[IntegerRow, ...]:
        """Returns the rows that are no equations."""
        return self.rows[: len(self.rows) - self.n_equations]

    @property
    def equations(self) -> tuple[IntegerRow, ...]:
        """Returns the last rows."""
        return self.rows[len(self.rows) - self.n_equations :]

    @property
    def is_homogeneous(self) -> bool:
        """Whether all constants are 0: a cone, whose apex cdd does not list."""
        return not any(row[0] for row in self.rows)


@dataclass(frozen=True)
class ExactSet:
    """A minimal V-representation in comparable form.

    Attributes:
        points: `(q, p_1 ... p_d)` for the point p / q; coprime, q > 0.
        rays: coprime integers.
        lines: a reduced echelon basis, each row scaled to coprime integers, its pivot positive.
    """

    points: frozenset[IntegerRow]
    rays: frozenset[IntegerRow]
    lines: tuple[IntegerRow, ...]

    @property
    def is_empty(self) -> bool:
        """Whether there is no point."""
        return not self.points

    def words(self) -> str:
        """Returns the counts."""
        return f"{len(self.points)} points, {len(self.rays)} rays, {len(self.lines)} lines"


EMPTY = ExactSet(frozenset(), frozenset(), ())


def system_of(polytope: Any) -> HalfspaceSystem:
    """Returns the integer rows of a `CollisionPolytope`, bounds included."""
    found = rows_of(polytope)
    rows = [*found.inequalities, *found.equations]
    return HalfspaceSystem(tuple(tuple(int(v) for v in row) for row in rows), len(found.equations))


def exact_set(
    points: Iterable[IntegerRow], rays: Iterable[IntegerRow], lines: Iterable[IntegerRow]
) -> ExactSet:
    """Returns the comparable form of homogeneous points, rays and lines.

    Args:
        points: `(q, p_1 ... p_d)`, q > 0.
        rays: (d,).
        lines: (d,), perhaps dependent.
    """
    basis = echelon(list(lines))
    tops = frozenset(primitive(_modulo(v, basis, 1)) for v in points)
    if not tops:
        return EMPTY
    directions = (primitive(_modulo(v, basis, 0)) for v in rays)
    return ExactSet(tops, frozenset(v for v in directions if any(v)), tuple(v for _, v in basis))


def set_of(generators: HasGenerators) -> ExactSet:
    """Returns the comparable form of what `P.vertices()` or a reader returned."""
    return exact_set(
        ((v.denominator, *v.numerators) for v in generators.points),
        (v.numerators for v in generators.rays),
        (v.numerators for v in generators.lines),
    )


def homogeneous(values: Sequence[Fraction]) -> IntegerRow:
    """Returns `(q, p_1 ... p_d)` for a point."""
    q = lcm(*(v.denominator for v in values))
    return (q, *(v.numerator * (q // v.denominator) for v in values))


def primitive(row: Sequence[int]) -> IntegerRow:
    """Returns the row divided by the greatest common divisor of its entries."""
    divisor = gcd(*row)
    return tuple(row) if divisor <= 1 else tuple(v // divisor for v in row)


def echelon(rows: list[IntegerRow]) -> list[tuple[int, IntegerRow]]:
    """Returns pivots and rows of the reduced row echelon form, in coprime integers.

    >>> echelon([(2, 4, 0), (1, 2, 1)])
    [(0, (1, 2, 0)), (2, (0, 0, 1))]
    """
    table = [primitive(row) for row in rows if any(row)]
    found: list[tuple[int, IntegerRow]] = []
    for column in range(len(rows[0]) if rows else 0):
        at = next((k for k, row in enumerate(table) if row[column]), None)
        if at is None:
            continue
        pivot = table.pop(at)
        pivot = pivot if pivot[column] > 0 else tuple(-v for v in pivot)
        table = [_eliminated(row, pivot, column) for row in table]
        found = [(j, _eliminated(row, pivot, column)) for j, row in found]
        found.append((column, pivot))
        table = [row for row in table if any(row)]
    return found


def _eliminated(row: IntegerRow, pivot: IntegerRow, column: int) -> IntegerRow:
    if not row[column]:
        return row
    a, b = pivot[column], row[column]
    return primitive([a * v - b * w for v, w in zip(row, pivot, strict=True)])


def _modulo(row: IntegerRow, basis: list[tuple[int, IntegerRow]], first: int) -> IntegerRow:
    """Subtracts lines from the entries from `first` on; a positive factor may come in."""
    for column, line in basis:
        if row[first + column]:
            row = _eliminated(row, (*(0,) * first, *line), first + column)
    return row


# ---- Which of two lists is wrong?  By substitution and ranks, without any enumerator -------------


def refuted(system: HalfspaceSystem, claimed: ExactSet, other: ExactSet) -> str:
    """Returns why `claimed` is wrong, as far as `other` shows it; empty if it does not.

    A point is a vertex (modulo lines) iff it lies in the set and its tight rows have the rank of
    all rows; a direction is an extreme ray iff the set recedes along it and the rows constant
    along it have one rank less.
    """
    rank = len(echelon([row[1:] for row in system.rows]))
    for point in claimed.points ^ other.points:
        proper = _is_extreme(system, point, rank)
        if proper != (point in claimed.points):
            return f"{'omits' if proper else 'lists'} {_words(point)}, a vertex: {proper}"
    for ray in claimed.rays ^ other.rays:
        proper = _is_extreme(system, (0, *ray), rank - 1)
        if proper != (ray in claimed.rays):
            return f"{'omits' if proper else 'lists'} {_words((0, *ray))}, an extreme ray: {proper}"
    return ""


def _words(row: IntegerRow) -> str:
    text = str(row)
    return text if len(text) < 80 else f"{text[:76]}...)"


def _is_extreme(system: HalfspaceSystem, x: IntegerRow, rank: int) -> bool:
    """Whether homogeneous x is in the (recession) cone of the rows with tight rows of a rank."""
    slacks = [sum(a * b for a, b in zip(row, x, strict=True)) for row in system.rows]
    equal = slacks[len(system.inequalities) :]
    if min(slacks, default=0) < 0 or any(equal):
        return False
    tight = [row[1:] for row, slack in zip(system.rows, slacks, strict=True) if slack == 0]
    return len(echelon(tight)) == rank
