"""Of which simplices is the set made?  A pulling triangulation, from incidence alone.

Every face is coned from its first vertex over the triangulated facets away from it, so that the
pieces fit together whatever is degenerate.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from polytope.answers.generators import Generators
from polytope.errors import InputError, LimitError
from polytope.measures.faces import facets_of, incident_facets, masks
from polytope.measures.local import charted, require_complete

#: Simplices beyond which a triangulation is refused.
MAX_SIMPLICES = 100_000


def triangulation(generators: Generators, *, max_simplices: int = MAX_SIMPLICES) -> np.ndarray:
    """Return the k + 1 vertex indices of each simplex (s, k + 1).

    Raises:
        InputError: if the list is not complete, or the set unbounded or empty.
        LimitError: if there are more than ``max_simplices`` simplices.
    """
    require_complete(generators, "triangulation")
    if generators.rays or generators.lines or not generators.points:
        kind = "an unbounded" if generators.points else "an empty"
        raise InputError(f"generators: expected a bounded set with points, got {kind} one")
    facets = incident_facets(generators.incidence)
    pieces = _Pieces(masks(generators.incidence[:, facets].T))
    everything, k = (1 << len(generators.points)) - 1, charted(generators).dimension
    if pieces.count(everything, k, max_simplices) > max_simplices:
        raise LimitError(f"max_simplices: expected at most {max_simplices}, got more")
    return np.array(pieces.simplices(everything, k), dtype=np.intp).reshape(-1, k + 1)


class _Pieces:
    """Simplices of faces, each face triangulated once."""

    def __init__(self, facets: Sequence[int]) -> None:
        self._facets = facets
        self._counts: dict[int, int] = {}
        self._known: dict[int, list[tuple[int, ...]]] = {}

    def _away(self, face: int) -> list[int]:
        first = face & -face
        return [part for part, _ in facets_of(face, self._facets) if not part & first]

    def count(self, face: int, dimension: int, limit: int) -> int:
        """How many simplices a face is made of; counting stops soon after the limit."""
        if dimension <= 1:
            return 1
        if face not in self._counts:
            total = 0
            for part in self._away(face):
                total += self.count(part, dimension - 1, limit)
                if total > limit:
                    break
            self._counts[face] = total
        return self._counts[face]

    def simplices(self, face: int, dimension: int) -> list[tuple[int, ...]]:
        """Simplices of a face, as vertex indices."""
        first = (face & -face).bit_length() - 1
        if dimension == 0:
            return [(first,)]
        if dimension == 1:
            return [(first, face.bit_length() - 1)]
        if face not in self._known:
            self._known[face] = [
                (first, *rest)
                for part in self._away(face)
                for rest in self.simplices(part, dimension - 1)
            ]
        return self._known[face]
