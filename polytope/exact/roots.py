"""Between which floats does an exact number, or its square root, lie?  Outward rounding."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from math import inf, isqrt, nextafter
from sys import float_info

from polytope.exact.rational import nearest_float
from polytope.exact.underflow import keep_subnormals

#: Bits of a square root beyond the leading one: far more than a float keeps.
_BITS = 120


def outward(value: Fraction) -> tuple[float, float]:
    """Return the floats next below and next above a number; twice the same if it is a float."""
    keep_subnormals()
    near = nearest_float(value)
    if near == inf:
        return float_info.max, inf
    if near == -inf:
        return -inf, -float_info.max
    exact = Fraction(near)
    low = near if exact <= value else nextafter(near, -inf)
    high = near if exact >= value else nextafter(near, inf)
    return low, high


def root_interval(square: Fraction) -> tuple[Fraction, Fraction]:
    """Return rationals around the square root of a number >= 0, equal if it is a short rational."""
    if not square:
        return Fraction(0), Fraction(0)
    missing = square.denominator.bit_length() - square.numerator.bit_length()
    shift = max(0, _BITS + missing // 2 + 1)
    scaled, rest = divmod(square.numerator << (2 * shift), square.denominator)
    floor = isqrt(scaled)
    is_exact = not rest and floor * floor == scaled
    return Fraction(floor, 1 << shift), Fraction(floor + (0 if is_exact else 1), 1 << shift)


def root_bounds(square: Fraction) -> tuple[float, float]:
    """Return floats around the square root of a number >= 0, as close as floats come."""
    low, high = root_interval(square)
    return outward(low)[0], outward(high)[1]


def nearest_root(square: Fraction) -> float:
    """Return the float nearest to the square root of a number >= 0."""
    low, high = root_interval(square)
    return nearest_float((low + high) / 2)


def root_sum(squares: Iterable[Fraction]) -> tuple[Fraction, Fraction]:
    """Return rationals around the sum of the square roots of numbers >= 0."""
    low = high = Fraction(0)
    for square in squares:
        a, b = root_interval(square)
        low, high = low + a, high + b
    return low, high
