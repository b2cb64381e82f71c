"""Which functions may stand behind the weights?  Monotone ones: a level set is an interval.

Two kinds: strictly increasing smooth ones (sigmoid, tanh, ELU, SELU, softplus), whose levels are
irrational but in a few places, and piecewise linear ones, whose levels are rational.  All are the
real functions, not a library's float code of them; parameters and constants are taken exactly as
the floats that torch states.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from flint import arb, fmpq

_ZERO, _ONE = Fraction(0), Fraction(1)


def ball(value: Fraction) -> arb:
    """The number as a ball of the current precision."""
    return arb(fmpq(value.numerator, value.denominator))


@dataclass(frozen=True)
class Smooth:
    """A strictly increasing function onto an open interval.

    Attributes:
        name: as the user writes it.
        kind: as a certificate states it; some names are of one kind.
        parameters: of that kind, exact.
        low: the infimum, never attained; None for minus infinity.
        high: the supremum, likewise.
        value: f(u) as a ball around it.
        inverse: u with f(u) = v as a ball; NaN where the ball of v is too wide to tell.
        exact_value: f(u) where it is known to be rational, else None: then it is irrational.
        exact_inverse: u with f(u) = v, likewise.
    """

    name: str
    kind: str
    parameters: tuple[Fraction, ...]
    low: Fraction | None
    high: Fraction | None
    value: Callable[[Fraction], arb]
    inverse: Callable[[arb], arb]
    exact_value: Callable[[Fraction], Fraction | None]
    exact_inverse: Callable[[Fraction], Fraction | None]


@dataclass(frozen=True)
class Piecewise:
    """A nondecreasing piecewise linear function: corners from left to right, and two slopes.

    Attributes:
        name: as the user writes it.
        kind: as a certificate states it; some names are of one kind.
        parameters: of that kind, exact.
        corners: (u, f(u)), at least one.
        left: the slope before the first corner, >= 0.
        right: the slope after the last, >= 0.
    """

    name: str
    kind: str
    parameters: tuple[Fraction, ...]
    corners: tuple[tuple[Fraction, Fraction], ...]
    left: Fraction
    right: Fraction

    @property
    def low(self) -> Fraction | None:
        """The least value; None for minus infinity."""
        return None if self.left else self.corners[0][1]

    @property
    def high(self) -> Fraction | None:
        """The largest value; None for infinity."""
        return None if self.right else self.corners[-1][1]

    def exact_value(self, u: Fraction) -> Fraction:
        """f(u)."""
        first, last = self.corners[0], self.corners[-1]
        if u <= first[0]:
            return first[1] + self.left * (u - first[0])
        for (a, f), (b, g) in pairwise(self.corners):
            if u <= b:
                return f + (g - f) * (u - a) / (b - a)
        return last[1] + self.right * (u - last[0])

    def largest(self, v: Fraction) -> Fraction | None:
        """The largest u with f(u) <= v, where v is a value; None where all large u have that."""
        a, f = self.corners[-1]
        if v >= f:
            return a + (v - f) / self.right if self.right else None
        for (left, low), (right, high) in reversed(list(pairwise(self.corners))):
            if v >= low:
                return left + (right - left) * (v - low) / (high - low)
        a, f = self.corners[0]
        return a + (v - f) / self.left

    def least(self, v: Fraction) -> Fraction | None:
        """The least u with f(u) >= v, where v is a value; None where all small u have that."""
        found = self.mirrored().largest(-v)
        return None if found is None else -found

    def mirrored(self) -> Piecewise:
        """The function -f(-u)."""
        corners = tuple((-u, -v) for u, v in reversed(self.corners))
        return Piecewise(self.name, self.kind, self.parameters, corners, self.right, self.left)


Function = Smooth | Piecewise


def sigmoid() -> Smooth:
    """``1 / (1 + exp(-u))``; rational at 0 only (Lindemann & Weierstrass)."""
    half = Fraction(1, 2)
    return Smooth(
        "sigmoid",
        "sigmoid",
        (),
        _ZERO,
        _ONE,
        value=lambda u: 1 / (1 + (-ball(u)).exp()),
        inverse=lambda v: (v / (1 - v)).log(),
        exact_value=lambda u: None if u else half,
        exact_inverse=lambda v: _ZERO if v == half else None,
    )


def tanh() -> Smooth:
    """The hyperbolic tangent; rational at 0 only."""
    return Smooth(
        "tanh",
        "tanh",
        (),
        -_ONE,
        _ONE,
        value=lambda u: ball(u).tanh(),
        inverse=lambda v: v.atanh(),
        exact_value=lambda u: None if u else _ZERO,
        exact_inverse=lambda v: None if v else _ZERO,
    )


def softplus() -> Smooth:
    """``log(1 + exp(u))``; never rational at a rational, nor the other way round."""
    return Smooth(
        "softplus",
        "softplus",
        (),
        _ZERO,
        None,
        value=lambda u: _softplus(ball(u)),
        inverse=lambda v: v + (-((-v).expm1())).log(),
        exact_value=lambda _: None,
        exact_inverse=lambda _: None,
    )


def _softplus(u: arb) -> arb:
    # log(1 + exp(u)) = u + log(1 + exp(-u)): whichever exponential is small.
    return u + (-u).exp().log1p() if u > 0 else u.exp().log1p()


def elu(alpha: Fraction, scale: Fraction = _ONE, *, name: str = "elu") -> Smooth:
    """``scale u`` for u >= 0, ``scale alpha (exp(u) - 1)`` below; rational for u >= 0 only."""
    depth = scale * alpha

    def inverse(v: arb) -> arb:
        if v >= 0:
            return v / ball(scale)
        return (v / ball(depth)).log1p() if v < 0 else arb.nan()

    return Smooth(
        name,
        "elu",
        (alpha, scale),
        -depth,
        None,
        value=lambda u: ball(scale * u) if u >= 0 else ball(depth) * ball(u).expm1(),
        inverse=inverse,
        exact_value=lambda u: scale * u if u >= 0 else None,
        exact_inverse=lambda v: v / scale if v >= 0 else None,
    )


#: SELU's constants as torch states them (Klambauer, Unterthiner, Mayr & Hochreiter 2017).
SELU_ALPHA = Fraction(1.6732632423543772848170429916717)
SELU_SCALE = Fraction(1.0507009873554804934193349852946)


def selu() -> Smooth:
    """ELU with the constants that keep mean and variance."""
    return elu(SELU_ALPHA, SELU_SCALE, name="selu")


def clip(
    name: str, slope: Fraction, shift: Fraction, *, low: Fraction, high: Fraction
) -> Piecewise:
    """``min(max(slope u + shift, low), high)``: ReLU6, a clipped ReLU, hard tanh, hard sigmoid."""
    corners = tuple(((end - shift) / slope, end) for end in (low, high))
    return Piecewise(name, "clip", (slope, shift, low, high), corners, _ZERO, _ZERO)


def leaky_relu(slope: Fraction) -> Piecewise:
    """``u`` for u >= 0, ``slope u`` below."""
    return Piecewise("leaky_relu", "leaky_relu", (slope,), ((_ZERO, _ZERO),), slope, _ONE)
