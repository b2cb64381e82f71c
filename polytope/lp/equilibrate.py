"""How is a badly scaled program made fit for floats?  Powers of two on rows and columns.

Substituting ``x_j = 2**c_j x'_j`` and multiplying row r by ``2**r_r`` changes no basis and rounds
nothing, so a basis of the scaled program is one of the original.  Layers whose columns are of
similar size are left alone: HiGHS scales those well by itself.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from polytope.lp.program import FloatForm

#: Spread of the columns' sizes, in bits, from which on they are scaled.
_SPREAD = 24
_ROUNDS = 4
#: HiGHS takes anything beyond 1e20 for infinite; finite data are kept below float's own end.
_LARGEST = 1e30


@dataclass(frozen=True, eq=False)
class Equilibration:
    """Exponents ``rows`` (m,) and ``columns`` (n,) of the powers of two."""

    rows: np.ndarray
    columns: np.ndarray

    @classmethod
    def of(cls, form: FloatForm, n: int) -> Equilibration:
        """Bring the geometric middle of every row and column near 1, if they differ by much."""
        counts = np.diff(form.starts)
        row_of = np.repeat(np.arange(len(counts)), counts)
        live = form.values != 0
        rows, columns = row_of[live], form.columns[live]
        size = np.frexp(form.values[live])[1].astype(np.int64)
        row_shift, column_shift = np.zeros(len(counts), np.int64), np.zeros(n, np.int64)
        if not size.size or _spread(size, columns, n) < _SPREAD:
            return cls(row_shift.astype(np.int32), column_shift.astype(np.int32))
        for _ in range(_ROUNDS):
            current = size + row_shift[rows] + column_shift[columns]
            column_shift -= _middle(current, columns, n)
            current = size + row_shift[rows] + column_shift[columns]
            row_shift -= _middle(current, rows, len(counts))
        return cls(row_shift.astype(np.int32), column_shift.astype(np.int32))

    def matrix(self, form: FloatForm) -> np.ndarray:
        """Scaled values of the matrix, in the order they are stored."""
        row_of = np.repeat(np.arange(len(self.rows)), np.diff(form.starts))
        shift = self.rows[row_of] + self.columns[form.columns]
        return np.asarray(np.ldexp(form.values, shift))

    def row_bounds(self, bounds: np.ndarray) -> np.ndarray:
        """Scaled bounds of the rows."""
        return _kept_finite(bounds, self.rows)

    def column_bounds(self, bounds: np.ndarray) -> np.ndarray:
        """Scaled bounds of the columns."""
        return _kept_finite(bounds, -self.columns)

    def costs(self, costs: np.ndarray) -> np.ndarray:
        """Scaled costs."""
        return _clipped(costs, self.columns)


def _kept_finite(values: np.ndarray, shift: np.ndarray) -> np.ndarray:
    return np.where(np.isfinite(values), _clipped(values, shift), values)


def _clipped(values: np.ndarray, shift: np.ndarray) -> np.ndarray:
    with np.errstate(over="ignore"):  # what overflows is clipped, too
        return np.asarray(np.clip(np.ldexp(values, shift), -_LARGEST, _LARGEST))


def _extremes(values: np.ndarray, groups: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    low, high = np.full(n, np.iinfo(np.int64).max), np.full(n, np.iinfo(np.int64).min)
    np.minimum.at(low, groups, values)
    np.maximum.at(high, groups, values)
    empty = high < low
    low[empty] = high[empty] = 0
    return low, high


def _middle(values: np.ndarray, groups: np.ndarray, n: int) -> np.ndarray:
    low, high = _extremes(values, groups, n)
    return np.asarray((low + high) // 2)


def _spread(values: np.ndarray, groups: np.ndarray, n: int) -> int:
    _, high = _extremes(values, groups, n)
    present = np.unique(groups)
    return int(high[present].max() - high[present].min())
