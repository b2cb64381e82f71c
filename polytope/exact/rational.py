"""How does a number get in and out exactly?

The one door between floats and exact numbers.  Every finite float is a dyadic rational, so nothing
is rounded on the way in; NaN and infinities are refused by name and index.  Below this file the
exact routines only ever see Python integers, ``Fraction``, the vector defined here and arrays
(polytope/exact/array.py).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from polytope.errors import InexactError, InputError, NonFiniteError
from polytope.exact.arguments import shown
from polytope.exact.underflow import keep_subnormals

#: Bits of a vector whose numbers its ``repr`` writes out; entries of one that ``str`` does.
_SHOWN_BITS, _SHOWN_ENTRIES = 200, 20


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


def nearest_float(value: Fraction) -> float:
    """Return the float nearest to ``value``, infinite beyond the float range."""
    return rounded(value.numerator, value.denominator)


def rounded(numerator: int, denominator: int) -> float:
    """Return the float nearest to ``numerator / denominator``, infinite beyond the float range."""
    try:
        return numerator / denominator  # true division of ints is correctly rounded
    except OverflowError:
        return math.inf if (numerator > 0) == (denominator > 0) else -math.inf
