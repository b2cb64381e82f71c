"""In which point do n rows meet, exactly?  Solved over the integers, one basis at a time.

The set is ``{v : normals v <= offsets}``, or that set perturbed: ``offsets + eps * shifts`` with an
infinitesimal eps > 0, so that every number is a pair (value, coefficient of eps), compared
lexicographically.  A basis is n rows; its point is ``(x + eps y) / den``, integer x, y, den > 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from operator import mul
from typing import NamedTuple

from flint import fmpz_mat

from polytope.exact.rational import RationalVector
from polytope.vertices.limits import Limits

Pair = tuple[int, int]


class BasisPoint(NamedTuple):
    """The point ``(x + eps y) / den`` at which the rows of a basis are tight.

    ``den`` > 0 divides the determinant of the rows, and may be less (FLINT solves large bases
    p-adically, with the least denominator).
    """

    den: int
    x: tuple[int, ...]
    y: tuple[int, ...]


class Edge(NamedTuple):
    """The row that stops an edge (None: it is a ray), and its direction as integers."""

    row: int | None
    direction: tuple[int, ...]


class Vertex(NamedTuple):
    """A vertex, and all rows tight at it."""

    point: RationalVector
    tight: list[int]


@dataclass(frozen=True, eq=False)
class ExactRows:
    """Integer rows ``normals v <= offsets + eps * shifts``; shifts all zero: not perturbed."""

    normals: Sequence[Sequence[int]]
    offsets: Sequence[int]
    shifts: Sequence[int]

    @property
    def n(self) -> int:
        """Number of coordinates."""
        return len(self.normals[0])

    def solve(self, basis: Sequence[int]) -> BasisPoint | None:
        """Return the point of a basis, None if its rows are dependent."""
        found = self._reduced(basis, [[self.offsets[j], self.shifts[j]] for j in basis])
        return None if found is None else BasisPoint(found[0], found[1][0], found[1][1])

    def _reduced(
        self, basis: Sequence[int], right: Sequence[Sequence[int]]
    ) -> tuple[int, list[tuple[int, ...]]] | None:
        """Solve for several right-hand sides: the common denominator, and each solution."""
        n = len(basis)
        rows = [[*self.normals[j], *r] for j, r in zip(basis, right, strict=True)]
        reduced, den, rank = fmpz_mat(rows).rref()
        if rank < n or reduced[n - 1, n - 1] != den:
            return None
        sign = 1 if den > 0 else -1
        width = len(right[0])
        columns = [tuple(sign * int(reduced[i, n + c]) for i in range(n)) for c in range(width)]
        return abs(int(den)), columns

    def slack(self, row: int, point: BasisPoint) -> Pair:
        """Slack of a row at a point, times ``point.den``."""
        normal = self.normals[row]
        value = self.offsets[row] * point.den - sum(map(mul, normal, point.x))
        shift = self.shifts[row] * point.den - sum(map(mul, normal, point.y))
        return value, shift

    def leave(self, basis: Sequence[int], position: int) -> Edge:
        """Follow the edge that gives up one row of a feasible basis.

        Raises:
            ArithmeticError: if the rows are dependent, or two rows stop it at once.
        """
        unit = [int(k == position) for k in range(len(basis))]
        right = [[self.offsets[j], self.shifts[j], e] for j, e in zip(basis, unit, strict=True)]
        found = self._reduced(basis, right)
        if found is None:
            raise ArithmeticError("the rows of a basis are dependent")
        den, (x, y, column) = found
        point, direction = BasisPoint(den, x, y), tuple(-c for c in column)
        best: tuple[Fraction, Fraction] | None = None
        stops: list[int] = []
        inside = set(basis)
        for j, normal in enumerate(self.normals):
            rate = sum(map(mul, normal, direction))
            if j in inside or rate <= 0:
                continue
            value, shift = self.slack(j, point)
            time = (Fraction(value, rate), Fraction(shift, rate))
            if best is None or time < best:
                best, stops = time, [j]
            elif time == best:
                stops.append(j)
        if len(stops) > 1:
            raise ArithmeticError("two rows stop an edge at once")
        return Edge(stops[0] if stops else None, direction)


def walk_to_vertex(
    normals: Sequence[Sequence[int]],
    offsets: Sequence[int],
    start: RationalVector,
    limits: Limits,
) -> Vertex:
    """Walk from a point of a pointed set to a vertex, gaining a tight row at each step."""
    n, point = len(normals[0]), start
    while True:
        limits.check_time()
        slacks = [
            b * point.denominator - sum(map(mul, a, point.numerators))
            for a, b in zip(normals, offsets, strict=True)
        ]
        tight = [j for j, slack in enumerate(slacks) if slack == 0]
        direction = _kernel_vector([normals[j] for j in tight], n)
        if direction is None:
            return Vertex(point, tight)
        point = _as_far_as_possible(normals, slacks, point, direction)


def _kernel_vector(rows: list[Sequence[int]], n: int) -> list[int] | None:
    if not rows:
        return [1] + [0] * (n - 1)
    kernel, nullity = fmpz_mat([list(row) for row in rows]).nullspace()
    return [int(kernel[k, 0]) for k in range(n)] if nullity else None


def _as_far_as_possible(
    normals: Sequence[Sequence[int]],
    slacks: Sequence[int],
    point: RationalVector,
    direction: Sequence[int],
) -> RationalVector:
    rates = [sum(map(mul, a, direction)) for a in normals]
    for sign in (1, -1):
        times = [
            Fraction(slack, sign * rate)
            for slack, rate in zip(slacks, rates, strict=True)
            if sign * rate > 0
        ]
        if times:
            step = min(times)  # in units of 1 / point.denominator
            scale = step.denominator
            numerators = [
                x * scale + sign * step.numerator * v
                for x, v in zip(point.numerators, direction, strict=True)
            ]
            return RationalVector(tuple(numerators), point.denominator * scale).reduced()
    raise ArithmeticError("the set contains a line")
