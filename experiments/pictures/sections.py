"""What does a plane cut out of a set?  The exact polygon, with the halfspaces on its sides."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

import numpy as np
from flint import fmpz_mat
from numpy.typing import NDArray

from polytope import CollisionPolytope, RationalVector
from polytope.answers.generators import Bound, Halfspace
from polytope.errors import InputError
from polytope.measures.skeleton import facets
from polytope.questions.membership import as_point
from polytope.sets.halfspaces import Row, System

Points = NDArray[np.float64]
Corner = tuple[Fraction, Fraction]
#: An unbounded section is cut off at this many times the triangle that spans the plane.
WINDOW = 4


@dataclass(frozen=True)
class Line:
    """The halfspace ``normal (s, t) <= bound`` of the plane, exact."""

    normal: Corner
    bound: Fraction


@dataclass(frozen=True, eq=False)
class DrawnLine:
    """The same as it is drawn: normal (2,) of length 1, in orthonormal coordinates."""

    normal: Points
    bound: float


@dataclass(frozen=True, eq=False)
class Plane:
    """The plane ``origin + s first + t second``, exact.

    Attributes:
        origin: (d,) a point of the plane.
        first: (d,) direction of s.
        second: (d,) direction of t.
    """

    origin: RationalVector
    first: RationalVector
    second: RationalVector

    def point(self, corner: Corner) -> RationalVector:
        """Returns the exact point (d,) at (s, t)."""
        s, t = corner
        spans = zip(self.origin, self.first, self.second, strict=True)
        return RationalVector.of(o + s * a + t * b for o, a, b in spans)

    @cached_property
    def frame(self) -> Points:
        """(2, 2) that takes (s, t) to orthonormal coordinates of the plane."""
        q = np.linalg.qr(np.array([self.first.to_float(), self.second.to_float()]).T)[1]
        # The first axis shows along the first direction, the second to the side of the second.
        return np.asarray(np.diag(np.sign(np.diag(q))) @ q)

    def lines(self, system: System) -> dict[Halfspace, Line]:
        """Returns what each halfspace (and equality) of a set is in the plane."""
        vectors = (self.origin, self.first, self.second)
        at, along, across = (system.values(vector) for vector in vectors)
        found: dict[Halfspace, Line] = {}
        for row, bound in zip(system.rows, system.rhs, strict=True):
            s, i = row.sign, row.unit
            found[row] = Line((s * along[i], s * across[i]), bound - s * at[i])
        for j, (o, a, b) in enumerate(zip(*vectors, strict=True)):
            if (low := system.lower[j]) is not None:
                found[Bound("lower", j)] = Line((-a, -b), o - low)
            if (high := system.upper[j]) is not None:
                found[Bound("upper", j)] = Line((a, b), high - o)
        return found


@dataclass(frozen=True)
class Side:
    """A side of the polygon: the halfspaces that define it, and its two ends among the corners."""

    halfspaces: tuple[Halfspace, ...]
    ends: tuple[int, int]


@dataclass(frozen=True, eq=False, kw_only=True)
class Section:
    """The part of a set in a plane, exact.

    Attributes:
        polytope: the set.
        plane: with the coordinates (s, t).
        lines: the set's halfspaces in the plane.
        corners: exact corners (s, t), in order around the polygon; empty if the plane misses the
            set, one or two if it touches it.
        sides: sides that are on the set's own halfspaces.
        bounded: False where the section was cut off by the window.
    """

    polytope: CollisionPolytope
    plane: Plane
    lines: Mapping[Halfspace, Line]
    corners: tuple[Corner, ...]
    sides: tuple[Side, ...]
    bounded: bool

    def drawn(self, points: Sequence[Sequence[Fraction]] | None = None) -> Points:
        """Returns points (s, t), the corners by default, in orthonormal coordinates (n, 2)."""
        chosen = self.corners if points is None else points
        return np.array([[float(v) for v in p] for p in chosen]).reshape(-1, 2) @ self.plane.frame.T

    def line_of(self, halfspace: Halfspace) -> DrawnLine:
        """Returns a halfspace in orthonormal coordinates."""
        line = self.lines[halfspace]
        turned = np.linalg.solve(self.plane.frame.T, np.array([float(v) for v in line.normal]))
        length = float(np.linalg.norm(turned)) or 1.0
        return DrawnLine(turned / length, float(line.bound) / length)


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
    first, second = _minus(q, p), _minus(r, p)
    if fmpz_mat([list(first.numerators), list(second.numerators)]).rank() < 2:
        raise InputError("points: expected three points that span a plane, got three on a line")
    return _cut(polytope, Plane(p, first, second))


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
    return _cut(polytope, Plane(RationalVector.of(chart.origin), first, second))


def _cut(polytope: CollisionPolytope, plane: Plane) -> Section:
    lines = plane.lines(polytope.layer.system)
    equal = [line for h, line in lines.items() if isinstance(h, Row) and h.kind == "equality"]
    names = [h for h in lines if isinstance(h, Bound) or h.kind != "equality"]
    rows = [lines[name] for name in names]
    found = _flat(rows, equal).vertices()
    bounded = not (found.rays or found.lines)
    if not bounded:
        ways = [(Fraction(s), Fraction(t)) for s, t in ((1, 0), (-1, 0), (0, 1), (0, -1))]
        window = [Line(normal, Fraction(WINDOW)) for normal in ways]
        found = _flat([*rows, *window], equal).vertices()
    corners = [(point[0], point[1]) for point in found.points]
    order = _around(corners)
    place = {old: new for new, old in enumerate(order)}
    sides = []
    for facet in facets(found).facets if found.points and found.dimension == 2 else ():
        units = [h.unit for h in facet.halfspaces if isinstance(h, Row)]
        own = tuple(names[unit] for unit in units if unit < len(names))
        if own:
            a, b = sorted(place[i] for i in facet.points)
            sides.append(Side(own, (a, b)))
    return Section(
        polytope=polytope,
        plane=plane,
        lines=lines,
        corners=tuple(corners[i] for i in order),
        sides=tuple(sides),
        bounded=bounded,
    )


def _flat(rows: Sequence[Line], equal: Sequence[Line]) -> CollisionPolytope:
    return CollisionPolytope.from_halfspaces(
        [list(line.normal) for line in rows] or None,
        [line.bound for line in rows],
        equalities=[list(line.normal) for line in equal] or None,
        values=[line.bound for line in equal],
    )


def _minus(x: RationalVector, y: RationalVector) -> RationalVector:
    return RationalVector.of(a - b for a, b in zip(x, y, strict=True))


def _around(corners: Sequence[Corner]) -> list[int]:
    """Order of the corners of a convex polygon around its middle."""
    if not corners:
        return []
    spread = np.array(corners) - np.array(corners).mean(axis=0)  # of Fractions, exact
    angles = np.arctan2(*spread.astype(np.float64).T[::-1])
    return sorted(range(len(corners)), key=angles.tolist().__getitem__)
