"""Which further inputs collide, beyond the linear region of the target?  Pieces next to each other.

The inputs that collide at a deep layer are a union of polytopes, one in each linear region.  A
point of one piece that lies on facets of its region lies in the regions beyond them too, with the
same values at every node, so that each of those holds a further piece, joined to the first at that
point.  The search follows the descent of one unit's pre-activation: from the vertex where it is
least in a piece, across the facets that keep it from falling further (those with a positive
multiplier), then across the others that hold the vertex.
"""

from __future__ import annotations

import heapq
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import count
from typing import NamedTuple

import numpy as np

from polytope.answers.certificates import Certificate
from polytope.answers.results import LPResult, LPStatus
from polytope.errors import InputError
from polytope.exact.arguments import instance, integer, shown
from polytope.exact.brief import Brief
from polytope.exact.rational import RationalVector, rounded
from polytope.network.region import Crossing, Pattern, Place, region_of
from polytope.network.region_polytope import RegionPolytope, region_polytope
from polytope.sets.halfspaces import System

Progress = Callable[[int, int], None]


@dataclass(frozen=True, eq=False, repr=False)
class Piece(Brief):
    """The part of the set that lies in one linear region.

    Attributes:
        polytope: the piece.
        entry: a point of it, shared with the piece it was reached from.
        contains: proves that the piece is not empty (the entry is a point of it).
        optimum: where the unit followed is least in the piece, with its certificate.
        parent: number of the piece it was reached from; None for the target's own.
        crossed: the decision that differs from the parent's.
    """

    polytope: RegionPolytope
    entry: RationalVector
    contains: Certificate
    optimum: LPResult
    parent: int | None
    crossed: Crossing | None


@dataclass(frozen=True, eq=False, repr=False)
class Exploration(Brief):
    """The pieces found, the target's own first.

    Attributes:
        unit: whose pre-activation was followed.
        pieces: each with another pattern of decisions.
        complete: whether no facet that could help was left uncrossed: the least value among the
            pieces is then a local minimum of this search, not proved to be the least of the set.
        reason: which limit was hit, else "".
    """

    unit: int
    pieces: tuple[Piece, ...]
    complete: bool
    reason: str

    @property
    def best(self) -> Piece:
        """The piece where the unit is least: one where it falls without end, if there is one."""
        return min(self.pieces, key=_rank)


class _Step(NamedTuple):
    """A facet to cross, of the piece with this number, at the vertex found there."""

    parent: int
    crossing: Crossing


@dataclass
class _Search:
    start: RegionPolytope
    unit: int
    pieces: list[Piece] = field(default_factory=list)
    seen: set[frozenset[tuple[Place, int]]] = field(default_factory=set)
    queue: list[tuple[Fraction, int, _Step]] = field(default_factory=list)
    numbers: Iterator[int] = field(default_factory=count)

    def add(self, piece: Piece) -> None:
        """Keep a piece and queue the facets that hold its unit up."""
        self.pieces.append(piece)
        self.seen.add(_key(piece.polytope.region.pattern))
        if piece.optimum.status is not LPStatus.OPTIMAL:
            return
        value = piece.optimum.value
        assert value is not None
        for crossing in _holding(piece):
            step = _Step(len(self.pieces) - 1, crossing)
            heapq.heappush(self.queue, (value, next(self.numbers), step))

    def cross(self, step: _Step) -> Piece | None:
        """The piece beyond a facet; None where it is known already."""
        parent = self.pieces[step.parent]
        region = parent.polytope.region
        pattern = {**region.pattern, step.crossing.place: step.crossing.choice}
        if _key(pattern) in self.seen:
            return None
        entry = parent.optimum.point
        assert entry is not None
        layer = self.start.composed
        polytope = region_polytope(
            region_of(region.network, pattern),
            activation=layer.post_activation,
            domain=layer.domain,
            tolerance=layer.tolerance,
        )
        # Nothing changes at the entry when a decision that is tied there is made otherwise.
        if not polytope.contains(entry):
            raise AssertionError("a point on a facet lies in the region beyond it")
        optimum = polytope.unit_vertex(self.unit)
        return Piece(polytope, entry, _proof(polytope, entry), optimum, *step)


def explore(
    polytope: RegionPolytope,
    unit: int,
    *,
    max_pieces: int = 20,
    max_seconds: float | None = None,
    progress: Progress | None = None,
) -> Exploration:
    """Collect pieces of the set around the target's, best first for one inactive unit.

    Every piece is certified: its entry point collides, and its optimum is exact in its region.

    Args:
        polytope: the piece of the target (or any other).
        unit: an inactive unit of the layer, whose pre-activation is to fall.
        max_pieces: stop after so many, the first included.
        max_seconds: stop after so long; looked at between pieces.
        progress: called with the numbers of pieces found and facets waiting.

    Raises:
        InputError: no such unit, or a limit is not positive.
    """
    start = instance(polytope, RegionPolytope, "polytope")
    integer(max_pieces, "max_pieces", least=1)
    if max_seconds is not None and not max_seconds > 0:
        raise InputError(f"max_seconds: expected a positive number, got {shown(max_seconds)}")
    began = time.monotonic()
    found = start.feasibility()
    optimum = start.unit_vertex(unit)
    if found.point is None or found.certificate is None:
        raise InputError("polytope: expected a piece with a point, got one that is empty")
    search = _Search(start, unit)
    search.add(Piece(start, found.point, found.certificate, optimum, None, None))
    reason = ""
    while search.queue:
        if len(search.pieces) >= max_pieces:
            reason = f"max_pieces = {max_pieces} was reached"
            break
        if max_seconds is not None and time.monotonic() - began > max_seconds:
            reason = f"max_seconds = {max_seconds:g} was reached"
            break
        _, _, step = heapq.heappop(search.queue)
        piece = search.cross(step)
        if piece is not None:
            search.add(piece)
            if progress is not None:
                progress(len(search.pieces), len(search.queue))
    return Exploration(unit, tuple(search.pieces), not reason, reason)


def _key(pattern: Pattern) -> frozenset[tuple[Place, int]]:
    return frozenset(pattern.items())


def _rank(piece: Piece) -> tuple[int, Fraction]:
    """Unbounded pieces first, then by value; what is undecided last."""
    if piece.optimum.status is LPStatus.UNBOUNDED:
        return 0, Fraction(0)
    value = piece.optimum.value
    return (2, Fraction(0)) if value is None else (1, value)


def _proof(polytope: RegionPolytope, point: RationalVector) -> Certificate:
    return Certificate("contains", {}, polytope.layer, lambda: {"point": point})


def _holding(piece: Piece) -> list[Crossing]:
    """What changes beyond the region's rows tight at the optimum, the largest multiplier first."""
    proof, polytope, point = piece.optimum.certificate, piece.polytope, piece.optimum.point
    if proof is None or point is None:
        return []
    system, first = polytope.layer.system, polytope.n_units
    multipliers = proof.witness["multipliers"]
    values = polytope.layer.values(point)
    found = []
    for row, rhs in zip(system.rows, system.rhs, strict=True):
        if row.unit >= first and values[row.unit] == rhs:
            # In a row's own length, so that scaling a row does not change its place.
            weight = rounded(multipliers.weights.get(row, 0), multipliers.denominator)
            found.append((-weight * _length(system, row.unit), row.unit - first))
    return [polytope.region.crossings[place] for _, place in sorted(found)]


def _length(system: System, unit: int) -> float:
    floats, exponents = system.float_rows
    power = exponents[unit] - system.scale(unit).bit_length() + 1
    return float(np.linalg.norm(floats[unit])) * rounded(1 << max(power, 0), 1 << max(-power, 0))
