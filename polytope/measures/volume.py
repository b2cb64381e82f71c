"""How large is the set?  Its exact k-dimensional volume, a rational times one square root.

Simple sets by Lawrence's formula (1991), a sum over the vertices; degenerate ones by pyramids over
the faces away from one vertex (Cohen & Hickey 1979), every face computed once.  Both work in chart
coordinates, ``x = origin + basis u``, and multiply by ``sqrt(det(basis^T basis))``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum
from fractions import Fraction
from functools import cached_property
from math import factorial, inf
from random import Random

import numpy as np
from flint import fmpq, fmpz_mat

from polytope.answers.generators import Completeness, Generators
from polytope.exact.arguments import instance, integer
from polytope.exact.brief import Brief
from polytope.exact.rational import RationalVector
from polytope.exact.roots import nearest_root, root_bounds
from polytope.measures.faces import incident_facets, pyramid_volume
from polytope.measures.local import (
    LocalRows,
    charted,
    gram,
    local_points,
    local_rows,
    require_complete,
)
from polytope.sets.halfspaces import System

#: Faces of a degenerate set beyond which its volume is refused; 10^6 take about a minute at k = 6.
MAX_FACES = 1_000_000
#: The functional of Lawrence's sum is random, its entries from a range that doubles on failure.
_SEED, _TRIES = 1991, 30
#: Bits of all denominators up to which a sum is formed at once (some ms).
_SHORT = 200_000


class VolumeStatus(Enum):
    """What is known about the volume."""

    EXACT = "exact: value = rational * sqrt(gram)"
    UNBOUNDED = "unbounded: the volume is infinite"
    EMPTY = "empty: the set has no points, volume 0"


@dataclass(frozen=True, eq=False, repr=False)
class Volume(Brief):
    """The k-dimensional volume ``rational * sqrt(gram)`` of the set in its affine hull.

    Attributes:
        status: what is known.
        dimension: dimension k of the set, -1 if it is empty.  A single point has volume 1 (the
            counting measure).
        gram: ``det(basis^T basis)`` of the chart, 1 for a full-dimensional set.
        value: the volume as the nearest float, or next to it.
        lower: the volume, rounded down.
        upper: the volume, rounded up.
        method: "lawrence", "pyramids", or "" where nothing had to be summed.
    """

    status: VolumeStatus
    dimension: int
    gram: Fraction
    value: float
    lower: float
    upper: float
    method: str = ""
    _terms: Sequence[fmpq] = field(default=(), repr=False)

    @cached_property
    def rational(self) -> Fraction | None:
        """The exact volume in chart coordinates; None if infinite.

        The sum is formed when it is read: over 30,000 vertices in ten dimensions it has a
        denominator of seven million bits, and takes minutes where the bounds take seconds.
        """
        if self.status is VolumeStatus.UNBOUNDED:
            return None
        total = _sum(self._terms)
        return Fraction(int(total.p), int(total.q))


def volume(system: System, generators: Generators, *, max_faces: int = MAX_FACES) -> Volume:
    """Exact volume of a completely listed set, see :class:`Volume`.

    Raises:
        InputError: if the list is not complete.
        LimitError: if a degenerate set has more than ``max_faces`` faces away from their apex.
    """
    max_faces = integer(max_faces, "max_faces", least=1)
    if instance(generators, Generators, "generators").status is Completeness.EMPTY:
        return Volume(VolumeStatus.EMPTY, -1, Fraction(1), 0.0, 0.0, 0.0)
    require_complete(generators, "volume")
    chart = charted(generators)
    k, stretch = chart.dimension, gram(chart)
    if generators.rays or generators.lines:
        return Volume(VolumeStatus.UNBOUNDED, k, stretch, inf, inf, inf)
    if k == 0:
        return Volume(VolumeStatus.EXACT, 0, stretch, 1.0, 1.0, 1.0, "", [fmpq(1)])
    terms, method = _local_volume(system, generators, max_faces)
    low, high = _sum_bounds(terms)
    lower, upper = root_bounds(low * low * stretch)[0], root_bounds(high * high * stretch)[1]
    value = nearest_root(((low + high) / 2) ** 2 * stretch)
    return Volume(VolumeStatus.EXACT, k, stretch, value, lower, upper, method, terms)


def _local_volume(system: System, generators: Generators, limit: int) -> tuple[list[fmpq], str]:
    """Terms that sum to the volume in the chart."""
    chart = charted(generators)
    points = local_points(generators)
    facets = incident_facets(generators.incidence)
    rows = local_rows(system, chart, [generators.halfspaces[f] for f in facets])
    incidence = generators.incidence[:, facets]
    if (incidence.sum(axis=1) == chart.dimension).all():
        found = _lawrence(rows, points, incidence)
        if found is not None:
            return found, "lawrence"
    return [pyramid_volume(rows.normals, points, incidence, max_faces=limit)], "pyramids"


def _lawrence(
    rows: LocalRows, points: Sequence[RationalVector], incidence: np.ndarray
) -> list[fmpq] | None:
    """Terms of Lawrence's sum ``1/k! sum_v (c v)^k / (|det A_v| prod g_i)`` with ``c = A_v^T g``.

    It asks for a functional c that is constant on no edge; None if none of a few random ones is.
    """
    k = len(rows.normals[0])
    bases = [
        fmpz_mat([list(rows.normals[i]) for i in np.flatnonzero(line).tolist()]).transpose()
        for line in incidence
    ]
    random = Random(_SEED)
    for attempt in range(_TRIES):
        reach = 3 + 2**attempt
        c = [random.choice((-1, 1)) * random.randint(1, reach) for _ in range(k)]
        terms = []
        for matrix, point in zip(bases, points, strict=True):
            term = _lawrence_term(matrix, point, c)
            if term is None:
                break
            terms.append(term)
        else:
            return terms
    return None


def _lawrence_term(matrix: fmpz_mat, point: RationalVector, c: Sequence[int]) -> fmpq | None:
    k = len(c)
    gamma = matrix.solve(fmpz_mat(k, 1, list(c))).entries()
    denominator = fmpq(abs(matrix.det()) * factorial(k))
    for g in gamma:
        denominator *= g
    if not denominator:
        return None
    value = fmpq(sum(a * n for a, n in zip(c, point.numerators, strict=True)), point.denominator)
    return value**k / denominator


def _sum(terms: Sequence[fmpq]) -> fmpq:
    """Sum by halves: the fractions that meet are of similar length."""
    left = list(terms) or [fmpq(0)]
    while len(left) > 1:
        odd = [left[-1]] if len(left) % 2 else []
        left = [a + b for a, b in zip(left[::2], left[1::2], strict=False)] + odd
    return left[0]


def _sum_bounds(terms: Sequence[fmpq]) -> tuple[Fraction, Fraction]:
    """Bounds of a positive sum: equal if it is short, else at most 2^-60 of it apart.

    Every term is rounded down to a fixed point.  The terms may cancel to far less than the largest
    of them, so the point moves on until enough of the sum is left.
    """
    if sum(t.q.bit_length() for t in terms) <= _SHORT:
        total = _sum(terms)
        exact = Fraction(int(total.p), int(total.q))
        return exact, exact
    bits = 128
    while True:
        fixed = int(sum((t.p << bits) // t.q for t in terms))
        if fixed >> 60 >= len(terms):
            return Fraction(fixed, 1 << bits), Fraction(fixed + len(terms), 1 << bits)
        bits *= 2
