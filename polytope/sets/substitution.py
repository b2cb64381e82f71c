"""What does a large layer say of a point, exactly?  Without a Python integer for each weight.

Float weights and a point of some hundred bits are cut into slices of so few bits that BLAS sums
their products without a rounding error (the error-free splitting of Ozaki, Ogita, Oishi & Rump
2012).  Points with longer numbers, such as vertices, go through FLINT, a block of rows at a time.
Which rows hold is decided by rigorous float bounds for all but the few that are tight.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
from flint import fmpz_mat

from polytope.exact.filters import certain_signs
from polytope.exact.rational import ExactArray, RationalVector, nearest_float
from polytope.exact.sparse import SparseMatrix
from polytope.sets.halfspaces import System

#: Weights converted at a time: the slices stay in the cache, or fit easily into memory.
_FLOAT_BLOCK, _FLINT_BLOCK = 1 << 18, 1 << 21
#: Bits of a point up to which slices of it are fewer than FLINT's work.
_SLICED_BITS = 512
#: Powers of two between which floats are scaled without overflow or underflow.
_LOWEST, _HIGHEST = -400, 400
_MANTISSA = 53


def multiply(
    weight: ExactArray, x: RationalVector, units: Sequence[int] | None = None
) -> list[Fraction]:
    """``w_i x`` for every unit or the given ones, exact.

    Args:
        weight: (N, d).
        x: (d,).
        units: rows of the weight; all by default.
    """
    chosen = range(weight.shape[0]) if units is None else units
    if isinstance(weight, SparseMatrix):
        return weight.multiply(x, chosen)
    columns = np.flatnonzero(np.array([v != 0 for v in x.numerators]))
    if not len(columns) or not len(chosen):
        return [Fraction(0)] * len(chosen)
    point = [x.numerators[j] for j in columns.tolist()]
    if _can_slice(weight) and max(map(int.bit_length, point)) <= _SLICED_BITS:
        return _sliced(weight, np.asarray(chosen), columns, point, x.denominator)
    products, scales = _integer_products(weight, chosen, columns.tolist(), point)
    return [Fraction(p, s * x.denominator) for p, s in zip(products, scales, strict=True)]


def slack_signs(system: System, x: RationalVector, rows: Sequence[int]) -> list[int]:
    """Signs (-1, 0, +1) of the slacks of some rows at x (d,): negative where x violates the row.

    Args:
        system: the rows.
        x: (d,).
        rows: places in ``system.rows``.
    """
    weight = system.weight
    units = [system.rows[r].unit for r in rows]
    columns = [j for j, v in enumerate(x.numerators) if v]
    sides = np.array([system.rows[r].sign for r in rows], dtype=np.float64)
    floats = x.to_float()[columns]
    right = np.array([nearest_float(system.rhs[r]) for r in rows])
    signs = np.zeros(len(rows), dtype=np.int8)
    step = max(1, _FLOAT_BLOCK // weight.shape[1])
    for start in range(0, len(rows), step):
        part = slice(start, start + step)
        table = rounded_rows(weight, units[part], columns) * -sides[part, None]
        signs[part] = certain_signs(table, floats, right[part])
    open_rows = np.flatnonzero(signs == 0).tolist()
    point = [x.numerators[j] for j in columns]
    products, scales = _integer_products(weight, [units[k] for k in open_rows], columns, point)
    for k, product, scale in zip(open_rows, products, scales, strict=True):
        row, rhs = system.rows[rows[k]], system.rhs[rows[k]]
        slack = rhs.numerator * scale * x.denominator - row.sign * product * rhs.denominator
        signs[k] = (slack > 0) - (slack < 0)
    return list(map(int, signs))


def rounded_rows(weight: ExactArray, units: Sequence[int], columns: Sequence[int]) -> np.ndarray:
    """The nearest floats (len(units), len(columns)) of a submatrix."""
    if isinstance(weight, SparseMatrix):
        return weight.take(units, columns).approx
    if weight.stored_type != np.dtype(object):
        return np.asarray(weight.data[np.ix_(units, columns)].astype(np.float64))
    out = np.empty((len(units), len(columns)))
    for k, unit in enumerate(units):
        out[k] = weight.block(slice(unit, unit + 1))[0, columns]
    return out


def _integer_products(
    weight: ExactArray, units: Sequence[int], columns: list[int], point: list[int]
) -> tuple[list[int], list[int]]:
    """Products of the integer rows of some units with a point, and the scales of the rows."""
    column = fmpz_mat(len(point), 1, point)
    step = max(1, _FLINT_BLOCK // weight.shape[1])
    products: list[int] = []
    scales: list[int] = []
    for start in range(0, len(units), step):
        rows, found = weight.integer_rows(units[start : start + step], columns)
        table = fmpz_mat(rows) if columns else fmpz_mat(len(rows), 0)
        products += map(int, (table * column).entries())
        scales += found
    return products, scales


def _can_slice(weight: ExactArray) -> bool:
    """Whether all weights are floats far from overflow and underflow."""
    stored = weight.stored_type
    if stored is None or stored.kind != "f":
        return False
    if stored.itemsize <= 4:
        return True  # the range of float32 is well inside
    size = np.abs(weight.data)
    low, high = size[size > 0].min(initial=1.0), size.max(initial=0.0)
    return bool(low > 2.0**_LOWEST and high < 2.0**_HIGHEST)


def _sliced(
    weight: ExactArray, units: np.ndarray, columns: np.ndarray, point: list[int], denominator: int
) -> list[Fraction]:
    # Products of two slices are at most 2^(2 bits), and so many of them sum to at most 2^53.
    bits = (_MANTISSA - len(point).bit_length()) // 2
    parts = _digits(point, bits)
    step = max(1, _FLOAT_BLOCK // len(columns))
    all_columns = len(columns) == weight.shape[1]
    out: list[Fraction] = []
    for start in range(0, len(units), step):
        rows = weight.data[units[start : start + step]]
        block = (rows if all_columns else rows[:, columns]).astype(np.float64)
        out += _block_products(block, parts, bits, denominator)
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
