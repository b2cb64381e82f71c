"""How long would the list of vertices be?  Random walkers meet, before any enumeration.

The graph of a simple set of dimension n has n edges at each vertex (one that leads to infinity is
taken for a loop), so a random walk on it ends anywhere with the same probability.  Walkers that
have forgotten where they started meet by chance: among k independent ones there are
k (k - 1) / (2 V) pairs at the same of V vertices.  The walk is done with floats, and may not have
forgotten: an estimate is all it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import comb

import numpy as np

from polytope.exact.brief import Brief
from polytope.questions.feasibility import feasibility
from polytope.sets.rows import Rows
from polytope.vertices.blas import one_blas_thread
from polytope.vertices.float_bases import FloatRows
from polytope.vertices.limits import Limits, bytes_each
from polytope.vertices.reduction import is_too_large, reduce
from polytope.vertices.start import Start, perturbed_start, reduce_fully, simple_start

#: Steps before the first look at the walkers, and looks (a step for each dimension between two).
_FIRST_STEPS, _LOOKS = 30, 8
_LARGEST_WALK = 60


@dataclass(frozen=True, repr=False)
class SizeEstimate(Brief):
    """Estimated length of a list of vertices.

    Attributes:
        vertices: estimated number of vertices; of a degenerate set, those of its perturbation,
            which is what an enumeration visits.  Too small where walkers get about slowly.
        standard_error: of that number; infinite if no two walkers met: then there are more.
        upper_bound: no set of this dimension with as many halfspaces has more vertices
            (McMullen 1970).
        bytes: memory the exact list would need.
        degenerate: whether the perturbed set was walked.
    """

    vertices: float
    standard_error: float
    upper_bound: int
    bytes: int
    degenerate: bool


def most_vertices(n: int, m: int) -> int:
    """Most vertices a set of dimension n with m halfspaces can have (upper bound theorem)."""
    if n == 0:
        return 1
    half = n // 2
    return comb(m - (n - half), half) + comb(m - half - 1, n - half - 1)


def estimate_vertices(layer: Rows, *, walkers: int = 1000, seed: int = 0) -> SizeEstimate | None:
    """Estimate how many vertices a layer's polytope has.

    None if no point of it was found, or if it is too large: beyond 200 free coordinates none is
    listed at all, beyond a dimension of 60 the walk would take longer than it is worth.
    """
    if is_too_large(layer):
        return None
    limits = Limits()
    point = feasibility(layer).point
    reduced = reduce(layer) if point is not None else None
    start = None
    if reduced is not None and point is not None and 0 < reduced.n <= _LARGEST_WALK:
        start = simple_start(reduced, point, limits)
    if point is not None and start is None:
        found = reduce_fully(layer, limits)
        reduced = None if isinstance(found, str) else found
    if point is None or reduced is None or reduced.n > _LARGEST_WALK:
        return None
    n, m = reduced.n, len(reduced.offsets)
    if n == 0:
        return SizeEstimate(1.0, 0.0, 1, 0, degenerate=False)
    generator = np.random.default_rng(seed)
    start = simple_start(reduced, point, limits)
    degenerate = start is None
    while start is None:
        start = perturbed_start(reduced, point, generator, limits)
    mean, error = count_by_walkers(start, walkers=walkers, seed=seed)
    # Unbounded sets: as if one more halfspace cut them off.
    most = most_vertices(n, m if layer.is_box else m + 1)
    each = bytes_each(reduced.normals)
    return SizeEstimate(mean, error, most, int(mean * each), degenerate)


def count_by_walkers(start: Start, *, walkers: int, seed: int) -> tuple[float, float]:
    """Estimate the number of bases reachable from one, with its standard error."""
    walk = _Walk(start, walkers, np.random.default_rng(seed))
    n = len(start.basis)
    with one_blas_thread():
        walk.step(_FIRST_STEPS + 6 * n)
        seen = [walk.keys()]
        for _ in range(_LOOKS - 1):
            walk.step(n)
            seen.append(walk.keys())
    found = np.stack(seen)  # (looks, walkers)
    # One walker meets itself more often than by chance: only different walkers count.
    met = _pairs(found.ravel()) - sum(_pairs(own) for own in found.T)
    pairs = walkers * (walkers - 1) // 2 * _LOOKS**2
    if not met:
        return float(pairs), float("inf")
    return pairs / met, pairs / met / met**0.5


def _pairs(keys: np.ndarray) -> int:
    """Number of equal pairs."""
    counts = np.unique(keys, return_counts=True)[1]
    return int((counts * (counts - 1) // 2).sum())


class _Walk:
    """Walkers on the bases of one set, all at the start at first."""

    def __init__(self, start: Start, walkers: int, generator: np.random.Generator) -> None:
        rows = start.rows
        self._rows = FloatRows(rows.normals, rows.offsets, start.vertex, rows.shifts)
        self._generator = generator
        keys = [int(generator.integers(1, 2**63)) for _ in range(self._rows.m)]
        self._row_keys = np.array(keys, dtype=np.uint64)
        self._start = np.array(start.basis)
        self._bases = np.tile(self._start, (walkers, 1))

    def keys(self) -> np.ndarray:
        """A number for the basis of each walker."""
        out: np.ndarray = np.bitwise_xor.reduce(self._row_keys[self._bases], axis=1)
        return out

    def step(self, count: int) -> None:
        """Each walker takes an edge at random, or rests (the graph may have two colours)."""
        walkers, n = self._bases.shape
        each = np.arange(walkers)
        for _ in range(count):
            entering, lost = self._edges()
            edge = self._generator.integers(0, n + 1, size=walkers)
            taken = np.where(edge < n, entering[each, np.minimum(edge, n - 1)], -1)
            moves = taken >= 0
            self._bases[each[moves], edge[moves]] = taken[moves]
            self._bases[lost] = self._start

    def _edges(self) -> tuple[np.ndarray, np.ndarray]:
        batch = self._rows.evaluate(self._bases)
        # What floats cannot tell from zero is taken for zero.
        batch.slacks[~batch.certain & (batch.slacks < 1e-9)] = 0.0
        if batch.shifts is None:
            return self._rows.entering(batch), batch.wrong
        return self._rows.entering_perturbed(self._bases, batch), batch.wrong
