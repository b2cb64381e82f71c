"""How is a computed matrix kept exactly?  Integer rows, each over a denominator of its own.

Products of float matrices (a network's layers behind each other) have entries of some hundred bits.
As Fractions a million of them would take seconds to make; as integers they come as they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import cached_property
from math import gcd
from typing import Any

import numpy as np

from polytope.exact import products
from polytope.exact.matrix import IntegerRows
from polytope.exact.rational import RationalVector, rounded


class ScaledMatrix:
    """The exact (n, m) matrix ``integers[i][j] / denominators[i]``, a `Matrix`."""

    dtype = "Fraction"
    is_sparse = False
    is_float64_exact = False  # the entries may be wider than a float

    def __init__(
        self, integers: list[list[int]], denominators: list[int], *, width: int | None = None
    ) -> None:
        """Reduce each row to its least denominator (> 0); the lists are taken over.

        `width` is the number of columns, for a matrix that may have no rows.
        """
        self.integers: list[list[int]] = []
        self.denominators: list[int] = []
        for row, denominator in zip(integers, denominators, strict=True):
            divisor = gcd(denominator, *row)
            self.integers.append(row if divisor == 1 else [v // divisor for v in row])
            self.denominators.append(denominator // divisor)
        self._width = len(integers[0]) if width is None else width

    def __repr__(self) -> str:
        """Shape only."""
        return f"ScaledMatrix(shape={self.shape})"

    @property
    def shape(self) -> tuple[int, ...]:
        """(n, m)."""
        return len(self.integers), self._width

    @property
    def stored_type(self) -> np.dtype[Any]:
        """Object, as for Fractions."""
        return np.dtype(object)

    @cached_property
    def approx(self) -> np.ndarray:
        """Nearest float64 array."""
        pairs = zip(self.integers, self.denominators, strict=True)
        floats = [[rounded(v, scale) if v else 0.0 for v in row] for row, scale in pairs]
        return np.array(floats, dtype=np.float64).reshape(self.shape)

    @cached_property
    def data(self) -> np.ndarray:
        """All entries as Fractions."""
        entries = np.empty(self.shape, dtype=object)
        zero = Fraction(0)
        for i, (row, scale) in enumerate(zip(self.integers, self.denominators, strict=True)):
            entries[i] = [Fraction(v, scale) if v else zero for v in row]
        return entries

    def take(self, rows: Sequence[int], columns: Sequence[int]) -> ScaledMatrix:
        """The submatrix of some rows and columns."""
        return ScaledMatrix(*self.integer_rows(rows, columns), width=len(columns))

    def nonzero(self) -> tuple[np.ndarray, np.ndarray]:
        """Rows and columns of the entries that are not 0."""
        rows, columns = np.nonzero(self.data != 0)
        return rows, columns

    def multiply(self, x: RationalVector, rows: Sequence[int] | None = None) -> list[Fraction]:
        """``w_i x`` for every row or the given ones, exact."""
        return products.by_integers(self, products.Support.of(x), rows)

    def certain_signs(
        self, x: RationalVector, offset: np.ndarray, rows: Sequence[int] | None = None
    ) -> np.ndarray:
        """Signs of ``w_i x + o_i`` where rigorous float bounds decide them, see `Matrix`."""
        return products.signs_by_blocks(self, x, offset, rows)

    def float_product(self, x: np.ndarray) -> np.ndarray:
        """``W x`` as floats of the type of x compute it."""
        product: np.ndarray = self.approx.astype(x.dtype) @ x
        return product

    def integer_rows(
        self, rows: Sequence[int], columns: Sequence[int] | None = None
    ) -> IntegerRows:
        """Integer rows and their scales, see `IntegerRows`."""
        scales = [self.denominators[i] for i in rows]
        if columns is None:
            return IntegerRows([self.integers[i] for i in rows], scales)
        return IntegerRows([[self.integers[i][j] for j in columns] for i in rows], scales)
