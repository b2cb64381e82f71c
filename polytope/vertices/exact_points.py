"""What are a vertex's coordinates, exactly?  Solved when they are first read."""

from __future__ import annotations

import gc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import Any, overload

import numpy as np

from polytope.exact.rational import RationalVector
from polytope.vertices.blas import one_blas_thread
from polytope.vertices.exact_bases import ExactRows
from polytope.vertices.lifting import fits, solve_along_edges
from polytope.vertices.reduction import Reduced
from polytope.vertices.traverse import Graph

#: Bases from which on solving them together pays.
_TOGETHER = 32


@contextmanager
def _without_collection() -> Iterator[None]:
    """Pause the garbage collector: a million new integers have no cycles, and 15 % of the time."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


class ExactPoints(Sequence[RationalVector]):
    """The points (d,) of many bases, exact; all are solved when the first one is read.

    Args:
        reduced: leads back to the coordinates of x.
        rows: the rows the bases choose from.
        bases: (B, n).
        graph: the complete graph of a simple set, in which neighbors help each other.
    """

    def __init__(
        self,
        reduced: Reduced,
        rows: ExactRows,
        bases: np.ndarray,
        graph: Graph | None = None,
    ) -> None:
        self._reduced = reduced
        self._rows = rows
        self._bases = bases
        self._graph = graph
        self._single: dict[int, RationalVector] = {}

    def __len__(self) -> int:
        return len(self._bases)

    @overload
    def __getitem__(self, index: int) -> RationalVector: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[RationalVector]: ...

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, int) and self._graph is None and "_points" not in self.__dict__:
            # Nothing is gained by solving all together: a partial list may be long.
            position = range(len(self))[index]
            if position not in self._single:
                self._single[position] = self._solve([position])[0]
            return self._single[position]
        return self._points[index]

    def __iter__(self) -> Iterator[RationalVector]:
        return iter(self._points)

    @cached_property
    def _points(self) -> list[RationalVector]:
        if self._graph is None or len(self) < _TOGETHER or not fits(self._rows):
            return self._solve(range(len(self)))
        graph, self._graph = self._graph, None  # its edges are not needed twice
        with one_blas_thread(), _without_collection():
            solved = solve_along_edges(self._rows, self._bases, graph.neighbors, graph.inverses)
            if self._reduced.is_identity:
                return [RationalVector.trusted(x, den) for den, x in solved]
            return self._reduced.lift([[den, *x] for den, x in solved])

    def _solve(self, positions: Sequence[int]) -> list[RationalVector]:
        if not self._bases.shape[1]:  # no coordinate is left: the origin of the chart
            return self._reduced.lift([[1] for _ in positions])
        found = [self._rows.solve(self._bases[k].tolist()) for k in positions]
        return self._reduced.lift([[p.den, *p.x] for p in found if p is not None])
