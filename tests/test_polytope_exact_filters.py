"""A sign that floats have decided is the exact one, however large or small the numbers."""

from fractions import Fraction

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from polytope import CollisionPolytope
from polytope.exact.filters import certain_signs
from polytope.exact.sparse import SparseMatrix

F = Fraction
SETTINGS = settings(derandomize=True, deadline=None, max_examples=400)
# Powers of two over the whole range, subnormal ones included, and ordinary numbers.
FLOATS = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from([0.0, 1.0, -1.0, 5e-324, -5e-324, 2.2e-308, 1e308, -1e308, 1e-160, 2.0**-537]),
    st.floats(-2, 2),
)


def sign(value):
    return (value > 0) - (value < 0)


@given(st.data(), st.integers(0, 5), st.integers(1, 3))
@SETTINGS
def test_never_contradicts_exact_arithmetic(data, n_columns, n_rows):
    numbers = st.lists(FLOATS, min_size=n_columns, max_size=n_columns)
    table = [data.draw(numbers) for _ in range(n_rows)]
    vector = data.draw(numbers)
    offset = data.draw(st.lists(FLOATS, min_size=n_rows, max_size=n_rows))
    _check(table, vector, offset)


@given(st.integers(0, 2**32), st.integers(1, 30), st.integers(-1000, 1000), st.integers(-60, 60))
@SETTINGS
def test_cancellation(seed, n_columns, exponent, wobble):
    # The offset is the negative of the rounded product, so that only rounding errors are left.
    rng = np.random.default_rng(seed)
    table = rng.standard_normal((3, n_columns))
    with np.errstate(all="ignore"):
        vector = rng.standard_normal(n_columns) * 2.0**exponent
        offset = -(table @ vector)
        offset = offset * (1 + wobble * 2.0**-53)
    if np.isfinite(offset).all() and np.isfinite(vector).all():
        _check(table.tolist(), vector.tolist(), offset.tolist())


@given(
    st.lists(st.fractions(), min_size=1, max_size=6), st.integers(-1080, 1000), st.integers(0, 99)
)
@SETTINGS
def test_rounded_vectors(values, exponent, seed):
    # The filter speaks of the exact numbers behind a correctly rounded vector and offset.
    exact = [v * F(2) ** exponent for v in values]
    try:
        vector = np.array([float(v) for v in exact])
    except OverflowError:
        return
    rng = np.random.default_rng(seed)
    table = rng.choice([-1.0, -0.5, 0.5, 0.75, 1.0], (2, len(values)))
    products = [sum(F(a) * v for a, v in zip(row, exact, strict=True)) for row in table.tolist()]
    shifts = [F(int(k), 2**60) for k in rng.integers(-9, 10, 2)]
    offsets = [-p * (1 + s) for p, s in zip(products, shifts, strict=True)]
    try:
        offset = np.array([float(v) for v in offsets])
    except OverflowError:
        return
    for found, p, o in zip(certain_signs(table, vector, offset), products, offsets, strict=True):
        assert found in (0, sign(p + o))


def test_decides_what_is_clear():
    table = np.array([[1.0, 2.0], [1.0, -1.0], [-3.0, 1.0]])
    signs = certain_signs(table, np.array([1.0, 1.0]), np.array([0.0, 0.0, 1.0]))
    assert signs.tolist() == [1, 0, -1]


def test_a_true_zero_and_an_overflow_are_left_open():
    table = np.array([[1.0, -1.0], [1e308, 1e308]])
    assert certain_signs(table, np.array([3.0, 3.0]), np.zeros(2)).tolist() == [0, 0]


def _check(table, vector, offset):
    found = certain_signs(
        np.array(table).reshape(len(offset), -1), np.array(vector), np.array(offset)
    )
    for row, o, s in zip(table, offset, found, strict=True):
        exact = sum((F(a) * F(v) for a, v in zip(row, vector, strict=True)), F(o))
        assert s in (0, sign(exact)), (row, vector, o, exact)


def test_a_vector_entry_that_underflows_decides_nothing():
    # 1e300 * 1.49 * 2^-1074 - 6e-24 is +1.4e-24, though the entry rounds to 2^-1074.
    x = Fraction(149, 100) / 2**1074
    layer = CollisionPolytope.from_layer([[1e300]], [-6e-24], [x])
    assert layer.n_positive == 1
    stored = SparseMatrix.of_entries((1, 1), ([0], [0]), [1e300])
    assert CollisionPolytope.from_layer(stored, [-6e-24], [x]).n_positive == 1
