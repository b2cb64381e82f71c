"""A foreign H-representation asks and answers as a layer does."""

from fractions import Fraction

import numpy as np
import pytest
from scipy import sparse

from polytope import CollisionPolytope, LPStatus, verify
from polytope.errors import InexactError, NonFiniteError, ShapeError
from polytope.sets.halfspaces import Row

build = CollisionPolytope.from_halfspaces
TRIANGLE = [[-1, 0], [0, -1], [1, 1]], [0, 0, 1]


def rows_of(polytope):
    """Rows as (kind, unit, coefficients, right-hand side)."""
    system = polytope.layer.system
    return [
        (
            row.kind,
            row.unit,
            [Fraction(v, system.scale(row.unit)) for v in system.integer_row(row.unit)],
            rhs,
        )
        for row, rhs in zip(system.rows, system.rhs, strict=True)
    ]


def test_rows_are_the_inequalities_and_then_the_equations():
    found = rows_of(build([[1, 2], [-3, 0]], [4, -5], equalities=[[7, 8]], values=[9]))
    assert found == [
        ("upper", 0, [1, 2], 4),
        ("upper", 1, [-3, 0], -5),
        ("equality", 2, [7, 8], 9),
    ]


def test_every_question_is_answered_with_a_certificate():
    triangle = build(*TRIANGLE)
    result = triangle.minimize([-2, -1])
    assert (result.status, result.value) == (LPStatus.OPTIMAL, -2)
    assert tuple(result.point) == (1, 0)
    for answer in (result, triangle.dimension(), triangle.boundedness(), triangle.lineality()):
        assert verify(answer.certificate)
    assert triangle.dimension().value == 2
    assert triangle.boundedness().bounded


def test_equations_alone_and_inequalities_alone():
    line = build(None, None, equalities=[[1, -1]], values=[Fraction(1, 3)])
    assert line.dimension().value == 1
    assert line.lineality().dimension == 1
    assert line.contains([Fraction(1, 3), 0])
    assert build([], [], equalities=[[1, 0]], values=[0]).n_units == 1
    assert build(*TRIANGLE, equalities=[], values=None).n_units == 3


def test_an_empty_set_is_an_answer():
    empty = build([[1.0], [-1.0]], [0.0, -1.0])
    assert empty.feasibility().feasible is False
    assert verify(empty.feasibility().certificate)
    assert build(None, None, equalities=[[0, 0]], values=[1]).dimension().value == -1


@pytest.mark.parametrize("dtype", [np.int8, np.float16, np.float32, np.float64])
def test_numbers_are_taken_exactly(dtype):
    least = np.iinfo(dtype).min if dtype == np.int8 else dtype(0.1)
    polytope = build(np.array([[least]], dtype), np.array([least], dtype))
    ((_, _, coefficients, rhs),) = rows_of(polytope)
    assert coefficients == [Fraction(least.item() if hasattr(least, "item") else least)]
    assert rhs == coefficients[0]
    assert polytope.layer.weight.data.dtype == dtype


def test_mixed_types_lose_nothing():
    found = rows_of(
        build(
            np.array([[0.1, 1]], np.float32),
            [2**70 + 1],
            equalities=[[Fraction(1, 3), 2**70 + 1]],
            values=[Fraction(1, 7)],
        )
    )
    assert found[0][2:] == ([Fraction(float(np.float32(0.1))), 1], 2**70 + 1)
    assert found[1][2:] == ([Fraction(1, 3), 2**70 + 1], Fraction(1, 7))
    assert Row("equality", 1) in build([[1]], [1], equalities=[[1]], values=[1]).layer.system.rows


def test_without_rows_the_set_is_all_of_space():
    everything = CollisionPolytope.from_halfspaces(np.zeros((0, 3)), np.zeros(0))
    assert (everything.n_inputs, everything.n_units) == (3, 0)
    assert everything.dimension().value == everything.lineality().dimension == 3
    line = CollisionPolytope.from_halfspaces(np.zeros((0, 2)), [], equalities=[[1, 1]], values=[1])
    assert line.dimension().value == 1
    with pytest.raises(ShapeError, match=r"equalities: expected 3 columns .* shape \(0, 2\)"):
        CollisionPolytope.from_halfspaces([[1, 2, 3]], [1], equalities=np.zeros((0, 2)))


@pytest.mark.parametrize("kind", [sparse.csr_matrix, sparse.coo_array, sparse.csc_array])
def test_sparse_matrices_are_taken_as_they_are(kind):
    rows = np.array([[1.0, 0, 0], [0, -2, 0], [0, 0, 0.1]])
    found, dense = (
        CollisionPolytope.from_halfspaces(m, [1, 0, 1], equalities=e, values=[2])
        for m, e in ((kind(rows), kind(np.ones((1, 3)))), (rows, np.ones((1, 3))))
    )
    assert found.layer.system.rhs == dense.layer.system.rhs
    weights = [[p.layer.system.integer_row(k) for k in range(4)] for p in (found, dense)]
    assert weights[0] == weights[1]


@pytest.mark.parametrize(
    ("arguments", "options", "error", "message"),
    [
        ((None, None), {}, ShapeError, "matrix: expected at least one inequality or equation"),
        (([[1, 2]], [1, 2]), {}, ShapeError, r"bound: expected length 1 .* \(1, 2\), got 2"),
        (([[1, 2]], None), {}, ShapeError, "bound: expected length 1, got None"),
        (([1, 2], [1]), {}, ShapeError, r"matrix: expected 2 axes, got shape \(2,\)"),
        ((None, [1, 2]), {}, ShapeError, r"bound: expected none without matrix, got \[1, 2\]"),
        ((np.zeros((2, 0)), [1, 2]), {}, ShapeError, r"at least one column, got shape \(2, 0\)"),
        (([[1, np.nan]], [1]), {}, NonFiniteError, r"matrix.*0, 1.* got nan"),
        (([[1]], [np.inf]), {}, NonFiniteError, "bound: expected finite numbers, got inf"),
        (([["1"]], [1]), {}, InexactError, "matrix: expected"),
        (
            ([[1, 2]], [1]),
            {"equalities": [[1]], "values": [1]},
            ShapeError,
            r"equalities: expected 2 columns as in matrix, got shape \(1, 1\)",
        ),
        (
            ([[1]], [1]),
            {"equalities": [[1]], "values": [1, 2]},
            ShapeError,
            "values: expected length 1 .* got 2",
        ),
    ],
)
def test_what_does_not_fit_is_refused(arguments, options, error, message):
    with pytest.raises(error, match=message):
        build(*arguments, **options)
