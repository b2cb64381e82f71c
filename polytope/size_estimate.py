"""How long would the list of vertices be?  Random probes of a search tree, before any enumeration.

With a linear function whose only minimum is the starting vertex, each other vertex has one parent,
where its steepest falling edge leads; the vertices form a tree.  A random walk down from the root
multiplies the numbers of children it meets; the mean of 1 + c1 + c1 c2 + ... is the number of
vertices (Knuth 1975; Avis & Devroye 2000, for reverse search).  The tree is searched with floats:
an estimate is all it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import comb

import numpy as np

from polytope.blas import one_blas_thread
from polytope.feasibility import feasibility
from polytope.float_bases import Batch, FloatRows
from polytope.layer import Layer
from polytope.reduction import LARGEST_DIMENSION, least_dimension, reduce
from polytope.start import Start, perturbed_start, reduce_fully, simple_start

#: A probe deeper than this is cut; trees of sets that can be enumerated have some tens of levels.
_DEEPEST = 400


@dataclass(frozen=True)
class SizeEstimate:
    """Estimated length of a list of vertices.

    Attributes:
        vertices: estimated number of vertices; of a degenerate set, those of its perturbation,
            which is what an enumeration visits.
        standard_error: of that number; the distribution has a long tail, so that a small number
            of probes tends to give too small a number.
        upper_bound: no set of this dimension with as many halfspaces has more vertices
            (McMullen 1970).
        bytes: memory the exact list would need.
        degenerate: whether the perturbed set was probed.
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


def estimate_vertices(layer: Layer, *, probes: int = 500, seed: int = 0) -> SizeEstimate | None:
    """Estimate how many vertices a layer's polytope has.

    None if no point of it was found, or if it is far too large for a list (``LARGEST_DIMENSION``).
    """
    if least_dimension(layer) > LARGEST_DIMENSION:
        return None
    point = feasibility(layer).point
    reduced = reduce(layer) if point is not None else None
    start = simple_start(reduced, point) if reduced is not None and reduced.n and point else None
    if point is not None and start is None:
        reduced = reduce_fully(layer)[0]
    if point is None or reduced is None:
        return None
    n, m = reduced.n, len(reduced.offsets)
    if n == 0:
        return SizeEstimate(1.0, 0.0, 1, 0, degenerate=False)
    generator = np.random.default_rng(seed)
    start = simple_start(reduced, point)
    degenerate = start is None
    while start is None:
        start = perturbed_start(reduced, point, generator)
    mean, error = probe(start, probes=probes, seed=seed)
    # Unbounded sets: as if one more halfspace cut them off.
    most = most_vertices(n, m if layer.is_box else m + 1)
    each = bytes_each(n, m, max(max(map(abs, row)).bit_length() for row in reduced.normals))
    return SizeEstimate(mean, error, most, int(mean * each), degenerate)


def probe(start: Start, *, probes: int, seed: int) -> tuple[float, float]:
    """Estimate the number of bases reachable from one; the mean and its standard error."""
    tree = _Tree(start, np.random.default_rng(seed))
    with one_blas_thread():
        totals = tree.walk(np.tile(np.array(start.basis), (probes, 1)))
    error = float(totals.std(ddof=1) / np.sqrt(probes)) if probes > 1 else float("nan")
    return float(totals.mean()), error


def bytes_each(n: int, m: int, bits: int) -> int:
    """Bytes of one listed vertex: its basis, edges, incidence, and n + 1 exact integers.

    Args:
        n: dimension.
        m: number of halfspaces.
        bits: bits of the largest entry of a row; a determinant has about n times as many.
    """
    numbers = (n + 1) * (40 + n * bits // 7)
    return 13 * n + 8 + m // 4 + numbers


class _Tree:
    def __init__(
        self,
        start: Start,
        generator: np.random.Generator,
    ) -> None:
        rows = start.rows
        self._rows = FloatRows(rows.normals, rows.offsets, start.vertex, rows.shifts)
        self._generator = generator
        keys = [int(generator.integers(1, 2**63)) for _ in range(self._rows.m)]
        self._row_keys = np.array(keys, dtype=np.uint64)
        weights = generator.uniform(1, 2, size=len(start.basis))
        self._objective = -(weights @ self._rows.table[start.basis])

    def walk(self, bases: np.ndarray) -> np.ndarray:
        """Walk down from the root, one probe for each row of ``bases``; totals of each probe."""
        weight = np.ones(len(bases))
        total, alive = np.ones(len(bases)), np.arange(len(bases))
        for _ in range(_DEEPEST):
            children, isa = self._children(bases)
            count = isa.sum(axis=1)
            weight[alive] *= count
            total[alive] += weight[alive]
            goes_on = count > 0
            if not goes_on.any():
                break
            alive, isa, children = alive[goes_on], isa[goes_on], children[goes_on]
            draw = np.where(isa, self._generator.uniform(size=isa.shape), -1.0).argmax(axis=1)
            bases = children[np.arange(len(alive)), draw]
        return total

    def _children(self, bases: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Neighbors (V, n, n) of each basis, and which of them are its children."""
        v, n = bases.shape
        entering = self._edges(bases)[1]
        neighbors = np.repeat(bases[:, None, :], n, axis=1)
        neighbors[:, np.arange(n), np.arange(n)] = np.maximum(entering, 0)
        flat = neighbors.reshape(v * n, n)
        batch, back = self._edges(flat)
        # Along the edge that gives up row i the objective changes by -(c R)_i.
        falls = np.einsum("j,vji->vi", self._objective, batch.inverses)
        falls = np.where(np.isfinite(falls), falls, -np.inf)
        best = falls.argmax(axis=1)
        each = np.arange(v * n)
        keys = np.bitwise_xor.reduce(self._row_keys[flat], axis=1)
        parent = keys ^ self._row_keys[flat[each, best]] ^ self._row_keys[back[each, best]]
        own = np.repeat(np.bitwise_xor.reduce(self._row_keys[bases], axis=1), n)
        isa = (parent == own) & (falls[each, best] > 0) & (back[each, best] >= 0)
        return neighbors, isa.reshape(v, n) & (entering >= 0)

    def _edges(self, bases: np.ndarray) -> tuple[Batch, np.ndarray]:
        batch = self._rows.evaluate(bases)
        # What floats cannot tell from zero is taken for zero.
        batch.slacks[~batch.certain & (batch.slacks < 1e-9)] = 0.0
        if batch.shifts is None:
            return batch, self._rows.entering(batch)
        return batch, self._rows.entering_perturbed(bases, batch)
