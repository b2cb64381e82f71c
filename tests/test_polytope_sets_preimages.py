"""The ends of level sets: on the right side of the true ones, and next to them, by mpmath."""

import random
import re
from fractions import Fraction as F

import mpmath
import pytest

from polytope.errors import InputError, LimitError
from polytope.sets import preimages
from polytope.sets.nonlinearity import function_of
from polytope.sets.preimages import Interval, around_point, around_value, as_rounding
from tests.oracles.functions import LINEAR, SMOOTH, defined, mp

DIGITS = 400
ROUNDING = mpmath.mpf(10) ** (20 - DIGITS)  # of mpmath's own


def sides(name, z, e):
    """f at both ends less the levels, for inner and outer ends; in hundreds of digits."""
    f, reference = function_of(name), defined(name)
    for rounding, sign in (("inner", 1), ("outer", -1)):
        floor, ceiling = around_point(f, z, e, rounding=rounding)
        value = reference(mp(z))
        yield rounding, sign, floor, ceiling, value - mp(e), value + mp(e), reference, f


@pytest.mark.parametrize("name", SMOOTH)
def test_ends_lie_on_the_side_they_are_rounded_to(name):
    rng = random.Random(name)
    with mpmath.workdps(DIGITS):
        for _ in range(60):
            z = F(rng.randint(-(1 << 20), 1 << 20), 1 << rng.randint(14, 22))
            e = F(rng.randint(1, 1 << 20), 1 << rng.randint(19, 60))
            for _, sign, floor, ceiling, low, high, reference, f in sides(name, z, e):
                if ceiling is None:
                    assert f.high is not None
                    assert high >= mp(f.high)
                else:
                    assert z < ceiling
                    assert sign * (high - reference(mp(ceiling))) >= -(ROUNDING)
                if floor is None:
                    assert f.low is not None
                    assert low <= mp(f.low)
                else:
                    assert floor < z
                    assert sign * (reference(mp(floor)) - low) >= -(ROUNDING)


@pytest.mark.parametrize("name", SMOOTH)
def test_inner_and_outer_ends_are_next_to_each_other(name):
    f = function_of(name)
    for z, e in ((F(1, 3), F(1, 100)), (F(-2), F(1, 10**30)), (F(5, 2), F(1, 10**6))):
        inner, outer = (around_point(f, z, e, rounding=r) for r in ("inner", "outer"))
        for near, far in zip(inner, outer, strict=True):
            if near is not None:
                assert abs(near - far) <= abs(near - z) * F(1, 2**62)
                assert abs(far - z) >= abs(near - z)


def test_hand_derived_ends():
    half = function_of("elu")
    assert around_point(half, F(2), F(1, 2), rounding="inner") == (F(3, 2), F(5, 2))
    assert around_point(half, F(0), F(1), rounding="inner") == (None, 1)  # exp(u) - 1 > -1
    floor, ceiling = around_value(function_of("tanh"), F(0), F(1, 2), rounding="inner")
    assert floor == -ceiling
    assert float(ceiling) == pytest.approx(0.549306144334055, abs=1e-15)  # log(3) / 2
    top = around_value(function_of("sigmoid"), F(1), F(1, 4), rounding="outer")
    assert top.ceiling is None
    assert float(top.floor) == pytest.approx(1.0986122886681098, abs=1e-15)  # log 3


@pytest.mark.parametrize("name", LINEAR)
def test_piecewise_linear_levels_need_no_rounding(name):
    f = function_of(name)
    for z in (F(-3), F(-1, 2), F(0), F(1, 3), F(3)):
        for e in (F(0), F(1, 8), F(4)):
            inner, outer = (around_point(f, z, e, rounding=r) for r in ("inner", "outer"))
            assert inner == outer
            y = f.exact_value(z)
            for end, step in ((inner.floor, -1), (inner.ceiling, 1)):
                if end is None:
                    assert abs(f.exact_value(F(step * 10**6)) - y) <= e
                else:
                    assert abs(f.exact_value(end) - y) <= e
                    assert abs(f.exact_value(end + F(step, 10**6)) - y) > e


@pytest.mark.parametrize("name", SMOOTH)
def test_without_a_tolerance_a_target_is_met_by_one_number(name):
    assert around_point(function_of(name), F(7, 3), F(0), rounding="inner") == (F(7, 3), F(7, 3))


@pytest.mark.parametrize(
    ("name", "y", "e", "words"),
    [
        ("tanh", F(1), F(0), r"1.0 is farther than 0.0 from all values of tanh \(-1 to 1, both"),
        ("tanh", F(2), F(1, 2), "2.0 is farther than 0.5 from all values of tanh"),
        ("tanh", F(2), F(1), "2.0 is farther than 1.0 from all values of tanh"),  # 1 is not reached
        ("sigmoid", F(-1, 4), F(1, 8), r"from all values of sigmoid \(0 to 1, both excluded\)"),
        ("softplus", F(0), F(0), r"from all values of softplus \(0 to inf, both excluded\)"),
        ("elu", F(-1), F(0), r"from all values of elu \(-1 to inf, both excluded\)"),
        ("relu6", F(7), F(1, 2), r"7.0 is farther than 0.5 from all values of relu6 \(0 to 6\)"),
        ("tanh", F(1, 2), F(0), r"tanh\(u\) = 0.5 has an irrational solution.* a tolerance > 0"),
        ("softplus", F(1), F(0), r"softplus\(u\) = 1.0 has an irrational solution"),
    ],
)
def test_what_has_no_rational_ends_is_said_in_words(name, y, e, words):
    found = around_value(function_of(name), y, e, rounding="inner")
    assert isinstance(found, str)
    assert re.search(words, found), found


def test_values_at_the_edge_of_the_range():
    tanh, relu6 = function_of("tanh"), function_of("relu6")
    assert around_value(tanh, F(0), F(0), rounding="inner") == (0, 0)
    assert around_value(tanh, F(3, 10), F(5), rounding="inner") == (None, None)
    assert around_value(tanh, F(1), F(2), rounding="inner") == (None, None)
    assert around_value(relu6, F(6), F(0), rounding="inner") == (6, None)
    assert around_value(relu6, F(0), F(0), rounding="inner") == (None, 0)
    assert around_value(relu6, F(7), F(1), rounding="inner") == (6, None)
    narrow = around_value(tanh, 1 - F(1, 2**24), F(1, 2**30), rounding="inner")
    assert 8 < narrow.floor < narrow.ceiling < 10


def test_a_saturated_target_has_one_end():
    """tanh(20) is 1.0 in float32; the real one is not, and e decides which end there is."""
    tanh = function_of("tanh")
    assert around_point(tanh, F(20), F(1, 10), rounding="inner").ceiling is None
    both = around_point(tanh, F(20), F(1, 10**18), rounding="inner")
    assert 19 < both.floor < 20 < both.ceiling < 22


def test_what_needs_too_many_bits_is_said(monkeypatch):
    monkeypatch.setattr(preimages, "_LAST", 256)
    with pytest.raises(LimitError, match="the ends of a level of tanh need more than 256 bits"):
        around_point(function_of("tanh"), F(1, 3), F(1, 2**2000), rounding="inner")
    found = around_point(function_of("tanh"), F(1, 3), F(1, 2), rounding="inner")
    assert isinstance(found, Interval)


def test_rounding_is_one_of_two_words():
    assert (as_rounding("inner"), as_rounding("outer")) == ("inner", "outer")
    with pytest.raises(InputError, match="rounding: expected 'inner' or 'outer', got 'up'"):
        as_rounding("up")
