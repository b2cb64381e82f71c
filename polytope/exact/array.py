"""How is an array kept exactly?  As it is stored: floats, integers, or Fractions (dtype object)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np

from polytope.errors import InexactError, NonFiniteError, ShapeError
from polytope.exact import products
from polytope.exact.matrix import IntegerRows
from polytope.exact.rational import RationalVector, rounded, to_fraction
from polytope.exact.underflow import keep_subnormals

#: Integers below this bit length are moved through int64 at numpy's speed.
_INT64_BITS = 62
#: Types of the package ml_dtypes, of which numpy itself knows nothing.
_NARROW_FLOATS = ("bfloat16", "float8_", "float6_", "float4_")
#: Floats scaled to integers at a time: it bounds the temporaries, and they stay in the cache.
_BLOCK_ENTRIES = 1 << 17


def _as_numpy(values: Any, name: str) -> tuple[np.ndarray, str]:
    """Bring arrays, torch tensors (by duck typing) and nested lists to numpy without rounding."""
    if hasattr(values, "detach"):
        if values.is_meta:
            raise InexactError(f"{name}: expected a tensor with data, got one on the meta device")
        tensor = values.detach().cpu()
        dtype = str(tensor.dtype).removeprefix("torch.")
        if dtype.startswith(("complex", "q")) or dtype == "bool":
            raise InexactError(f"{name}: expected real floats or integers, got a {dtype} tensor")
        if str(tensor.layout) != "torch.strided":
            raise InexactError(f"{name}: expected a dense tensor, got layout {tensor.layout}")
        if dtype == "bfloat16" or dtype.startswith("float8"):
            tensor = tensor.float()  # widening is exact
        try:
            return np.asarray(tensor.resolve_neg().numpy()), dtype
        except (TypeError, RuntimeError):
            raise InexactError(
                f"{name}: expected a tensor of ordinary numbers, got a {dtype} tensor"
            ) from None
    if isinstance(values, RationalVector):
        return np.array(list(values), dtype=object), "Fraction"
    if isinstance(values, np.ma.MaskedArray):
        raise InexactError(f"{name}: expected an array without a mask, got a masked array")
    if type(values).__module__.startswith("scipy.sparse"):
        raise InexactError(f"{name}: expected a dense array, got a {type(values).__name__}")
    try:
        array = np.asarray(values)
    except ValueError:
        raise ShapeError(f"{name}: expected a rectangular array, got a ragged one") from None
    kind = array.dtype.name
    if kind.startswith(_NARROW_FLOATS):
        return array.astype(np.float32), kind  # widening is exact
    if array.dtype.kind in "fiuO" and not isinstance(values, np.ndarray) and array.size:
        # numpy would round a list that mixes big ints or Fractions with floats.
        array = _exact_list(values, array)
    return array, str(array.dtype)


def _exact_list(values: Any, array: np.ndarray) -> np.ndarray:
    exact = np.array(values, dtype=object)
    types = {type(v) for v in exact.ravel()}
    mixed = len(types) > 1 and any(issubclass(t, (int, Fraction)) for t in types)
    # Ints on both sides of the int64 range become float64 in numpy, rounded.
    widened = array.dtype.kind == "f" and any(issubclass(t, int) for t in types)
    if array.dtype.kind == "O" or mixed or widened:
        return exact
    return array


@dataclass(frozen=True, eq=False, repr=False)
class ExactArray:
    """A finite array taken exactly; with two axes it is a `Matrix`.

    Attributes:
        data: floats and integers as stored, or Fractions (dtype object).
        dtype: name of the type it came in.
    """

    data: np.ndarray
    dtype: str

    @classmethod
    def of(cls, values: Any, name: str, *, ndim: int) -> ExactArray:
        """Validate ``values`` and keep a copy of them as they are stored.

        Raises:
            ShapeError: if the array does not have ``ndim`` axes.
            NonFiniteError: naming the first NaN or infinite entry.
            InexactError: for dtypes that hold no real numbers.
        """
        keep_subnormals()
        data, dtype = _as_numpy(values, name)
        if data.ndim != ndim:
            raise ShapeError(f"{name}: expected {ndim} axes, got shape {data.shape}")
        if data.dtype.kind == "O":
            data = cls._exact_objects(data, name)
        elif data.dtype.kind == "f":
            if data.dtype.itemsize > 8:
                raise InexactError(f"{name}: expected at most 64-bit floats, got {data.dtype}")
            finite = np.isfinite(data)
            if not finite.all():
                where = tuple(int(k) for k in np.argwhere(~finite)[0])
                raise NonFiniteError(
                    f"{name}: expected finite numbers, got {data[where]} at index {list(where)}"
                )
        elif data.dtype.kind not in "iu":
            raise InexactError(f"{name}: expected real numbers, got dtype {data.dtype}")
        if data.dtype.kind != "O":
            # A caller may go on training the weights in place; what was proved must not move.
            data = data.copy()
        return cls(data, dtype)

    @staticmethod
    def _exact_objects(data: np.ndarray, name: str) -> np.ndarray:
        exact = np.empty(data.shape, dtype=object)
        for where in np.ndindex(data.shape):
            exact[where] = to_fraction(data[where], f"{name}{list(where)}")
        return exact

    def __repr__(self) -> str:
        """Shape and type only."""
        return f"ExactArray(shape={self.shape}, dtype={self.dtype!r})"

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the array."""
        return self.data.shape

    @property
    def stored_type(self) -> np.dtype[Any]:
        """The type of the entries; object where they are Fractions."""
        kind: np.dtype[Any] = self.data.dtype
        return kind

    @property
    def is_sparse(self) -> bool:
        """False: all entries are there."""
        return False

    @cached_property
    def is_float64_exact(self) -> bool:
        """Whether ``approx`` holds the very numbers, not rounded ones."""
        if self.data.dtype.kind == "f":
            return True
        if self.data.dtype.kind in "iu":
            return self.data.size == 0 or int(np.abs(self.data.astype(object)).max()) <= 2**53
        return False

    @cached_property
    def approx(self) -> np.ndarray:
        """Nearest float64 array (infinite where a Fraction exceeds the float range)."""
        keep_subnormals()
        if self.data.dtype.kind != "O":
            return self.data.astype(np.float64)
        return np.array([rounded(v.numerator, v.denominator) for v in self.data.ravel()]).reshape(
            self.shape
        )

    def fractions(self) -> list[Fraction]:
        """Return all entries, in row-major order, as Fractions."""
        keep_subnormals()
        return [Fraction(v) for v in self.data.ravel().tolist()]

    def vector(self) -> RationalVector:
        """Return a one-dimensional array as a vector with a common denominator."""
        if self.data.size == 0:
            return RationalVector(())
        rows, scales = self.reshaped(1).integer_rows([0])
        return RationalVector(tuple(rows[0]), scales[0])

    def reshaped(self, n_rows: int) -> ExactArray:
        """Return the same entries as a matrix of ``n_rows`` rows."""
        return ExactArray(self.data.reshape(n_rows, -1), self.dtype)

    def take(self, rows: Sequence[int], columns: Sequence[int]) -> ExactArray:
        """The submatrix of some rows and columns."""
        whole = len(columns) == self.shape[1] and list(columns) == list(range(self.shape[1]))
        part = self.data[rows] if whole else self.data[np.ix_(rows, columns)]
        return ExactArray(part, self.dtype)

    def nonzero(self) -> tuple[np.ndarray, np.ndarray]:
        """Rows and columns of the entries that are not 0."""
        rows, columns = np.nonzero(self.data != 0)
        return rows, columns

    def multiply(self, x: RationalVector, rows: Sequence[int] | None = None) -> list[Fraction]:
        """``w_i x`` for every row or the given ones, exact."""
        point = products.Support.of(x)
        if self._can_slice and point.bits <= products.SLICED_BITS:
            chosen = None if rows is None else np.asarray(rows, dtype=np.intp)
            return products.sliced(self.data, point, chosen)
        return products.by_integers(self, point, rows)

    @cached_property
    def _can_slice(self) -> bool:
        """Whether all entries are floats far from overflow and underflow."""
        return products.can_slice(self.data)

    def certain_signs(
        self, x: RationalVector, offset: np.ndarray, rows: Sequence[int] | None = None
    ) -> np.ndarray:
        """Signs of ``w_i x + o_i`` where rigorous float bounds decide them, see `Matrix`."""
        return products.signs_by_blocks(self, x, offset, rows)

    def float_product(self, x: np.ndarray) -> np.ndarray:
        """``W x`` as floats of the type of x compute it."""
        stored = self.approx if self.data.dtype.kind == "O" else self.data
        product: np.ndarray = stored.astype(x.dtype, copy=False) @ x
        return product

    def integer_rows(
        self, rows: Sequence[int], columns: Sequence[int] | None = None
    ) -> IntegerRows:
        """Scale rows of a matrix to integers, see `IntegerRows`."""
        keep_subnormals()
        chosen = np.asarray(rows, dtype=np.intp)
        if self.data.dtype.kind == "f":
            picked = None if columns is None else np.asarray(columns, dtype=np.intp)
            return self._integer_float_rows(chosen, picked)
        block = self.data[chosen]
        if columns is not None and self.data.dtype.kind != "O":
            block = block[:, np.asarray(columns, dtype=np.intp)]
        if self.data.dtype.kind != "O":
            return IntegerRows([[int(v) for v in row] for row in block.tolist()], [1] * len(block))
        integers, scales = [], []
        for row in block.tolist():
            scale = math.lcm(*(v.denominator for v in row)) if row else 1
            kept = row if columns is None else [row[j] for j in columns]
            integers.append([v.numerator * (scale // v.denominator) for v in kept])
            scales.append(scale)
        return IntegerRows(integers, scales)

    def _integer_float_rows(self, rows: np.ndarray, columns: np.ndarray | None) -> IntegerRows:
        step = max(1, _BLOCK_ENTRIES // max(1, self.shape[1]))
        whole = IntegerRows([], [])
        for start in range(0, len(rows), step):
            block = self.data[rows[start : start + step]].astype(np.float64)
            found = _scaled_float_rows(block, columns)
            whole.integers.extend(found.integers)
            whole.scales.extend(found.scales)
        return whole


def _scaled_float_rows(block: np.ndarray, columns: np.ndarray | None) -> IntegerRows:
    """Scale float64 rows to integers by powers of two, through int64 where they fit."""
    mantissa, exponent = np.frexp(block)
    integer = np.ldexp(mantissa, 53).astype(np.int64)
    nonzero = integer != 0
    lowest_bit = np.where(nonzero, integer & -integer, 1)
    trailing = np.frexp(lowest_bit.astype(np.float64))[1] - 1
    lowest = np.where(nonzero, exponent - 53 + trailing, 0).min(axis=1, initial=0)
    highest = np.where(nonzero, exponent, 0).max(axis=1, initial=0)
    shifts = (-lowest).tolist()
    fits = highest - lowest <= _INT64_BITS
    kept = block if columns is None else block[:, columns]
    shift = np.where(fits, -lowest, 0)
    small = np.ldexp(kept, shift[:, None])
    small[~fits] = 0.0
    rows = small.astype(np.int64).tolist()
    for k in np.flatnonzero(~fits).tolist():
        scale = 1 << shifts[k]
        ratios = [v.as_integer_ratio() for v in kept[k].tolist()]
        rows[k] = [n * (scale // d) for n, d in ratios]
    return IntegerRows(rows, [1 << s for s in shifts])
