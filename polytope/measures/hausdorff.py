"""How far is the hull of some points from the set?  Both directed distances, between bounds.

The distance to a convex set is a convex function, so over a polytope it is largest at a vertex: one
direction asks each vertex of the set for its distance to the hull, the other each of the points for
its distance to the set.  The distance of a vertex v to the hull is proposed by least squares (the
least distance program of Lawson & Hanson 1974, chapter 23), bounded above by an explicit convex
combination and below by a hyperplane between v and the points, both evaluated exactly.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from operator import mul
from typing import Any

import numpy as np

from polytope.answers.generators import Completeness, Generators
from polytope.errors import InputError
from polytope.exact.array import ExactArray
from polytope.exact.brief import Brief
from polytope.exact.rational import RationalVector, to_fraction
from polytope.exact.roots import root_bounds
from polytope.lp.proposals import proposing
from polytope.measures.local import require_complete
from polytope.questions.membership import as_point
from polytope.questions.nearest import nearest
from polytope.sets.rows import Rows


@dataclass(frozen=True, repr=False)
class DirectedDistance(Brief):
    """Largest l2 distance from a point of one set to the other set.

    Attributes:
        lower: certified lower bound, rounded down.
        upper: certified upper bound, rounded up.
        index: which vertex (or point) the lower bound was found at.
    """

    lower: float
    upper: float
    index: int


@dataclass(frozen=True, repr=False)
class HausdorffDistance(Brief):
    """Hausdorff distance (l2) of the set and the hull of points, the larger of both directions.

    Attributes:
        from_set: from the set to the hull: how much of the set the points miss.
        from_hull: from the hull to the set: how far the points leave the set.
    """

    from_set: DirectedDistance
    from_hull: DirectedDistance

    @property
    def lower(self) -> float:
        """Certified lower bound."""
        return max(self.from_set.lower, self.from_hull.lower)

    @property
    def upper(self) -> float:
        """Certified upper bound."""
        return max(self.from_set.upper, self.from_hull.upper)


def hausdorff_distance(
    layer: Rows, points: Sequence[Any], generators: Generators
) -> HausdorffDistance:
    """Hausdorff distance of a bounded set and the hull of points (n, d), taken exactly.

    Args:
        layer: of a bounded set that is not empty.
        points: at least one.
        generators: the set's complete list.

    Raises:
        InputError: if there is no point, or the set is empty, unbounded or not completely listed.
    """
    if not hasattr(points, "__len__"):
        raise InputError(f"points: expected a sequence of points, got {type(points).__name__}")
    require_complete(generators, "Hausdorff distance")
    empty = generators.status is Completeness.EMPTY
    if empty or generators.rays or generators.lines:
        kind = "an empty set" if empty else "an unbounded one"
        raise InputError(f"polytope: expected a bounded set with a point, got {kind}")
    if not len(points):
        raise InputError("points: expected at least one, got none")
    exact = [as_point(point, layer, f"points[{i}]") for i, point in enumerate(points)]
    away = [nearest(layer, point, "l2") for point in exact]
    return HausdorffDistance(
        _largest([distance_to_hull(vertex, exact) for vertex in generators.points]),
        _largest([(result.lower, result.upper) for result in away]),
    )


def _largest(bounds: Sequence[tuple[float, float]]) -> DirectedDistance:
    index = max(range(len(bounds)), key=lambda i: bounds[i][0])
    return DirectedDistance(bounds[index][0], max(upper for _, upper in bounds), index)


def distance_to_hull(x: RationalVector, points: Sequence[RationalVector]) -> tuple[float, float]:
    """Return certified bounds of the l2 distance from x (d,) to the hull of points, each (d,)."""
    if x in points:
        return 0.0, 0.0
    weights = _combination(x, points)
    gap = _weighted_gap(x, points, weights)
    upper = root_bounds(sum((v * v for v in gap), Fraction(0)))[1]
    # The direction from the hull to x, rounded: any direction gives a valid bound.
    normal = ExactArray.of(gap.to_float(), "normal", ndim=1).vector()
    squared = _dot(normal, normal)
    if not squared:
        return 0.0, upper
    margin = _dot(normal, x) - max(_dot(normal, point) for point in points)
    lower = root_bounds(margin * margin / squared)[0] if margin > 0 else 0.0
    return lower, upper


def _combination(x: RationalVector, points: Sequence[RationalVector]) -> list[Fraction]:
    """Weights >= 0 of sum 1 whose combination of the points lies, up to rounding, nearest to x.

    Nonnegative least squares of ``(points - x) w = 0, sum w = 1``: every w is s times weights of
    sum 1, and the residual is monotone in their distance to x (Lawson & Hanson 1974, (23.22)).
    """
    from scipy.optimize import nnls

    moved = (np.array([point.to_float() for point in points]) - x.to_float()).T
    moved /= np.abs(moved).max() or 1.0
    system = np.vstack([moved, np.ones(len(points))])
    found = np.zeros(0)
    with proposing():
        found, _ = nnls(system, np.eye(len(system))[-1])
    if found.shape != (len(points),) or not np.isfinite(found).all():
        found = np.zeros(len(points))
    weights = [max(to_fraction(w, "weights"), Fraction(0)) for w in found]
    total = sum(weights, Fraction(0))
    # Without a proposal the middle of the points is a combination, too.
    return [w / total if total else Fraction(1, len(points)) for w in weights]


def _weighted_gap(
    x: RationalVector, points: Sequence[RationalVector], weights: Sequence[Fraction]
) -> RationalVector:
    """Return x less the weighted sum of the points, exactly."""
    gap = list(x)
    for point, weight in zip(points, weights, strict=True):
        if weight:
            gap = [a - weight * b for a, b in zip(gap, point, strict=True)]
    return RationalVector.of(gap)


def _dot(a: RationalVector, x: RationalVector) -> Fraction:
    return Fraction(sum(map(mul, a.numerators, x.numerators)), a.denominator * x.denominator)
