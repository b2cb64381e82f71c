"""What does `collide vertices` find?  Counts, generators and measures, as its record keeps them."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import isfinite
from typing import ClassVar

from experiments.measure.inequalities import Facets, Redundancy
from experiments.measure.set_measures import Measures
from experiments.run.proofs import Proof
from polytope.answers.generators import Completeness, Generators
from polytope.exact.rational import RationalVector
from polytope.vertices.size_estimate import SizeEstimate

#: Generators of each kind in the record and on the terminal, unless all are asked for.
SHOWN = 5

#: Exact coordinates (d,) of some generators.
Vectors = tuple[tuple[Fraction, ...], ...]


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """An order of magnitude before the work, from random walks; see `SizeEstimate`.

    Attributes:
        vertices: of the set, or of a perturbation where it is degenerate.
        standard_error: of that number; None where no two walkers met: then there are more.
        bytes: of the list.
        degenerate: whether a perturbation was walked.
        upper_bound: no such set has more.
    """

    vertices: float
    standard_error: float | None
    bytes: int
    degenerate: bool
    upper_bound: Fraction

    @classmethod
    def of(cls, found: SizeEstimate) -> "Estimate":
        """What a record keeps of an estimate."""
        return cls(
            vertices=found.vertices,
            standard_error=found.standard_error if isfinite(found.standard_error) else None,
            bytes=found.bytes,
            degenerate=found.degenerate,
            upper_bound=Fraction(found.upper_bound),
        )


@dataclass(frozen=True, kw_only=True)
class Counts:
    """How many generators of each kind were listed."""

    points: int
    rays: int
    lines: int


@dataclass(frozen=True, kw_only=True)
class VerticesResults:
    """What `collide vertices` finds.

    Attributes:
        set: the set in a line.
        estimate: of the list before the work; None where there was none.
        status: "certified", "empty", "partial", ...
        sentence: what that means.
        reason: why the list is not complete.
        dimension: of the set; None where it is undecided.
        counts: of the list.
        points: the first few vertices (points on minimal faces, where there are lines), or all.
        rays: likewise, directions.
        lines: likewise.
        certificate: that nothing is missing.
        facets: of a complete list that is not empty.
        measures: likewise.
        redundancy: where it was asked for.
        files: what was written beside the certificates.
    """

    SCHEMA: ClassVar[str] = "collision-polytopes/vertices/2"

    set: str
    estimate: Estimate | None
    status: str
    sentence: str
    reason: str
    dimension: int | None
    counts: Counts
    points: Vectors
    rays: Vectors
    lines: Vectors
    certificate: Proof | None
    facets: Facets | None
    measures: Measures | None
    redundancy: Redundancy | None
    files: tuple[str, ...]

    @property
    def cut_short(self) -> bool:
        """Whether a limit ended the work."""
        return self.status in ("partial", "undecided")


def dimension_of(found: Generators) -> int | None:
    """Returns the dimension of what was listed; None where that is undecided."""
    return None if found.status is Completeness.UNDECIDED else found.dimension


def counts_of(found: Generators) -> Counts:
    """Returns how many generators of each kind there are."""
    return Counts(points=len(found.points), rays=len(found.rays), lines=len(found.lines))


def some(vectors: Sequence[RationalVector], *, every: bool) -> Vectors:
    """Returns the first few of some generators, or every one."""
    shown = len(vectors) if every else min(SHOWN, len(vectors))
    return tuple(tuple(vectors[i]) for i in range(shown))
