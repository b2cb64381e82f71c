"""Which bases can floats prove feasible?  Thousands at a time, with rigorous error bounds.

For a basis T with rows A and right-hand sides b, a float inverse R and a float solution v of
``A v = b`` are proposals.  If ``|I - R A| <= alpha < 1`` then A is invertible and the true solution
lies within ``|R| |b - A v| + alpha / (1 - alpha) max(|R| |b - A v|)`` of v (Rump 2010, section 10;
Higham 2002, section 3.1 for the rounding of each product, in whatever order BLAS sums).  A slack
whose computed value exceeds the error that follows is positive; every other one is left to exact
arithmetic.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from operator import mul
from typing import Any

import numpy as np

from polytope.exact.rational import RationalVector, rounded
from polytope.lp.proposals import proposing

_UNIT_ROUNDOFF = 2.0**-53
#: Covers entries and products below the normal range.
_UNDERFLOW = 2.0**-1000
#: A rate of change this much smaller than the edge's largest is taken for zero (a proposal only).
_ZERO_RATE = 1e-12
#: Two ratios this close are taken for equal where ties are expected (a proposal only).
_TIE = 1e-9
#: Bits by which columns must differ in size to be scaled, and rounds of scaling.
_UNLIKE, _ROUNDS = 24, 4


@dataclass(frozen=True, eq=False)
class Batch:
    """What floats say about V bases: their slacks, and which of them are certain.

    Attributes:
        inverses: (V, n, n).
        regular: (V,) whether the rows of the basis are proved independent.
        slacks: (V, m) at eps = 0; exactly zero in the basis itself.
        certain: (V, m) slack proved positive, or row in the basis.
        wrong: (V,) some slack is proved negative.
        shifts: (V, m) coefficients of eps in the slacks; None if the set is not perturbed.
        shifts_certain: (V, m) coefficient proved positive.
        shifts_wrong: (V, m) coefficient proved negative.
    """

    inverses: np.ndarray
    regular: np.ndarray
    slacks: np.ndarray
    certain: np.ndarray
    wrong: np.ndarray
    shifts: np.ndarray | None = None
    shifts_certain: np.ndarray | None = None
    shifts_wrong: np.ndarray | None = None

    def take(self, chosen: np.ndarray) -> Batch:
        """Return some of the bases, chosen by a mask (V,)."""
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        taken: dict[str, Any] = {k: None if v is None else v[chosen] for k, v in values.items()}
        return Batch(**taken)


class FloatRows:
    """The rows of a pointed set, rounded once: scaled by powers of two, shifted to a centre."""

    def __init__(
        self,
        normals: Sequence[Sequence[int]],
        offsets: Sequence[int],
        center: RationalVector,
        shifts: Sequence[int],
    ) -> None:
        rows, columns = _exponents(normals)
        self._exponents = rows
        self.table = np.array(
            [
                [_scaled(v, 1, r + c) for v, c in zip(row, columns, strict=True)]
                for row, r in zip(normals, rows, strict=True)
            ]
        )
        #: What turns a column of an inverse into one for the integer rows; None if columns were
        #: scaled too, or the set is perturbed.
        plain = not any(columns) and not any(shifts) and max(rows) < 1000
        self.scales = np.ldexp(1.0, -np.array(rows)) if plain else None
        den = center.denominator
        self.right = np.array(
            [
                _scaled(b * den - sum(map(mul, row, center.numerators)), den, r)
                for row, b, r in zip(normals, offsets, rows, strict=True)
            ]
        )
        self.shift = np.array([_scaled(v, 1, r) for v, r in zip(shifts, rows, strict=True)])
        self.m, self.n = self.table.shape
        self._size = np.abs(self.table)
        self._gamma = (2 * self.n + 12) * _UNIT_ROUNDOFF

    def in_units(self, row: int, numerator: int, denominator: int) -> float:
        """Turn an exact slack of a row into the floats' units."""
        return _scaled(numerator, denominator, self._exponents[row])

    def evaluate(self, bases: np.ndarray) -> Batch:
        """Solve and bound V bases (V, n)."""
        square = self.table[bases]
        inside = np.arange(len(bases))[:, None]
        with np.errstate(all="ignore"):
            inverse = _inverses(square)
            alpha = self._defect(square, inverse)
            slacks, bound = self._slacks(bases, square, inverse, alpha, self.right)
            certain, below = slacks > bound, slacks < -bound
            slacks[inside, bases] = 0.0
            certain[inside, bases] = True
            below[inside, bases] = False
            wrong = np.asarray(below.any(axis=1))
            batch = Batch(inverse, alpha < 0.5, slacks, certain, wrong)
            if not self.shift.any():
                return batch
            shifts, bound = self._slacks(bases, square, inverse, alpha, self.shift)
        return replace(
            batch, shifts=shifts, shifts_certain=shifts > bound, shifts_wrong=shifts < -bound
        )

    def _slacks(
        self,
        bases: np.ndarray,
        square: np.ndarray,
        inverse: np.ndarray,
        alpha: np.ndarray,
        offsets: np.ndarray,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Slacks (V, m) of all rows at the points of the bases, and bounds of their errors."""
        right = offsets[bases]
        points = (inverse @ right[..., None])[..., 0]
        residual = np.abs(right - (square @ points[..., None])[..., 0])
        spread = (np.abs(square) @ np.abs(points)[..., None])[..., 0] + np.abs(right)
        residual += self._gamma * spread
        first = (np.abs(inverse) @ residual[..., None])[..., 0] * 1.01
        factor = np.where(alpha < 0.5, alpha / (1 - alpha), np.nan)
        error = first + (factor * first.max(axis=1, initial=0.0))[:, None]
        reach = np.abs(points) @ self._size.T + np.abs(offsets)
        bound = 1.01 * (error @ self._size.T + self._gamma * reach)
        bound += _UNDERFLOW * (1 + np.abs(points).max(axis=1, initial=0.0)[:, None])
        return offsets - points @ self.table.T, bound

    def _defect(self, square: np.ndarray, inverse: np.ndarray) -> np.ndarray:
        """Bounds (V,) of ``|I - R A|``, rounding errors included."""
        defect = np.abs(inverse @ square - np.eye(self.n)).sum(axis=2).max(axis=1, initial=0.0)
        rows = np.abs(square).sum(axis=2)[..., None]
        spread = (np.abs(inverse) @ rows)[..., 0].max(axis=1, initial=0.0)
        out: np.ndarray = 1.01 * (defect + self._gamma * (1 + spread))
        return out

    def rates(self, inverses: np.ndarray) -> np.ndarray:
        """Change (V, n, m) of each slack along the edge that gives up each row of a basis."""
        v, n = inverses.shape[:2]
        columns = np.ascontiguousarray(inverses.transpose(0, 2, 1)).reshape(v * n, n)
        out: np.ndarray = (columns @ self.table.T).reshape(v, n, self.m)
        return out

    def entering(self, batch: Batch) -> np.ndarray:
        """Row (V, n) that stops each edge, -1 where none does; a proposal."""
        change = self.rates(batch.inverses)
        with np.errstate(all="ignore"):
            hurry = np.where(batch.slacks > 0, -1.0 / batch.slacks, 0.0)
            change *= hurry[:, None, :]
            found = change.argmax(axis=2)
            fastest = np.take_along_axis(change, found[..., None], axis=2)[..., 0]
            # A row parallel to the edge has a rate of zero, up to rounding.
            rate = -fastest / np.take_along_axis(hurry, found, axis=1)
            stops = (fastest > 0) & (rate > _ZERO_RATE * np.abs(batch.inverses).sum(axis=1))
        return np.where(stops, found, -1)

    def entering_perturbed(self, bases: np.ndarray, batch: Batch) -> np.ndarray:
        """The same for a perturbed set: ties are broken by the coefficients of eps."""
        shifts = batch.slacks if batch.shifts is None else batch.shifts
        change = self.rates(batch.inverses)
        largest = np.abs(change).max(axis=2, keepdims=True)
        with np.errstate(all="ignore"):
            rate = np.where(change < -_ZERO_RATE * largest, -change, np.nan)
            np.put_along_axis(
                rate, np.broadcast_to(bases[:, None, :], (*bases.shape, self.n)), np.nan, axis=2
            )
            time = batch.slacks[:, None, :] / rate
            time[np.isnan(time)] = np.inf
            first = time.min(axis=2, keepdims=True)
            tied = np.where(time <= first * (1 + _TIE), shifts[:, None, :] / rate, np.inf)
        found = tied.argmin(axis=2)
        return np.where(np.isfinite(first[..., 0]), found, -1)


def _scaled(numerator: int, denominator: int, exponent: int) -> float:
    """``numerator / denominator / 2**exponent``, correctly rounded."""
    if exponent >= 0:
        return rounded(numerator, denominator << exponent)
    return rounded(numerator << -exponent, denominator)


def _exponents(normals: Sequence[Sequence[int]]) -> tuple[list[int], list[int]]:
    """Exponents of the powers of two that bring every row, and unlike columns, near 1."""
    size = np.array([[abs(v).bit_length() for v in row] for row in normals], dtype=float)
    size[size == 0] = np.nan
    live = ~np.isnan(size)
    columns = np.zeros(size.shape[1])
    rows = np.max(np.where(live, size, 1), axis=1)
    highest = np.max(np.where(live, size - rows[:, None], -np.inf), axis=0)
    if np.ptp(highest[np.isfinite(highest)], axis=None) >= _UNLIKE:
        for _ in range(_ROUNDS):
            columns = _middle(size - rows[:, None], live, axis=0)
            rows = _middle(size - columns, live, axis=1)
        rows = np.max(np.where(live, size - columns, 1), axis=1)
    return rows.astype(int).tolist(), columns.astype(int).tolist()


def _middle(size: np.ndarray, live: np.ndarray, axis: int) -> np.ndarray:
    """Middle between the smallest and the largest entry, in whole bits."""
    low = np.min(np.where(live, size, np.inf), axis=axis)
    high = np.max(np.where(live, size, -np.inf), axis=axis)
    return np.where(np.isfinite(low), np.floor((low + high) / 2), 0.0)


def _inverses(square: np.ndarray) -> np.ndarray:
    with proposing():
        together: np.ndarray = np.linalg.inv(square)
        return together
    found = np.full_like(square, np.nan)
    for k, matrix in enumerate(square):  # one singular matrix failed all of them
        with proposing():
            found[k] = np.linalg.inv(matrix)
    return found
