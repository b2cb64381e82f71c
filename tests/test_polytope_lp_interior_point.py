"""Large dense programs: the basis of the interior-point method is proved, or HiGHS is asked."""

import numpy as np
import pytest

from polytope import Box, CollisionPolytope, Free, LPStatus, Nonnegative, verify
from polytope.exact.rational import RationalVector
from polytope.lp import interior_point
from polytope.lp.interior_point import propose, suits
from polytope.lp.program import LinearProgram


@pytest.fixture(autouse=True)
def everything_is_large(monkeypatch):
    monkeypatch.setattr(interior_point, "_LARGE", 0)


def polytope(seed, domain, shape=(40, 60)):
    rng = np.random.default_rng(seed)
    weight, bias = rng.standard_normal(shape).astype("f4"), rng.standard_normal(shape[0])
    target = rng.random(shape[1]).astype("f4")
    return CollisionPolytope.from_layer(weight, bias.astype("f4"), target, domain=domain)


def program(chosen, objective):
    return LinearProgram.over(chosen.layer.system, RationalVector.of(objective))


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("domain", [Box(0, 1), Box(-1, 2), Nonnegative()])
def test_the_same_optimum_as_highs(seed, domain, monkeypatch):
    chosen = polytope(seed, domain)
    objective = np.random.default_rng(seed).random(60)  # positive: bounded on each domain
    basis = propose(program(chosen, objective))
    assert basis is not None
    assert len(basis.basic) == len(basis.tight)
    monkeypatch.setattr("polytope.questions.minimize.solve", None)  # HiGHS is not asked
    found = chosen.minimize(objective)
    assert found.status is LPStatus.OPTIMAL
    assert found.is_vertex
    assert "attained at a vertex of C" in verify(found.certificate)
    monkeypatch.undo()
    monkeypatch.setattr(interior_point, "_LARGE", 1 << 40)
    other = chosen.minimize(objective)
    assert other.value == found.value
    assert other.point == found.point


def test_units_in_a_box(monkeypatch):
    chosen = polytope(8, Box(0, 1))
    monkeypatch.setattr("polytope.questions.minimize.solve", None)
    for unit in chosen.inactive_units[:3]:
        found = chosen.unit_vertex(unit)
        assert found.status is LPStatus.OPTIMAL
        verify(found.certificate)


def test_what_it_leaves_to_highs():
    """Unbounded objectives, faces of optima, single points, free coordinates."""
    cone = CollisionPolytope.from_layer([[1, -1]], [0], [1, 1], domain=Nonnegative())
    assert propose(program(cone, [-1, 0])) is None
    assert cone.minimize([-1, 0]).status is LPStatus.UNBOUNDED
    flat = CollisionPolytope.from_layer([[1, 1]], [0], [1, 1], domain=Nonnegative())
    assert propose(program(flat, [1, 1])) is None
    assert flat.minimize([1, 1]).value == 2
    fixed = CollisionPolytope.from_layer([[1, 1]], [0], [1, 1], domain=Box(1, 1))
    assert propose(program(fixed, [1, 0])) is None
    assert fixed.minimize([1, 0]).value == 1
    free = CollisionPolytope.from_layer([[1, 1]], [0], [1, 1], domain=Free())
    assert not suits(program(free, [1, 0]))
    assert free.minimize([1, 1]).value == 2


def test_small_programs_are_left_alone(monkeypatch):
    monkeypatch.undo()
    assert not suits(program(polytope(0, Box(0, 1)), np.ones(60)))


def nearest_by_cvxpy(chosen, origin):
    """The distance by another solver, from the same rows."""
    import cvxpy as cp

    layer = chosen.layer
    weight = np.array(layer.weight.data, dtype=float)
    x = cp.Variable(len(origin))
    target = weight @ np.array(layer.target_vector.to_float())
    active = np.array(layer.signs) > 0
    bias = np.array([float(b) for b in layer.biases])
    rows = [weight[active] @ x == target[active], weight[~active] @ x <= -bias[~active]]
    for bound, sign in zip(layer.system.float_bounds, (1, -1), strict=True):
        finite = np.isfinite(bound)
        rows.append(sign * x[finite] >= sign * bound[finite])
    problem = cp.Problem(cp.Minimize(cp.sum_squares(x - origin)), rows)
    problem.solve(solver=cp.CLARABEL)
    return float(np.sqrt(problem.value))


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("domain", [Box(0, 1), Nonnegative(), Free()], ids=repr)
def test_the_same_nearest_point_as_another_solver(seed, domain, monkeypatch):
    rng = np.random.default_rng(seed)
    weight, target = rng.standard_normal((40, 60)).astype("f4"), rng.random(60).astype("f4")
    bias = rng.standard_normal(40).astype("f4")
    chosen = CollisionPolytope.from_layer(weight, bias, target, domain=domain)
    origin = rng.random(60) * 2 - 0.5
    expected = nearest_by_cvxpy(chosen, origin)
    monkeypatch.setattr("polytope.questions.euclidean._by_cvxpy", None)  # nobody else is asked
    found = chosen.nearest(origin, "l2")
    verify(found.certificate)
    assert found.lower == pytest.approx(expected, rel=1e-5)
    assert found.upper - found.lower <= 1e-7 * found.upper


def test_what_does_not_converge_is_asked_of_cvxpy(monkeypatch):
    chosen = polytope(0, Box(0, 1))
    origin = np.random.default_rng(0).random(60)
    usual = chosen.nearest(origin, "l2")
    monkeypatch.setattr("polytope.questions.euclidean.nearest_floats", lambda *given: None)
    other = chosen.nearest(origin, "l2")
    assert other.lower <= usual.upper
    assert usual.lower <= other.upper


def test_an_empty_set_has_no_nearest_point():
    rows, right = np.array([[1.0, 0.0], [-1.0, 0.0]]), np.array([-1.0, -1.0])
    domain = np.zeros(2), np.ones(2)
    assert interior_point.nearest_floats(rows, right, 0, np.zeros(2), domain) is None


@pytest.mark.parametrize("seed", range(4))
def test_bounds_of_every_kind(seed):
    """Fixed, open on either side, free: as another solver has it."""
    import cvxpy as cp

    rng = np.random.default_rng(seed)
    lower, upper = np.full(12, -1.0), np.full(12, 3.0)
    lower[1], upper[1], lower[2], upper[3] = 0.5, 0.5, -np.inf, np.inf
    lower[4], upper[4], upper[2] = -np.inf, np.inf, -4.0
    table, inside = rng.standard_normal((8, 12)), np.clip(rng.standard_normal(12), lower, upper)
    right = table @ inside + np.concatenate([np.zeros(3), rng.random(5)])
    origin = 3 * rng.standard_normal(12)
    found = interior_point.nearest_floats(table, right, 3, origin, (lower, upper))
    x = cp.Variable(12)
    rows = [table[:3] @ x == right[:3], table[3:] @ x <= right[3:]]
    for bound, sign in ((lower, 1), (upper, -1)):
        finite = np.isfinite(bound)
        rows.append(sign * x[finite] >= sign * bound[finite])
    cp.Problem(cp.Minimize(cp.sum_squares(x - origin)), rows).solve(solver=cp.CLARABEL)
    np.testing.assert_allclose(found.point, x.value, atol=1e-5)
    np.testing.assert_allclose(found.multipliers[:3], rows[0].dual_value / 2, atol=1e-4)
    np.testing.assert_allclose(found.multipliers[3:], rows[1].dual_value / 2, atol=1e-4)
