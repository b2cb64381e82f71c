"""Where does the set really live?  In its affine hull, without its lines, in few coordinates.

Equalities (and inequalities that are tight on the whole set) are solved exactly for some of the
coordinates, lines are divided out by setting one coordinate a line to zero.  What is left is
pointed, and its coordinates are coordinates of x: nothing has to be transformed back but the
coordinates that were solved for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import gcd, lcm
from typing import NamedTuple

from flint import fmpq, fmpq_mat, fmpz_mat

from polytope.answers.generators import Bound, Chart, Halfspace
from polytope.exact.rational import RationalVector
from polytope.sets.domains import Free
from polytope.sets.halfspaces import Multipliers, Row
from polytope.sets.linalg import Minor, independent_rows
from polytope.sets.rows import Rows
from polytope.vertices.limits import Limits

#: Coordinates left beyond which no list of vertices is ever finished, and exact elimination of a
#: layer of hundreds of inputs would take minutes before the first one.
LARGEST_DIMENSION = 200
#: Equalities times coordinates: rows of a chart have numbers of thousands of bits each.
_MOST_ELIMINATED = 60_000


@dataclass(frozen=True, eq=False)
class Reduced:
    """The pointed, full-dimensional set ``{v : normals v <= offsets}`` behind a polytope.

    Attributes:
        layer: whose set it is.
        implicit: Farkas multipliers that prove the implicit equalities; None if there are none.
        minor: proves the equalities independent.
        chart: coordinates u of the affine hull.
        kept: positions among the u that are the coordinates v (n of them); the others, one a
            line, are zero on the representatives.
        lines_u: the lines in coordinates u.
        constant: inequalities that hold with the same positive slack on the whole hull.
        halfspaces: names of the rows of ``normals``.
        normals: (m, n) coprime integers with ``offsets``.
        offsets: (m,) integers.
        scales: (m,) positive factors by which the inequalities, as the layer states them, were
            multiplied.
    """

    layer: Rows
    implicit: Multipliers | None
    minor: Minor
    chart: Chart
    kept: tuple[int, ...]
    lines_u: tuple[tuple[Fraction, ...], ...]
    constant: tuple[Halfspace, ...]
    halfspaces: tuple[Halfspace, ...]
    normals: tuple[tuple[int, ...], ...]
    offsets: tuple[int, ...]
    scales: tuple[Fraction, ...]

    @property
    def n(self) -> int:
        """Dimension of the pointed set."""
        return len(self.kept)

    @cached_property
    def pivots(self) -> tuple[int, ...]:
        """Coordinates of x that are zero on all representatives, one a line."""
        dropped = sorted(set(range(len(self.chart.columns))) - set(self.kept))
        return tuple(self.chart.columns[f] for f in dropped)

    @cached_property
    def lines(self) -> tuple[RationalVector, ...]:
        """Basis of the lineality space in x, as coprime integers."""
        if self.chart.dimension == self.layer.n_inputs:
            return tuple(primitive(line) for line in self.lines_u)
        out = []
        for line in self.lines_u:
            used = [k for k, u in enumerate(line) if u]
            x = [sum((row[k] * line[k] for k in used), Fraction(0)) for row in self.chart.basis]
            out.append(primitive(x))
        return tuple(out)

    def coordinates(self, x: RationalVector) -> RationalVector:
        """Return v of the representative of a point x of the set."""
        u = [x[j] for j in self.chart.columns]
        dropped = sorted(set(range(len(u))) - set(self.kept))
        for f, line in zip(dropped, self.lines_u, strict=True):
            height = u[f]
            if height:
                u = [a - height * b for a, b in zip(u, line, strict=True)]
        return RationalVector.of(u[k] for k in self.kept)

    @cached_property
    def _lift(self) -> tuple[fmpz_mat | None, int]:
        """Integer matrix (1 + n, d) over a denominator: rows for the origin and each v."""
        if self.is_identity:
            return None, 1
        columns = [self.chart.origin] + [
            tuple(row[k] for row in self.chart.basis) for k in self.kept
        ]
        den = lcm(*(f.denominator for column in columns for f in column))
        matrix = [[f.numerator * (den // f.denominator) for f in column] for column in columns]
        return fmpz_mat(matrix), den

    @cached_property
    def is_identity(self) -> bool:
        """Whether v is x itself."""
        return len(self.kept) == self.layer.n_inputs

    def lift(self, points: Sequence[Sequence[int]]) -> list[RationalVector]:
        """Return x for points v, each given as ``[denominator, *numerators]``.

        A denominator of zero stands for a direction; it is returned as coprime integers.  Points
        keep the denominators they come with: reducing them would take as long as finding them.
        """
        matrix, scale = self._lift
        if matrix is None:
            return [_vector(p[1:], p[0]) for p in points]
        lifted = self._times(points, matrix)
        return [_vector(x, p[0] * scale) for x, p in zip(lifted, points, strict=True)]

    def lift_shifts(self, shifts: Sequence[Sequence[int]]) -> list[RationalVector]:
        """Return displacements of x for displacements of v, each ``[denominator, *numerators]``."""
        matrix, scale = self._lift
        if matrix is None:
            return [_vector(p[1:], p[0]) for p in shifts]
        lifted = self._times([[0, *p[1:]] for p in shifts], matrix)
        return [_vector(x, p[0] * scale) for x, p in zip(lifted, shifts, strict=True)]

    def _times(self, rows: Sequence[Sequence[int]], matrix: fmpz_mat) -> list[list[int]]:
        flat = list(map(int, (fmpz_mat(rows) * matrix).entries()))
        d = self.layer.n_inputs
        return [flat[k * d : (k + 1) * d] for k in range(len(rows))]


def _vector(numerators: Sequence[int], denominator: int) -> RationalVector:
    if denominator == 0:
        divisor = gcd(*numerators) or 1
        return RationalVector(tuple(n // divisor for n in numerators))
    return RationalVector(tuple(numerators), denominator)


def primitive(values: Sequence[Fraction]) -> RationalVector:
    """Return the coprime integer vector along a rational one."""
    common = lcm(*(v.denominator for v in values))
    return _vector([v.numerator * (common // v.denominator) for v in values], 0)


def is_too_large(layer: Rows) -> bool:
    """Whether no list of this set would ever be finished, or its equalities be solved in time."""
    lower, upper = layer.system.lower, layer.system.upper
    free = sum(low is None or low != high for low, high in zip(lower, upper, strict=True))
    equalities = len(layer.equations)
    if equalities * free > _MOST_ELIMINATED:
        return True
    if isinstance(layer.domain, Free):  # most of it may be lines
        free = min(free, len(layer.system.rows))
    return free - equalities > LARGEST_DIMENSION


def reduce(
    layer: Rows, implicit: Multipliers | None = None, limits: Limits | None = None
) -> Reduced | None:
    """Pass to the pointed set behind a layer's polytope.

    Args:
        layer: the layer; its set must have a point.
        implicit: multipliers whose support are the implicit equalities, if they are known.
        limits: looked at between the steps.

    Returns:
        None if an inequality is tight on the whole set and ``implicit`` does not say so.

    Raises:
        LimitReached: if the time is over.
    """
    limits = limits or Limits()
    fixed = _fixed(layer, implicit)
    equalities = [row for row in layer.system.rows if row.kind == "equality"]
    if implicit is not None:
        equalities += [r for r, w in implicit.weights.items() if w and r.kind != "equality"]
    columns = [j for j in range(layer.n_inputs) if j not in fixed]
    minor = independent_rows(layer.weight, equalities, columns)
    limits.check_time()
    chart = _chart(layer, fixed, minor)
    limits.check_time()
    table = _substituted(layer, set(equalities), fixed, chart)
    live = [entry for entry in table if any(entry.normal)]
    constant = tuple(entry for entry in table if not any(entry.normal))
    if any(entry.offset == 0 for entry in constant):
        return None
    limits.check_time()
    kept, lines = _lines([entry.normal for entry in live], chart.dimension, layer)
    return Reduced(
        layer,
        implicit,
        minor,
        chart,
        kept,
        lines,
        tuple(entry.name for entry in constant),
        tuple(entry.name for entry in live),
        tuple(tuple(entry.normal[k] for k in kept) for entry in live),
        tuple(entry.offset for entry in live),
        tuple(entry.scale for entry in live),
    )


def _fixed(layer: Rows, implicit: Multipliers | None) -> dict[int, Fraction]:
    """Coordinates with one value on the whole set."""
    system = layer.system
    fixed = {
        j: low
        for j, (low, high) in enumerate(zip(system.lower, system.upper, strict=True))
        if low is not None and low == high
    }
    if implicit is not None:
        # The combination is 0 = min g x over the bounds: each x_j with g_j != 0 attains its end.
        for j, g in enumerate(system.combine(implicit).numerators):
            end = system.lower[j] if g > 0 else system.upper[j]
            if g and end is not None:
                fixed[j] = end
    return fixed


def _chart(layer: Rows, fixed: dict[int, Fraction], minor: Minor) -> Chart:
    d, system = layer.n_inputs, layer.system
    solved = set(minor.columns)
    columns = tuple(j for j in range(d) if j not in fixed and j not in solved)
    zero, one = Fraction(0), Fraction(1)
    origin = [fixed.get(j, zero) for j in range(d)]
    basis = [[zero] * len(columns) for _ in range(d)]
    for k, j in enumerate(columns):
        basis[j][k] = one
    if minor.rows:
        units = [row.unit for row in minor.rows]
        full = [system.integer_row(unit) for unit in units]
        right = []
        for row, integers in zip(minor.rows, full, strict=True):
            value = row.sign * system.rhs[system.position[row]] * system.scale(row.unit)
            value -= sum((integers[j] * v for j, v in fixed.items()), zero)
            right.append([_fmpq(value), *(fmpq(-integers[j]) for j in columns)])
        square = fmpq_mat(fmpz_mat([[integers[j] for j in minor.columns] for integers in full]))
        solution = square.solve(fmpq_mat(right))
        for t, j in enumerate(minor.columns):
            values = [_fraction(solution[t, c]) for c in range(1 + len(columns))]
            origin[j], basis[j] = values[0], values[1:]
    return Chart(columns, tuple(origin), tuple(map(tuple, basis)))


def _fmpq(value: Fraction) -> fmpq:
    return fmpq(value.numerator, value.denominator)


def _fraction(value: fmpq) -> Fraction:
    return Fraction(int(value.p), int(value.q))


class _Entry(NamedTuple):
    """An inequality ``normal u <= offset``, ``scale`` times the one the layer states."""

    name: Halfspace
    normal: list[int]
    offset: int
    scale: Fraction


def _substituted(
    layer: Rows, equalities: set[Row], fixed: dict[int, Fraction], chart: Chart
) -> list[_Entry]:
    """Inequalities ``normal u <= offset`` in the chart's coordinates, as coprime integers."""
    system = layer.system
    rows = [row for row in system.rows if row not in equalities]
    if chart.dimension == layer.n_inputs:
        return _as_stated(layer, rows)
    out: list[_Entry] = []
    products = _products(layer, rows, chart) if rows else []
    for row, (constant, *slopes) in zip(rows, products, strict=True):
        scale, right = system.scale(row.unit), system.rhs[system.position[row]]
        normals = [row.sign * v for v in slopes]
        out.append(_integral(row, normals, right * scale - row.sign * constant, scale))
    for j in range(layer.n_inputs):
        if j in fixed:
            continue
        slopes = list(chart.basis[j])
        low, high = system.lower[j], system.upper[j]
        if low is not None:
            out.append(_integral(Bound("lower", j), [-v for v in slopes], chart.origin[j] - low))
        if high is not None:
            out.append(_integral(Bound("upper", j), slopes, high - chart.origin[j]))
    return out


def _as_stated(layer: Rows, rows: Sequence[Row]) -> list[_Entry]:
    """The inequalities in x itself."""
    system, d = layer.system, layer.n_inputs
    out = []
    for row in rows:
        scale = system.scale(row.unit)
        right = system.rhs[system.position[row]] * scale
        factor = row.sign * right.denominator
        normal = [factor * v for v in system.integer_row(row.unit)]
        divisor = gcd(right.numerator, *normal) or 1
        if divisor > 1:
            normal = [v // divisor for v in normal]
        times = Fraction(scale * right.denominator, divisor)
        out.append(_Entry(row, normal, right.numerator // divisor, times))
    for side, ends, sign in (("lower", system.lower, -1), ("upper", system.upper, 1)):
        for j, end in enumerate(ends):
            if end is not None:
                normal = [0] * d
                normal[j] = sign * end.denominator
                name = Bound("lower" if side == "lower" else "upper", j)
                out.append(_Entry(name, normal, sign * end.numerator, Fraction(end.denominator)))
    return out


def _products(layer: Rows, rows: Sequence[Row], chart: Chart) -> list[list[Fraction]]:
    matrix = fmpq_mat(fmpz_mat([layer.system.integer_row(row.unit) for row in rows]))
    lift = fmpq_mat(
        [
            [_fmpq(origin), *map(_fmpq, slopes)]
            for origin, slopes in zip(chart.origin, chart.basis, strict=True)
        ]
    )
    product = matrix * lift
    width = 1 + chart.dimension
    return [[_fraction(product[t, c]) for c in range(width)] for t in range(len(rows))]


def _integral(name: Halfspace, normal: list[Fraction], offset: Fraction, scale: int = 1) -> _Entry:
    common = lcm(offset.denominator, *(v.denominator for v in normal))
    integers = [v.numerator * (common // v.denominator) for v in normal]
    right = offset.numerator * (common // offset.denominator)
    divisor = gcd(right, *integers) or 1
    integers = [v // divisor for v in integers]
    return _Entry(name, integers, right // divisor, Fraction(scale * common, divisor))


def _lines(
    normals: Sequence[Sequence[int]], k: int, layer: Rows
) -> tuple[tuple[int, ...], tuple[tuple[Fraction, ...], ...]]:
    """Positions that stay, and for each of the others the line that moves it alone."""
    bounded = any(v is not None for v in (*layer.system.lower, *layer.system.upper))
    if bounded or not k:
        return tuple(range(k)), ()  # every coordinate has a bound in each of our domains
    if not normals:
        identity = [tuple(Fraction(i == j) for j in range(k)) for i in range(k)]
        return (), tuple(identity)
    reduced, den, rank = fmpz_mat([list(row) for row in normals]).rref()
    kept, column = [], 0
    for row in range(rank):
        while not int(reduced[row, column]):
            column += 1
        kept.append(column)
        column += 1
    lines = []
    for free in sorted(set(range(k)) - set(kept)):
        line = [Fraction(0)] * k
        line[free] = Fraction(1)
        for row, pivot in enumerate(kept):
            line[pivot] = -Fraction(int(reduced[row, free]), int(den))
        lines.append(tuple(line))
    return tuple(kept), tuple(lines)
