"""How far apart are two points of the set at most?  Between certified bounds, with a pair.

A convex function on a polytope is largest at vertices, so a complete list gives the exact square of
the diameter: floats sort out the pairs that cannot be longest, with a proved bound of their error.
Without a list, the ends of the extents give a pair, and the box around the set a bound.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from fractions import Fraction
from math import inf

import numpy as np

from polytope.answers.generators import Completeness, Generators
from polytope.answers.results import LPStatus
from polytope.exact.brief import Brief
from polytope.exact.rational import RationalVector
from polytope.exact.roots import root_bounds
from polytope.measures.extent import extents
from polytope.measures.local import scaled_floats
from polytope.sets.rows import Rows

#: Distances held at a time: 32 MB.
_BLOCK = 1 << 22
#: Candidate pairs compared exactly; sets with more ties keep the bounds of the floats.
_MOST = 20_000
_UNIT_ROUNDOFF = 2.0**-53


class DiameterStatus(Enum):
    """What is known about the diameter."""

    EXACT = "exact: the square of the diameter, from all vertices"
    BOUNDED = "between certified bounds; the pair attains the lower one"
    UNBOUNDED = "unbounded: the diameter is infinite"
    EMPTY = "empty: the set has no points"
    UNDECIDED = "undecided: see reason"


@dataclass(frozen=True, eq=False, repr=False)
class Diameter(Brief):
    """Largest l2 distance between two points of the set.

    Attributes:
        status: what is known.
        squared: the exact square of the diameter (EXACT).
        lower: certified lower bound, the distance of ``pair``, rounded down.
        upper: certified upper bound, rounded up.
        pair: two points of the set at the lower distance.
        method: "vertices" (all pairs of vertices) or "extents" (the box around the set).
        reason: why nothing was proved.
    """

    status: DiameterStatus
    squared: Fraction | None = None
    lower: float = 0.0
    upper: float = inf
    pair: tuple[RationalVector, RationalVector] | None = None
    method: str = ""
    reason: str = ""


def diameter(layer: Rows, generators: Generators | None) -> Diameter:
    """Diameter of the set, from a complete list if there is one, else from the extents."""
    if generators is None or not generators.complete:
        return _from_extents(layer)
    if generators.status is Completeness.EMPTY:
        return Diameter(DiameterStatus.EMPTY, upper=0.0)
    if generators.rays or generators.lines:
        return Diameter(DiameterStatus.UNBOUNDED, lower=inf, method="vertices")
    return _from_vertices(generators.points)


def squared_distance(x: RationalVector, y: RationalVector) -> Fraction:
    """Exact square of the l2 distance."""
    a, b = x.denominator, y.denominator
    total = sum((m * b - n * a) ** 2 for m, n in zip(x.numerators, y.numerators, strict=True))
    return Fraction(total, (a * b) ** 2)


def _from_vertices(points: Sequence[RationalVector]) -> Diameter:
    floats, exponent = scaled_floats(points)
    pairs, above = _candidates(floats)
    if len(pairs) > _MOST:
        i, j = max(pairs[:_MOST], key=lambda pair: _float_square(floats, pair))
        found = squared_distance(points[i], points[j])
        lower = root_bounds(found)[0]
        upper = root_bounds(Fraction(above) * Fraction(4) ** exponent)[1]
        method = "vertices"
        return Diameter(DiameterStatus.BOUNDED, None, lower, upper, (points[i], points[j]), method)
    squares = [(squared_distance(points[i], points[j]), i, j) for i, j in pairs]
    best, i, j = max(squares, key=lambda found: found[0])
    lower, upper = root_bounds(best)
    pair = (points[i], points[j])
    return Diameter(DiameterStatus.EXACT, best, lower, upper, pair, "vertices")


def _float_square(floats: np.ndarray, pair: tuple[int, int]) -> float:
    return float(((floats[pair[0]] - floats[pair[1]]) ** 2).sum())


def _candidates(floats: np.ndarray) -> tuple[list[tuple[int, int]], float]:
    """Pairs that may be farthest apart, and a bound of all squared distances.

    With y the points less their middle, rounded, ``|y_i - y_j|^2 = |y_i|^2 + |y_j|^2 - 2 y_i y_j``
    errs by at most (d + 8) u (|y_i| + |y_j|)^2 (Higham 2002, section 3.1), and the rounding of the
    points and of y moves each by less than 3 u (|x| + |middle|).
    """
    n, d = floats.shape
    middle = (floats.min(axis=0) + floats.max(axis=0)) / 2
    centred = floats - middle
    squares = (centred**2).sum(axis=1)
    radius = float(np.sqrt(squares.max(initial=0.0)))
    size = float(np.linalg.norm(np.abs(floats).max(axis=0) + np.abs(middle)))
    moved = 8 * _UNIT_ROUNDOFF * size
    # Twice the bounds covers the rounding of the bounds themselves, and underflow.
    error = 2 * (4 * (d + 8) * _UNIT_ROUNDOFF * radius**2 + moved * (4 * radius + moved)) + 2e-308
    order = np.argsort(-squares, kind="stable")
    step = max(1, _BLOCK // n)
    best, found = 0.0, list[tuple[np.ndarray, ...]]()
    lengths = np.sqrt(squares)
    for start in range(0, n, step):
        rows = order[start : start + step]
        # No pair with this row or a later one is longer than the row's length plus the largest.
        if (lengths[rows[0]] + radius) ** 2 + 3 * error < best:
            break
        cross = centred[rows] @ centred.T
        distance = squares[rows][:, None] + squares - 2 * cross
        best = max(best, float(distance.max()))
        near = np.argwhere(distance >= best - 2 * error)
        found.append((rows[near[:, 0]], near[:, 1], distance[near[:, 0], near[:, 1]]))
    pairs = {
        (min(i, j), max(i, j))
        for a, b, distance in found
        for i, j, value in zip(a.tolist(), b.tolist(), distance.tolist(), strict=True)
        if value >= best - 2 * error
    }
    return sorted(pairs), best + error


def _from_extents(layer: Rows) -> Diameter:
    box = extents(layer)
    if box.empty:
        return Diameter(DiameterStatus.EMPTY, upper=0.0)
    statuses = {result.status for result in (*box.lowest, *box.highest)}
    if LPStatus.UNBOUNDED in statuses:
        return Diameter(DiameterStatus.UNBOUNDED, lower=inf, method="extents")
    points = list({r.point for r in (*box.lowest, *box.highest) if r.point is not None})
    widths = [w for w in box.widths if w is not None]
    if not points or len(widths) < layer.n_inputs:
        return Diameter(DiameterStatus.UNDECIDED, reason="an end of the extents is undecided")
    inner = _from_vertices(points)
    upper = root_bounds(sum((w * w for w in widths), Fraction(0)))[1]
    return Diameter(DiameterStatus.BOUNDED, None, inner.lower, upper, inner.pair, "extents")
