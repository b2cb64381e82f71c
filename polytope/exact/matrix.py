"""What may be asked of an exact matrix, however it is kept?  Dense, by its entries, as integers."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any, NamedTuple, Protocol

import numpy as np

from polytope.exact.rational import RationalVector


class IntegerRows(NamedTuple):
    """Rows scaled to integers, each by the least common multiple of *its own* denominators.

    ``integers[k][j] == scales[k] * matrix[rows[k], columns[j]]``.  The scale belongs to the whole
    row, whatever columns were asked for.
    """

    integers: list[list[int]]
    scales: list[int]


class Matrix(Protocol):
    """An exact (n, m) matrix: `ExactArray`, `SparseMatrix` and `ScaledMatrix`."""

    @property
    def shape(self) -> tuple[int, ...]:
        """(n, m)."""

    @property
    def dtype(self) -> str:
        """Name of the type the entries came in."""

    @property
    def stored_type(self) -> np.dtype[Any]:
        """The type of the entries; object where they are Fractions."""

    @property
    def is_sparse(self) -> bool:
        """Whether the entries alone are kept, so that a dense copy may be too large."""

    @property
    def is_float64_exact(self) -> bool:
        """Whether ``approx`` holds the very numbers, not rounded ones."""

    @property
    def data(self) -> np.ndarray:
        """All entries, (n, m), in the stored type."""

    @property
    def approx(self) -> np.ndarray:
        """Nearest float64 array (n, m), infinite beyond the float range."""

    def take(self, rows: Sequence[int], columns: Sequence[int]) -> Matrix:
        """The submatrix of some rows and columns, dense."""

    def nonzero(self) -> tuple[np.ndarray, np.ndarray]:
        """Rows and columns of the entries that are not 0."""

    def multiply(self, x: RationalVector, rows: Sequence[int] | None = None) -> list[Fraction]:
        """``w_i x`` for every row or the given ones, exact."""

    def certain_signs(
        self, x: RationalVector, offset: np.ndarray, rows: Sequence[int] | None = None
    ) -> np.ndarray:
        """Signs of ``w_i x + o_i`` for every row or the given ones, as far as floats prove them.

        Args:
            x: (m,).
            offset: (number of rows,) each the exact one, correctly rounded.
            rows: which; all by default.

        Returns:
            int8: +1 or -1 where proved, 0 where undecided (a true zero is never decided).
        """

    def float_product(self, x: np.ndarray) -> np.ndarray:
        """``W x`` as floats of the type of x compute it."""

    def integer_rows(
        self, rows: Sequence[int], columns: Sequence[int] | None = None
    ) -> IntegerRows:
        """Some rows as integers, on some columns (all by default)."""
