"""Are the stated floors and ceilings those of the function?  By mpmath, in hundreds of digits.

The judge of the form "function" of a certificate: inner ends must lie inside of
``{u : |f(u) - y| <= e}``, outer ones outside, from nothing but f's definition.
"""

import mpmath

from tests.oracles.certificate_arrays import array, rational, sides

DIGITS = 150
#: Of mpmath's own rounding: an equality of two irrational numbers is not told from one so near.
NEAR = mpmath.mpf(10) ** (10 - DIGITS)


def number(value):
    return mpmath.mpf(value.numerator) / value.denominator


def function_of(stated):
    """f, and the infimum and supremum of its values."""
    p = [number(rational(pair)) for pair in stated["parameters"]]
    inf = mpmath.inf
    return {
        "sigmoid": lambda: (lambda u: 1 / (1 + mpmath.exp(-u)), 0, 1),
        "tanh": lambda: (mpmath.tanh, -1, 1),
        "softplus": lambda: (lambda u: mpmath.log1p(mpmath.exp(u)), 0, inf),
        "elu": lambda: (
            lambda u: p[1] * (u if u > 0 else p[0] * mpmath.expm1(u)),
            -p[0] * p[1],
            inf,
        ),
        "leaky_relu": lambda: (lambda u: u if u > 0 else p[0] * u, -inf, inf),
        "clip": lambda: (lambda u: min(max(p[0] * u + p[1], p[2]), p[3]), p[2], p[3]),
    }[stated["kind"]]()


def ends_are_true(problem, folder=None):
    """Whether every end lies on the side that `rounding` says."""
    with mpmath.workdps(DIGITS):
        f, low, high = function_of(problem["function"])
        e, inner = number(rational(problem["tolerance"])), problem["rounding"] == "inner"
        floors, ceilings = sides(problem["floors"]), sides(problem["ceilings"])
        return all(
            _is_end(f, y + e, ceilings.get(i), 1, inner, high)
            and _is_end(f, y - e, floors.get(i), -1, inner, low)
            for i, y in enumerate(_levels(problem, f, folder))
        )


def _levels(problem, f, folder):
    if "activation" in problem:
        return [number(y) for y in array(problem["activation"], folder)]
    weight, x = array(problem["weight"], folder), array(problem["target"], folder)
    bias = array(problem["bias"], folder)
    return [
        f(number(sum((a * v for a, v in zip(w, x, strict=True)), b)))
        for w, b in zip(weight, bias, strict=True)
    ]


def _is_end(f, level, end, side, inner, limit):
    if end is None:
        return not inner or side * (limit - level) <= NEAR
    excess = side * (f(number(end)) - level)
    if inner:
        return excess <= NEAR
    step = number(end) + side * mpmath.mpf(10) ** -40
    return excess >= -NEAR and side * (f(step) - level) > 0
