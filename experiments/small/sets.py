"""How much of a polytope do a few of its points show?  Sets of points beside the whole set."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import ConvexHull, QhullError

from experiments.measure.set_measures import MeanDistance, Volume, diameter
from experiments.small.results import Directed, Hull, Interval, MeanWidth, WholeSet
from polytope import CollisionPolytope, RationalVector
from polytope.answers.generators import Generators
from polytope.measures.hausdorff import DirectedDistance

Points = NDArray[np.float64]
DIRECTIONS = 10_000


@dataclass(frozen=True, eq=False)
class Whole:
    """The polytope that sets of points are measured against.

    Attributes:
        polytope: bounded.
        generators: its complete list.
        frame: (d, k) orthonormal basis of the directions of its affine hull.
        directions: (n, k) random unit directions, the same for every set.
        volume: of the set.
    """

    polytope: CollisionPolytope
    generators: Generators
    frame: Points
    directions: Points
    volume: Volume

    @classmethod
    def of(cls, polytope: CollisionPolytope, generators: Generators, *, seed: int) -> "Whole":
        """Draws the directions and measures the volume."""
        points = generators.points_float()
        k = generators.dimension
        rows = np.linalg.svd(points - points.mean(axis=0), full_matrices=False)[2]
        directions = np.random.default_rng(seed).normal(size=(DIRECTIONS, k))
        if k:
            directions /= np.linalg.norm(directions, axis=1, keepdims=True)
        volume = Volume.of(polytope, generators)
        return cls(polytope, generators, rows[:k].T, directions, volume)

    def summary(self) -> WholeSet:
        """Returns what a record keeps of the whole set."""
        points = self.generators.points_float()
        return WholeSet(
            points=len(points),
            mean_pairwise_distance=MeanDistance.of(self.polytope, self.generators),
            diameter=diameter(self.polytope, self.generators),
            mean_width=self._mean_width(points),
            volume=self.volume,
        )

    def beside(self, points: Sequence[RationalVector] | Points) -> Hull:
        """Returns what a record keeps of the hull of some points.

        Only the Hausdorff distances are proved; the other measures are floats.

        Args:
            points: exact points or floats (n, d), which are taken exactly.
        """
        floats = np.array([p.to_float() if isinstance(p, RationalVector) else p for p in points])
        away = self.polytope.hausdorff_distance(list(points), generators=self.generators)
        lengths = [float(np.linalg.norm(a - b)) for a, b in combinations(floats, 2)]
        return Hull(
            points=len(points),
            distinct=len({tuple(p) for p in floats.tolist()}),
            mean_pairwise_distance=float(np.mean(lengths)) if lengths else 0.0,
            diameter=max(lengths, default=0.0),
            mean_width=self._mean_width(floats),
            volume_ratio=self._volume_ratio(floats),
            from_set=_directed(away.from_set),
            from_hull=_directed(away.from_hull),
            hausdorff=Interval(lower=away.lower, upper=away.upper),
        )

    def _mean_width(self, points: Points) -> MeanWidth:
        """Mean width in the directions of the affine hull, with its standard error."""
        if not self.frame.shape[1]:
            return MeanWidth(value=0.0, standard_error=0.0)
        widths = np.ptp(self.directions @ (points @ self.frame).T, axis=1)
        error = float(widths.std(ddof=1) / np.sqrt(len(widths)))
        return MeanWidth(value=float(widths.mean()), standard_error=error)

    def _volume_ratio(self, points: Points) -> float | None:
        """Volume of the hull, projected onto the affine hull, over the volume of the set."""
        whole, k = self.volume.value, self.frame.shape[1]
        if not whole or k < 1:
            return None
        inside = (points - points.mean(axis=0)) @ self.frame
        if k == 1:
            return float(np.ptp(inside)) / float(whole)
        try:
            return float(ConvexHull(inside).volume) / float(whole)
        except (QhullError, ValueError):  # fewer than k + 1 points, or a flat hull
            return 0.0


def _directed(found: DirectedDistance) -> Directed:
    return Directed(lower=found.lower, upper=found.upper, index=found.index)
