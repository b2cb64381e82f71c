"""Which affine map is a sum of branches?  The maps of its branches, side by side or added up."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from optimize.exact.stored import AffineMap, objects
from polytope.exact.array import ExactArray
from polytope.exact.matrix import Matrix
from polytope.exact.sparse import SparseMatrix


@dataclass(frozen=True, eq=False)
class Branch:
    """One summand.

    Attributes:
        affine: from its input (d,) to the sum (N,).
        first: the place of its input's first entry in what enters the sum.
        sign: 1 or -1.
    """

    affine: AffineMap
    first: int
    sign: int


def identity(count: int) -> AffineMap:
    """The map that leaves a vector as it is."""
    at, ones = np.arange(count), ExactArray(np.ones(count), "float64")
    return AffineMap(
        SparseMatrix((count, count), at, at, ones), ExactArray(np.zeros(count), "float64")
    )


def added_up(branches: Sequence[Branch], width: int) -> AffineMap:
    """The sum of branches as one map from what enters it (width,), sparse and exact.

    Branches may have the same input: their weights are added.
    """
    units = branches[0].affine.weight.shape[0]
    found: dict[tuple[int, int], Fraction] = {}
    bias = objects([Fraction(0)] * units)
    for branch in branches:
        rows, columns, values = _places(branch.affine.weight)
        for row, column, value in zip(rows, columns, values, strict=True):
            place = int(row), int(column) + branch.first
            found[place] = found.get(place, Fraction(0)) + branch.sign * value
        bias = bias + branch.sign * objects(branch.affine.bias.fractions())
    kept = {place: value for place, value in found.items() if value}
    rows, columns = np.array(list(kept), dtype=np.int64).reshape(-1, 2).T
    numbers = ExactArray(objects(list(kept.values())), "Fraction")
    matrix = SparseMatrix((units, width), rows, columns, numbers)
    return AffineMap(matrix, ExactArray(bias, "Fraction"))


def _places(weight: Matrix) -> tuple[np.ndarray, np.ndarray, list[Fraction]]:
    """Rows, columns and numbers of the entries of a matrix."""
    if isinstance(weight, SparseMatrix):
        return weight.rows, weight.columns, list(weight.values.fractions())
    assert isinstance(weight, ExactArray)
    rows, columns = np.divmod(np.arange(math.prod(weight.shape)), weight.shape[1])
    return rows, columns, list(weight.fractions())
