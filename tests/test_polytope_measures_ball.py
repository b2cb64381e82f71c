"""Chebyshev balls known by hand, flat ones, and both bounds re-proved from scratch."""

from fractions import Fraction
from math import inf, sqrt

import numpy as np
import pytest

from polytope import Box, CollisionPolytope, Nonnegative
from polytope.answers.generators import Bound
from polytope.measures import hull as hull_module
from polytope.measures.ball import BallStatus
from polytope.measures.hull import Hull
from tests.oracles.hand_made import (
    cross,
    cube,
    flat_degenerate,
    flat_simplex,
    permutahedron,
    random_simple,
    simplex,
)

F = Fraction
TRIANGLE = CollisionPolytope.from_halfspaces([[-1, 0], [0, -1], [3, 4]], [0, 0, 12])
KNOWN = {
    "cube": (cube(3), 3, 0.5),
    "simplex": (simplex(3), 3, 1 / (3 + sqrt(3))),
    "right triangle 4, 3, 5": (TRIANGLE, 2, 1.0),
    "flat triangle": (flat_simplex(2), 2, 1 / sqrt(6)),
    "flat segment": (flat_simplex(1), 1, sqrt(2) / 2),
    "flat tetrahedron": (flat_simplex(3), 3, 1 / sqrt(12)),
    "cross-polytope": (cross(3), 3, 1 / sqrt(3)),
    "point": (CollisionPolytope.from_halfspaces([[1], [-1]], [2, -2]), 0, 0.0),
    "slab": (CollisionPolytope.from_halfspaces([[3, 4], [-3, -4]], [5, 5]), 2, 1.0),
    "quarter strip": (
        CollisionPolytope.from_halfspaces([[-1, 0], [0, -1], [0, 1]], [0, 0, 6]),
        2,
        3.0,
    ),
    "collisions in a square": (
        CollisionPolytope.from_layer([[2, 2]], [-3], [0, 0], domain=Box(0, 1)),
        2,
        # the circle that touches the axes and x + y = 3/2 has radius 3/4 (2 - sqrt(2)) < 1/2
        0.75 * (2 - sqrt(2)),
    ),
}


@pytest.mark.parametrize("name", KNOWN)
def test_known_balls(name):
    P, k, radius = KNOWN[name]
    ball = P.chebyshev_ball()
    assert (ball.status, ball.dimension) == (BallStatus.CERTIFIED, k)
    assert ball.radius_lower <= ball.radius_upper
    assert ball.radius_lower == pytest.approx(radius, rel=1e-14)
    assert ball.radius_upper == pytest.approx(radius, rel=1e-14)
    assert P.contains(ball.center)


def projector(P, hull):
    """Float projection onto the directions of the hull."""
    d = P.n_inputs
    rows = [
        np.array([float(v) for v in P.layer.system.integer_row(r.unit)]) for r in hull.minor.rows
    ]
    rows += [np.eye(d)[j] for j in hull.fixed]
    if not rows:
        return np.eye(d)
    table = np.array(rows)
    return np.eye(d) - np.linalg.pinv(table) @ table


def integer_row(P, h):
    """Integer normal and right-hand side of a halfspace."""
    system, d = P.layer.system, P.n_inputs
    if isinstance(h, Bound):
        sign = -1 if h.side == "lower" else 1
        limit = (system.lower if sign < 0 else system.upper)[h.coordinate]
        return [F(sign * (j == h.coordinate)) for j in range(d)], sign * limit
    scale = system.scale(h.unit)
    return [F(h.sign * v) for v in system.integer_row(h.unit)], system.rhs[
        system.position[h]
    ] * scale


LAYERS = {
    **{f"flat {s}": flat_degenerate(s, 5) for s in range(4)},
    "random": random_simple(0, 6, 20),
    "permutahedron": permutahedron(4),
    "float32 layer": CollisionPolytope.from_layer(
        *(np.random.default_rng(5).normal(size=s).astype(np.float32) for s in ((12, 8), 12)),
        np.full(8, 0.5, dtype=np.float32),
        domain=Box(0, 1),
    ),
    "nonnegative layer": CollisionPolytope.from_layer(
        *(np.random.default_rng(6).normal(size=s).astype(np.float32) for s in ((6, 5), 6)),
        np.full(5, 0.5, dtype=np.float32),
        domain=Nonnegative(),
    ),
}


@pytest.mark.parametrize("name", LAYERS)
def test_both_bounds_from_scratch(name):
    P = LAYERS[name]
    ball = P.chebyshev_ball()
    hull = Hull.of(P.layer)
    assert ball.status is BallStatus.CERTIFIED
    project = projector(P, hull)
    for h in hull.inequalities():  # the ball keeps its distance from every hyperplane
        a, b = integer_row(P, h)
        slack = b - sum((v * x for v, x in zip(a, ball.center, strict=True)), F(0))
        norm = np.linalg.norm(project @ np.array(a, dtype=float))
        assert float(slack) >= ball.radius_lower * norm * (1 - 1e-9)
    # the multipliers are nonnegative, and their combination is constant on the hull
    total, rhs, weight = np.zeros(P.n_inputs), 0.0, 0.0
    for h, m in ball.multipliers:
        a, b = integer_row(P, h)
        assert m > 0
        total += float(m) * np.array(a, dtype=float)
        rhs += float(m * (b - sum((v * x for v, x in zip(a, ball.center, strict=True)), F(0))))
        weight += float(m) * np.linalg.norm(project @ np.array(a, dtype=float))
    assert np.linalg.norm(project @ total) < 1e-9 * max(1.0, np.linalg.norm(total))
    assert rhs / weight == pytest.approx(ball.radius_upper, rel=1e-9)
    assert ball.radius_upper - ball.radius_lower <= 1e-14 * ball.radius_upper


@pytest.mark.parametrize("name", LAYERS)
def test_projected_norms_by_floats_enclose_the_exact_ones(name):
    hull = Hull.of(LAYERS[name].layer)
    columns = [j for j in range(LAYERS[name].n_inputs) if j not in hull.fixed]
    system = LAYERS[name].layer.system
    equal = [[system.integer_row(r.unit)[j] for j in columns] for r in hull.minor.rows]
    table = [[system.integer_row(i)[j] for j in columns] for i in range(LAYERS[name].n_units)]
    if not equal:
        equal = table[:2]
    exact = hull_module._projected_exactly(table, equal)
    bounds = hull_module._projected_by_floats(table, equal)
    for (low, high), (same, _) in zip(bounds, exact, strict=True):
        assert low <= same <= high
        assert high - low <= same * F(1, 10**20)


def test_nearly_dependent_equalities_fall_back_on_exact_norms():
    close = [[1, 0, 0], [2**60, 1, 0]]
    assert hull_module._projected_by_floats([[0, 0, 1]], close) is None
    assert hull_module._projected_exactly([[1, 2, 3]], close) == [(9, 9)]


def test_unbounded_balls():
    half = CollisionPolytope.from_halfspaces([[1, 1]], [0])
    cone = CollisionPolytope.from_halfspaces(
        [[-1, 1, 0], [-1, -1, 0]], [0, 0], equalities=[[0, 0, 1]], values=[7]
    )
    orthant = CollisionPolytope.from_layer([[1.0, -3.0]], [-1.0], [0.0, 1.0], domain=Nonnegative())
    space = CollisionPolytope.from_halfspaces(None, None, equalities=[[1, 2, 3]], values=[4])
    for P in (half, cone, orthant, space):
        ball = P.chebyshev_ball()
        assert (ball.status, ball.radius_upper) == (BallStatus.UNBOUNDED, inf)
        hull = Hull.of(P.layer)
        project = projector(P, hull)
        assert P.contains(ball.center)
        for h in hull.inequalities():
            a, b = integer_row(P, h)
            norm = np.linalg.norm(project @ np.array(a, dtype=float))
            value = float(sum((v * x for v, x in zip(a, ball.direction, strict=True)), F(0)))
            assert value <= -norm * (1 - 1e-12)
            at = sum((v * x for v, x in zip(a, ball.center, strict=True)), F(0))
            assert float(b - at) >= norm * (1 - 1e-12)


def test_unbounded_sets_can_have_a_largest_ball():
    ball = KNOWN["quarter strip"][0].chebyshev_ball()
    assert (ball.radius, ball.center[1]) == (3, 3)


def test_a_set_without_points_has_no_ball():
    ball = CollisionPolytope.from_halfspaces([[1], [-1]], [0, -1]).chebyshev_ball()
    assert (ball.status, ball.dimension, ball.radius_upper) == (BallStatus.EMPTY, -1, 0.0)


def test_rows_that_are_constant_on_the_hull_do_not_matter():
    # x + y = 1 and the redundant x + y <= 3 is parallel to it
    P = CollisionPolytope.from_halfspaces(
        [[-1, 0], [0, -1], [1, 1]], [0, 0, 3], equalities=[[1, 1]], values=[1]
    )
    assert P.chebyshev_ball().radius_lower == pytest.approx(sqrt(2) / 2, rel=1e-15)


@pytest.mark.slow
def test_some_hundred_inputs():
    rng = np.random.default_rng(0)
    weight = rng.normal(size=(150, 300)).astype(np.float32) / np.float32(17)
    target = rng.random(300).astype(np.float32)
    P = CollisionPolytope.from_layer(
        weight, np.zeros(150, dtype=np.float32), target, domain=Box(0, 1)
    )
    ball = P.chebyshev_ball()
    assert ball.dimension == 300 - P.n_positive
    assert P.contains(ball.center)
    assert 0 < ball.radius_lower <= ball.radius_upper <= ball.radius_lower * (1 + 1e-12)
