from fractions import Fraction

import numpy as np
import pytest
from scipy.optimize import minimize

from polytope import Box, CollisionPolytope, RationalVector
from polytope.errors import InputError, ShapeError
from polytope.measures.hausdorff import distance_to_hull


def box(lower, upper, d=2):
    """The box alone: its only unit never fires."""
    return CollisionPolytope.from_layer([[0] * d], [-1], [lower] * d, domain=Box(lower, upper))


def test_a_square_and_its_diagonal():
    found = box(0, 1).hausdorff_distance([[0, 0], [1, 1]])
    assert found.from_hull.lower == found.from_hull.upper == 0
    assert found.from_set.lower <= np.sqrt(0.5) <= found.from_set.upper
    assert found.from_set.upper - found.from_set.lower < 1e-12
    assert (found.lower, found.upper) == (found.from_set.lower, found.from_set.upper)


def test_points_outside_count_in_the_other_direction():
    found = box(0, 1).hausdorff_distance([[-1, -1], [4, 5], [-1, 1], [1, -1], [1, 1]])
    assert found.from_set.upper < 1e-12
    assert found.from_hull.lower <= 5 <= found.from_hull.upper
    assert found.from_hull.index == 1
    assert found.upper == pytest.approx(5)


def test_the_vertices_themselves_are_at_distance_zero():
    rng = np.random.default_rng(3)
    weight = rng.integers(-4, 5, (7, 4))
    polytope = CollisionPolytope.from_layer(weight, [-3] * 7, [0] * 4, domain=Box(-1, 1))
    listed = polytope.vertices()
    found = polytope.hausdorff_distance(listed.points, generators=listed)
    assert found.lower == found.upper == 0


def test_one_point():
    found = box(0, 1, 3).hausdorff_distance([[0, 0, 0]])
    assert found.from_set.lower <= np.sqrt(3) <= found.from_set.upper
    assert found.from_hull.upper == 0


@pytest.mark.parametrize("seed", range(8))
def test_bounds_hold_the_distance_that_another_solver_finds(seed):
    rng = np.random.default_rng(seed)
    d, n = int(rng.integers(2, 7)), int(rng.integers(1, 9))
    points, x = rng.normal(size=(n, d)), 1.5 * rng.normal(size=d)
    exact = [RationalVector.of([Fraction(v) for v in p]) for p in points.tolist()]
    lower, upper = distance_to_hull(RationalVector.of(map(Fraction, x.tolist())), exact)
    assert 0 <= lower <= upper
    assert upper - lower <= 1e-9 * max(1, upper)
    start = np.full(n, 1 / n)
    found = minimize(
        lambda w: float(((w @ points - x) ** 2).sum()),
        start,
        jac=lambda w: 2 * points @ (w @ points - x),
        bounds=[(0, 1)] * n,
        constraints={"type": "eq", "fun": lambda w: w.sum() - 1, "jac": np.ones_like},
        method="SLSQP",
        options={"ftol": 1e-14, "maxiter": 500},
    )
    assert np.sqrt(found.fun) == pytest.approx(upper, abs=1e-5)
    assert np.sqrt(found.fun) >= lower - 1e-7


def test_both_directions_against_random_points():
    rng = np.random.default_rng(5)
    weight = rng.standard_normal((6, 3))
    polytope = CollisionPolytope.from_layer(weight, [-1] * 6, [0] * 3, domain=Box(-1, 1))
    listed = polytope.vertices()
    points = rng.normal(size=(5, 3))
    found = polytope.hausdorff_distance(points, generators=listed)
    corners = listed.points_float()
    inside = rng.dirichlet(np.ones(len(corners)), 400) @ corners
    hull = [RationalVector.of(map(Fraction, p)) for p in points.tolist()]
    for x in inside.tolist():
        assert distance_to_hull(RationalVector.of(map(Fraction, x)), hull)[0] <= (
            found.from_set.upper
        )
    outside = rng.dirichlet(np.ones(5), 20) @ points
    for x in outside:
        assert polytope.nearest(x, "l2").lower <= found.from_hull.upper


def test_what_does_not_fit_is_refused():
    with pytest.raises(InputError, match="points: expected at least one, got none"):
        box(0, 1).hausdorff_distance([])
    with pytest.raises(ShapeError, match=r"points\[1\]"):
        box(0, 1).hausdorff_distance([[0, 0], [1]])
    free = CollisionPolytope.from_layer([[1, 0], [0, 1]], [0, 0], [-1, -1])
    with pytest.raises(InputError, match="got an unbounded one"):
        free.hausdorff_distance([[0, 0]])
    empty = CollisionPolytope.from_activation([[1, 0]], [0], [5], domain=Box(0, 1))
    with pytest.raises(InputError, match="got an empty set"):
        empty.hausdorff_distance([[0, 0]])
    partial = box(0, 1, 5).vertices(max_count=4)
    with pytest.raises(InputError, match="complete"):
        box(0, 1, 5).hausdorff_distance([[0] * 5], generators=partial)
