"""What does a plane cut out of a set?  The exact polygon, with the halfspaces on its sides."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from polytope import CollisionPolytope, RationalVector
from polytope.answers.generators import Bound, Halfspace
from polytope.errors import InputError
from polytope.measures.skeleton import facets
from polytope.questions.membership import as_point
from polytope.sets.halfspaces import Row, System

Points = NDArray[np.float64]
#: An unbounded section is cut off at this many times the triangle that spans the plane.
WINDOW = 4


@dataclass(frozen=True)
class Side:
    """A side of the polygon: the halfspaces that define it, and its two ends among the corners."""

    halfspaces: tuple[Halfspace, ...]
    ends: tuple[int, int]


@dataclass(frozen=True, eq=False)
class Section:
    """The part of a set in the plane ``origin + s first + t second``, exact.

    Attributes:
        polytope: the set.
        origin: (d,) a point of the plane.
        first: (d,) direction of s.
        second: (d,) direction of t.
        corners: exact corners (s, t), in order around the polygon; empty if the plane misses the
            set, one or two if it touches it.
        sides: sides that are on the set's own halfspaces.
        bounded: False where the section was cut off by the window.
    """

    polytope: CollisionPolytope
    origin: RationalVector
    first: RationalVector
    second: RationalVector
    corners: tuple[tuple[Fraction, Fraction], ...]
    sides: tuple[Side, ...]
    bounded: bool

    @cached_property
    def frame(self) -> Points:
        """(2, 2) that takes (s, t) to orthonormal coordinates of the plane."""
        q = np.linalg.qr(np.array([self.first.to_float(), self.second.to_float()]).T)[1]
        # The first axis shows along the first direction, the second to the side of the second.
        return np.asarray(np.diag(np.sign(np.diag(q))) @ q)

    def drawn(self, points: Sequence[Sequence[Fraction]] | None = None) -> Points:
        """Returns points (s, t), the corners by default, in orthonormal coordinates (n, 2)."""
        chosen = self.corners if points is None else points
        return np.array([[float(v) for v in p] for p in chosen]).reshape(-1, 2) @ self.frame.T

    def line_of(self, halfspace: Halfspace) -> tuple[Points, float]:
        """Returns normal (2,) and bound of a halfspace in orthonormal coordinates."""
        normal, bound = _in_plane(self.polytope.layer.system, halfspace, self)
        turned = np.linalg.solve(self.frame.T, np.array([float(v) for v in normal]))
        length = float(np.linalg.norm(turned)) or 1.0
        return turned / length, float(bound) / length

    def point(self, corner: Sequence[Fraction]) -> RationalVector:
        """Returns the exact point (d,) at (s, t)."""
        s, t = corner
        spans = zip(self.origin, self.first, self.second, strict=True)
        return RationalVector.of(o + s * a + t * b for o, a, b in spans)


@dataclass(frozen=True, eq=False)
class _Plane:
    origin: RationalVector
    first: RationalVector
    second: RationalVector


def section(polytope: CollisionPolytope, points: Sequence[object]) -> Section:
    """Returns the exact polygon in which the plane through three points (d,) meets the set.

    The coordinates (s, t) are 0 at the first point, (1, 0) at the second and (0, 1) at the third.

    Raises:
        InputError: if there are not three points, or they lie on a line.
    """
    if len(points) != 3:
        raise InputError(f"points: expected three of them, got {len(points)}")
    layer = polytope.layer
    p, q, r = (as_point(point, layer, f"points[{k}]") for k, point in enumerate(points))
    plane = _Plane(p, _minus(q, p), _minus(r, p))
    if _collinear(plane.first, plane.second):
        raise InputError("points: expected three points that span a plane, got three on a line")
    return _cut(polytope, plane)


def hull_section(polytope: CollisionPolytope) -> Section:
    """Returns a whole set of dimension 2 as a section.

    Raises:
        InputError: if it is of another dimension.
    """
    chart = polytope.vertices().chart
    if chart is None or chart.dimension != 2:
        found = None if chart is None else chart.dimension
        raise InputError(f"polytope: expected dimension 2, got {found}")
    first, second = (RationalVector.of(column) for column in zip(*chart.basis, strict=True))
    return _cut(polytope, _Plane(RationalVector.of(chart.origin), first, second))


def _cut(polytope: CollisionPolytope, plane: _Plane) -> Section:
    system = polytope.layer.system
    names = _halfspaces(system)
    rows = [_in_plane(system, name, plane) for name in names]
    equal = [_in_plane(system, row, plane) for row in system.rows if row.kind == "equality"]
    flat = _flat(rows, equal)
    found = flat.vertices()
    bounded = not (found.rays or found.lines)
    if not bounded:
        window = [((sign, 0), WINDOW) for sign in (1, -1)] + [((0, s), WINDOW) for s in (1, -1)]
        flat = _flat(
            [*rows, *(((Fraction(a), Fraction(b)), Fraction(c)) for (a, b), c in window)], equal
        )
        found = flat.vertices()
    corners = [(point[0], point[1]) for point in found.points]
    order = _around(corners)
    place = {old: new for new, old in enumerate(order)}
    sides = []
    if found.points and found.dimension == 2:
        for facet in facets(found).facets:
            units = [h.unit for h in facet.halfspaces if isinstance(h, Row)]
            own = tuple(names[unit] for unit in units if unit < len(names))
            if own:
                a, b = (place[i] for i in facet.points)
                sides.append(Side(own, (min(a, b), max(a, b))))
    return Section(
        polytope,
        plane.origin,
        plane.first,
        plane.second,
        tuple(corners[i] for i in order),
        tuple(sides),
        bounded,
    )


_Line = tuple[tuple[Fraction, Fraction], Fraction]


def _flat(rows: Sequence[_Line], equal: Sequence[_Line]) -> CollisionPolytope:
    return CollisionPolytope.from_halfspaces(
        [list(normal) for normal, _ in rows] or None,
        [bound for _, bound in rows],
        equalities=[list(normal) for normal, _ in equal] or None,
        values=[bound for _, bound in equal],
    )


def _halfspaces(system: System) -> list[Halfspace]:
    out: list[Halfspace] = [row for row in system.rows if row.kind != "equality"]
    for j, (low, high) in enumerate(zip(system.lower, system.upper, strict=True)):
        out += [Bound("lower", j)] if low is not None else []
        out += [Bound("upper", j)] if high is not None else []
    return out


def _in_plane(system: System, halfspace: Halfspace, plane: "_Plane | Section") -> _Line:
    """Normal and bound of a halfspace (or an equality) in the coordinates (s, t)."""
    if isinstance(halfspace, Bound):
        sign = -1 if halfspace.side == "lower" else 1
        limit = (system.lower if sign < 0 else system.upper)[halfspace.coordinate]
        values = [v[halfspace.coordinate] for v in (plane.origin, plane.first, plane.second)]
        bound = (limit or Fraction(0)) * sign
    else:
        sign = halfspace.sign
        row, scale = system.integer_row(halfspace.unit), system.scale(halfspace.unit)
        values = [
            Fraction(sum(a * n for a, n in zip(row, v.numerators, strict=True)), v.denominator)
            / scale
            for v in (plane.origin, plane.first, plane.second)
        ]
        bound = system.rhs[system.position[halfspace]]
    at, along, across = (sign * Fraction(v) for v in values)
    return (along, across), bound - at


def _minus(x: RationalVector, y: RationalVector) -> RationalVector:
    return RationalVector.of(a - b for a, b in zip(x, y, strict=True))


def _collinear(x: RationalVector, y: RationalVector) -> bool:
    pivot = next((j for j, v in enumerate(x.numerators) if v), None)
    if pivot is None:
        return True
    return all(x[pivot] * b == y[pivot] * a for a, b in zip(x, y, strict=True))


def _around(corners: Sequence[tuple[Fraction, Fraction]]) -> list[int]:
    """Order of the corners of a convex polygon around its middle."""
    if not corners:
        return []
    n = len(corners)
    middle = [sum((c[k] for c in corners), Fraction(0)) / n for k in (0, 1)]
    return sorted(
        range(n),
        key=lambda i: np.arctan2(
            float(corners[i][1] - middle[1]), float(corners[i][0] - middle[0])
        ),
    )
