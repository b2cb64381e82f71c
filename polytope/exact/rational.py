"""How does a number get in and out exactly?

The one door between floats and exact numbers.  Every finite float is a dyadic rational, so nothing
is rounded on the way in; NaN and infinities are refused by name and index.  Below this file the
exact routines only ever see Python integers, ``Fraction`` and the two containers defined here.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np

from polytope.errors import InexactError, InputError, NonFiniteError, ShapeError
from polytope.exact.arguments import shown
from polytope.exact.underflow import keep_subnormals

#: Integers below this bit length are moved through int64 at numpy's speed.
_INT64_BITS = 62
#: Types of the package ml_dtypes, of which numpy itself knows nothing.
_NARROW_FLOATS = ("bfloat16", "float8_", "float6_", "float4_")
#: Bits of a vector whose numbers its ``repr`` writes out; entries of one that ``str`` does.
_SHOWN_BITS, _SHOWN_ENTRIES = 200, 20
#: Floats scaled to integers at a time: it bounds the temporaries, and they stay in the cache.
_BLOCK_ENTRIES = 1 << 17


def to_fraction(value: Any, name: str) -> Fraction:
    """Return ``value`` (int, float, Fraction or numpy scalar) exactly.

    Raises:
        NonFiniteError: for NaN and infinities.
        InexactError: for anything that is not a real number.
    """
    keep_subnormals()
    if getattr(value, "ndim", None) == 0 and hasattr(value, "item"):
        value = value.item()  # a numpy scalar, or an array or tensor without axes
    if isinstance(value, bool) or not isinstance(value, (int, float, Fraction)):
        raise InexactError(
            f"{name}: expected an int, a float or a Fraction, got {type(value).__name__}"
        )
    try:
        return Fraction(value)
    except (ValueError, OverflowError):
        raise NonFiniteError(f"{name}: expected a finite number, got {value}") from None


@dataclass(frozen=True, slots=True, repr=False)
class RationalVector(Sequence[Fraction]):
    """An exact vector ``numerators / denominator`` with one common positive denominator.

    One denominator instead of one gcd per entry: the solution of a square integer system has a
    common denominator by Cramer's rule, and products with it then need no fractions at all.
    """

    numerators: tuple[int, ...]
    denominator: int = 1

    def __post_init__(self) -> None:
        if not set(map(type, self.numerators)) | {type(self.denominator)} <= {int}:
            raise InexactError(
                "numerators and denominator: expected ints, got "
                f"{', '.join(sorted({type(v).__name__ for v in self.numerators}))} "
                f"over {type(self.denominator).__name__}; use RationalVector.of for other numbers"
            )
        if self.denominator <= 0:
            raise InputError(f"denominator: expected a positive int, got {shown(self.denominator)}")

    @classmethod
    def trusted(cls, numerators: tuple[int, ...], denominator: int) -> RationalVector:
        """Make a vector of numbers known to be ints, the denominator positive; checks nothing."""
        vector = object.__new__(cls)
        object.__setattr__(vector, "numerators", numerators)
        object.__setattr__(vector, "denominator", denominator)
        return vector

    @classmethod
    def of(cls, values: Iterable[Any], name: str = "vector") -> RationalVector:
        """Collect ints, floats and Fractions (all taken exactly) over one denominator.

        Raises:
            InputError: if they are none, or not finite.
        """
        if not isinstance(values, Iterable):
            raise InputError(f"{name}: expected a sequence of numbers, got {shown(values)}")
        fractions = [
            v if isinstance(v, Fraction) else to_fraction(v, f"{name}[{k}]")
            for k, v in enumerate(values)
        ]
        denominator = math.lcm(*(f.denominator for f in fractions)) if fractions else 1
        return cls(
            tuple(f.numerator * (denominator // f.denominator) for f in fractions), denominator
        )

    def __len__(self) -> int:
        return len(self.numerators)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return tuple(Fraction(n, self.denominator) for n in self.numerators[index])
        return Fraction(self.numerators[index], self.denominator)

    def __iter__(self) -> Iterator[Fraction]:
        return (Fraction(n, self.denominator) for n in self.numerators)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, RationalVector):
            return NotImplemented
        return len(self) == len(other) and all(
            a * other.denominator == b * self.denominator
            for a, b in zip(self.numerators, other.numerators, strict=True)
        )

    def __hash__(self) -> int:
        return hash(tuple(self))

    def __repr__(self) -> str:
        """The fields of a short vector; of a long one, the sizes."""
        bits = sum(map(int.bit_length, (*self.numerators, self.denominator)))
        if bits <= _SHOWN_BITS and len(self) <= _SHOWN_ENTRIES:
            return f"RationalVector({self.numerators}, {self.denominator})"
        bits = self.denominator.bit_length()
        return f"RationalVector(<{len(self)} numbers over a denominator of {bits} bits>)"

    def __str__(self) -> str:
        """The nearest floats, and how to read the exact numbers."""
        floats = np.array2string(self.to_float(), threshold=_SHOWN_ENTRIES, edgeitems=3)
        how = "shown as the nearest floats; [i] and list() read the Fractions"
        return f"{floats}\n({len(self)} exact numbers, {how})"

    def reduced(self) -> RationalVector:
        """Return the same vector over the least common denominator."""
        divisor = math.gcd(self.denominator, *self.numerators)
        if divisor == 1:
            return self
        return RationalVector(
            tuple(n // divisor for n in self.numerators), self.denominator // divisor
        )

    def to_float(self) -> np.ndarray:
        """Return the nearest float64 array (n,); each entry is correctly rounded."""
        return np.array([rounded(n, self.denominator) for n in self.numerators], dtype=np.float64)


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
    """A finite array taken exactly: floats and integers as stored, or Fractions (dtype object)."""

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

    def block(self, rows: slice) -> np.ndarray:
        """Nearest float64 array of some rows of a matrix."""
        return ExactArray(self.data[rows], self.dtype).approx

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

    def integer_rows(
        self, rows: Sequence[int], columns: Sequence[int] | None = None
    ) -> tuple[list[list[int]], list[int]]:
        """Scale rows of a matrix to integers, each by the lcm D_i of *its own* denominators.

        Returns:
            ``(integers, scales)`` with ``integers[k][j] == scales[k] * self[rows[k], columns[j]]``.
            The scale belongs to the whole row, whatever columns are asked for.
        """
        keep_subnormals()
        chosen = np.asarray(rows, dtype=np.intp)
        if self.data.dtype.kind == "f":
            picked = None if columns is None else np.asarray(columns, dtype=np.intp)
            return self._integer_float_rows(chosen, picked)
        block = self.data[chosen]
        if columns is not None and self.data.dtype.kind != "O":
            block = block[:, np.asarray(columns, dtype=np.intp)]
        if self.data.dtype.kind != "O":
            return [[int(v) for v in row] for row in block.tolist()], [1] * len(block)
        integers, scales = [], []
        for row in block.tolist():
            scale = math.lcm(*(v.denominator for v in row)) if row else 1
            kept = row if columns is None else [row[j] for j in columns]
            integers.append([v.numerator * (scale // v.denominator) for v in kept])
            scales.append(scale)
        return integers, scales

    def _integer_float_rows(
        self, rows: np.ndarray, columns: np.ndarray | None
    ) -> tuple[list[list[int]], list[int]]:
        step = max(1, _BLOCK_ENTRIES // max(1, self.shape[1]))
        integers: list[list[int]] = []
        scales: list[int] = []
        for start in range(0, len(rows), step):
            block = self.data[rows[start : start + step]].astype(np.float64)
            found = _scaled_float_rows(block, columns)
            integers += found[0]
            scales += found[1]
        return integers, scales


def _scaled_float_rows(
    block: np.ndarray, columns: np.ndarray | None
) -> tuple[list[list[int]], list[int]]:
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
    return rows, [1 << s for s in shifts]


def nearest_float(value: Fraction) -> float:
    """Return the float nearest to ``value``, infinite beyond the float range."""
    return rounded(value.numerator, value.denominator)


def rounded(numerator: int, denominator: int) -> float:
    """Return the float nearest to ``numerator / denominator``, infinite beyond the float range."""
    try:
        return numerator / denominator  # true division of ints is correctly rounded
    except OverflowError:
        return math.inf if (numerator > 0) == (denominator > 0) else -math.inf
