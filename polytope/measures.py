"""How large is the set, and what is its shape?  The questions a list of vertices answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from polytope import skeleton as _skeleton
from polytope import volume as _volume
from polytope.generators import Generators
from polytope.layer import Layer

if TYPE_CHECKING:
    from networkx import Graph


class Measures:
    """Measures of a collision polytope; docs/measures.md says which are exact.

    A method that needs the vertices lists them by ``P.vertices()``; hand it a list made before as
    ``generators``, and nothing is enumerated again.
    """

    layer: Layer
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
        return self.vertices() if generators is None else generators
