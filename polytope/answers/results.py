"""What does an answer look like?  Frozen results; "empty", "unbounded", "undecided" are values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from fractions import Fraction

import numpy as np

from polytope.answers.certificates import Certificate
from polytope.errors import InputError
from polytope.exact.brief import Brief
from polytope.exact.rational import RationalVector


class LPStatus(Enum):
    """Outcome of a minimisation over the polytope; all but UNDECIDED come with a certificate."""

    OPTIMAL = "optimal"
    EMPTY = "empty: no input collides with the target"
    UNBOUNDED = "unbounded: the objective falls without end along a ray"
    UNDECIDED = "undecided: see reason"


@dataclass(frozen=True, eq=False, repr=False)
class LPResult(Brief):
    """Exact minimum of a linear function over the polytope.

    Attributes:
        status: what was proved.
        value: the exact minimum, for OPTIMAL.
        point: an exact minimiser (d,), read as Fractions; for UNBOUNDED a point of the set.
        is_vertex: whether ``point`` is a vertex (d independent tight rows), for OPTIMAL.
        certificate: proves all of the above; None if undecided.
        reason: why nothing was proved, and what to try next.
        timings: seconds in the float solver ("float") and in the proof ("proof").
    """

    status: LPStatus
    value: Fraction | None = None
    point: RationalVector | None = None
    is_vertex: bool = False
    certificate: Certificate | None = None
    reason: str = ""
    timings: Mapping[str, float] = field(default_factory=dict)

    def point_float(self) -> np.ndarray:
        """Return the minimiser as float64 (d,), each entry correctly rounded.

        Raises:
            InputError: if there is none.
        """
        if self.point is None:
            raise InputError(f"point: expected a solved program, got status {self.status.name}")
        return self.point.to_float()


class _Verdict(Brief):
    """A result with a verdict inside: not a truth value itself, since it would always be true."""

    def __bool__(self) -> bool:
        raise InputError(
            f"{type(self).__name__}: expected to be asked for its verdict "
            "(.holds, .bounded, .feasible), got used as a truth value itself"
        )


@dataclass(frozen=True, eq=False, repr=False)
class KernelCondition(_Verdict):
    """Whether ker(W+) lies in ker(W-): then every inactive row is constant on the equalities' set.

    ``certificate`` holds the combination ``W- = X W+``, or a minor that is one row larger than any
    of W+ (Li, Zhang & Malik 2019, Proposition 1).
    """

    holds: bool
    certificate: Certificate


@dataclass(frozen=True, eq=False, repr=False)
class Rank(Brief):
    """Exact rank of W+, with a minor from below and a span from above.

    Attributes:
        value: the rank.
        certificate: proves it from both sides.
        at_least: proves the one side, by the minor alone.
        at_most: proves the other, by the span alone (or as W+ has no more rows or columns).
    """

    value: int
    certificate: Certificate
    at_least: Certificate = field(repr=False)
    at_most: Certificate = field(repr=False)


@dataclass(frozen=True, eq=False, repr=False)
class Dimension(Brief):
    """Exact dimension of the polytope (-1 if empty, None if undecided).

    Attributes:
        value: the dimension of the smallest affine set that contains the polytope.
        paper_bound: ``d - N+``, what Proposition 1 of Li, Zhang & Malik 2019 says of the subspace;
            where it is not positive the proposition does not apply (see :func:`bound_in_words`).
        certificate: the proof; None if undecided.
        reason: why it is undecided.
    """

    value: int | None
    paper_bound: int
    certificate: Certificate | None
    reason: str = ""

    def _shown(self) -> dict[str, str]:
        """The fields, and where there is no bound of the paper's, why."""
        return super()._shown() | {"paper_bound": bound_in_words(self.paper_bound)}


def bound_in_words(paper_bound: int) -> str:
    """The paper's bound ``d - N+``, or why it has none: Proposition 1 assumes N+ < d."""
    words = f"{paper_bound} (Proposition 1 does not apply: N+ >= d)"
    return f"{paper_bound:,}" if paper_bound > 0 else words


@dataclass(frozen=True, eq=False, repr=False)
class Lineality(Brief):
    """Dimension of the largest linear space of directions along which the set never ends.

    A set with lines (``pointed`` false) has no vertices at all.
    """

    dimension: int
    pointed: bool
    certificate: Certificate


@dataclass(frozen=True, eq=False, repr=False)
class Boundedness(_Verdict):
    """Whether the polytope is bounded (None if undecided)."""

    bounded: bool | None
    certificate: Certificate | None
    reason: str = ""


@dataclass(frozen=True, eq=False, repr=False)
class Feasibility(_Verdict):
    """Whether any input collides (None if undecided); a target itself always does."""

    feasible: bool | None
    point: RationalVector | None
    certificate: Certificate | None
    reason: str = ""


@dataclass(frozen=True, eq=False, repr=False)
class Residuals(Brief):
    """Exact distance of a point from colliding.

    Attributes:
        pre_activation: ``w_i x + b_i`` of every unit.
        worst_equality: largest ``|w_i x + b_i - z_i|`` over active units.
        worst_inactive: largest positive pre-activation of an inactive unit (0 if none).
        worst_domain: largest distance by which a coordinate leaves its bounds.
        smallest_tolerance: ``max_i |max(0, w_i x + b_i) - y_i|``: the least tolerance at which the
            point collides, provided it lies in the domain.
    """

    pre_activation: tuple[Fraction, ...]
    worst_equality: Fraction
    worst_inactive: Fraction
    worst_domain: Fraction
    smallest_tolerance: Fraction


@dataclass(frozen=True, repr=False)
class TightConstraints(Brief):
    """Constraints that hold with equality at a point.

    Attributes:
        units: units whose row is tight (active units count where their equality holds).
        coordinates: coordinates on one of their bounds.
        count: number of both.
        rank: exact rank of these rows.
        is_vertex: whether the point lies in the polytope and the rank is d.
    """

    units: tuple[int, ...]
    coordinates: tuple[int, ...]
    count: int
    rank: int
    is_vertex: bool


class NearestStatus(Enum):
    """Outcome of a nearest-point search."""

    EXACT = "exact distance"
    BOUNDED = "distance between certified bounds"
    EMPTY = "empty: no input collides with the target"
    UNDECIDED = "undecided: see reason"


@dataclass(frozen=True, eq=False, repr=False)
class NearestResult(Brief):
    """Distance from a point to the polytope, and a point of the polytope that attains it.

    Attributes:
        status: EXACT (linf and l1), BOUNDED (l2, or where exactness could not be proved).
        norm: "linf", "l1" or "l2".
        distance: the exact distance, for EXACT.
        lower: certified lower bound, rounded down.
        upper: certified upper bound (the distance of ``point``), rounded up.
        point: a point of the polytope (d,).
        certificate: the proof.
        reason: why nothing was proved.
    """

    status: NearestStatus
    norm: str
    distance: Fraction | None = None
    lower: float = 0.0
    upper: float = float("inf")
    point: RationalVector | None = None
    certificate: Certificate | None = None
    reason: str = ""
