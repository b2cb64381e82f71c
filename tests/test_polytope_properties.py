"""What must hold between answers, whatever the layer."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from polytope import Box, Free, LPStatus, NearestStatus
from tests.examples.random_layers import instance

F = Fraction
SETTINGS = settings(derandomize=True, deadline=None, max_examples=40)
SEEDS = st.integers(0, 10**6)


def draw(seed):
    return instance(seed, largest=(5, 4))


def verdicts(polytope):
    """All that does not depend on the order or the scale of the units; never undecided."""
    kernel, dimension = polytope.kernel_condition(), polytope.dimension()
    found = (
        kernel.holds,
        polytope.rank_positive().value,
        dimension.value,
        dimension.paper_bound,
        polytope.lineality().dimension,
        polytope.boundedness().bounded,
        polytope.feasibility().feasible,
    )
    assert None not in found
    return found


def optimum(result):
    """Status and value; layers this small are always decided, so that nothing passes undecided."""
    assert result.status is not LPStatus.UNDECIDED, result.reason
    return result.status, result.value


def minima(polytope, costs):
    return [optimum(polytope.minimize(c)) for c in costs]


@given(SEEDS, st.lists(st.integers(-40, 40), min_size=5, max_size=5))
@SETTINGS
def test_powers_of_two_change_no_verdict(seed, exponents):
    case = replace(draw(seed), tolerance=0)
    n_units, n_inputs = case.shape
    factors = np.array([F(2) ** e for e in exponents[:n_units]], dtype=object)
    exact = [[F(v) for v in row] for row in np.asarray(case.weight).tolist()]
    bias = np.array([F(v) for v in np.asarray(case.bias).tolist()], dtype=object)
    scaled = replace(
        case,
        weight=np.array(exact, dtype=object) * factors[:, None],
        bias=bias * factors,
        activation=None if case.activation is None else case.activation * factors,
    )
    before, after = case.polytope(), scaled.polytope()
    assert before.active_units == after.active_units
    assert verdicts(before) == verdicts(after)
    costs = np.vstack([np.eye(n_inputs), -np.ones((1, n_inputs))])
    assert minima(before, costs) == minima(after, costs)


@given(SEEDS)
@SETTINGS
def test_the_order_of_units_changes_no_verdict(seed):
    case = draw(seed)
    order = np.random.default_rng(seed).permutation(case.shape[0])
    shuffled = replace(
        case,
        weight=np.asarray(case.weight)[order],
        bias=np.asarray(case.bias)[order],
        activation=None if case.activation is None else case.activation[order],
    )
    before, after = case.polytope(), shuffled.polytope()
    assert verdicts(before) == verdicts(after)
    assert sorted(int(order[i]) for i in after.active_units) == list(before.active_units)
    costs = np.eye(case.shape[1])
    assert minima(before, costs) == minima(after, costs)
    for place, unit in enumerate(order.tolist()):
        if unit in before.inactive_units:
            assert optimum(before.unit_vertex(unit)) == optimum(after.unit_vertex(place))


@given(SEEDS)
@SETTINGS
def test_a_larger_domain_or_tolerance_never_raises_a_minimum(seed):
    case = draw(seed)
    costs = np.random.default_rng(seed).integers(-3, 4, (2, case.shape[1]))
    larger = [
        replace(case, tolerance=F(case.tolerance) + F(1, 8)),
        replace(case, domain=Free()),
    ]
    for cost, (status, value) in zip(costs, minima(case.polytope(), costs), strict=True):
        for other in larger:
            found, least = optimum(other.polytope().minimize(cost))
            if status is LPStatus.UNBOUNDED:
                assert found is LPStatus.UNBOUNDED
            if status is LPStatus.OPTIMAL:
                assert found is not LPStatus.EMPTY
                assert found is LPStatus.UNBOUNDED or least <= value


@given(SEEDS)
@SETTINGS
def test_the_target_is_never_below_the_minimum(seed):
    case = draw(seed)
    if case.activation is not None:
        return
    polytope = case.polytope()
    assert polytope.contains(case.target)
    z = polytope.residuals(case.target).pre_activation
    for unit, result in polytope.unit_vertices().items():
        assert result.status in (LPStatus.OPTIMAL, LPStatus.UNBOUNDED)
        if result.status is LPStatus.OPTIMAL:
            assert result.value <= z[unit]
            values = polytope.residuals(result.point).pre_activation
            assert values[unit] == result.value


@given(SEEDS)
@SETTINGS
def test_maximum_and_minimum(seed):
    case = draw(seed)
    polytope = case.polytope()
    cost = np.random.default_rng(seed).standard_normal(case.shape[1])
    low, high = polytope.minimize(cost), polytope.minimize(-cost)
    assert LPStatus.UNDECIDED not in (low.status, high.status)
    assert (low.status is LPStatus.EMPTY) == (high.status is LPStatus.EMPTY)
    if low.status is high.status is LPStatus.OPTIMAL:
        assert low.value <= -high.value
        if polytope.dimension().value == 0:
            assert low.value == -high.value
    doubled = polytope.minimize(2 * cost)
    assert doubled.status is low.status
    assert low.value is None or doubled.value == 2 * low.value


@given(SEEDS)
@SETTINGS
def test_distances(seed):
    case = draw(seed)
    polytope = case.polytope()
    x = np.random.default_rng(seed).integers(-4, 5, case.shape[1]) / 4.0
    inside = polytope.contains(x)
    linf, l1, l2 = (polytope.nearest(x, norm=norm) for norm in ("linf", "l1", "l2"))
    if linf.status is NearestStatus.EMPTY:
        assert l1.status is l2.status is NearestStatus.EMPTY
        assert not inside
        return
    assert (linf.distance == 0) == (l1.distance == 0) == (l2.upper == 0) == inside
    assert linf.distance <= l1.distance
    assert l1.distance <= case.shape[1] * linf.distance
    assert F(l2.lower) <= l1.distance
    assert F(l2.upper) >= linf.distance
    for found in (linf, l1, l2):
        assert polytope.contains(found.point)
        again = polytope.nearest(found.point, norm=found.norm)
        assert again.upper == 0


@given(SEEDS)
@SETTINGS
def test_the_smallest_tolerance_is_one(seed):
    case = draw(seed)
    if case.activation is not None:
        return
    x = np.random.default_rng(seed).integers(-4, 5, case.shape[1]) / 4.0
    exact = replace(case, tolerance=0)
    smallest = exact.polytope().residuals(x).smallest_tolerance
    outside = exact.polytope().residuals(x).worst_domain > 0
    assert replace(case, tolerance=smallest).polytope().contains(x) == (not outside)
    if smallest:
        less = smallest * (1 - F(1, 10**30))
        assert not replace(case, tolerance=less).polytope().contains(x)


@given(SEEDS)
@SETTINGS
def test_answers_are_the_same_again(seed):
    case = draw(seed)
    first, second = case.polytope(), case.polytope()
    for polytope in (first, second):
        polytope.dimension()
    certificates = [p.dimension().certificate for p in (first, second)]
    documents = [c.document() for c in certificates if c is not None]
    assert documents[:1] == documents[1:]
    cost = np.ones(case.shape[1])
    points = [p.minimize(cost).point for p in (first, second)]
    assert points[0] == points[1]


def test_fixing_every_coordinate_leaves_the_target():
    rng = np.random.default_rng(5)
    weight, bias, target = rng.standard_normal((6, 4)), rng.standard_normal(6), rng.random(4)
    case = instance(0)
    fixed = replace(
        case,
        weight=weight,
        bias=bias,
        target=target,
        activation=None,
        domain=Box(target, target),
        tolerance=0,
    ).polytope()
    assert fixed.dimension().value == 0
    assert fixed.is_vertex(target)
    z = fixed.residuals(target).pre_activation
    assert {u: r.value for u, r in fixed.unit_vertices().items()} == {
        u: z[u] for u in fixed.inactive_units
    }
