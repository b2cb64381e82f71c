"""Ranks from both sides, against plain elimination over the rationals."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from polytope import CollisionPolytope, verify
from polytope.exact.array import ExactArray
from polytope.sets.halfspaces import Row
from polytope.sets.linalg import MODULI, independent_rows, invertible_minor, span
from tests.oracles.exact_oracle import rank

F = Fraction
SETTINGS = settings(derandomize=True, deadline=None, max_examples=150)
PRIME = 2**31 - 1  # the first modulus that is tried: multiples of it vanish there
ENTRIES = st.one_of(
    st.integers(-2, 2),
    st.sampled_from([PRIME, -PRIME, 2 * PRIME, 2**61 - 1, F(1, 3), F(PRIME, 7), 1e-30, 0.1]),
)


@st.composite
def matrices(draw):
    n_rows, n_columns = draw(st.integers(1, 5)), draw(st.integers(1, 5))
    line = st.lists(ENTRIES, min_size=n_columns, max_size=n_columns)
    return draw(st.lists(line, min_size=n_rows, max_size=n_rows))


def exact_array(matrix):
    data = np.empty((len(matrix), len(matrix[0])), dtype=object)
    for where in np.ndindex(data.shape):
        data[where] = F(matrix[where[0]][where[1]])
    return ExactArray.of(data, "weight", ndim=2), [[F(v) for v in row] for row in matrix]


def names(n):
    return [Row("upper", i) for i in range(n)]


@given(matrices(), st.randoms(use_true_random=False))
@SETTINGS
def test_minor_and_span_prove_the_rank(matrix, random):
    weight, rows = exact_array(matrix)
    n = len(rows[0])
    columns = sorted(random.sample(range(n), random.randint(0, n)))
    minor = independent_rows(weight, names(len(rows)), columns)
    expected = rank([[row[j] for j in columns] for row in rows]) if columns else 0
    # A prime may hide rank, never invent it.
    assert len(minor.rows) == len(minor.columns) <= expected
    assert set(minor.columns) <= set(columns)
    _check_inverse(minor, weight)
    found = span(weight, minor, names(len(rows)), columns)
    if len(minor.rows) < expected:
        assert found is None
        return
    assert found is not None
    for row, combination in found.combinations.items():
        for j in columns:
            parts = zip(combination, found.basis, strict=True)
            assert rows[row.unit][j] == sum((c * rows[b.unit][j] for c, b in parts), F(0))
    assert set(found.basis) | set(found.combinations) == set(names(len(rows)))


def _check_inverse(minor, weight):
    """The rows are scaled by the least common denominator of the columns of the minor alone."""
    whole, scales = weight.integer_rows([r.unit for r in minor.rows], minor.columns)
    exact = [[Fraction(v, scale) for v in row] for row, scale in zip(whole, scales, strict=True)]
    common = [math.lcm(*(v.denominator for v in row)) for row in exact]
    integers = [[int(v * c) for v in row] for row, c in zip(exact, common, strict=True)]
    size = len(minor.rows)
    for i in range(size):
        for j in range(size):
            entry = sum(integers[i][k] * minor.inverse[k][j] for k in range(size))
            assert entry % minor.modulus == int(i == j)


@pytest.mark.parametrize("shape", [(3, 0), (0, 3), (0, 0)])
def test_no_rows_or_no_columns(shape):
    weight = ExactArray.of(np.ones((3, 3)), "weight", ndim=2)
    minor = independent_rows(weight, names(shape[0]), range(shape[1]))
    assert (minor.rows, minor.columns, minor.inverse) == ((), (), [])


def test_a_determinant_that_vanishes_modulo_the_first_prime():
    weight, _ = exact_array([[PRIME, 0], [0, 1]])
    minor = invertible_minor(weight, names(2), [0, 1])
    assert minor is not None
    assert minor.modulus != PRIME
    assert len(independent_rows(weight, names(2), [0, 1]).rows) == 2


def test_singular_and_not_square():
    weight, _ = exact_array([[1, 2], [2, 4]])
    assert invertible_minor(weight, names(2), [0, 1]) is None
    assert invertible_minor(weight, names(2), [0]) is None
    minor = independent_rows(weight, names(1), [0, 1])
    other, _ = exact_array([[1, 2], [2, 5]])
    assert span(other, minor, names(2)) is None


@pytest.mark.parametrize("n", [8, 12, 20])
def test_hilbert_matrix_has_full_rank(n):
    # numpy finds rank 13 at n = 20.
    weight, _ = exact_array([[F(1, i + j + 1) for j in range(n)] for i in range(n)])
    assert len(independent_rows(weight, names(n), range(n)).rows) == n


def test_rows_one_ulp_apart_are_independent():
    rng = np.random.default_rng(0)
    matrix = rng.standard_normal((20, 20)).astype(np.float32)
    matrix[1] = matrix[0]
    matrix[1, 3] = np.nextafter(matrix[0, 3], np.float32(9))
    weight = ExactArray.of(matrix, "weight", ndim=2)
    assert len(independent_rows(weight, names(20), range(20)).rows) == 20


def test_no_list_of_primes_hides_a_rank():
    entry = math.prod(MODULI)
    polytope = CollisionPolytope.from_layer([[entry]], [0], [1])
    result = polytope.minimize([1])
    assert result.is_vertex
    facts = (polytope.rank_positive(), polytope.dimension(), polytope.lineality())
    for certificate in (result.certificate, *(fact.certificate for fact in facts)):
        verify(certificate)
    assert [facts[0].value, facts[1].value, facts[2].dimension] == [1, 0, 0]
