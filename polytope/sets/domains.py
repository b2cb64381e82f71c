"""Where may an input lie?  All of R^d, the nonnegative orthant, or a box."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from polytope.errors import DomainError, InputError, ShapeError
from polytope.exact.array import ExactArray
from polytope.exact.brief import Brief, number
from polytope.exact.rational import to_fraction

#: Bits of a number that a message writes out.
_BITS = 200

#: One bound a coordinate; ``None`` where the coordinate is not bounded on that side.
Bounds = tuple[Fraction | None, ...]


@dataclass(frozen=True)
class Free:
    """All of R^d: the space in which Proposition 1 of Li, Zhang & Malik 2019 speaks."""

    def bounds(self, n: int) -> tuple[Bounds, Bounds]:
        """Return lower and upper bounds of ``n`` coordinates."""
        return (None,) * n, (None,) * n


@dataclass(frozen=True)
class Nonnegative:
    """``x >= 0``: the inputs of a layer that follows a ReLU."""

    def bounds(self, n: int) -> tuple[Bounds, Bounds]:
        """Return lower and upper bounds of ``n`` coordinates."""
        return (Fraction(0),) * n, (None,) * n


@dataclass(frozen=True, repr=False)
class Box(Brief):
    """``lower <= x <= upper``, with scalars or one bound a coordinate; equal bounds fix it.

    Args:
        lower: number or array (d,), taken exactly.
        upper: number or array (d,), taken exactly.

    Raises:
        DomainError: if some lower bound exceeds its upper bound.
        ShapeError: if the arrays do not have the same length.
        NonFiniteError: for NaN or infinite bounds (use ``Free`` or ``Nonnegative``).
    """

    lower: Any = field(compare=False)  # arrays have no truth value; the exact bounds decide
    upper: Any = field(compare=False)
    _exact: tuple[Bounds, Bounds] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        lower, upper = _bound(self.lower, "lower"), _bound(self.upper, "upper")
        if len(lower) != len(upper) and 1 not in (len(lower), len(upper)):
            raise ShapeError(
                f"upper: expected as many bounds as lower ({len(lower)}), got {len(upper)}"
            )
        n = max(len(lower), len(upper))
        for j in range(n):
            low, high = lower[j % len(lower)], upper[j % len(upper)]
            if low > high:
                got = " > ".join(number(v, bits=_BITS) for v in (low, high))
                raise DomainError(f"lower: expected lower <= upper, got {got} at coordinate {j}")
        object.__setattr__(self, "_exact", (lower, upper))

    def bounds(self, n: int) -> tuple[Bounds, Bounds]:
        """Return lower and upper bounds of ``n`` coordinates."""
        sides = []
        for name, side in zip(("lower", "upper"), self._exact, strict=True):
            if len(side) not in (1, n):
                raise ShapeError(f"{name}: expected 1 or {n} bounds, got {len(side)}")
            sides.append(side * n if len(side) == 1 else side)
        return sides[0], sides[1]


Domain = Free | Nonnegative | Box


def _bound(value: Any, name: str) -> tuple[Fraction, ...]:
    if isinstance(value, str) or not hasattr(value, "__len__") or getattr(value, "ndim", 1) == 0:
        return (to_fraction(value, name),)
    array = ExactArray.of(value, name, ndim=1)
    if not array.shape[0]:
        raise InputError(f"{name}: expected at least one bound, got an empty array")
    return tuple(array.fractions())
