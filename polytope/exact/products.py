"""What is a large matrix times a point, exactly?  Without a Python integer for each entry.

Floats and a point of some hundred bits are cut into slices of so few bits that BLAS sums their
products without a rounding error (the error-free splitting of Ozaki, Ogita, Oishi & Rump 2012).
Points with longer numbers, such as vertices, go through FLINT, a block of rows at a time.
Which sign a product has is decided by rigorous float bounds for all but the few that are near 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

import numpy as np
from flint import fmpz_mat

from polytope.exact import filters
from polytope.exact.matrix import Matrix
from polytope.exact.rational import RationalVector

#: Entries converted at a time: the slices stay in the cache, or fit easily into memory.
_FLOAT_BLOCK, _FLINT_BLOCK = 1 << 18, 1 << 21
#: Bits of a point up to which slices of it are fewer than FLINT's work.
SLICED_BITS = 512
#: Powers of two between which floats are scaled without overflow or underflow.
_LOWEST, _HIGHEST = -400, 400
_MANTISSA = 53


class Support(NamedTuple):
    """A point by its entries that are not 0: their places, and numerators over a denominator."""

    columns: list[int]
    numerators: list[int]
    denominator: int

    @classmethod
    def of(cls, x: RationalVector) -> Support:
        """Leave out what is 0."""
        columns = [j for j, v in enumerate(x.numerators) if v]
        return cls(columns, [x.numerators[j] for j in columns], x.denominator)

    @property
    def bits(self) -> int:
        """Of the longest numerator."""
        return max(map(int.bit_length, self.numerators), default=0)


def by_integers(matrix: Matrix, x: Support, rows: Sequence[int] | None = None) -> list[Fraction]:
    """``w_i x`` for every row or the given ones, by FLINT on integer rows."""
    chosen = range(matrix.shape[0]) if rows is None else rows
    if not x.columns:
        return [Fraction(0)] * len(chosen)
    column = fmpz_mat(len(x.columns), 1, x.numerators)
    step = max(1, _FLINT_BLOCK // matrix.shape[1])
    out: list[Fraction] = []
    for start in range(0, len(chosen), step):
        table, scales = matrix.integer_rows(chosen[start : start + step], x.columns)
        products = map(int, (fmpz_mat(table) * column).entries())
        out += [Fraction(p, s * x.denominator) for p, s in zip(products, scales, strict=True)]
    return out


def signs_by_blocks(
    matrix: Matrix, x: RationalVector, offset: np.ndarray, rows: Sequence[int] | None = None
) -> np.ndarray:
    """Signs of ``w_i x + o_i`` where float bounds decide them, see `Matrix.certain_signs`."""
    chosen = range(matrix.shape[0]) if rows is None else rows
    columns = Support.of(x).columns
    floats = x.to_float()[columns]
    signs = np.zeros(len(chosen), dtype=np.int8)
    step = max(1, _FLOAT_BLOCK // matrix.shape[1])
    for start in range(0, len(chosen), step):
        part = slice(start, start + step)
        table = matrix.take(chosen[part], columns).approx
        signs[part] = filters.certain_signs(table, floats, offset[part])
    return signs


def can_slice(data: np.ndarray) -> bool:
    """Whether all entries are floats far from overflow and underflow."""
    if data.dtype.kind != "f":
        return False
    if data.dtype.itemsize <= 4:
        return True  # the range of float32 is well inside
    size = np.abs(data)
    low, high = size[size > 0].min(initial=1.0), size.max(initial=0.0)
    return bool(low > 2.0**_LOWEST and high < 2.0**_HIGHEST)


def sliced(data: np.ndarray, x: Support, rows: np.ndarray | None = None) -> list[Fraction]:
    """``w_i x`` for every row of floats or the given ones, by BLAS on slices without rounding."""
    chosen = np.arange(len(data)) if rows is None else rows
    if not x.columns:
        return [Fraction(0)] * len(chosen)
    # Products of two slices are at most 2^(2 bits), and so many of them sum to at most 2^53.
    bits = (_MANTISSA - len(x.columns).bit_length()) // 2
    parts = _digits(x.numerators, bits)
    step = max(1, _FLOAT_BLOCK // len(x.columns))
    all_columns = len(x.columns) == data.shape[1]
    out: list[Fraction] = []
    for start in range(0, len(chosen), step):
        block = data[chosen[start : start + step]]
        block = (block if all_columns else block[:, x.columns]).astype(np.float64)
        out += _block_products(block, parts, bits, x.denominator)
    return out


def _digits(numbers: list[int], bits: int) -> np.ndarray:
    """Signed digits (len(numbers), k) in base 2^bits, the lowest first, as floats."""
    count = -(-max(map(int.bit_length, numbers)) // bits)
    mask = (1 << bits) - 1
    table = np.array(
        [[abs(v) >> (bits * k) & mask for k in range(count)] for v in numbers], dtype=np.float64
    )
    signs = np.array([1.0 if v >= 0 else -1.0 for v in numbers])
    out: np.ndarray = table * signs[:, None]
    return out


def _block_products(
    block: np.ndarray, parts: np.ndarray, bits: int, denominator: int
) -> list[Fraction]:
    """Exact products of a block (overwritten) with the number whose digits the parts are."""
    power = bits - np.frexp(np.abs(block).max(axis=1))[1].astype(np.int64)
    totals = [0] * len(block)
    # A row that is used up takes no further part: its power would leave the range of floats.
    while len(rows := np.flatnonzero(block.any(axis=1))):
        rest = block[rows]
        up, down = np.ldexp(1.0, power[rows])[:, None], np.ldexp(1.0, -power[rows])[:, None]
        # Whole numbers of at most 2^bits; the rest is a float, of half a unit at most.
        whole = np.rint(rest * up)
        block[rows] = rest - whole * down
        products = (whole @ parts).astype(np.int64).tolist()
        for row, line in zip(rows.tolist(), products, strict=True):
            added = sum(p << (bits * k) for k, p in enumerate(line))
            totals[row] = (totals[row] << bits) + added
        power[rows] += bits
    # The last slice counted units of 2^(bits - power).
    return [
        _scaled(total, bits - shift, denominator)
        for total, shift in zip(totals, power.tolist(), strict=True)
    ]


def _scaled(number: int, exponent: int, denominator: int) -> Fraction:
    if exponent >= 0:
        return Fraction(number << exponent, denominator)
    return Fraction(number, denominator << -exponent)
