"""Relaxed beside exact, on a layer whose polytope is known by hand."""

from dataclasses import replace
from fractions import Fraction

import pytest
import torch

from optimize import LayerReader, Objective, Stopping, compare, find_vertices
from optimize.compare import _relative
from polytope import Box, CollisionPolytope, verify
from polytope.answers.results import LPStatus
from polytope.errors import InputError, ShapeError, UnitError
from tests.examples.layers import (
    SEGMENT_BIAS,
    SEGMENT_TARGET,
    SEGMENT_VALUES,
    SEGMENT_VERTICES,
    SEGMENT_WEIGHT,
    random_inputs,
    random_network,
    segment,
)

HINGE = Objective(others="hinge")


def exact_segment(target=SEGMENT_TARGET):
    return CollisionPolytope.from_layer(
        torch.tensor(SEGMENT_WEIGHT), torch.tensor(SEGMENT_BIAS), target, domain=Box(0, 1)
    )


def at(points, units=(1, 2)):
    """A search result with exactly these points, one for each unit."""
    search = find_vertices(
        segment(),
        "0",
        SEGMENT_TARGET,
        units=list(units),
        stopping=Stopping(max_steps=1),
        device="cpu",
    )
    missed = [float(exact_segment().residuals(point).worst_equality) for point in points]
    return replace(
        search,
        layer_inputs=torch.tensor(points),
        points=torch.tensor(points),
        equality_residual=torch.tensor(missed),
    )


def test_the_exact_vertices_have_no_gap():
    results = compare(exact_segment(), at([SEGMENT_VERTICES[1], SEGMENT_VERTICES[2]]))
    for result, unit in zip(results, (1, 2), strict=True):
        assert (result.unit, result.target) == (unit, 0)
        assert result.exact_value == Fraction(SEGMENT_VALUES[unit]) == result.found_value
        assert result.gap == 0
        assert result.relative_gap == 0
        assert result.smallest_tolerance == result.worst_equality == result.worst_inactive == 0
        assert result.distance_linf == 0
        assert result.is_vertex
        assert result.exact.status is LPStatus.OPTIMAL
        assert verify(result.exact.certificate)
    # Two tight rows each: the equality and the other unit's half-space.
    assert [result.n_tight for result in results] == [2, 2]


def test_every_number_of_a_point_off_the_polytope():
    # At (7/8, 1/8) the equality holds; unit 1 is at -5/16, 1/16 below the exact -1/4; unit 2 is at
    # +1/8.  The nearest point of the segment is (3/4, 1/4), 1/8 away in each coordinate.
    # At (1/2, 3/4): x + y exceeds 1 by 1/4, unit 2 is at -1/2, its exact value.  Moving both
    # coordinates down by 1/8 reaches the segment.
    first, second = compare(exact_segment(), at([[0.875, 0.125], [0.5, 0.75]]))
    assert first.gap == Fraction(-1, 16)
    assert first.relative_gap == 0.25
    assert first.worst_equality == 0
    assert first.worst_inactive == Fraction(1, 8) == first.smallest_tolerance
    assert first.distance_linf == Fraction(1, 8)
    assert not first.is_vertex
    assert first.n_tight == 1
    assert second.gap == 0
    assert second.worst_equality == Fraction(1, 4) == second.smallest_tolerance
    assert second.worst_inactive == 0
    assert second.distance_linf == Fraction(1, 8)
    assert second.n_tight == 0


def test_a_point_outside_the_box_is_measured():
    (result,) = compare(exact_segment(), at([[1.25, -0.25]], units=[1]))
    assert result.worst_domain == Fraction(1, 4)


def test_found_vertices_are_close_and_the_gap_is_exact():
    search = find_vertices(
        segment(), "0", SEGMENT_TARGET, units=[1, 2], objective=HINGE, device="cpu"
    )
    for vertex, result in enumerate(compare(exact_segment(), search)):
        x, y = (Fraction(value) for value in search.points[vertex].tolist())
        value = {1: Fraction(1, 8) - x / 2, 2: Fraction(1, 4) - y}[result.unit]
        assert result.found_value == value
        assert result.gap == value - Fraction(SEGMENT_VALUES[result.unit])
        assert result.relative_gap < 0.02
        assert result.smallest_tolerance < Fraction(1, 1000)
        assert result.distance_linf < Fraction(1, 100)


def test_several_targets_and_given_exact_results():
    model, targets = random_network(12, 8, seed=5), random_inputs(2, 12, seed=5)
    search = find_vertices(model, "0", targets, units=2, objective=HINGE, device="cpu")
    layer = LayerReader(model, "0")
    polytopes = [
        CollisionPolytope.from_layer(layer.weight, layer.bias, target, domain=Box(0, 1))
        for target in targets
    ]
    results = compare(polytopes, search)
    assert [result.target for result in results] == [0, 0, 1, 1]
    assert all(result.relative_gap < 0.02 for result in results)
    assert all(result.smallest_tolerance < Fraction(1, 1000) for result in results)
    # Given results are used, not computed again: the very objects come back.
    known = [{r.unit: r.exact for r in results if r.target == t} for t in (0, 1)]
    again = compare(polytopes, search, exact=known, distance=None)
    assert all(new.exact is old.exact for new, old in zip(again, results, strict=True))
    assert all(result.nearest is None and result.distance_linf is None for result in again)
    only = compare(polytopes[1], search, target=1, distance=None)
    assert [(r.vertex, r.unit) for r in only] == [(r.vertex, r.unit) for r in results[2:]]
    assert [r.exact_value for r in only] == [r.exact_value for r in results[2:]]


def test_mistakes():
    search = at([SEGMENT_VERTICES[1], SEGMENT_VERTICES[2]])
    with pytest.raises(ShapeError, match="polytope: expected 1, one per target, got 2"):
        compare([exact_segment()] * 2, search)
    with pytest.raises(InputError, match="target: expected an index from 0 to 0, got 1"):
        compare(exact_segment(), search, target=1)
    wide = CollisionPolytope.from_layer(torch.eye(3), torch.zeros(3), [0.0] * 3)
    with pytest.raises(ShapeError, match=r"polytope: expected 2 inputs.* got 3"):
        compare(wide, search)
    low = CollisionPolytope.from_layer(torch.eye(2), torch.zeros(2), [0.0, 0.0])
    with pytest.raises(ShapeError, match=r"expected more than 2 units.* got 2"):
        compare(low, search)
    with pytest.raises(UnitError, match="expected unit 2 of vertex 1 to be inactive"):
        compare(exact_segment([1.0, 0.125]), search)
    double = find_vertices(
        segment(),
        "0",
        [SEGMENT_TARGET] * 2,
        units=[1],
        stopping=Stopping(max_steps=1),
        device="cpu",
    )
    with pytest.raises(ShapeError, match="polytope: expected 2, one per target, got a single one"):
        compare(exact_segment(), double)


def given(polytope, unit=1, **changes):
    """`compare` for unit 1 of the segment, with the exact result of `unit` of another polytope."""
    result = replace(polytope.unit_vertex(unit), **changes)
    search = at([SEGMENT_VERTICES[1]], units=[1])
    return compare(exact_segment(), search, exact={1: result}, distance=None)


def other_segment(**changes):
    parts = {
        "weight": SEGMENT_WEIGHT,
        "bias": SEGMENT_BIAS,
        "target": SEGMENT_TARGET,
        "domain": Box(0, 1),
        "tolerance": 0,
    } | changes
    return CollisionPolytope.from_layer(**parts)


def test_an_exact_result_for_equal_numbers_is_taken():
    # float64 lists beside the float32 tensors of `exact_segment`: the same dyadic numbers.
    (result,) = given(other_segment())
    assert result.exact_value == Fraction(SEGMENT_VALUES[1])
    (result,) = given(exact_segment())
    assert result.gap == 0


@pytest.mark.parametrize(
    "changes",
    [
        {"weight": [[2 * value for value in row] for row in SEGMENT_WEIGHT]},
        {"bias": [value - 1 / 64 for value in SEGMENT_BIAS]},
        {"target": [value + 1 / 64 for value in SEGMENT_TARGET]},
        {"domain": Box(0, 2)},
        {"tolerance": Fraction(1, 1000)},
        {"weight": [*SEGMENT_WEIGHT, [0.0, 0.0]], "bias": [*SEGMENT_BIAS, -1.0]},
    ],
    ids=["weight", "bias", "target", "domain", "tolerance", "one unit more"],
)
def test_an_exact_result_of_another_polytope_is_refused(changes):
    message = "for another layer, target, domain or tolerance"
    with pytest.raises(InputError, match=f"exact: expected the result of unit 1 .* {message}"):
        given(other_segment(**changes))


def test_an_exact_result_of_another_unit_or_value_is_refused():
    with pytest.raises(InputError, match=r"exact: .* unit 1 .* got a certificate for unit 2"):
        given(exact_segment(), unit=2)
    with pytest.raises(InputError, match=r"exact: expected the value .* proves, -1/4, got -3"):
        given(exact_segment(), value=Fraction(-3))
    with pytest.raises(InputError, match=r"exact: expected a certificate .* OPTIMAL without one"):
        given(exact_segment(), certificate=None)
    minimum = exact_segment().minimize([1, 0])
    with pytest.raises(InputError, match=r"exact: .* got a certificate for another objective"):
        compare(exact_segment(), at([SEGMENT_VERTICES[1]], units=[1]), exact={1: minimum})


def test_a_ratio_beyond_the_floats_is_infinite():
    assert _relative(Fraction(10) ** 400, Fraction(-1, 3)) == float("inf")
    assert _relative(Fraction(-1, 2), Fraction(-2)) == 0.25


def test_a_search_of_another_target_is_refused():
    torch.manual_seed(3)
    net = torch.nn.Sequential(torch.nn.Linear(6, 8), torch.nn.ReLU())
    point = torch.full((6,), 0.75)
    search = find_vertices(net, "0", point * 0.5, units=1, device="cpu")
    unit = int(search.units[0])
    polytope = CollisionPolytope.from_layer(net[0].weight, net[0].bias, point, domain=Box(0, 1))
    assert unit in polytope.inactive_units
    with pytest.raises(InputError, match="expected a search of the polytope's own"):
        compare(polytope, search, progress=False)
