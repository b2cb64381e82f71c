"""How is a convolution stated exactly?  A sparse matrix of exact numbers.

Every question can be asked of a layer with such a weight.  What would need all (n, m) entries at
once is refused beyond ``LARGEST_DENSE``, with the size; signs and values at a point need the stored
entries alone, and ``P.factors()`` takes a set apart where it is a product (a 1 x 1 convolution: one
factor a position).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from operator import mul
from typing import Any

import numpy as np
from scipy import sparse

from polytope.errors import InputError, LimitError, ShapeError
from polytope.exact.array import ExactArray
from polytope.exact.filters import dot_error
from polytope.exact.matrix import IntegerRows
from polytope.exact.rational import RationalVector

#: Entries of a dense copy: 2**27 float64 numbers are 1 GiB.
LARGEST_DENSE = 1 << 27
#: Rows turned into Python integers at a time.
_ROWS = 1 << 12


@dataclass(frozen=True, eq=False)
class Block:
    """Some rows with equally many entries, as integers.

    Attributes:
        lines: which of the rows asked for.
        columns: (r, count) places.
        integers: the entries times the row's scale.
        scales: the scale of each row, the least that makes it integral.
    """

    lines: list[int]
    columns: np.ndarray
    integers: list[list[int]]
    scales: list[int]


class SparseMatrix:
    """An exact (n, m) matrix given by its entries, a `Matrix`.

    Attributes:
        rows, columns: (k,) places of the entries, row by row, each place once.
        values: (k,) the entries, exact.
        starts: (n + 1,) where each row begins in them.
    """

    is_sparse = True

    def __init__(self, shape: tuple[int, int], rows: Any, columns: Any, values: ExactArray) -> None:
        """Sort the entries; see :meth:`of` for one that checks them."""
        rows, columns = np.asarray(rows, dtype=np.intp), np.asarray(columns, dtype=np.intp)
        if not _is_sorted(rows, columns):
            order = np.lexsort((columns, rows))
            rows, columns = rows[order], columns[order]
            values = ExactArray(values.data[order], values.dtype)
        self.rows, self.columns, self.values, self.dtype = rows, columns, values, values.dtype
        self.shape = (int(shape[0]), int(shape[1]))
        counts = np.bincount(self.rows, minlength=shape[0])
        self.starts: np.ndarray = np.concatenate([[0], np.cumsum(counts)])

    @classmethod
    def of_entries(
        cls, shape: tuple[int, int], places: tuple[Any, Any], values: Any
    ) -> SparseMatrix:
        """Check shape, places and numbers.

        Args:
            shape: (n, m), both at least 1.
            places: rows (k,) and columns (k,), no place twice.
            values: (k,) floats, integers or Fractions, taken exactly.

        Raises:
            ShapeError, InputError, NonFiniteError: where they do not fit.
        """
        rows, columns = (np.asarray(part) for part in places)
        exact = ExactArray.of(values, "values", ndim=1)
        if min(shape) < 1:
            raise ShapeError(f"shape: expected at least one row and column, got {shape}")
        for name, part, most in zip(("rows", "columns"), (rows, columns), shape, strict=True):
            if part.shape != exact.shape or part.dtype.kind not in "iu":
                raise ShapeError(
                    f"{name}: expected one integer for each of {exact.shape[0]} values, got "
                    f"shape {part.shape} of dtype {part.dtype}"
                )
            if part.size and not (part.min() >= 0 and part.max() < most):
                raise ShapeError(
                    f"{name}: expected places from 0 to {most - 1}, got "
                    f"{int(part.min())} to {int(part.max())}"
                )
        found = cls(shape, rows, columns, exact)
        same = (np.diff(found.rows) == 0) & (np.diff(found.columns) == 0)
        if same.any():
            k = int(np.argmax(same))
            raise InputError(
                "places: expected each place once, got "
                f"({int(found.rows[k])}, {int(found.columns[k])}) twice"
            )
        return found

    def __repr__(self) -> str:
        """Shape only."""
        return f"SparseMatrix(shape={self.shape})"

    @cached_property
    def data(self) -> np.ndarray:
        """All entries, (n, m), in the stored type.

        Raises:
            LimitError: beyond ``LARGEST_DENSE`` entries.
        """
        n, m = self.shape
        if n * m > LARGEST_DENSE:
            raise LimitError(
                f"weight: expected at most {LARGEST_DENSE} entries where all are needed at once, "
                f"got a sparse {n} x {m} matrix (about {8 * n * m / 2**30:.0f} GiB); P.factors(), "
                "P.residuals() and P.n_positive work on the stored entries alone"
            )
        dense = np.zeros(self.shape, dtype=self.values.data.dtype)
        dense[self.rows, self.columns] = self.values.data
        return dense

    @property
    def stored_type(self) -> np.dtype[Any]:
        """The type of the entries."""
        kind: np.dtype[Any] = self.values.data.dtype
        return kind

    @property
    def is_float64_exact(self) -> bool:
        """Whether ``approx`` holds the very numbers."""
        return self.values.is_float64_exact

    @cached_property
    def approx(self) -> np.ndarray:
        """Nearest float64 array (n, m), dense; raises as ``data``."""
        return ExactArray(self.data, self.dtype).approx

    def nonzero(self) -> tuple[np.ndarray, np.ndarray]:
        """Rows and columns of the entries that are not 0."""
        live = self.values.data != 0
        return self.rows[live], self.columns[live]

    def take(self, rows: Sequence[int], columns: Sequence[int]) -> ExactArray:
        """The dense submatrix of some rows and columns; the others hold nothing there or are left.

        Entries of the rows outside of ``columns`` are dropped.
        """
        place = np.full(self.shape[1], -1, dtype=np.intp)
        place[np.asarray(columns, dtype=np.intp)] = np.arange(len(columns))
        line, entries = self._entries_of(rows)
        at = place[self.columns[entries]]
        kept = at >= 0
        dense = np.zeros((len(rows), len(columns)), dtype=self.values.data.dtype)
        dense[line[kept], at[kept]] = self.values.data[entries[kept]]
        return ExactArray(dense, self.dtype)

    def _entries_of(self, rows: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
        """Of the entries of some rows: which of the rows, and the place in ``values``."""
        chosen = np.asarray(rows, dtype=np.intp)
        begin, count = self.starts[chosen], self.starts[chosen + 1] - self.starts[chosen]
        line = np.repeat(np.arange(len(chosen)), count)
        inside = np.arange(len(line)) - np.repeat(np.cumsum(count) - count, count)
        return line, np.repeat(begin, count) + inside

    def integer_rows(
        self, rows: Sequence[int], columns: Sequence[int] | None = None
    ) -> IntegerRows:
        """Scale rows to integers, see `IntegerRows`; dense lists."""
        kept = range(self.shape[1]) if columns is None else list(columns)
        if len(rows) * len(kept) > LARGEST_DENSE:
            raise LimitError(
                f"weight: expected at most {LARGEST_DENSE} entries at once, got "
                f"{len(rows)} rows of {len(kept)}"
            )
        place = np.full(self.shape[1], -1, dtype=np.intp)
        place[np.asarray(kept, dtype=np.intp)] = np.arange(len(kept))
        integers = [[0] * len(kept) for _ in rows]
        scales = [1] * len(rows)
        for block in self.blocks(rows):
            for k, places, numbers, scale in zip(
                block.lines,
                place[block.columns].tolist(),
                block.integers,
                block.scales,
                strict=True,
            ):
                line = integers[k]
                scales[k] = scale
                for j, v in zip(places, numbers, strict=True):
                    if j >= 0:
                        line[j] = v
        return IntegerRows(integers, scales)

    def blocks(self, rows: Sequence[int]) -> Iterator[Block]:
        """The entries of some rows as integers, rows with equally many entries together."""
        chosen = np.asarray(rows, dtype=np.intp)
        for first in range(0, len(chosen), _ROWS):
            part = chosen[first : first + _ROWS]
            counts = self.starts[part + 1] - self.starts[part]
            for count in np.unique(counts[counts > 0]).tolist():
                lines = np.flatnonzero(counts == count)
                entries = self.starts[part[lines]][:, None] + np.arange(count)
                table = ExactArray(self.values.data[entries], self.dtype)
                integers, scales = table.integer_rows(range(len(lines)))
                yield Block((first + lines).tolist(), self.columns[entries], integers, scales)

    def multiply(self, x: RationalVector, rows: Sequence[int] | None = None) -> list[Fraction]:
        """``w_i x`` for every row or the given ones, exact."""
        chosen = range(self.shape[0]) if rows is None else rows
        out = [Fraction(0)] * len(chosen)
        points = x.numerators
        for block in self.blocks(chosen):
            for i, columns, numbers, scale in zip(
                block.lines, block.columns.tolist(), block.integers, block.scales, strict=True
            ):
                total = sum(map(mul, numbers, map(points.__getitem__, columns)))
                out[i] = Fraction(total, scale * x.denominator)
        return out

    def float_form(self) -> sparse.csr_array:
        """Nearest float64 numbers, in compressed rows."""
        return sparse.csr_array((self.values.approx, self.columns, self.starts), shape=self.shape)

    def float_product(self, x: np.ndarray) -> np.ndarray:
        """``W x`` as floats of the type of x compute it."""
        product: np.ndarray = self.float_form().astype(x.dtype) @ x
        return product

    def certain_signs(
        self, x: RationalVector, offset: np.ndarray, rows: Sequence[int] | None = None
    ) -> np.ndarray:
        """As ``filters.certain_signs``, with the stored entries alone, see `Matrix`."""
        form, vector = self.float_form(), x.to_float()
        if rows is not None:
            form = form[np.asarray(rows, dtype=np.intp)]
        terms = int(np.diff(self.starts).max(initial=0))
        with np.errstate(all="ignore"):
            value = form @ vector + offset
            size = abs(form) @ np.abs(vector) + np.abs(offset)
            ends = (np.abs(form.data).max(initial=0.0), np.abs(vector).max(initial=0.0))
            error = dot_error(size, sum(ends), terms)
            decided = np.isfinite(value) & np.isfinite(error) & (np.abs(value) > error)
        return np.where(decided, np.sign(value), 0).astype(np.int8)


def _is_sorted(rows: np.ndarray, columns: np.ndarray) -> bool:
    """Whether the entries come row by row already: sorting 20 million takes seconds."""
    same = rows[1:] == rows[:-1]
    return bool(np.all((rows[1:] > rows[:-1]) | (same & (columns[1:] >= columns[:-1]))))
