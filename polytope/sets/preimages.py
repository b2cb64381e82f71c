"""Between which pre-activations does a function stay near a value?  Endpoints, rounded to one side.

``{u : |f(u) - y| <= e}`` is a closed interval for a monotone f.  Its ends are rational for
piecewise linear functions; elsewhere they are irrational but in a few places, and are rounded:
*inner* ends lie inside of the interval (what is found there truly collides), *outer* ones outside
(what is proved absent is truly absent).  The balls of Arb are rigorous; what they leave open is
asked again with twice the bits.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from typing import Literal, NamedTuple

from flint import arb, ctx

from polytope.errors import InputError, LimitError
from polytope.exact.arguments import shown
from polytope.exact.rational import nearest_float
from polytope.sets.functions import Function, Piecewise, Smooth, ball

Rounding = Literal["inner", "outer"]

#: Significant bits of an endpoint's distance from the point inside; bits to begin with and to end.
_BITS, _FIRST, _LAST = 64, 128, 1 << 16


class Interval(NamedTuple):
    """The ends of a level set as they are used; None where there is none. Equal: one point."""

    floor: Fraction | None
    ceiling: Fraction | None


@dataclass(frozen=True)
class _Level:
    """A number f(at) + shift (or value + shift): exact where that is rational, else a ball."""

    exact: Fraction | None
    ball: Callable[[], arb]


def around_point(f: Function, z: Fraction, e: Fraction, *, rounding: Rounding) -> Interval:
    """Return the ends of ``{u : |f(u) - f(z)| <= e}``."""
    if isinstance(f, Piecewise):
        return _piecewise(f, f.exact_value(z), e)
    if e == 0:
        return Interval(z, z)
    value = f.exact_value(z)
    low, high = (
        _Level(None if value is None else value + shift, _moved(f, z, shift)) for shift in (-e, e)
    )
    return Interval(
        _end(f, low, z, side=-1, rounding=rounding), _end(f, high, z, side=1, rounding=rounding)
    )


def around_value(f: Function, y: Fraction, e: Fraction, *, rounding: Rounding) -> Interval | str:
    """Return the ends of ``{u : |f(u) - y| <= e}``; or, if there are none, why not in words."""
    beyond = _beyond(f, y, e)
    if beyond:
        return beyond
    if isinstance(f, Piecewise):
        return _piecewise(f, y, e)
    if e == 0:
        u = f.exact_inverse(y)
        if u is None:
            return (
                f"{f.name}(u) = {nearest_float(y)} has an irrational solution, which no "
                "rational row states; give a tolerance > 0"
            )
        return Interval(u, u)
    low, high = (_Level(v, partial(ball, v)) for v in (y - e, y + e))
    inside = _inside(f, y, e)
    return Interval(
        _end(f, low, inside, side=-1, rounding=rounding),
        _end(f, high, inside, side=1, rounding=rounding),
    )


def _beyond(f: Function, y: Fraction, e: Fraction) -> str:
    """Why no u has a value within e of y; empty if one has."""
    attained = isinstance(f, Piecewise)
    too_high = f.high is not None and (y - e > f.high or (y - e == f.high and not attained))
    too_low = f.low is not None and (y + e < f.low or (y + e == f.low and not attained))
    if not (too_high or too_low):
        return ""
    ends = f"{'-inf' if f.low is None else f.low} to {'inf' if f.high is None else f.high}"
    ends += "" if attained else ", both excluded"
    near = f"{nearest_float(y)} is farther than {nearest_float(e)}"
    return f"{near} from all values of {f.name} ({ends})"


def _piecewise(f: Piecewise, y: Fraction, e: Fraction) -> Interval:
    low, high = f.low, f.high
    floor = None if low is not None and y - e <= low else f.least(y - e)
    ceiling = None if high is not None and y + e >= high else f.largest(y + e)
    return Interval(floor, ceiling)


def _moved(f: Smooth, z: Fraction, shift: Fraction) -> Callable[[], arb]:
    return lambda: f.value(z) + ball(shift)


def _inside(f: Smooth, y: Fraction, e: Fraction) -> Fraction:
    """A rational strictly inside of ``{u : |f(u) - y| < e}``: ends are rounded relative to it."""
    low = y - e if f.low is None else max(y - e, f.low)
    high = y + e if f.high is None else min(y + e, f.high)
    middle = (low + high) / 2
    exact = f.exact_inverse(middle)
    if exact is not None:
        return exact
    for bits in _precisions():
        with ctx.workprec(bits):
            u = _fraction(f.inverse(ball(middle)).mid())
            value = f.value(u)
            if value > ball(low) and value < ball(high):
                return u
    raise _too_fine(f)


def _end(
    f: Smooth, level: _Level, inside: Fraction, *, side: Literal[-1, 1], rounding: Rounding
) -> Fraction | None:
    """The u with f(u) at the level, rounded; None where f never gets there.

    It lies on one side of `inside`, and so does what is returned: an inner end would otherwise
    miss the point that it was made for.
    """
    limit = f.high if side > 0 else f.low
    if level.exact is not None:
        if limit is not None and side * (level.exact - limit) >= 0:
            return None
        end = f.exact_inverse(level.exact)
        if end is not None:
            return end
    outward = rounding == "outer"
    for bits in _precisions():
        with ctx.workprec(bits):
            value = level.ball()
            if limit is not None and (value - ball(limit)) * side >= 0:
                return None
            distance = (f.inverse(value) - ball(inside)) * side
            if distance.is_finite() and distance > 0 and distance.rel_accuracy_bits() > _BITS:
                near = distance.upper() if outward else distance.lower()
                return inside + side * _shortened(_fraction(near), up=outward)
    raise _too_fine(f)


def _precisions() -> list[int]:
    return [_FIRST << k for k in range((_LAST // _FIRST).bit_length())]


def _too_fine(f: Smooth) -> LimitError:
    return LimitError(f"tolerance: the ends of a level of {f.name} need more than {_LAST} bits")


def _fraction(exact: arb) -> Fraction:
    mantissa, exponent = map(int, exact.man_exp())
    return Fraction(mantissa) * Fraction(2) ** exponent


def _shortened(value: Fraction, *, up: bool) -> Fraction:
    """A number > 0 with `_BITS` significant bits, next below or above."""
    excess = value.numerator.bit_length() - value.denominator.bit_length() - _BITS
    unit = Fraction(2) ** excess
    whole = value / unit
    return (-(-whole.numerator // whole.denominator) if up else whole.__floor__()) * unit


def to_fraction_above(value: arb) -> Fraction:
    """A rational that a ball does not exceed."""
    return _fraction(value.upper())


def as_rounding(rounding: object) -> Rounding:
    """Take "inner" or "outer".

    Raises:
        InputError: for anything else.
    """
    if rounding == "inner":
        return "inner"
    if rounding == "outer":
        return "outer"
    raise InputError(f"rounding: expected 'inner' or 'outer', got {shown(rounding)}")
