"""What are a vertex's coordinates, exactly?  Solved when they are read, a block at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, overload

import numpy as np

from polytope.exact_bases import ExactRows
from polytope.rational import RationalVector
from polytope.reduction import Reduced

#: Points solved together when one of them is read.
_BLOCK = 1024


class ExactPoints(Sequence[RationalVector]):
    """The points (d,) of many bases, exact; each block is solved when it is first read."""

    def __init__(self, reduced: Reduced, rows: ExactRows, bases: np.ndarray) -> None:
        self._reduced = reduced
        self._rows = rows
        self._bases = bases
        self._blocks: dict[int, list[RationalVector]] = {}

    def __len__(self) -> int:
        return len(self._bases)

    @overload
    def __getitem__(self, index: int) -> RationalVector: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[RationalVector]: ...

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return [self[k] for k in range(*index.indices(len(self)))]
        position = range(len(self))[index]
        block, offset = divmod(position, _BLOCK)
        if block not in self._blocks:
            self._blocks[block] = self._solve(self._bases[block * _BLOCK : (block + 1) * _BLOCK])
        return self._blocks[block][offset]

    def _solve(self, bases: np.ndarray) -> list[RationalVector]:
        solved = []
        for basis in bases.tolist():
            point = self._rows.solve(basis)
            if point is None:
                raise AssertionError("a basis that was proved is singular")
            solved.append([point.den, *point.x])
        return self._reduced.lift(solved)
