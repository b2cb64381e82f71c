"""How is a convolution stated exactly?  A sparse matrix of exact numbers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from polytope.rational import ExactArray


@dataclass(frozen=True, eq=False)
class SparseMatrix:
    """An exact (n, m) matrix by its entries; places named twice add up.

    Attributes:
        shape: (n, m).
        rows, columns: (k,) places.
        values: (k,) numbers, taken exactly.
    """

    shape: tuple[int, int]
    rows: np.ndarray
    columns: np.ndarray
    values: ExactArray
