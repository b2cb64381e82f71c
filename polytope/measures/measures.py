"""How large is the set, and what is its shape?  The questions a list of vertices answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from polytope.answers.generators import Generators
from polytope.errors import InputError
from polytope.exact.arguments import shown
from polytope.measures import ball as _ball
from polytope.measures import diameter as _diameter
from polytope.measures import distances as _distances
from polytope.measures import ellipsoid as _ellipsoid
from polytope.measures import extent as _extent
from polytope.measures import hausdorff as _hausdorff
from polytope.measures import mean_width as _mean_width
from polytope.measures import sampling as _sampling
from polytope.measures import skeleton as _skeleton
from polytope.measures import volume as _volume
from polytope.measures.local import listed_for
from polytope.sets.rows import Rows

if TYPE_CHECKING:
    from networkx import Graph


class Measures:
    """Measures of a collision polytope; docs/measures.md says which are exact.

    A method that needs the vertices lists them by ``P.vertices()``; hand it a list made before as
    ``generators``, and nothing is enumerated again.
    """

    layer: Rows
    if TYPE_CHECKING:  # what the class that inherits this has
        vertices: Callable[..., Generators]

    def volume(
        self, *, generators: Generators | None = None, max_faces: int = _volume.MAX_FACES
    ) -> _volume.Volume:
        """Exact k-dimensional volume in the affine hull, as ``rational * sqrt(gram)``.

        Args:
            generators: the complete list, if it is at hand.
            max_faces: how many faces of a degenerate set may be summed.

        Raises:
            InputError: if the list of vertices is not complete.
            LimitError: if there are more faces.
        """
        return _volume.volume(self.layer.system, self._listed(generators), max_faces=max_faces)

    def chebyshev_ball(self) -> _ball.Ball:
        """Largest l2 ball of the affine hull inside the set, its radius between proved bounds.

        No vertices are listed: it takes one exact linear program.
        """
        return _ball.chebyshev_ball(self.layer)

    def inscribed_ellipsoid(self) -> _ellipsoid.Ellipsoid:
        """Ellipsoid of most volume inside the set, in its affine hull.

        That it lies inside is proved exactly; that it is largest is the float solver's word.  No
        vertices are listed; dimensions up to about 30 take seconds.
        """
        return _ellipsoid.inscribed_ellipsoid(self.layer)

    def extents(self, coordinates: Sequence[int] | None = None) -> _extent.Extents:
        """Exact ends and widths along all coordinates (or the given ones), each certified.

        No vertices are listed: two linear programs a coordinate are solved exactly.

        Raises:
            InputError: if a coordinate is no int or does not exist, before anything is solved.
        """
        return _extent.extents(self.layer, coordinates)

    def diameter(
        self, *, generators: Generators | None = None, method: str = "vertices"
    ) -> _diameter.Diameter:
        """Largest l2 distance between two points: its exact square, or certified bounds.

        Args:
            generators: the list of vertices, if it is at hand.
            method: "vertices" (exact, if the list is complete; else as "extents") or "extents" (no
                enumeration: the best pair among the ends of the extents, and the box's diagonal).

        Raises:
            InputError: for another method.
        """
        if method == "extents":
            return _diameter.diameter(self.layer, None)
        if method != "vertices":
            raise InputError(f'method: expected "vertices" or "extents", got {shown(method)}')
        return _diameter.diameter(self.layer, self._listed(generators))

    def mean_pairwise_distance(
        self, *, generators: Generators | None = None
    ) -> _distances.MeanPairwiseDistance:
        """Mean l2 distance over all pairs of vertices (Table 2 of Li, Zhang & Malik 2019).

        Raises:
            InputError: if the list of vertices is not complete.
        """
        return _distances.mean_pairwise_distance(self._listed(generators))

    def mean_width(
        self,
        *,
        generators: Generators | None = None,
        directions: int = _mean_width.DIRECTIONS,
        seed: int | None = None,
    ) -> _mean_width.MeanWidth:
        """Mean width over the unit directions of the affine hull.

        Certified up to dimension 2, beyond it an estimate with its standard error.

        Raises:
            InputError: if the list of vertices is not complete.
        """
        return _mean_width.mean_width(self._listed(generators), directions=directions, seed=seed)

    def hausdorff_distance(
        self, points: Sequence[Any], *, generators: Generators | None = None
    ) -> _hausdorff.HausdorffDistance:
        """Hausdorff distance (l2) of a bounded set and the hull of points, between proved bounds.

        Args:
            points: (n, d), at least one, taken exactly.
            generators: the complete list, if it is at hand.

        Raises:
            InputError: if there is no point, or the set is empty, unbounded or not completely
                listed.
        """
        return _hausdorff.hausdorff_distance(self.layer, points, self._listed(generators))

    def sample(
        self,
        n: int,
        *,
        generators: Generators | None = None,
        seed: int | None = None,
        method: str = "auto",
        burn_in: int | None = None,
        thinning: int | None = None,
    ) -> np.ndarray:
        """Return n uniform points (n, d) of a bounded set in its affine hull, as floats.

        Args:
            n: how many.
            generators: the list of vertices, if it is at hand.
            seed: of the random numbers; equal seeds give equal samples.
            method: "triangulation" draws a simplex by its volume and a point in it, exactly uniform
                up to rounding, and needs ``generators``; "hit-and-run" walks in coordinates rounded
                by an inscribed ellipsoid, and needs none; "auto" triangulates lists of up to 500
                vertices in up to 6 dimensions.
            burn_in: steps before a walk's first sample, 100 + 10 k^2 if None.
            thinning: steps between samples of one walk, 20 + 2 k^2 if None; the first 1,024
                samples come from different walks.

        Raises:
            InputError: if the set is empty, unbounded or undecided.
            LimitError: if there are too many simplices.
        """
        return _sampling.sample(
            n,
            self.layer,
            generators=generators,
            seed=seed,
            method=method,
            burn_in=burn_in,
            thinning=thinning,
        )

    def random_combinations(
        self, n: int, *, generators: Generators | None = None, seed: int | None = None
    ) -> np.ndarray:
        """Return n random convex combinations (n, d) of all vertices (the paper's section 3.1).

        Their weights are uniform on the simplex; the points are not uniform on the set, but crowd
        around the mean of the vertices.

        Raises:
            InputError: if the list of vertices is not complete, or empty.
        """
        return _sampling.random_combinations(n, self._listed(generators), seed=seed)

    def facets(self, *, generators: Generators | None = None) -> _skeleton.Facets:
        """Facets, with the halfspaces that define them and the vertices on them.

        Raises:
            InputError: if the list of vertices is not complete.
        """
        return _skeleton.facets(self._listed(generators))

    def skeleton(self, *, generators: Generators | None = None) -> Graph:
        """Vertices and edges as a networkx graph; node i has its exact coordinates as ``point``.

        Raises:
            InputError: if the list of vertices is not complete.
        """
        return _skeleton.skeleton(self._listed(generators))

    def _listed(self, generators: Generators | None) -> Generators:
        return self.vertices() if generators is None else listed_for(self.layer, generators)
