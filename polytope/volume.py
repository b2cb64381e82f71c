"""How large is the set?  Its exact k-dimensional volume, a rational times one square root.

Simple sets by Lawrence's formula (1991), a sum over the vertices; degenerate ones by pyramids over
the faces away from one vertex (Cohen & Hickey 1979), every face computed once.  Both work in chart
coordinates, ``x = origin + basis u``, and multiply by ``sqrt(det(basis^T basis))``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from fractions import Fraction
from math import factorial, inf
from random import Random

import numpy as np
from flint import fmpq, fmpz_mat

from polytope.faces import incident_facets, pyramid_volume
from polytope.generators import Completeness, Generators
from polytope.halfspaces import System
from polytope.local import LocalRows, charted, gram, local_points, local_rows, require_complete
from polytope.rational import RationalVector
from polytope.roots import nearest_root, root_bounds

#: Faces of a degenerate set beyond which its volume is refused; 10^6 take about a minute at k = 6.
MAX_FACES = 1_000_000
#: The functional of Lawrence's sum is random, its entries from a range that doubles on failure.
_SEED, _TRIES = 1991, 30


class VolumeStatus(Enum):
    """What is known about the volume."""

    EXACT = "exact: value = rational * sqrt(gram)"
    UNBOUNDED = "unbounded: the volume is infinite"
    EMPTY = "empty: the set has no points, volume 0"


@dataclass(frozen=True, eq=False)
class Volume:
    """The k-dimensional volume ``rational * sqrt(gram)`` of the set in its affine hull.

    Attributes:
        status: what is known.
        dimension: dimension k of the set, -1 if it is empty.  A single point has volume 1 (the
            counting measure).
        rational: volume in chart coordinates; None if infinite.
        gram: ``det(basis^T basis)`` of the chart, 1 for a full-dimensional set.
        lower: the volume rounded down.
        upper: the volume rounded up.
        method: "lawrence", "pyramids", or "" where nothing had to be summed.
    """

    status: VolumeStatus
    dimension: int
    rational: Fraction | None
    gram: Fraction
    lower: float
    upper: float
    method: str = ""

    @property
    def value(self) -> float:
        """The volume as the nearest float."""
        return inf if self.rational is None else nearest_root(self.rational**2 * self.gram)


def volume(system: System, generators: Generators, *, max_faces: int = MAX_FACES) -> Volume:
    """Exact volume of a completely listed set, see :class:`Volume`.

    Raises:
        InputError: if the list is not complete.
        LimitError: if a degenerate set has more than ``max_faces`` faces away from their apex.
    """
    if generators.status is Completeness.EMPTY:
        return Volume(VolumeStatus.EMPTY, -1, Fraction(0), Fraction(1), 0.0, 0.0)
    require_complete(generators, "volume")
    chart = charted(generators)
    k, stretch = chart.dimension, gram(chart)
    if generators.rays or generators.lines:
        return Volume(VolumeStatus.UNBOUNDED, k, None, stretch, inf, inf)
    if k == 0:
        return Volume(VolumeStatus.EXACT, 0, Fraction(1), stretch, 1.0, 1.0)
    rational, method = _local_volume(system, generators, max_faces)
    low, high = root_bounds(rational * rational * stretch)
    return Volume(VolumeStatus.EXACT, k, rational, stretch, low, high, method)


def _local_volume(system: System, generators: Generators, limit: int) -> tuple[Fraction, str]:
    chart = charted(generators)
    points = local_points(generators)
    facets = incident_facets(generators.incidence)
    rows = local_rows(system, chart, [generators.halfspaces[f] for f in facets])
    incidence = generators.incidence[:, facets]
    if (incidence.sum(axis=1) == chart.dimension).all():
        found = _lawrence(rows, points, incidence)
        if found is not None:
            return found, "lawrence"
    return pyramid_volume(rows.normals, points, incidence, max_faces=limit), "pyramids"


def _lawrence(
    rows: LocalRows, points: Sequence[RationalVector], incidence: np.ndarray
) -> Fraction | None:
    """Lawrence's sum ``1/k! sum_v (c v)^k / (|det A_v| prod g_i)`` with ``c = A_v^T g``.

    It asks for a functional c that is constant on no edge; None if none of a few random ones is.
    """
    k = len(rows.normals[0])
    bases = []
    for line in incidence:
        tight = np.flatnonzero(line).tolist()
        bases.append(fmpz_mat([list(rows.normals[i]) for i in tight]).transpose())
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
            total = _sum(terms) / factorial(k)
            return Fraction(int(total.p), int(total.q))
    return None


def _lawrence_term(matrix: fmpz_mat, point: RationalVector, c: Sequence[int]) -> fmpq | None:
    gamma = matrix.solve(fmpz_mat(len(c), 1, list(c))).entries()
    denominator = fmpq(abs(matrix.det()))
    for g in gamma:
        denominator *= g
    if not denominator:
        return None
    value = fmpq(sum(a * n for a, n in zip(c, point.numerators, strict=True)), point.denominator)
    return value ** len(c) / denominator


def _sum(terms: list[fmpq]) -> fmpq:
    """Sum by halves: the fractions that meet are of similar length."""
    while len(terms) > 1:
        paired = [a + b for a, b in zip(terms[::2], terms[1::2], strict=False)]
        terms = paired + ([terms[-1]] if len(terms) % 2 else [])
    return terms[0]
