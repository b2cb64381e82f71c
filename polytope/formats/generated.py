"""Which half-spaces hold a set that a file gives by points, rays and lines?

``b + c x >= 0`` holds on all of it iff ``(b, c)`` lies in the cone dual to the generators, whose
extreme rays and lines, listed exactly and completely, are inequalities and equations enough.
"""

from __future__ import annotations

from polytope.answers.generators import Completeness
from polytope.collision import CollisionPolytope
from polytope.formats.representations import HalfspaceRows, VRepresentation
from polytope.formats.text import NumberRow, bad

#: After so many seconds a file is refused: its set has too many facets.
SECONDS = 60.0


def halfspaces_of(listed: VRepresentation, name: str) -> HalfspaceRows:
    """Return inequalities and equations of the hull of points, rays and lines.

    Args:
        listed: at least one point.
        name: of the file.

    Raises:
        FileFormatError: it takes longer than SECONDS.
    """
    above = [[-point.denominator, *(-v for v in point.numerators)] for point in listed.points]
    above += [[0, *(-v for v in ray.numerators)] for ray in listed.rays]
    lines = [[0, *line.numerators] for line in listed.lines]
    dual = CollisionPolytope.from_halfspaces(
        above, [0] * len(above), equalities=lines or None, values=[0] * len(lines) or None
    )
    found = dual.vertices(max_seconds=SECONDS)
    if found.status is not Completeness.CERTIFIED:
        expected = f"generators whose half-spaces are found in {SECONDS:g} s"
        raise bad(name, None, expected, got=found.reason or found.status.value)
    rays: list[NumberRow] = [list(ray.numerators) for ray in found.rays]
    equations: list[NumberRow] = [list(line.numerators) for line in found.lines]
    return HalfspaceRows(listed.n_inputs, [row for row in rays if any(row[1:])], equations)
