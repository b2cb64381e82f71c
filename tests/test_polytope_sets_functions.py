"""The functions behind the weights, against mpmath and their definitions."""

from fractions import Fraction as F

import mpmath
import pytest
from flint import ctx

from polytope.errors import InputError
from polytope.sets.functions import Piecewise, Smooth, ball
from polytope.sets.nonlinearity import NAMES, RELU, function_of
from tests.oracles.functions import LINEAR, SMOOTH, defined, mp

POINTS = [F(-40), F(-3), F(-1, 3), F(0), F(1, 1000), F(1, 2), F(6), F(50)]


def encloses(found, value):
    pairs = (end.man_exp() for end in (found.lower(), found.upper()))
    low, high = (mp(F(int(m)) * F(2) ** int(e)) for m, e in pairs)
    return low - mpmath.mpf(10) ** -60 <= value <= high + mpmath.mpf(10) ** -60


@pytest.mark.parametrize("name", SMOOTH)
def test_smooth_functions_are_what_they_are_called(name):
    f, reference = function_of(name), defined(name)
    assert isinstance(f, Smooth)
    with mpmath.workdps(80), ctx.workprec(220):
        for u in POINTS:
            assert encloses(f.value(u), reference(mp(u))), u
            exact = f.exact_value(u)
            if exact is not None:
                assert abs(mp(exact) - reference(mp(u))) < 1e-70
                assert f.exact_inverse(exact) == u
            back = f.inverse(f.value(u))
            assert back.contains(ball(u)), u


@pytest.mark.parametrize("name", SMOOTH)
def test_smooth_functions_stay_between_their_ends(name):
    f, reference = function_of(name), defined(name)
    with mpmath.workdps(80):
        if f.low is not None:
            assert 0 < reference(mpmath.mpf(-30)) - mp(f.low) < 1e-12
        if f.high is not None:
            assert 0 < mp(f.high) - reference(mpmath.mpf(30)) < 1e-12


@pytest.mark.parametrize("name", LINEAR)
def test_piecewise_linear_functions_are_exact(name):
    f, reference = function_of(name), defined(name)
    assert isinstance(f, Piecewise)
    with mpmath.workdps(80):
        for u in POINTS:
            assert abs(mp(f.exact_value(u)) - reference(mp(u))) < 1e-70


@pytest.mark.parametrize("name", LINEAR)
def test_levels_of_piecewise_linear_functions(name):
    """Brute force: the largest and the least u with f(u) on this side of a level."""
    f = function_of(name)
    for v in [f.exact_value(u) for u in (F(-5, 2), F(-1, 2), F(0), F(1, 4), F(3, 2), F(7))]:
        top, bottom = f.largest(v), f.least(v)
        step = F(1, 10**9)
        if top is None:
            assert f.exact_value(F(10**6)) <= v
        else:
            assert f.exact_value(top) <= v < f.exact_value(top + step)
        if bottom is None:
            assert f.exact_value(F(-(10**6))) >= v
        else:
            assert f.exact_value(bottom) >= v > f.exact_value(bottom - step)


def test_every_name_is_a_function():
    assert function_of(RELU) is None
    for name in NAMES[1:]:
        f = function_of(f"{name}(3)" if name == "clipped_relu" else name)
        assert f.name == name
    assert function_of("elu(0.1)").parameters == (F(0.1), 1)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("gelu", "expected a monotone function, whose levels are intervals, got gelu"),
        ("arctan", r"expected one of relu, sigmoid, .*; got 'arctan'"),
        ("tanh(2)", r"expected tanh without a parameter, got tanh\(2\)"),
        ("clipped_relu", r"expected clipped_relu\(X\) with a number X > 0, got clipped_relu"),
        ("elu(-1)", r"expected elu\(X\) with a number X > 0, got elu\(-1\)"),
        ("elu(x)", r"expected elu\(X\) with a number X > 0, got elu\(x\)"),
        ("leaky_relu(inf)", r"X > 0, got leaky_relu\(inf\)"),
        ("leaky_relu(nan)", r"X > 0, got leaky_relu\(nan\)"),
        ("elu()", r"X > 0, got elu\(\)"),
        ("Tanh", r"expected one of .* got 'Tanh'"),
        (None, "nonlinearity: expected a name, got None"),
    ],
)
def test_other_names_are_refused_by_a_sentence(name, words):
    with pytest.raises(InputError, match=words):
        function_of(name)
