"""How far apart are the vertices on average?  The paper's measure, between proved bounds."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations
from math import fsum

import numpy as np

from polytope.answers.generators import Generators
from polytope.exact.brief import Brief
from polytope.exact.roots import outward, root_sum
from polytope.measures.diameter import squared_distance
from polytope.measures.local import require_complete, scaled_floats

#: Vertices up to which every distance is summed exactly (124,750 pairs take about a second).
_EXACT = 200
_UNIT_ROUNDOFF = 2.0**-53


@dataclass(frozen=True, repr=False)
class MeanPairwiseDistance(Brief):
    """Mean l2 distance over all pairs of different vertices.

    It is what Li, Zhang & Malik 2019, Table 2 state of their vertices (and of pairs of images).

    Attributes:
        value: the mean, halfway between the bounds.
        lower: certified lower bound.
        upper: certified upper bound.
        n_pairs: number of pairs; 0 gives a mean of 0.
    """

    value: float
    lower: float
    upper: float
    n_pairs: int


def mean_pairwise_distance(generators: Generators) -> MeanPairwiseDistance:
    """Mean distance between vertices, see :class:`MeanPairwiseDistance`.

    Raises:
        InputError: if the list is not complete.
    """
    require_complete(generators, "mean pairwise distance")
    points = generators.vertices
    n = len(points)
    n_pairs = n * (n - 1) // 2
    if not n_pairs:
        return MeanPairwiseDistance(0.0, 0.0, 0.0, 0)
    if n <= _EXACT:
        low, high = root_sum(squared_distance(x, y) for x, y in combinations(points, 2))
        lower, upper = outward(low / n_pairs)[0], outward(high / n_pairs)[1]
    else:
        lower, upper = _rounded_mean(*scaled_floats(points))
    return MeanPairwiseDistance((lower + upper) / 2, lower, upper, n_pairs)


def _rounded_mean(floats: np.ndarray, exponent: int) -> tuple[float, float]:
    """Bounds of the mean from floats: differences of rounded points, with the errors they have.

    A difference moves by at most u (|x| + |y|) through the rounding of the points, its norm by a
    relative (d + 4) u; numpy sums pairwise, in blocks of 128, which errs by less than 200 u.
    """
    n, d = floats.shape
    sizes = np.linalg.norm(floats, axis=1)
    parts, errors = [], []
    for i in range(n - 1):
        lengths = np.sqrt(((floats[i + 1 :] - floats[i]) ** 2).sum(axis=1))
        parts.append(float(lengths.sum()))
        errors.append(float((sizes[i + 1 :] + sizes[i]).sum()))
    total = fsum(parts)
    slack = 4 * _UNIT_ROUNDOFF * (fsum(errors) + (d + 204) * total)
    n_pairs = n * (n - 1) // 2
    unit = Fraction(2) ** exponent / n_pairs
    low, high = Fraction(total) - Fraction(slack), Fraction(total) + Fraction(slack)
    return outward(max(low, Fraction(0)) * unit)[0], outward(high * unit)[1]
