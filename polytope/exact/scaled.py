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

from polytope.exact.rational import ExactArray, rounded


class ScaledMatrix(ExactArray):
    """The exact (n, m) matrix ``integers[i][j] / denominators[i]``."""

    integers: list[list[int]]
    denominators: list[int]
    _width: int

    def __init__(
        self, integers: list[list[int]], denominators: list[int], *, width: int | None = None
    ) -> None:
        """Reduce each row to its least denominator (> 0); the lists are taken over.

        `width` is the number of columns, for a matrix that may have no rows.
        """
        reduced, scales = [], []
        for row, denominator in zip(integers, denominators, strict=True):
            divisor = gcd(denominator, *row)
            reduced.append(row if divisor == 1 else [v // divisor for v in row])
            scales.append(denominator // divisor)
        object.__setattr__(self, "integers", reduced)  # the class it derives from is frozen
        object.__setattr__(self, "denominators", scales)
        object.__setattr__(self, "_width", len(integers[0]) if width is None else width)
        object.__setattr__(self, "dtype", "Fraction")

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
    def is_float64_exact(self) -> bool:
        """False: the entries may be wider than a float."""
        return False

    @cached_property
    def approx(self) -> np.ndarray:
        """Nearest float64 array."""
        return self.block(slice(None))

    def block(self, rows: slice) -> np.ndarray:
        """Nearest float64 array of some rows."""
        pairs = zip(self.integers[rows], self.denominators[rows], strict=True)
        floats = [[rounded(v, scale) if v else 0.0 for v in row] for row, scale in pairs]
        return np.array(floats, dtype=np.float64).reshape(-1, self.shape[1])

    @cached_property
    def data(self) -> np.ndarray:
        """All entries as Fractions."""
        entries = np.empty(self.shape, dtype=object)
        zero = Fraction(0)
        for i, (row, scale) in enumerate(zip(self.integers, self.denominators, strict=True)):
            entries[i] = [Fraction(v, scale) if v else zero for v in row]
        return entries

    def integer_rows(
        self, rows: Sequence[int], columns: Sequence[int] | None = None
    ) -> tuple[list[list[int]], list[int]]:
        """Integer rows and their scales, as ``ExactArray.integer_rows``."""
        scales = [self.denominators[i] for i in rows]
        if columns is None:
            return [self.integers[i] for i in rows], scales
        return [[self.integers[i][j] for j in columns] for i in rows], scales
