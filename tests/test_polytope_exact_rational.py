"""Numbers in and out: nothing is rounded on the way in, everything correctly on the way out."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from polytope.errors import InexactError, InputError, NonFiniteError, ShapeError
from polytope.exact.array import ExactArray
from polytope.exact.rational import RationalVector, nearest_float, rounded, to_fraction

F = Fraction
SETTINGS = settings(derandomize=True, deadline=None, max_examples=200)
FLOATS = st.floats(allow_nan=False, allow_infinity=False)  # subnormal numbers included


@given(st.lists(FLOATS, min_size=1, max_size=6), st.sampled_from(["float64", "float32", "float16"]))
@SETTINGS
def test_integer_rows_are_the_stored_floats(values, dtype):
    with np.errstate(over="ignore"):
        array = np.array([values], dtype)
    array[~np.isfinite(array)] = 1
    exact = ExactArray.of(array, "weight", ndim=2)
    rows, scales = exact.integer_rows([0])
    assert [F(n, scales[0]) for n in rows[0]] == [F(float(v)) for v in array[0]]
    assert scales[0] == math.lcm(*(F(float(v)).denominator for v in array[0]))
    assert exact.integer_rows([0], [0]) == ([rows[0][:1]], scales)


@given(st.lists(st.one_of(FLOATS, st.fractions(), st.integers()), min_size=1, max_size=5))
@SETTINGS
def test_lists_of_any_numbers_are_exact(values):
    assert list(ExactArray.of(values, "x", ndim=1).vector()) == [F(v) for v in values]
    vector = RationalVector.of(values)
    assert list(vector) == [F(v) for v in values]
    assert vector.reduced() == vector
    assert vector.to_float().tolist() == [nearest_float(F(v)) for v in values]


@given(st.lists(st.integers(-(2**70), 2**70), min_size=1, max_size=4))
@SETTINGS
def test_ints_of_any_size(values):
    assert list(ExactArray.of(values, "x", ndim=1).vector()) == values


@given(st.integers(), st.integers(min_value=1))
@SETTINGS
def test_rounded_is_the_nearest_float(numerator, denominator):
    near, value = F(rounded(numerator, denominator)), F(numerator, denominator)
    for other in (math.nextafter(float(near), -math.inf), math.nextafter(float(near), math.inf)):
        assert abs(near - value) <= abs(F(other) - value)


def test_rounded_beyond_the_range():
    assert rounded(10**400, 1) == math.inf
    assert rounded(-(10**400), 3) == -math.inf
    assert rounded(1, 10**400) == 0.0


@pytest.mark.parametrize("value", [math.nan, math.inf, np.float32("-inf")])
def test_not_finite(value):
    with pytest.raises(NonFiniteError, match="x: expected a finite number, got"):
        to_fraction(value, "x")


@pytest.mark.parametrize("value", ["1", None, True, 1j, np.bool_(True), [1], np.longdouble(1)])
def test_not_a_number(value):
    with pytest.raises(InexactError, match="x: expected an int, a float or a Fraction, got "):
        to_fraction(value, "x")


def test_vectors():
    vector = RationalVector((1, -2), 4)
    assert (len(vector), vector[1], vector[:]) == (2, F(-1, 2), (F(1, 4), F(-1, 2)))
    assert vector == RationalVector((2, -4), 8)
    assert hash(vector) == hash(RationalVector((2, -4), 8))
    assert vector != RationalVector((1, -2), 3)
    with pytest.raises(InputError, match="denominator: expected a positive int, got 0"):
        RationalVector((1,), 0)


def test_shapes_are_named():
    with pytest.raises(ShapeError, match=r"x: expected 1 axes, got shape \(1, 1\)"):
        ExactArray.of([[1]], "x", ndim=1)


def test_fraction_rows_scale_by_their_own_denominators():
    exact = ExactArray.of([[F(1, 2), F(1, 3)], [1, F(1, 5)]], "w", ndim=2)
    assert exact.integer_rows([0, 1]) == ([[3, 2], [5, 1]], [6, 5])
    assert exact.integer_rows([1], [0]) == ([[5]], [5])


@pytest.mark.parametrize("numerators", [(0.1, 0.2), (1, np.int64(2)), (True,)])
def test_a_vector_refuses_what_is_not_an_int(numerators):
    with pytest.raises(InexactError, match="expected ints, got"):
        RationalVector(numerators)
