"""Sparse and computed matrices answer as the dense array of the same numbers."""

from fractions import Fraction as F

import numpy as np
import pytest

from polytope import CollisionPolytope, Nonnegative, verify
from polytope.errors import InputError, LimitError, NonFiniteError, ShapeError
from polytope.exact.array import ExactArray
from polytope.exact.rational import RationalVector, nearest_float
from polytope.exact.scaled import ScaledMatrix
from polytope.exact.sparse import SparseMatrix


def example(seed, dtype=np.float32, shape=(12, 8)):
    rng = np.random.default_rng(seed)
    weight = rng.standard_normal(shape).astype(dtype)
    weight[rng.random(shape) < 0.6] = 0
    if dtype is object:
        weight = np.vectorize(F, otypes=[object])(np.round(weight.astype(float), 2)) / 3
    rows, columns = np.nonzero(weight)
    order = rng.permutation(len(rows))
    rows, columns = rows[order], columns[order]
    return weight, SparseMatrix.of_entries(shape, (rows, columns), weight[rows, columns])


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, object])
def test_a_sparse_matrix_is_the_dense_one(dtype):
    weight, found = example(0, dtype)
    dense = ExactArray.of(weight, "weight", ndim=2)
    assert found.shape == dense.shape
    assert ExactArray(found.data, found.dtype).fractions() == dense.fractions()
    assert (found.approx == dense.approx).all()
    assert found.is_float64_exact == dense.is_float64_exact
    assert found.integer_rows([3, 0, 7]) == dense.integer_rows([3, 0, 7])
    assert found.integer_rows([3, 5], [6, 1]) == dense.integer_rows([3, 5], [6, 1])
    assert (found.take([2, 9], [5, 0, 7]).data == weight[np.ix_([2, 9], [5, 0, 7])]).all()
    x = RationalVector.of([F(k, 7) for k in range(8)])
    products = [
        sum(F(float(w)) * v if dtype is not object else w * v for w, v in zip(row, x, strict=True))
        for row in weight
    ]
    assert found.multiply(x) == products
    assert found.multiply(x, [4, 4, 1]) == [products[i] for i in (4, 4, 1)]
    assert repr(found) == "SparseMatrix(shape=(12, 8))"


@pytest.mark.parametrize("seed", range(5))
def test_every_question_has_the_same_answer(seed):
    weight, stored = example(seed)
    rng = np.random.default_rng(seed)
    bias = rng.standard_normal(12).astype(np.float32)
    target = np.abs(rng.standard_normal(8)).astype(np.float32)
    rows, scales = ExactArray.of(weight, "weight", ndim=2).integer_rows(range(12))
    scaled = ScaledMatrix([[3 * v for v in row] for row in rows], [3 * s for s in scales])
    sets = [
        CollisionPolytope.from_layer(w, bias, target, domain=Nonnegative())
        for w in (weight, stored, scaled)
    ]
    plain = sets[0]
    for P in sets[1:]:
        assert P.layer.signs == plain.layer.signs
        assert P.layer.pre_activations == plain.layer.pre_activations
        assert P.dimension().value == plain.dimension().value
        assert P.kernel_condition().holds == plain.kernel_condition().holds
        assert vars(P.residuals(target + 1)) == vars(plain.residuals(target + 1))
        assert vars(P.tight_constraints(target)) == vars(plain.tight_constraints(target))
        assert P.unit_vertex(P.inactive_units[0]).value == (
            plain.unit_vertex(P.inactive_units[0]).value
        )
        assert verify(P.dimension().certificate)
    assert sets[1].sign_disagreements == plain.sign_disagreements
    assert sets[2].sign_disagreements == ()  # no float run computes these weights


@pytest.mark.parametrize("seed", range(3))
def test_however_a_matrix_is_kept_it_says_the_same(seed):
    weight, stored = example(seed)
    dense = ExactArray.of(weight, "weight", ndim=2)
    kinds = [dense, stored, ScaledMatrix(*dense.integer_rows(range(12)))]
    rng = np.random.default_rng(seed)
    x = RationalVector.of(np.where(rng.random(8) < 0.4, 0, rng.standard_normal(8)))
    exact = dense.multiply(x)
    near = [nearest_float(-v) for v in exact]  # the first four sums cancel but for the rounding
    offset = np.array(near[:4] + rng.standard_normal(8).tolist())
    for matrix in kinds:
        assert matrix.is_sparse == (matrix is stored)
        places = np.transpose(matrix.nonzero()).tolist()
        assert sorted(places) == np.argwhere(weight != 0).tolist()
        assert (matrix.take([7, 2], [5, 0]).approx == weight[np.ix_([7, 2], [5, 0])]).all()
        assert (matrix.take([3], range(8)).approx == weight[[3]]).all()
        assert (matrix.approx == weight).all()
        assert matrix.multiply(x) == exact
        assert matrix.multiply(x, [3, 3, 0]) == [exact[i] for i in (3, 3, 0)]
        assert matrix.multiply(RationalVector((0,) * 8)) == [0] * 12
        signs = matrix.certain_signs(x, offset)
        true = [v + F(o) for v, o in zip(exact, offset.tolist(), strict=True)]
        assert all(s == 0 or s == (t > 0) - (t < 0) for s, t in zip(signs, true, strict=True))
        assert signs[4:].all()
        assert not signs[:4].any()
        some = matrix.certain_signs(x, offset[[9, 1]], [9, 1])
        assert some.tolist() == [signs[9], 0]
        product = matrix.float_product(x.to_float())
        assert np.allclose(product, weight.astype(np.float64) @ x.to_float())


def test_signs_near_zero_are_exact():
    # 1e8 + 1 - 1e8 - 1 cancels in float32 sums, and is exactly 0: a tie.
    weight = np.array([[1e8, 1, -1e8, -1]], dtype=np.float32)
    stored = SparseMatrix.of_entries((1, 4), ([0] * 4, [3, 1, 0, 2]), weight[0, [3, 1, 0, 2]])
    assert CollisionPolytope.from_layer(stored, [0], [1, 1, 1, 1]).ties == (0,)
    tiny = CollisionPolytope.from_layer(stored, [2.0**-1074], [1, 1, 1, 1])
    assert tiny.n_positive == 1


@pytest.mark.parametrize(
    ("shape", "places", "values", "error", "message"),
    [
        ((0, 2), ([], []), [], ShapeError, "at least one row and column, got .0, 2."),
        ((2, 2), ([0], [2]), [1.0], ShapeError, "columns: expected places from 0 to 1, got 2 to 2"),
        ((2, 2), ([-1], [0]), [1.0], ShapeError, "rows: expected places from 0 to 1, got -1"),
        ((2, 2), ([0, 1], [0]), [1.0, 2.0], ShapeError, "one integer for each of 2 values"),
        ((2, 2), ([0.5], [0]), [1.0], ShapeError, "of dtype float64"),
        ((2, 2), ([1, 1], [0, 0]), [1.0, 2.0], InputError, r"got \(1, 0\) twice"),
        ((2, 2), ([0], [0]), [float("inf")], NonFiniteError, "values: expected finite"),
    ],
)
def test_entries_that_do_not_fit_are_refused(shape, places, values, error, message):
    with pytest.raises(error, match=message):
        SparseMatrix.of_entries(shape, places, values)


def test_what_needs_all_entries_is_refused_with_the_size():
    n = 1 << 15
    wide = SparseMatrix.of_entries((n, n), (range(n), range(n)), np.ones(n, dtype=np.float32))
    P = CollisionPolytope.from_layer(wide, np.zeros(n), np.ones(n))
    assert P.n_positive == n
    with pytest.raises(LimitError, match=r"sparse 32768 x 32768 matrix .about 8 GiB"):
        _ = wide.data
    with pytest.raises(LimitError, match="got 32768 rows of 32768"):
        wide.integer_rows(range(n))


def test_a_computed_matrix():
    found = ScaledMatrix([[2, 4], [0, 0], [3, -1]], [6, 5, 7])
    assert found.data.ravel().tolist() == [F(1, 3), F(2, 3), 0, 0, F(3, 7), F(-1, 7)]
    assert found.integer_rows([0, 2]) == ([[1, 2], [3, -1]], [3, 7])
    assert found.integer_rows([2], [1]) == ([[-1]], [7])
    assert found.approx.tolist() == [[1 / 3, 2 / 3], [0, 0], [3 / 7, -1 / 7]]
    assert not found.is_float64_exact
    assert ScaledMatrix([], [], width=4).shape == (0, 4)
    assert ScaledMatrix([], [], width=4).approx.shape == (0, 4)
    assert repr(found) == "ScaledMatrix(shape=(3, 2))"
