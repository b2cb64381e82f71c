"""Which faces does the set have?  Facets and faces from the incidence of vertices and halfspaces.

A face is the set of its vertices, one bit each.  A facet of a face F is a largest proper
intersection of F with a facet of the whole set: no arithmetic is needed to find it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import gcd

import numpy as np
from flint import fmpq

from polytope.errors import LimitError
from polytope.exact.rational import RationalVector


def incident_facets(incidence: np.ndarray) -> list[int]:
    """Return one halfspace for each facet: those tight on largest nonempty sets of generators.

    Args:
        incidence: bool (generators, halfspaces), see ``Generators.incidence``.
    """
    return [group[0] for group in facet_groups(incidence)]


def facet_groups(incidence: np.ndarray) -> list[list[int]]:
    """Return the halfspaces that define each facet, equal ones together."""
    groups: dict[int, list[int]] = {}
    for h, mask in enumerate(masks(incidence.T)):
        if mask:
            groups.setdefault(mask, []).append(h)
    largest = set(maximal(groups))
    return [group for mask, group in groups.items() if mask in largest]


def masks(table: np.ndarray) -> list[int]:
    """Return each row of a bool table as an integer; bit i is column i."""
    packed = np.packbits(np.ascontiguousarray(table, dtype=bool), axis=1, bitorder="little")
    return [int.from_bytes(row.tobytes(), "little") for row in packed]


def maximal(sets: Iterable[int]) -> list[int]:
    """Return the sets that lie in no other."""
    kept: list[int] = []
    for candidate in sorted(set(sets), key=int.bit_count, reverse=True):
        if all(candidate & ~other for other in kept):
            kept.append(candidate)
    return kept


def pyramid_volume(
    normals: Sequence[Sequence[int]],
    points: Sequence[RationalVector],
    incidence: np.ndarray,
    *,
    max_faces: int,
) -> fmpq:
    """Exact volume of a bounded full-dimensional set, by pyramids over faces.

    ``vol(F) = 1/m sum_G height_G vol(G)`` over the facets G of an m-face F away from its first
    vertex.  Volumes are taken in the coordinates that head the rows of the reduced echelon form of
    the face's directions: those of a facet are a subset of those of the face, all but one, so that
    one number a face serves every face above it.

    Args:
        normals: integer normal (k,) of each facet, in the order of ``incidence``.
        points: vertices (k,), exact.
        incidence: bool (vertices, facets).
        max_faces: how many faces may be visited.

    Raises:
        LimitError: if there are more.
    """
    faces = _Faces(normals, points, masks(incidence.T), max_faces)
    k = len(normals[0])
    identity = [[int(i == j) for j in range(k)] for i in range(k)]
    return faces.volume((1 << len(points)) - 1, identity, list(range(k)))


class _Faces:
    """Volumes of faces, each computed once."""

    def __init__(
        self,
        normals: Sequence[Sequence[int]],
        points: Sequence[RationalVector],
        facets: list[int],
        max_faces: int,
    ) -> None:
        self._normals, self._points, self._facets = normals, points, facets
        self._limit, self._known = max_faces, dict[int, fmpq]()

    def volume(self, face: int, directions: list[list[int]], heads: list[int]) -> fmpq:
        """Volume of a face in the coordinates ``heads``, see :func:`pyramid_volume`.

        Args:
            face: its vertices.
            directions: an integer basis of its directions, row i zero at all heads but the i-th.
            heads: the heading coordinates, increasing.
        """
        if face in self._known:
            return self._known[face]
        if len(self._known) >= self._limit:
            raise LimitError(
                f"max_faces: expected at most {self._limit} faces to be summed, got more"
            )
        dimension = len(heads)
        apex = (face & -face).bit_length() - 1
        total = fmpq(1 if dimension == 0 else 0)
        if dimension == 1:
            total = self._length(face, heads[0])
        elif dimension > 1:
            for facet, h in facets_of(face, self._facets):
                if not facet >> apex & 1:
                    inner, dropped = _restricted(directions, self._normals[h])
                    left = heads[:dropped] + heads[dropped + 1 :]
                    height = self._height(apex, facet, inner, left, heads[dropped])
                    total += height * self.volume(facet, inner, left)
            total /= dimension
        self._known[face] = total
        return total

    def _length(self, face: int, head: int) -> fmpq:
        first, last = (face & -face).bit_length() - 1, face.bit_length() - 1
        ends = [
            fmpq(p.numerators[head], p.denominator)
            for p in (self._points[first], self._points[last])
        ]
        return abs(ends[1] - ends[0])

    def _height(
        self, apex: int, facet: int, directions: list[list[int]], heads: list[int], along: int
    ) -> fmpq:
        """How far the apex lies above the facet's affine hull, along one coordinate."""
        base = self._points[(facet & -facet).bit_length() - 1]
        top = self._points[apex]
        height = self._step(base, top, along)
        for row, head in zip(directions, heads, strict=True):
            if row[along]:
                height -= self._step(base, top, head) * row[along] / row[head]
        return abs(height)

    @staticmethod
    def _step(base: RationalVector, top: RationalVector, j: int) -> fmpq:
        return fmpq(top.numerators[j], top.denominator) - fmpq(base.numerators[j], base.denominator)


def facets_of(face: int, facets: Sequence[int]) -> list[tuple[int, int]]:
    """Return the facets of a face, each with one facet of the whole set that cuts it out."""
    cut: dict[int, int] = {}
    for h, mask in enumerate(facets):
        part = face & mask
        if part and part != face:
            cut.setdefault(part, h)
    return [(part, cut[part]) for part in maximal(cut)]


def _restricted(directions: list[list[int]], normal: Sequence[int]) -> tuple[list[list[int]], int]:
    """Directions within a hyperplane, in the same reduced form, and which head was lost.

    The last row with a nonzero product can be traded for the others; its head goes.
    """
    slopes = [sum(a * v for a, v in zip(normal, row, strict=True) if v) for row in directions]
    last = max(i for i, s in enumerate(slopes) if s)
    out = []
    for i, (row, slope) in enumerate(zip(directions, slopes, strict=True)):
        if i == last:
            continue
        if slope:
            mixed = [
                slopes[last] * v - slope * w for v, w in zip(row, directions[last], strict=True)
            ]
            divisor = gcd(*mixed)
            out.append([v // divisor for v in mixed])
        else:
            out.append(row)
    return out, last
