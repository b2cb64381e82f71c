"""What stands in a file?  Half-spaces or generators, exact, before anything is asked of them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import lcm
from typing import TYPE_CHECKING, Protocol

from polytope.errors import InputError
from polytope.exact.arguments import instance
from polytope.exact.brief import Brief
from polytope.exact.rational import RationalVector
from polytope.formats.text import Number, NumberRow
from polytope.sets.halfspaces import Bound, Halfspace

if TYPE_CHECKING:
    from polytope.collision import CollisionPolytope


@dataclass(frozen=True, repr=False)
class HalfspaceRows(Brief):
    """Rows ``(b, c)`` that say ``b + c x >= 0`` or, in ``equations``, ``b + c x = 0``.

    Attributes:
        n_inputs: d; every row has d + 1 numbers.
        inequalities: in the order of the file.
        equations: in the order of the file.
    """

    n_inputs: int
    inequalities: Sequence[NumberRow]
    equations: Sequence[NumberRow]


class HasGenerators(Protocol):
    """Anything with points, rays and lines, such as ``Generators``."""

    @property
    def points(self) -> Sequence[RationalVector]: ...  # noqa: D102

    @property
    def rays(self) -> Sequence[RationalVector]: ...  # noqa: D102

    @property
    def lines(self) -> Sequence[RationalVector]: ...  # noqa: D102


@dataclass(frozen=True, repr=False)
class VRepresentation(Brief):
    """``conv(points) + cone(rays) + span(lines)`` as a file states it; nothing is proved.

    Attributes:
        n_inputs: d.
        points: exact (d,); some may be redundant.
        rays: exact (d,), not zero.
        lines: exact (d,), not zero; perhaps dependent.
    """

    n_inputs: int
    points: tuple[RationalVector, ...] = ()
    rays: tuple[RationalVector, ...] = ()
    lines: tuple[RationalVector, ...] = ()


def v_representation(
    n_inputs: int,
    points: Sequence[Sequence[Number]],
    rays: Sequence[Sequence[Number]],
    *,
    lines: Sequence[Sequence[Number]],
) -> VRepresentation:
    """Collect generators; zero directions are dropped, and a bare cone gets its apex 0."""
    directions = [[RationalVector.of(v) for v in part if any(v)] for part in (rays, lines)]
    tops = [RationalVector.of(v) for v in points]
    if not tops and (rays or lines):
        tops = [RationalVector((0,) * n_inputs)]
    return VRepresentation(n_inputs, tuple(tops), *map(tuple, directions))


def rows_of(polytope: CollisionPolytope, left_out: Collection[Halfspace] = ()) -> HalfspaceRows:
    """Return the set's rows and then its bounds, each scaled to integers, but for some."""
    system = polytope.layer.system
    inequalities: list[NumberRow] = []
    equations: list[NumberRow] = []
    for row, rhs in zip(system.rows, system.rhs, strict=True):
        if row in left_out:
            continue
        scale = lcm(system.scale(row.unit), rhs.denominator)
        factor = -row.sign * (scale // system.scale(row.unit))
        coefficients = [factor * v for v in system.integer_row(row.unit)]
        into = equations if row.kind == "equality" else inequalities
        into.append([int(scale * rhs), *coefficients])
    for j, bound in enumerate(system.lower):
        if bound is not None and Bound("lower", j) not in left_out:
            inequalities.append(_bound(-bound, 1, j, system.n_inputs))
    for j, bound in enumerate(system.upper):
        if bound is not None and Bound("upper", j) not in left_out:
            inequalities.append(_bound(bound, -1, j, system.n_inputs))
    return HalfspaceRows(system.n_inputs, inequalities, equations)


def with_a_row(rows: HalfspaceRows) -> HalfspaceRows:
    """Return the rows, and 1 >= 0 where there are none: most formats say d by a row's length."""
    if rows.inequalities or rows.equations:
        return rows
    return HalfspaceRows(rows.n_inputs, [[1, *[0] * rows.n_inputs]], [])


def _bound(constant: Fraction, sign: int, coordinate: int, n_inputs: int) -> NumberRow:
    row: NumberRow = [constant.numerator, *[0] * n_inputs]
    row[1 + coordinate] = sign * constant.denominator
    return row


def checked_generators(generators: HasGenerators) -> VRepresentation:
    """Take points, rays and lines of one length.

    Raises:
        InputError: if there are none (the empty set has no length d), or the lengths differ.
    """
    try:
        parts = [tuple(part) for part in (generators.points, generators.rays, generators.lines)]
    except (AttributeError, TypeError):
        got = type(generators).__name__
        raise InputError(f"generators: expected points, rays and lines, got {got}") from None
    for v in (v for part in parts for v in part):
        instance(v, RationalVector, "generators")
    lengths = {len(v) for part in parts for v in part}
    if len(lengths) != 1:
        got = f"lengths {sorted(lengths)}" if lengths else "the empty set"
        raise InputError(f"generators: expected points, rays and lines of one length, got {got}")
    return VRepresentation(lengths.pop(), *parts)
