"""How are all vertices reached?  Breadth first along the edges, a whole level at a time.

Floats propose: the inverse of each basis gives its edges, the smallest ratio the row that stops
each.  Rigorous bounds, or exact arithmetic where they cannot decide, prove every basis feasible.
At the end the edges are compared as sets of rows, which is exact: when every edge of every basis
leads to a listed basis or along a proved ray, nothing is missing, for the graph of a pointed
polyhedron is connected.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import gcd

import numpy as np

from polytope.exact.rational import RationalVector
from polytope.vertices.ahead import ahead
from polytope.vertices.exact_bases import Edge, ExactRows
from polytope.vertices.float_bases import Batch, FloatRows
from polytope.vertices.limits import LimitReached, Limits, Progress, bytes_each

#: Entries of the largest table of a block: it stays in the cache, and bounds the memory.
_BLOCK_ENTRIES = 1 << 18
_SEED = 20191208
#: Bases whose edges are compared at a time.
_MATCHED = 4096
#: Entries of float inverses kept for the exact coordinates (128 MiB); beyond it they are inverted
#: again.
_KEPT_INVERSES = 1 << 24


class Degenerate(Exception):
    """More than n rows are tight at a vertex: the set is not simple."""


@dataclass(eq=False)
class Graph:
    """All feasible bases found, and where each of their edges leads.

    Attributes:
        bases: (B, n) rows of each basis, all proved feasible.
        tight: (B, m) rows whose slack is exactly zero (at eps = 0).
        neighbors: (B, n) basis reached by giving up each row; ``-1 - r`` for ray r.
        rays: primitive integer directions.
        inverses: (B, n, n) float inverses of the bases (integer rows); None where too large.
        complete: whether every edge was settled.
    """

    bases: np.ndarray
    tight: np.ndarray
    neighbors: np.ndarray
    rays: list[tuple[int, ...]]
    complete: bool
    reason: str = ""
    inverses: np.ndarray | None = None


@dataclass(eq=False)
class _Found:
    bases: list[np.ndarray] = field(default_factory=list)
    keys: list[np.ndarray] = field(default_factory=list)
    tight: list[np.ndarray] = field(default_factory=list)
    targets: list[np.ndarray] = field(default_factory=list)  # key at the end of each edge
    open_ended: list[np.ndarray] = field(default_factory=list)  # whether the edge seems a ray
    inverses: list[np.ndarray] = field(default_factory=list)
    count: int = 0


class Traversal:
    """Visits the bases of one set ``{normals v <= offsets + eps * shifts}``."""

    def __init__(
        self,
        rows: ExactRows,
        center: RationalVector,
        *,
        limits: Limits,
        progress: Progress | None = None,
    ) -> None:
        self._exact_rows = rows
        self._rows = FloatRows(rows.normals, rows.offsets, center, rows.shifts)
        self._perturbed = any(rows.shifts)
        self._bytes_each = bytes_each(rows.normals)
        self._limits = limits
        self._progress = progress
        generator = np.random.default_rng(_SEED)
        # A set of rows is known by the exclusive or of its rows' keys; equal keys are compared in
        # full before anything rests on them.
        keys = [int(generator.integers(1, 2**63)) for _ in range(self._rows.m)]
        self._row_keys = np.array(keys, dtype=np.uint64)
        self._vertices: set[bytes] = set()  # tight rows of the vertices met, where degenerate

    def run(self, start: list[int]) -> Graph:
        """Visit every basis reachable from a feasible one.

        Raises:
            Degenerate: if a vertex has further tight rows and the set is not perturbed, or the
                perturbation is not generic.
        """
        found = _Found()
        frontier = np.array([start], dtype=np.int32)
        known = np.empty(0, dtype=np.uint64)
        try:
            while True:
                known = self._visit(frontier, known, found)
                graph, missing = self._settle_edges(found)
                if not len(missing):
                    return graph
                frontier = missing
        except LimitReached as limit:
            return self._partial(found, str(limit))

    def _visit(self, frontier: np.ndarray, known: np.ndarray, found: _Found) -> np.ndarray:
        """Visit bases until no new ones turn up; returns all keys seen, sorted."""
        keys = np.bitwise_xor.reduce(self._row_keys[frontier], axis=1)
        block = max(1, _BLOCK_ENTRIES // (self._rows.m * self._rows.n))
        while len(frontier):
            known = np.union1d(known, keys)
            new_bases, new_keys = [], []
            parts = [slice(b, b + block) for b in range(0, len(frontier), block)]
            batches = ahead(self._rows.evaluate, [frontier[part] for part in parts])
            for part, batch in zip(parts, batches, strict=True):
                self._check_limits(found, len(frontier) - part.start)
                bases, targets, entering = self._block(frontier[part], keys[part], batch, found)
                at, edge = np.nonzero(entering >= 0)
                fresh, first = _distinct(targets[at, edge])
                unknown = ~_contains(known, fresh)
                first = first[unknown]
                child = bases[at[first]]
                child[np.arange(len(first)), edge[first]] = entering[at[first], edge[first]]
                new_bases.append(child)
                new_keys.append(fresh[unknown])
            if len(parts) == 1:
                keys, frontier = new_keys[0], new_bases[0]
                continue
            keys, first = _distinct(np.concatenate(new_keys))
            frontier = np.concatenate(new_bases)[first]
        return known

    def _block(
        self, bases: np.ndarray, keys: np.ndarray, batch: Batch, found: _Found
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Prove a block of bases, and follow their edges."""
        good = np.asarray(batch.certain.all(axis=1))
        tight = np.zeros_like(batch.certain)
        tight[np.arange(len(bases))[:, None], bases] = True
        for v in np.flatnonzero(~good & ~batch.wrong).tolist():
            good[v] = self._prove(bases[v].tolist(), v, batch, tight)
        if not good.all():
            bases, keys, tight, batch = bases[good], keys[good], tight[good], batch.take(good)
        if self._perturbed:
            entering = self._rows.entering_perturbed(bases, batch)
        else:
            entering = self._rows.entering(batch)
        # Where no row stops an edge (-1) the key is one of nothing; open_ended says so.
        targets = keys[:, None] ^ self._row_keys[bases] ^ self._row_keys[entering]
        found.bases.append(bases)
        found.keys.append(keys)
        found.tight.append(np.packbits(tight, axis=1))
        found.targets.append(targets)
        found.open_ended.append(entering < 0)
        scales = self._rows.scales
        if scales is not None and found.count * self._rows.n**2 <= _KEPT_INVERSES:
            found.inverses.append(batch.inverses * scales[bases][:, None, :])
        found.count += len(bases)
        return bases, targets, entering

    def _prove(self, basis: list[int], v: int, batch: Batch, tight: np.ndarray) -> bool:
        """Decide exactly whether basis v of a batch is feasible; fills in its exact zeros."""
        suspects = np.flatnonzero(~batch.certain[v])
        tight[v, suspects] = True
        vertex = tight[v].tobytes()
        if batch.regular[v] and vertex in self._vertices:
            # The basis is part of a known vertex's tight rows: that is its point at eps = 0.
            batch.slacks[v, suspects] = 0.0
            if batch.shifts_wrong is not None and batch.shifts_wrong[v, suspects].any():
                return False
            if batch.shifts_certain is not None:
                suspects = suspects[~batch.shifts_certain[v, suspects]]
            if not len(suspects):
                return True
        if not self._solve(basis, v, suspects, batch, tight):
            return False
        self._vertices.add(tight[v].tobytes())
        return True

    def _solve(
        self, basis: list[int], v: int, suspects: np.ndarray, batch: Batch, tight: np.ndarray
    ) -> bool:
        """Decide by a rational solve, and correct what floats said about the suspects."""
        rows = self._exact_rows
        point = rows.solve(basis)
        if point is None:
            return False
        for j in suspects.tolist():
            value, shift = rows.slack(j, point)
            if (value, shift) < (0, 0):
                return False
            if (value, shift) == (0, 0):
                raise Degenerate
            batch.slacks[v, j] = self._rows.in_units(j, value, point.den)
            if batch.shifts is not None:
                batch.shifts[v, j] = self._rows.in_units(j, shift, point.den)
            tight[v, j] = value == 0
        if not np.isfinite(batch.inverses[v]).all():
            batch.inverses[v] = 0.0  # its edges are all settled exactly, at the end
        return True

    def _check_limits(self, found: _Found, waiting: int) -> None:
        self._limits.check_time()
        self._limits.check_size(found.count, waiting, self._bytes_each)
        if self._progress is not None:
            self._progress(found.count, waiting)

    def _partial(self, found: _Found, reason: str) -> Graph:
        bases, tight = self._stacked(found)
        bases, tight = bases[: self._limits.count], tight[: self._limits.count]
        edges = np.zeros(bases.shape, dtype=np.int64)
        return Graph(bases, tight, edges, [], False, reason)

    def _stacked(self, found: _Found) -> tuple[np.ndarray, np.ndarray]:
        if not found.bases:
            return np.zeros((0, self._rows.n), dtype=np.int32), np.zeros((0, self._rows.m), bool)
        packed = np.concatenate(found.tight)
        tight = np.unpackbits(packed, axis=1, count=self._rows.m).astype(bool)
        return np.concatenate(found.bases), tight

    # --- every edge leads somewhere ----------------------------------------------------------

    def _settle_edges(self, found: _Found) -> tuple[Graph, np.ndarray]:
        """Match each edge with the basis at its other end, or with a proved ray.

        Returns:
            The graph, and bases not visited yet (the graph is complete if there are none).
        """
        bases, tight = self._stacked(found)
        keys = np.concatenate(found.keys)
        targets = np.concatenate(found.targets)
        neighbors = self._match(bases, keys, targets, np.concatenate(found.open_ended))
        rays: dict[tuple[int, ...], int] = {}
        missing: dict[frozenset[int], list[int]] = {}
        place: dict[frozenset[int], int] | None = None
        block = 0
        for v, edge in np.argwhere(neighbors == _UNMATCHED).tolist():
            block += 1
            if block % 256 == 0:
                self._check_limits(found, 0)
            basis = bases[v].tolist()
            end = self._follow(basis, edge)
            if end.row is None:
                neighbors[v, edge] = -1 - rays.setdefault(end.direction, len(rays))
                continue
            basis[edge] = end.row
            if place is None:
                place = {frozenset(b): k for k, b in enumerate(bases.tolist())}
            at = place.get(frozenset(basis))
            if at is None:
                missing.setdefault(frozenset(basis), basis)
            else:
                neighbors[v, edge] = at
        graph = Graph(bases, tight, neighbors, list(rays), not missing)
        if sum(map(len, found.inverses)) == len(bases):
            graph.inverses = np.concatenate(found.inverses)
        return graph, np.array(list(missing.values()), dtype=np.int32).reshape(-1, self._rows.n)

    def _match(
        self, bases: np.ndarray, keys: np.ndarray, targets: np.ndarray, open_ended: np.ndarray
    ) -> np.ndarray:
        """Basis at the other end of each edge, compared row by row; -1 where none is listed."""
        # Both sides sorted: looking up 400,000 keys at random takes four times as long.
        order, wanted = np.argsort(keys), np.argsort(targets, axis=None)
        found = np.searchsorted(keys[order], targets.ravel()[wanted])
        flat = np.empty(targets.size, dtype=np.int64)
        flat[wanted] = order[np.minimum(found, len(keys) - 1)]
        at = flat.reshape(targets.shape)
        masks = _masks(bases, self._rows.m)
        for begin in range(0, len(bases), _MATCHED):
            part = slice(begin, begin + _MATCHED)
            there, given = at[part], _masks(bases[part][..., None], self._rows.m)
            # All rows but the one given up, and not that one.
            kept, theirs = masks[part][:, None, :] ^ given, masks[there]
            agrees = ((theirs & (kept | given)) == kept).all(axis=2)
            there[~agrees | open_ended[part]] = _UNMATCHED
        return at

    def _follow(self, basis: list[int], edge: int) -> Edge:
        """Settle an edge exactly."""
        try:
            row, direction = self._exact_rows.leave(basis, edge)
        except ArithmeticError:
            raise Degenerate from None
        divisor = gcd(*direction)
        return Edge(row, tuple(v // divisor for v in direction))


_UNMATCHED = np.iinfo(np.int64).min


def _masks(rows: np.ndarray, m: int) -> np.ndarray:
    """Sets of rows (..., k) as bits in words (..., ceil(m / 64))."""
    out = np.zeros((*rows.shape[:-1], -(-m // 64)), dtype=np.uint64)
    words, bits = rows >> 6, np.uint64(1) << (rows & 63).astype(np.uint64)
    for k in range(rows.shape[-1]):
        at = words[..., k, None]
        word = np.take_along_axis(out, at, axis=-1) | bits[..., k, None]
        np.put_along_axis(out, at, word, axis=-1)
    return out


def _distinct(keys: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Distinct keys, sorted, and where each occurs (any of the places will do)."""
    order = np.argsort(keys)
    ordered = keys[order]
    first = np.ones(len(keys), dtype=bool)
    first[1:] = ordered[1:] != ordered[:-1]
    return ordered[first], order[first]


def _contains(known: np.ndarray, keys: np.ndarray) -> np.ndarray:
    if not len(known):
        return np.zeros(len(keys), dtype=bool)
    at = np.minimum(np.searchsorted(known, keys), len(known) - 1)
    out: np.ndarray = known[at] == keys
    return out
