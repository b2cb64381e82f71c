"""What does the set look like inside its affine hull?  Points and halfspaces in chart coordinates.

With ``x = origin + basis u`` the halfspace ``a x <= b`` reads ``(a basis) u <= b - a origin``:
a full-dimensional set in k coordinates, which every measure of a flat set is taken from.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import gcd, lcm
from typing import NamedTuple

import numpy as np
from flint import fmpz_mat

from polytope.answers.generators import Chart, Generators, Halfspace
from polytope.errors import InputError, ShapeError
from polytope.exact.arguments import instance
from polytope.exact.rational import RationalVector, nearest_float, rounded
from polytope.questions.membership import tight_constraints
from polytope.sets.halfspaces import Row, System
from polytope.sets.rows import Rows


@dataclass(frozen=True, eq=False)
class LocalRows:
    """Inequalities ``normals u <= rhs`` in chart coordinates, as coprime integers.

    Attributes:
        chart: the coordinates.
        names: the halfspaces, one a row.
        normals: m rows of k integers.
        rhs: m integers.
    """

    chart: Chart
    names: tuple[Halfspace, ...]
    normals: tuple[tuple[int, ...], ...]
    rhs: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Around:
    """A full-dimensional set seen from a point u0 strictly inside: ``rates v <= 1``, v = u - u0.

    However small the set is, and however far from the origin, these numbers are as accurate as
    floats can be.

    Attributes:
        rows: the inequalities in chart coordinates.
        point: u0 (k,), exact.
    """

    rows: LocalRows
    point: RationalVector

    @cached_property
    def slacks(self) -> tuple[Fraction, ...]:
        """Exact ``rhs - normals u0``, positive."""
        u, den = self.point.numerators, self.point.denominator
        return tuple(
            b - Fraction(sum(a * n for a, n in zip(row, u, strict=True)), den)
            for row, b in zip(self.rows.normals, self.rows.rhs, strict=True)
        )

    @property
    def is_inside(self) -> bool:
        """Whether u0 is strictly inside every inequality."""
        return all(slack > 0 for slack in self.slacks)

    @cached_property
    def rates(self) -> np.ndarray:
        """Normals divided by slacks (m, k), each entry correctly rounded."""
        table = [
            [rounded(a * s.denominator, s.numerator) for a in row]
            for row, s in zip(self.rows.normals, self.slacks, strict=True)
        ]
        return np.array(table).reshape(len(table), len(self.point))

    def contains_ellipsoid(self, center: np.ndarray, shape: np.ndarray) -> bool:
        """Whether ``{u0 + c + S z : |z| <= 1}`` satisfies every inequality, exactly."""
        vectors = [RationalVector.of(v) for v in (center.tolist(), *shape.T.tolist())]
        for normal, slack in zip(self.rows.normals, self.slacks, strict=True):
            moved, *reach = (
                Fraction(
                    sum(a * n for a, n in zip(normal, v.numerators, strict=True)), v.denominator
                )
                for v in vectors
            )
            left = slack - moved
            if left < 0 or sum((r * r for r in reach), Fraction(0)) > left * left:
                return False
        return True


def local_rows(system: System, chart: Chart, halfspaces: Sequence[Halfspace]) -> LocalRows:
    """Rewrite halfspaces in the chart; those constant on the hull become ``0 u <= rhs``."""
    k = chart.dimension
    # Row 0 is the origin, the others are the columns of the basis.
    vectors = [list(chart.origin), *map(list, zip(*chart.basis, strict=True))]
    scale = lcm(*(v.denominator for vector in vectors for v in vector))
    integers = [[v.numerator * (scale // v.denominator) for v in vector] for vector in vectors]
    table = fmpz_mat([list(column) for column in zip(*integers, strict=True)])
    units = sorted({h.unit for h in halfspaces if isinstance(h, Row)})
    products: dict[int, list[int]] = {}
    if units:
        product = fmpz_mat([system.integer_row(i) for i in units]) * table
        flat = list(map(int, product.entries()))
        width = k + 1
        products = {unit: flat[p * width : (p + 1) * width] for p, unit in enumerate(units)}
    normals, rhs = [], []
    for h in halfspaces:
        if isinstance(h, Row):
            sign, values = h.sign, products[h.unit]
            bound = system.rhs[system.position[h]] * system.scale(h.unit) * scale
        else:
            sign = -1 if h.side == "lower" else 1
            values = [vector[h.coordinate] for vector in integers]
            limit = (system.lower if h.side == "lower" else system.upper)[h.coordinate]
            if limit is None:
                raise InputError(f"halfspaces: expected bounds of the domain, got {h}")
            bound = sign * limit * scale
        bound -= sign * values[0]
        row = [sign * v * bound.denominator for v in values[1:]]
        divisor = gcd(bound.numerator, *row) or 1
        normals.append(tuple(v // divisor for v in row))
        rhs.append(bound.numerator // divisor)
    return LocalRows(chart, tuple(halfspaces), tuple(normals), tuple(rhs))


def local_points(generators: Generators) -> list[RationalVector]:
    """Chart coordinates (k,) of the points."""
    chart = charted(generators)
    return [
        RationalVector(tuple(p.numerators[j] for j in chart.columns), p.denominator).reduced()
        for p in generators.points
    ]


class ScaledFloats(NamedTuple):
    """Floats (n, d), correctly rounded and at most 1; the points are 2^exponent times them."""

    floats: np.ndarray
    exponent: int


def scaled_floats(points: Sequence[RationalVector]) -> ScaledFloats:
    """Scale points by a power of two.

    So no square of them overflows, and those that underflow are far below the rounding.
    """
    exponent = max(
        max(map(abs, p.numerators), default=0).bit_length() - p.denominator.bit_length() + 1
        for p in points
    )
    up, down = 1 << max(0, -exponent), 1 << max(0, exponent)
    rows = [[rounded(v * up, p.denominator * down) for v in p.numerators] for p in points]
    return ScaledFloats(np.array(rows), exponent)


def steps_from_first(points: Sequence[RationalVector]) -> np.ndarray:
    """Return the points less the first (n, d), exact differences correctly rounded.

    A small set far from the origin keeps its digits.
    """
    first = points[0]
    return np.array(
        [[nearest_float(a - b) for a, b in zip(p, first, strict=True)] for p in points]
    ).reshape(len(points), -1)


def charted(generators: Generators) -> Chart:
    """Return the chart of a set that has points.

    Raises:
        InputError: if the generators have none.
    """
    if generators.chart is None:
        raise InputError(
            f"generators: expected a listed set with a chart, got status {generators.status.name}"
        )
    return generators.chart


def listed_for(layer: Rows, generators: Generators) -> Generators:
    """Return a list of generators that was handed in, if it can be of this set.

    Of a complete list the first and the last point are tried, which most lists of other sets fail.

    Raises:
        InputError: if it is no such list, its points have another number of coordinates, or one
            that was tried is no vertex of this set (no point of it, if it has lines).
    """
    n = layer.n_inputs
    chart = instance(generators, Generators, "generators").chart
    if chart is not None and len(chart.origin) != n:
        raise ShapeError(f"generators: expected points of {n} coordinates, got {len(chart.origin)}")
    if generators.complete and len(generators.points):
        for i in sorted({0, len(generators.points) - 1}):
            point = generators.points[i]
            if generators.lines:
                fits = layer.system.contains(point)
            else:
                fits = tight_constraints(layer, point).is_vertex
            if not fits:
                raise InputError(f"generators: expected the list of this set, got point {i} off it")
    return generators


def require_complete(generators: Generators, question: str) -> None:
    """Refuse a list from which something may be missing.

    Raises:
        InputError: naming the question and the status of the list.
    """
    if not instance(generators, Generators, "generators").complete:
        raise InputError(
            f"generators: expected a complete list for the {question}, "
            f"got {generators.status.name} ({generators.reason or 'no reason given'})"
        )


def balanced(chart: Chart) -> Chart:
    """Choose other coordinates of the hull, so that no entry of the basis exceeds 2.

    A chart by a coordinate that hardly moves looks like a needle to floats, however round the set.
    Each exchange of coordinates at least doubles a determinant, so there are few.
    """
    columns, origin = list(chart.columns), list(chart.origin)
    basis = [list(row) for row in chart.basis]
    while True:
        size, j, c = max(
            ((abs(v), j, c) for j, row in enumerate(basis) for c, v in enumerate(row)),
            default=(Fraction(0), 0, 0),
        )
        if size <= 2:
            rows = tuple(map(tuple, basis))
            return Chart(tuple(columns), tuple(origin), rows)
        pivot, shift = basis[j], origin[j]
        columns[c] = j
        for i, row in enumerate(basis):
            if row[c]:
                share = row[c] / pivot[c]
                origin[i] -= share * shift
                basis[i] = [v - share * p if p else v for v, p in zip(row, pivot, strict=True)]
                basis[i][c] = share


def gram(chart: Chart) -> Fraction:
    """Return ``det(basis^T basis)``: the square of how the chart stretches volumes (1 if k = 0)."""
    if not chart.dimension:
        return Fraction(1)
    scale = lcm(*(v.denominator for row in chart.basis for v in row))
    table = fmpz_mat([[v.numerator * (scale // v.denominator) for v in r] for r in chart.basis])
    square = int((table.transpose() * table).det())
    return Fraction(square, scale ** (2 * chart.dimension))


def basis_floats(chart: Chart) -> tuple[np.ndarray, np.ndarray]:
    """Origin (d,) and basis (d, k) of the chart as floats, each entry correctly rounded."""
    origin = RationalVector.of(chart.origin).to_float()
    rows = [[rounded(v.numerator, v.denominator) for v in row] for row in chart.basis]
    return origin, np.array(rows).reshape(len(rows), chart.dimension)


def embedded(chart: Chart, u: Sequence[Fraction]) -> RationalVector:
    """Return the exact point ``origin + basis u`` (d,)."""
    if not chart.dimension:
        return RationalVector.of(chart.origin)
    point = list(u)
    return RationalVector.of(
        o + sum((v * n for v, n in zip(row, point, strict=True) if v), Fraction(0))
        for o, row in zip(chart.origin, chart.basis, strict=True)
    )
