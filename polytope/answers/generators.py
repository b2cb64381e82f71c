"""What generates the set?  Its vertices, extreme rays and lines: the V-representation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from fractions import Fraction
from functools import cached_property

import numpy as np

from polytope.answers.certificates import Certificate
from polytope.errors import InputError
from polytope.exact.brief import Brief, table
from polytope.exact.rational import RationalVector, nearest_float
from polytope.sets.halfspaces import Bound as Bound
from polytope.sets.halfspaces import Halfspace as Halfspace

#: Generators of a kind, and coordinates, that a notebook shows.
_TABLE_ROWS, _TABLE_COLUMNS = 8, 8


class Completeness(Enum):
    """How much is known about a list of generators."""

    CERTIFIED = "certified: the checker proves the list complete"
    CROSS_CHECKED = "cross-checked: two exact engines agree, no certificate"
    EMPTY = "empty: the set has no points, certified"
    PARTIAL = "partial: a limit was hit; what is listed is exact, more may exist"
    UNDECIDED = "undecided: see reason"


@dataclass(frozen=True, eq=False, repr=False)
class Chart(Brief):
    """Exact coordinates of the affine hull: ``x = origin + basis u`` with ``u = x[columns]``.

    Attributes:
        columns: the k coordinates of x that parametrise the hull.
        origin: (d,) the point with u = 0.
        basis: d rows of k Fractions; the identity at ``columns``.
    """

    columns: tuple[int, ...]
    origin: tuple[Fraction, ...]
    basis: tuple[tuple[Fraction, ...], ...]

    @property
    def dimension(self) -> int:
        """Dimension k of the affine hull."""
        return len(self.columns)


@dataclass(frozen=True, eq=False, repr=False)
class Generators(Brief):
    """The V-representation ``conv(points) + cone(rays) + span(lines)``.

    Attributes:
        status: what is known about the lists.
        points: one exact point (d,) on each minimal face; these are the vertices if there are no
            lines.  A cone's apex is a vertex.
        rays: extreme rays (d,) modulo the lines, as coprime integers, each direction once.
        lines: a basis of the lineality space.
        chart: coordinates of the affine hull; None for the empty set.
        halfspaces: the inequalities that are not tight on the whole set, in the order of the
            columns of ``incidence``.
        incidence: bool (len(points) + len(rays), len(halfspaces)): which point satisfies which
            inequality with equality, and which ray runs along it.
        certificate: proves the lists complete (status CERTIFIED) or the set empty (EMPTY).
        reason: why the list is partial or nothing was proved.
        timings: seconds spent, by stage.
    """

    status: Completeness
    points: Sequence[RationalVector] = ()
    rays: Sequence[RationalVector] = ()
    lines: Sequence[RationalVector] = ()
    chart: Chart | None = None
    halfspaces: tuple[Halfspace, ...] = ()
    incidence: np.ndarray = field(default_factory=lambda: np.zeros((0, 0), dtype=bool))
    certificate: Certificate | None = None
    reason: str = ""
    timings: Mapping[str, float] = field(default_factory=dict)

    @property
    def vertices(self) -> Sequence[RationalVector]:
        """The vertices; empty if the set contains lines."""
        return () if self.lines else self.points

    @property
    def complete(self) -> bool:
        """Whether nothing is missing (certified, cross-checked, or certified empty)."""
        return self.status not in (Completeness.PARTIAL, Completeness.UNDECIDED)

    @cached_property
    def dimension(self) -> int:
        """Dimension k of the set, -1 if it is empty.

        Raises:
            InputError: if nothing was proved.
        """
        if self.status is Completeness.EMPTY:
            return -1
        if self.chart is None:
            raise InputError(f"dimension: expected a listed set, got status {self.status.name}")
        return self.chart.dimension

    def points_float(self) -> np.ndarray:
        """Return the points as float64 (number of points, d), each entry correctly rounded."""
        if not len(self.points):
            return np.zeros((0, 0))
        return np.array([p.to_float() for p in self.points])

    def _repr_html_(self) -> str:
        """The first coordinates of the first points, rays and lines, as floats."""
        width = len(self.chart.origin) if self.chart is not None else 0
        head = [repr(self), *(f"x_{j}" for j in range(min(width, _TABLE_COLUMNS)))]
        rows = [
            [f"{name} {k}", *(f"{nearest_float(v):.6g}" for v in vector[:_TABLE_COLUMNS])]
            for name, vectors in (("point", self.points), ("ray", self.rays), ("line", self.lines))
            for k, vector in enumerate(vectors[:_TABLE_ROWS])
        ]
        return table(head, rows)

    def _shown(self) -> dict[str, str]:
        """The lists by their lengths, and what is known of them."""
        lists = {name: str(len(getattr(self, name))) for name in ("points", "rays", "lines")}
        reason = {"reason": self.reason} if self.reason else {}
        return {"status": self.status.name, **lists, **reason}

    def __bool__(self) -> bool:
        raise InputError("Generators: expected to be asked for .vertices or .complete, got bool()")
