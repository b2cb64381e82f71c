"""Samples: uniform by moments and by distribution, inside the set, reproducible."""

from fractions import Fraction
from math import factorial

import numpy as np
import pytest
from scipy.stats import kstest

from polytope import Box, CollisionPolytope
from polytope.answers.generators import Completeness, Generators
from polytope.errors import InputError, LimitError
from polytope.measures.triangulation import triangulation
from tests.oracles.hand_made import (
    cross,
    cube,
    flat_degenerate,
    flat_simplex,
    hand_made,
    permutahedron,
    random_simple,
    simplex,
)

METHODS = ("hit-and-run", "triangulation")


def drawn(P, method, n=1000, seed=0):
    return P.sample(n, generators=hand_made(P), method=method, seed=seed)


@pytest.mark.parametrize("method", METHODS)
def test_cube_is_uniform_in_every_coordinate(method):
    x = drawn(cube(4), method)
    for j in range(4):
        assert kstest(x[:, j], "uniform").pvalue > 1e-3
    # the standard error of a covariance of uniform numbers is 1 / (12 sqrt(n))
    assert np.abs(np.cov(x.T) - np.eye(4) / 12).max() < 4 / (12 * np.sqrt(1000)) * 1.5
    assert np.abs(x.mean(axis=0) - 0.5).max() < 4 * np.sqrt(1 / 12 / 1000)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("P", [simplex(4), flat_simplex(4)], ids=["simplex", "flat simplex"])
def test_simplex_coordinates_are_beta_distributed(method, P):
    x = drawn(P, method)
    for j in range(P.n_inputs):
        assert kstest(x[:, j], "beta", args=(1, 4)).pvalue > 1e-3


@pytest.mark.parametrize("method", METHODS)
def test_distances_from_the_origin_in_the_cross_polytope(method):
    # |x|_1 of a uniform point of the cross-polytope has the distribution function r^k
    x = drawn(cross(3), method)
    assert kstest(np.abs(x).sum(axis=1) ** 3, "uniform").pvalue > 1e-3


@pytest.mark.slow
def test_hit_and_run_in_twenty_dimensions():
    x = cube(20).sample(1000, seed=3)
    assert min(kstest(column, "uniform").pvalue for column in x.T) > 1e-4


def test_needles_are_sampled_along_their_whole_length():
    turn = np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))[0]
    bound = [1e4, 1e4, 1, 1, 1e-4, 1e-4]
    P = CollisionPolytope.from_halfspaces(
        np.vstack([turn[i] * s for i in range(3) for s in (1, -1)]), bound
    )
    x = P.sample(1000, seed=0) @ turn.T
    for j, size in enumerate((1e4, 1, 1e-4)):
        assert kstest(x[:, j] / size / 2 + 0.5, "uniform").pvalue > 1e-3


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    "P",
    [
        *map(flat_degenerate, range(3)),
        permutahedron(4),
        random_simple(0, 4, 10),
        CollisionPolytope.from_layer([[1, 1, 1]], [-1], [1, 0.5, 0.25], domain=Box(0, 1)),
        CollisionPolytope.from_halfspaces([[1], [-1]], [2, -2]),
    ],
)
def test_samples_lie_in_the_set_to_float_accuracy(method, P):
    x = drawn(P, method, n=50)
    assert x.shape == (50, P.n_inputs)
    for row in x:
        found = P.residuals(row)
        assert max(found.worst_equality, found.worst_inactive) < Fraction(1, 10**12)
        assert found.worst_domain == 0


def test_means_agree_with_exact_centroids():
    P = random_simple(0, 4, 10)
    a, b = (drawn(P, method, n=2000) for method in METHODS)
    error = np.sqrt((a.var(axis=0) + b.var(axis=0)) / 2000)
    assert (np.abs(a.mean(axis=0) - b.mean(axis=0)) < 4 * error).all()


def test_more_samples_than_walks():
    x = cube(2).sample(3000, seed=0)
    assert x.shape == (3000, 2)
    assert len(np.unique(x, axis=0)) == 3000
    assert kstest(x[:, 0], "uniform").pvalue > 1e-3


def test_seeds_decide_and_auto_triangulates_small_lists():
    P = cube(3)
    generators = hand_made(P)
    assert (P.sample(5, seed=1) == P.sample(5, seed=1)).all()
    assert (P.sample(5, seed=1) != P.sample(5, seed=2)).any()
    auto = P.sample(5, generators=generators, seed=1)
    assert (auto == drawn(P, "triangulation", 5, 1)).all()
    assert (P.sample(5, seed=1) == drawn(P, "hit-and-run", 5, 1)).all()
    assert P.sample(0, seed=1).shape == (0, 3)


def test_triangulations_fill_the_set():
    for P, count in ((cube(3), factorial(3)), (cross(3), 4), (simplex(3), 1)):
        generators = hand_made(P)
        found = triangulation(generators)
        assert found.shape == (count, 4)
        corners = generators.points_float()[found]
        volumes = np.abs(np.linalg.det(corners[:, 1:] - corners[:, :1])) / 6
        assert volumes.sum() == pytest.approx(P.volume(generators=generators).value)
    with pytest.raises(LimitError, match="at most 3, got more"):
        triangulation(hand_made(cube(3)), max_simplices=3)


def test_unbounded_and_empty_sets_are_refused():
    wedge = CollisionPolytope.from_halfspaces([[-1, 0], [0, -1]], [0, 0])
    with pytest.raises(InputError, match="expected a bounded set, got an unbounded one"):
        wedge.sample(1)
    with pytest.raises(InputError, match="bounded set with points, got an unbounded one"):
        wedge.sample(1, generators=hand_made(wedge))
    none = CollisionPolytope.from_halfspaces([[1], [-1]], [0, -1])
    with pytest.raises(InputError, match="expected a set with points, got one that is empty"):
        none.sample(1)


def test_bad_arguments():
    P = cube(2)
    with pytest.raises(InputError, match="n: expected an int >= 0, got -1"):
        P.sample(-1)
    with pytest.raises(InputError, match="n: expected an int >= 0, got -1"):
        P.random_combinations(-1, generators=hand_made(P))
    with pytest.raises(InputError, match="one of auto, hit-and-run, triangulation, got 'gibbs'"):
        P.sample(1, method="gibbs")
    with pytest.raises(InputError, match="expected a list for the triangulation, got None"):
        P.sample(1, method="triangulation")
    with pytest.raises(InputError, match="burn_in: expected an int >= 1, got 0"):
        P.sample(1, burn_in=0)


def test_random_combinations_crowd_around_the_mean_of_the_vertices():
    P = cube(3)
    generators = hand_made(P)
    x = P.random_combinations(2000, generators=generators, seed=0)
    assert all(P.contains(row) for row in x[:50])
    # weights are Dirichlet(1, .., 1): a coordinate is Beta(4, 4)
    for j in range(3):
        assert kstest(x[:, j], "beta", args=(4, 4)).pvalue > 1e-3
    again = P.random_combinations(2000, generators=generators, seed=0)
    assert (x == again).all()


def test_random_combinations_need_vertices():
    strip = CollisionPolytope.from_halfspaces([[1, 0], [-1, 0]], [1, 1])
    with pytest.raises(InputError, match="expected vertices to combine, got none"):
        strip.random_combinations(1, generators=hand_made(strip))
    partial = Generators(Completeness.PARTIAL, reason="time")
    with pytest.raises(InputError, match=r"random combinations, got PARTIAL \(time\)"):
        strip.random_combinations(1, generators=partial)
