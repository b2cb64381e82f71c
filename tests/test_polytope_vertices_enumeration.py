"""All vertices, rays and lines: hand-derived answers, limits, degenerate and near-tied sets."""

from fractions import Fraction
from itertools import permutations, product

import numpy as np
import pytest

from polytope import Box, CollisionPolytope, Nonnegative, verify
from polytope.answers.generators import Completeness, Generators
from polytope.errors import InputError

SQUARE = CollisionPolytope.from_layer([[2, 2]], [-3], [0, 0], domain=Box(0, 1))


def cross_polytope(n: int) -> CollisionPolytope:
    signs = list(product((-1, 1), repeat=n))
    return CollisionPolytope.from_layer(signs, [-1] * len(signs), [0] * n)


def random_layer(d: int, n: int, seed: int) -> CollisionPolytope:
    generator = np.random.default_rng(seed)
    weight = generator.normal(size=(n, d)).astype(np.float32)
    bias = (-np.abs(generator.normal(size=n)) - 0.5).astype(np.float32)
    return CollisionPolytope.from_layer(weight, bias, np.zeros(d, np.float32), domain=Box(-1, 1))


def points(found: Generators) -> set[tuple[Fraction, ...]]:
    return {tuple(p) for p in found.points}


def test_cut_square() -> None:
    half = Fraction(1, 2)
    found = SQUARE.vertices()
    assert points(found) == {(0, 0), (1, 0), (0, 1), (1, half), (half, 1)}
    assert found.status is Completeness.CERTIFIED
    assert found.complete
    assert found.dimension == 2
    assert not len(found.rays)
    assert not len(found.lines)
    assert "exactly these 5 vertices" in verify(found.certificate)


def test_halfplane_has_a_line_and_no_vertex() -> None:
    found = CollisionPolytope.from_layer([[2, 2]], [-3], [0, 0]).vertices()
    assert len(found.vertices) == 0
    (point,), (ray,), (line,) = found.points, found.rays, found.lines
    assert point[0] * 2 + point[1] * 2 == 3
    assert ray[0] + ray[1] < 0
    assert line[0] + line[1] == 0
    assert line[0] != 0
    assert verify(found.certificate)


def test_whole_space_is_one_point_and_d_lines() -> None:
    found = CollisionPolytope.from_layer([[0, 0, 0]], [-1], [1, 2, 3]).vertices()
    assert len(found.points) == 1
    assert len(found.lines) == 3
    assert len(found.rays) == 0
    assert verify(found.certificate)


def test_cone_apex_is_a_vertex() -> None:
    found = CollisionPolytope.from_layer([[-1, 0], [0, -1]], [0, 0], [0, 0]).vertices()
    assert points(found) == {(0, 0)}
    assert {tuple(r) for r in found.rays} == {(1, 0), (0, 1)}


def test_segment_on_the_hyperplane_of_an_active_unit() -> None:
    layer = CollisionPolytope.from_layer([[2, 2]], [-3], [3, 3], domain=Nonnegative())
    found = layer.vertices()
    assert points(found) == {(6, 0), (0, 6)}
    assert found.dimension == 1
    assert verify(found.certificate)


def test_ties_leave_one_point() -> None:
    found = CollisionPolytope.from_layer([[1], [-1]], [0, 0], [0]).vertices()
    assert points(found) == {(0,)}
    assert found.dimension == 0
    assert verify(found.certificate)


def test_implicit_equality_is_found() -> None:
    weight = [[1, 1, 0], [-1, -1, 0], [1, 0, 0], [0, 0, 1], [-1, 0, 0], [0, 0, -1]]
    layer = CollisionPolytope.from_layer(weight, [0, 0, -1, -1, -1, -1], [0, 0, 0])
    found = layer.vertices()
    assert points(found) == {(s, -s, t) for s in (-1, 1) for t in (-1, 1)}
    assert found.dimension == 2
    assert verify(found.certificate)


def test_empty_set_is_proved_empty() -> None:
    layer = CollisionPolytope.from_activation([[1.0], [1.0]], [0.0, 0.0], [1.0, 2.0])
    found = layer.vertices()
    assert found.status is Completeness.EMPTY
    assert found.dimension == -1
    assert "empty" in verify(found.certificate)


@pytest.mark.parametrize("n", [2, 3, 4, 5, 6])
def test_cross_polytopes_are_degenerate_and_certified(n: int) -> None:
    found = cross_polytope(n).vertices()
    expected = {tuple(s * (j == k) for j in range(n)) for k in range(n) for s in (-1, 1)}
    assert points(found) == expected
    assert found.status is Completeness.CERTIFIED
    assert verify(found.certificate)
    assert found.incidence.sum(axis=1).tolist() == [2 ** (n - 1)] * (2 * n)


def test_duplicate_and_weakly_redundant_rows() -> None:
    weight = [[1, 0], [1, 0], [2, 0], [0, 1], [1, 1], [-1, 0], [0, -1]]
    bias = [-1, -1, -2, -1, -2, 0, 0]
    found = CollisionPolytope.from_layer(weight, bias, [0, 0]).vertices()
    assert points(found) == {(0, 0), (1, 0), (0, 1), (1, 1)}
    assert verify(found.certificate)


def test_permutahedron_on_its_hyperplane() -> None:
    subsets = [s for s in product((0, 1), repeat=4) if 0 < sum(s) < 4]
    least = [sum(range(1, sum(s) + 1)) for s in subsets]
    layer = CollisionPolytope.from_halfspaces(
        [[-v for v in s] for s in subsets],
        [-v for v in least],
        equalities=[[1, 1, 1, 1]],
        values=[10],
    )
    found = layer.vertices()
    assert points(found) == set(permutations((1, 2, 3, 4)))
    assert found.dimension == 3
    assert verify(found.certificate)


def test_fixed_coordinates_leave_the_hull() -> None:
    lower, upper = np.array([0.0, 0.25, 0.0]), np.array([1.0, 0.25, 1.0])
    layer = CollisionPolytope.from_layer([[1, 1, 1]], [-9], [0, 0.25, 0], domain=Box(lower, upper))
    found = layer.vertices()
    assert points(found) == {(a, Fraction(1, 4), b) for a in (0, 1) for b in (0, 1)}
    assert found.dimension == 2
    assert verify(found.certificate)


@pytest.mark.parametrize(("d", "n"), [(2, 12), (4, 20), (6, 24)])
def test_random_layers_are_simple_and_certified(d: int, n: int) -> None:
    found = random_layer(d, n, seed=d).vertices()
    assert found.status is Completeness.CERTIFIED
    assert (found.incidence.sum(axis=1) == d).all()
    layer = random_layer(d, n, seed=d)
    assert all(layer.is_vertex(p) for p in list(found.points)[:20])
    assert verify(found.certificate)


def test_near_ties_are_resolved_exactly() -> None:
    """Three lines through nearly one point: 2^-45 decides whether there are 2 vertices or 1."""
    tiny = Fraction(1, 2**45)
    for offset, expected in ((tiny, 5), (Fraction(0), 4), (-tiny, 4)):
        layer = CollisionPolytope.from_layer([[1, 1]], [-(2 - offset)], [0, 0], domain=Box(0, 1))
        found = layer.vertices()
        assert len(found.points) == expected, offset
        assert verify(found.certificate)


def test_count_limit_gives_a_partial_list() -> None:
    layer = random_layer(6, 24, seed=1)
    everything = points(layer.vertices())
    found = layer.vertices(max_count=10)
    assert found.status is Completeness.PARTIAL
    assert not found.complete
    assert "max_count" in found.reason
    assert found.certificate is None
    assert len(found.points) == 10
    assert points(found) < everything


def test_time_and_memory_limits() -> None:
    layer = random_layer(8, 30, seed=2)
    assert "max_seconds" in layer.vertices(max_seconds=1e-9).reason
    assert "max_memory" in layer.vertices(max_memory=1000).reason
    assert "max_count" in cross_polytope(6).vertices(max_count=100).reason


@pytest.mark.parametrize("limit", ["max_seconds", "max_count", "max_memory", "max_bases"])
def test_limits_must_be_positive(limit: str) -> None:
    for wrong in (0, -1, True, "3", float("inf"), *([2.5] if limit != "max_seconds" else [])):
        with pytest.raises(InputError, match=limit):
            SQUARE.vertices(**{limit: wrong})


def test_progress_must_be_a_function() -> None:
    with pytest.raises(InputError, match="progress"):
        SQUARE.vertices(progress=3)


def test_progress_is_reported() -> None:
    seen: list[tuple[int, int]] = []
    random_layer(6, 24, seed=1).vertices(
        progress=lambda done, waiting: seen.append((done, waiting))
    )
    assert len(seen) > 3
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)


def test_too_degenerate_sets_are_cross_checked() -> None:
    pytest.importorskip("cdd.gmp")
    found = cross_polytope(5).vertices(max_bases=50)
    assert found.status is Completeness.CROSS_CHECKED
    assert found.complete
    assert found.certificate is None
    assert len(points(found)) == 10
    assert "agree" in found.reason


def test_too_many_free_coordinates_are_refused() -> None:
    layer = CollisionPolytope.from_layer(np.ones((1, 300)), [-1.0], np.zeros(300), domain=Box(0, 1))
    found = layer.vertices()
    assert found.status is Completeness.UNDECIDED
    assert "unit_vertices" in found.reason
    assert layer.estimate_vertices() is None


@pytest.mark.parametrize("walkers", [1, 0, -3, True, 2.5, "many"])
def test_walkers_must_be_two_at_least(walkers: object) -> None:
    with pytest.raises(InputError, match="walkers"):
        SQUARE.estimate_vertices(walkers=walkers)


def test_many_coordinates_that_are_lines_are_listed() -> None:
    weight = np.eye(3, 400) + 1
    found = CollisionPolytope.from_layer(weight, [-1.0] * 3, np.zeros(400)).vertices()
    assert (len(found.points), len(found.rays), len(found.lines)) == (1, 3, 397)


def test_points_of_a_partial_list_are_solved_one_by_one() -> None:
    layer = random_layer(8, 30, seed=2)
    found = layer.vertices(max_count=500)
    assert layer.is_vertex(found.points[-1])
    assert "_points" not in vars(found.points)


def test_columns_of_another_scale() -> None:
    generator = np.random.default_rng(0)
    weight = generator.normal(size=(30, 6))
    usual = CollisionPolytope.from_halfspaces(weight, np.ones(30)).vertices()
    weight[:, 0] *= 2.0**-80
    found = CollisionPolytope.from_halfspaces(weight, np.ones(30)).vertices(max_seconds=30)
    assert found.complete
    scaled = {(p[0] * 2**-80, *p[1:]) for p in found.points}
    assert {tuple(map(float, p)) for p in scaled} == {tuple(map(float, p)) for p in usual.points}


def test_time_limit_holds_before_the_first_vertex() -> None:
    generator = np.random.default_rng(0)
    weight = generator.normal(size=(60, 80)).astype(np.float32)
    layer = CollisionPolytope.from_layer(weight, np.zeros(60), generator.uniform(size=80))
    found = layer.vertices(max_seconds=1e-6)
    assert found.status is Completeness.PARTIAL
    assert "max_seconds: 1e-06 s" in found.reason


def test_generators_are_no_truth_value() -> None:
    with pytest.raises(InputError, match=r"\.complete"):
        bool(SQUARE.vertices())


def test_size_estimate_has_the_right_order() -> None:
    layer = random_layer(5, 20, seed=3)
    truth = len(layer.vertices().points)
    estimate = layer.estimate_vertices(seed=1)
    assert truth / 2 < estimate.vertices < truth * 2
    assert truth <= estimate.upper_bound
    assert not estimate.degenerate
    assert cross_polytope(4).estimate_vertices().degenerate


def test_size_estimate_of_a_cube_is_its_upper_bound_or_less() -> None:
    cube = CollisionPolytope.from_layer([[0, 0, 0]], [-1], [0, 0, 0], domain=Box(0, 1))
    assert cube.estimate_vertices().vertices == pytest.approx(8, rel=0.05)
    assert cube.estimate_vertices().upper_bound == 8
