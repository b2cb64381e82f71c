"""Rows with floors and ceilings, against sets worked out by hand."""

import pickle
from fractions import Fraction as F

import pytest

from polytope import Box, CollisionPolytope, Free, Nonnegative
from polytope.answers.results import LPStatus
from polytope.errors import DomainError, InputError, NonFiniteError, ShapeError
from polytope.sets.halfspaces import Row
from polytope.sets.layer import Layer, relu_layer
from polytope.sets.rows import StatedRows


def stated(weight, floors, ceilings, *, bias=None, domain=None):
    bias = [0] * len(weight) if bias is None else bias
    rows = StatedRows.of(weight, bias, floors=floors, ceilings=ceilings, domain=domain)
    return CollisionPolytope(rows)


# 1 <= x + y <= 3 in the first quadrant: a trapezium.
STRIP = stated([[1, 1]], [1], [3], domain=Nonnegative())


def test_a_two_sided_row_is_an_upper_and_a_lower_one():
    system = STRIP.layer.system
    assert system.rows == (Row("upper", 0), Row("lower", 0))
    assert system.rhs == (3, -1)
    assert STRIP.n_positive == 0
    assert STRIP.inactive_units == (0,)


def test_every_kind_of_side_and_the_bias():
    P = stated(
        [[1, 0], [0, 2], [1, 1], [1, -1]],
        [F(1, 2), None, 5, None],
        [F(1, 2), 3, None, None],
        bias=[1, -1, 2, 7],
    )
    system = P.layer.system
    assert system.rows == (Row("equality", 0), Row("upper", 1), Row("lower", 2))
    assert system.rhs == (F(-1, 2), 4, -3)
    assert (P.active_units, P.inactive_units) == ((0,), (1, 2, 3))
    assert system.one_row_a_unit == system.rows


def test_the_trapezium():
    assert STRIP.dimension().value == 2
    found = STRIP.vertices()
    assert {tuple(map(int, v)) for v in found.vertices} == {(1, 0), (0, 1), (3, 0), (0, 3)}
    assert STRIP.minimize([2, 1]).value == 1
    assert STRIP.minimize([-2, -1]).value == -6
    assert STRIP.volume().value == 4  # 9/2 less 1/2
    assert STRIP.contains([1, 1])
    assert not STRIP.contains([F(1, 2), F(1, 3)])
    assert STRIP.boundedness().bounded
    redundant = STRIP.redundancy().redundant
    assert redundant == ()


def test_a_unit_has_the_value_of_its_row():
    assert STRIP.unit_vertex(0).value == 1
    shifted = stated([[1, 1]], [1], [3], bias=[10], domain=Box(0, 9))
    assert shifted.layer.system.rhs == (-7, 9)
    assert shifted.feasibility().feasible is False


def test_equal_sides_are_an_equation():
    P = stated([[1, 1], [1, -1]], [2, None], [2, 0])
    assert P.n_positive == 1
    assert P.rank_positive().value == 1
    assert P.dimension().value == 1
    assert P.dimension().paper_bound == 1
    assert P.kernel_condition().holds is False
    ray = P.minimize([1, 0])
    assert ray.status is LPStatus.UNBOUNDED
    assert P.minimize([-1, 0]).value == -1  # x <= y and x + y = 2


def test_a_unit_without_sides_asks_nothing():
    P = stated([[1, 0], [0, 1]], [0, None], [1, None])
    assert P.dimension().value == 2
    assert P.lineality().dimension == 1
    assert P.boundedness().bounded is False
    assert P.layer.one_row_a_unit == (Row("upper", 0),)


def test_only_floors_bound_a_set_together_with_ceilings():
    P = stated([[1, 0], [0, 1], [1, 1]], [0, 0, None], [None, None, 1])
    assert P.boundedness().bounded
    assert P.lineality().pointed
    assert {tuple(v) for v in P.vertices().vertices} == {(0, 0), (1, 0), (0, 1)}


def test_sides_that_contradict_each_other_make_the_set_empty():
    P = stated([[1], [1]], [2, None], [None, 1])
    assert P.feasibility().feasible is False
    assert P.dimension().value == -1


def test_residuals_are_by_how_much_the_sides_are_missed():
    P = stated([[1, 0], [0, 1], [1, 1]], [2, 0, None], [2, 1, 10])
    found = P.residuals([F(3, 2), -3])
    assert found.pre_activation == (F(3, 2), -3, F(-3, 2))
    assert (found.worst_equality, found.worst_inactive) == (F(1, 2), 3)
    assert found.smallest_tolerance == 3
    assert P.residuals([2, 1]).smallest_tolerance == 0
    assert P.membership([2, 1]).distance is None


def test_no_target_no_active_set():
    with pytest.raises(InputError, match="of a ReLU layer, got a set of StatedRows"):
        STRIP.active_set()
    assert STRIP.ties == STRIP.sign_disagreements == ()
    with pytest.raises(InputError, match=r"layer: expected .*Layer, got .*StatedRows"):
        relu_layer(STRIP.layer)


def test_parts_take_their_sides_along():
    P = stated([[1, 0], [0, 2]], [None, 1], [3, 1], bias=[5, 6])
    first, second = P.factors()
    assert (first.polytope.layer.floors, first.polytope.layer.ceilings) == ((None,), (3,))
    assert (second.polytope.layer.floors, second.polytope.layer.biases) == ((1,), (6,))
    lonely = stated([[1, 0]], [0], [1]).factors()[1]
    assert lonely.units == ()
    assert lonely.polytope.dimension().value == 1


def test_repeated_units_have_the_same_sides():
    P = stated([[1, 1], [2, 2], [2, 2], [1, 1]], [0, 1, None, 0], [1, 3, 2, 1], bias=[0, 1, 0, 0])
    assert P.repeated_units().repeated == ((0, 1, 3),)  # 1 <= 2 (x + y) + 1 <= 3


def test_a_layer_is_rows():
    layer = Layer.of([[1], [-1]], [0, 0], [2], domain=Free())
    assert (layer.floors, layer.ceilings) == ((2, None), (2, 0))
    near = Layer.of([[1], [1], [-1]], [0, -2, 0], [2], tolerance=F(1, 2))
    assert (near.floors, near.ceilings) == ((F(3, 2), None, None), (F(5, 2), F(1, 2), F(1, 2)))
    same = stated([[1], [1], [-1]], near.floors, near.ceilings, bias=[0, -2, 0])
    assert (same.layer.system.rows, same.layer.system.rhs) == (near.system.rows, near.system.rhs)


def test_it_travels_without_what_was_computed():
    again = pickle.loads(pickle.dumps(STRIP.layer))
    assert "system" not in again.__dict__
    assert again.floors == (1,)
    assert repr(again) == "StatedRows(weight=<1 x 2 int64>, bias=<1 int64>, " + (
        "domain=Nonnegative(), floors=(1), ceilings=(3))"
    )


@pytest.mark.parametrize(
    ("changed", "error", "words"),
    [
        ({"floors": [4]}, InputError, r"floors: expected floor <= ceiling, got 4 > 3 at unit 0"),
        ({"floors": [1, 2]}, ShapeError, "floors: expected length 1, got 2"),
        ({"ceilings": 3}, InputError, "ceilings: expected 1 numbers or None, got 3"),
        ({"ceilings": [float("inf")]}, NonFiniteError, r"ceilings\[0\]: expected a finite number"),
        ({"bias": [1, 2]}, ShapeError, "bias: expected length 1 .* got 2"),
        ({"domain": "box"}, InputError, r"domain: expected Free\(\).* got 'box'"),
        ({"domain": Box([0, 0, 0], 1)}, ShapeError, "lower: expected 1 or 2 bounds, got 3"),
        ({"weight": [[]]}, ShapeError, "weight: expected at least one input"),
    ],
)
def test_what_does_not_fit_is_refused(changed, error, words):
    given = {"weight": [[1, 1]], "bias": [0], "floors": [1], "ceilings": [3], **changed}
    with pytest.raises(error, match=words):
        StatedRows.of(given.pop("weight"), given.pop("bias"), **given)


def test_a_target_outside_of_the_domain_is_still_refused():
    with pytest.raises(DomainError, match="target: expected a point of the domain, got 2"):
        Layer.of([[1]], [0], [2], domain=Box(0, 1))
