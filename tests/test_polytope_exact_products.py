"""Products of large layers with a point are exact, whatever the types and sizes of the numbers."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from polytope import CollisionPolytope, Nonnegative
from polytope.exact import products
from polytope.exact.array import ExactArray
from polytope.exact.rational import RationalVector
from polytope.exact.scaled import ScaledMatrix
from polytope.exact.sparse import SparseMatrix
from tests.examples.random_layers import instance

TYPES = ["float16", "float32", "float64", "int8", "wide", "fractions", "scaled", "sparse"]


def weights(kind, rng):
    n, d = (int(v) for v in rng.integers(1, 9, 2))
    floats = rng.standard_normal((n, d)) * 10.0 ** rng.uniform(-3, 3, (n, d))
    floats[rng.random((n, d)) < 0.3] = 0
    if kind == "wide":
        floats = floats * 10.0 ** rng.uniform(-150, 150, (n, d))
    if kind == "int8":
        floats = rng.integers(-9, 10, (n, d)).astype("int8")
    if kind in ("float16", "float32"):
        floats = floats.astype(kind)
    exact = ExactArray.of(floats, "weight", ndim=2)
    table = [[Fraction(v) for v in row] for row in floats.tolist()]
    if kind == "fractions":
        table = [[v / 7 for v in row] for row in table]
        exact = ExactArray.of(np.array(table, dtype=object).reshape(n, d), "weight", ndim=2)
    elif kind == "scaled":
        exact = ScaledMatrix(*exact.integer_rows(range(n)))
    elif kind == "sparse":
        places = np.nonzero(floats)
        exact = SparseMatrix.of_entries((n, d), places, floats[places])
    return exact, table


def point(rng, d, *, long):
    if long:
        signs = rng.integers(-1, 2, d)
        draw = [Fraction(int(a), int(b)) ** 90 for a, b in rng.integers(1, 900, (d, 2))]
        return RationalVector.of([v * int(s) for v, s in zip(draw, signs, strict=True)])
    floats = rng.standard_normal(d) * 10.0 ** rng.uniform(-20, 20, d)
    floats[rng.random(d) < 0.3] = 0
    return RationalVector.of(floats)


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("long", [False, True])
def test_multiply(kind, long):
    rng = np.random.default_rng([TYPES.index(kind), long])
    for _ in range(30):
        weight, table = weights(kind, rng)
        x = point(rng, weight.shape[1], long=long)
        expected = [sum((w * v for w, v in zip(row, x, strict=True)), Fraction(0)) for row in table]
        assert weight.multiply(x) == expected
        some = rng.permutation(len(table))[:2].tolist()
        assert weight.multiply(x, some) == [expected[k] for k in some]


def test_blocks_make_no_difference(monkeypatch):
    rng = np.random.default_rng(5)
    weight = ExactArray.of(rng.standard_normal((50, 30)), "weight", ndim=2)
    short, long = (point(rng, 30, long=flag) for flag in (False, True))
    whole = [weight.multiply(x) for x in (short, long)]
    monkeypatch.setattr(products, "_FLOAT_BLOCK", 61)
    monkeypatch.setattr(products, "_FLINT_BLOCK", 61)
    assert [weight.multiply(x) for x in (short, long)] == whole


@pytest.mark.parametrize("kind", TYPES)
def test_slack_signs(kind):
    """Also of rows that are exactly tight, or off by far less than a float can tell."""
    rng = np.random.default_rng(TYPES.index(kind))
    for _ in range(20):
        weight, table = weights(kind, rng)
        n, d = weight.shape
        x = point(rng, d, long=False)
        values = [sum((w * v for w, v in zip(r, x, strict=True)), Fraction(0)) for r in table]
        shifts = [Fraction(int(s), 10**400) * int(t) for s, t in rng.integers(-1, 2, (n, 2))]
        bias = [s - v for v, s in zip(values, shifts, strict=True)]
        polytope = CollisionPolytope.from_layer(
            weight, np.array(bias, dtype=object), np.zeros(d), domain=Nonnegative()
        )
        system = polytope.layer.system
        expected = []
        for row, rhs in zip(system.rows, system.rhs, strict=True):
            slack = rhs - values[row.unit]
            expected.append((slack > 0) - (slack < 0))
        assert system.slack_signs(x) == expected


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 100_000))
def test_large_layers_answer_as_small_ones(seed):
    """The same set, its weights once kept as integers and once not."""
    chosen = instance(seed)
    rng = np.random.default_rng(seed)
    starts = [] if chosen.target is None else [chosen.target]
    points = [*starts, rng.standard_normal(chosen.shape[1]), rng.integers(0, 2, chosen.shape[1])]
    small = chosen.polytope()
    expected = [(small.contains(x), small.residuals(x), small.is_vertex(x)) for x in points]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("polytope.sets.rows._LARGE", 0)
        large = chosen.polytope()
        assert large.layer.pre_activations == small.layer.pre_activations
        found = [(large.contains(x), large.residuals(x), large.is_vertex(x)) for x in points]
    for before, after in zip(expected, found, strict=True):
        assert before[0] == after[0]
        assert vars(before[1]) == vars(after[1])
        assert before[2] == after[2]


def test_rows_of_very_different_size_in_one_block():
    # The first row is used up when the second still has 2^-399 to say.
    rows = np.array([[2.0**-390, 0, 0], [2.0**390, 2.0**-399 * (1 + 2.0**-52), 1]])
    x = RationalVector((3, 5, 7), 2)
    expected = [sum(Fraction(w) * v for w, v in zip(row, x, strict=True)) for row in rows]
    assert ExactArray.of(rows, "weight", ndim=2).multiply(x) == expected
    wide = np.array([[1e100, 1e-100, 1], [1e-100, 0, 0]])
    expected = [sum(Fraction(w) * v for w, v in zip(row, x, strict=True)) for row in wide]
    assert ExactArray.of(wide, "weight", ndim=2).multiply(x) == expected
