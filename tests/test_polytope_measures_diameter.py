"""Diameters and mean distances: known by hand, and against plain sums over all pairs."""

from fractions import Fraction
from itertools import combinations
from math import inf, sqrt

import numpy as np
import pytest

from polytope import CollisionPolytope, RationalVector
from polytope.answers.generators import Completeness, Generators
from polytope.errors import InputError
from polytope.measures import diameter as diameter_module
from polytope.measures import distances as distances_module
from polytope.measures.diameter import DiameterStatus, squared_distance
from tests.oracles.hand_made import (
    cross,
    cube,
    flat_degenerate,
    flat_simplex,
    hand_made,
    permutahedron,
    random_simple,
)

F = Fraction
KNOWN = {
    "cube": (cube(4), 4),
    "cross-polytope": (cross(3), 4),
    "flat simplex": (flat_simplex(4), 2),
    "permutahedron": (permutahedron(4), 20),  # 3^2 + 1 + 1 + 3^2
    "point": (CollisionPolytope.from_halfspaces([[1], [-1]], [2, -2]), 0),
}


@pytest.mark.parametrize("name", KNOWN)
def test_known_diameters(name):
    P, square = KNOWN[name]
    found = P.diameter(generators=hand_made(P))
    assert (found.status, found.squared) == (DiameterStatus.EXACT, square)
    assert squared_distance(*found.pair) == square
    assert F(found.lower) ** 2 <= square <= F(found.upper) ** 2
    assert found.upper - found.lower <= 1e-15 * found.upper


def brute(points):
    return max(squared_distance(x, y) for x, y in combinations(points, 2))


@pytest.mark.parametrize("P", [*map(flat_degenerate, range(4)), random_simple(0, 5, 12)])
def test_against_all_pairs(P):
    generators = hand_made(P)
    assert P.diameter(generators=generators).squared == brute(generators.points)


def test_pairs_that_floats_cannot_tell_apart_are_compared_exactly():
    tiny = F(1, 2**80)
    points = [(0, 0), (1, 1), (1 + tiny, 0), (0, 1 + 2 * tiny)]
    vectors = [RationalVector.of(p) for p in points]
    far = [RationalVector.of(10**30 + v for v in p) for p in points]
    for chosen in (vectors, far):
        found = diameter_module._from_vertices(chosen)
        assert found.squared == brute(chosen)


@pytest.mark.parametrize("scale", [F(1, 2**1500), F(2**1500)])
def test_sizes_beyond_the_floats(scale):
    rng = np.random.default_rng(0)
    points = [
        RationalVector.of(scale * F(v) for v in row) for row in rng.normal(size=(30, 3)).tolist()
    ]
    found = diameter_module._from_vertices(points)
    assert found.squared == brute(points)
    low, high = distances_module._rounded_mean(*diameter_module.scaled_floats(points))
    assert low <= high
    assert (low > 1e300) if scale > 1 else (high < 1e-300)


def test_too_many_ties_keep_certified_bounds(monkeypatch):
    monkeypatch.setattr(diameter_module, "_MOST", 3)
    P = flat_simplex(4)
    found = P.diameter(generators=hand_made(P))
    assert (found.status, found.squared) == (DiameterStatus.BOUNDED, None)
    assert F(found.lower) ** 2 <= 2 <= F(found.upper) ** 2
    assert found.upper - found.lower < 1e-13


def test_many_blocks(monkeypatch):
    monkeypatch.setattr(diameter_module, "_BLOCK", 100)
    P = random_simple(0, 4, 15)
    generators = hand_made(P)
    assert P.diameter(generators=generators).squared == brute(generators.points)


@pytest.mark.parametrize("P", [cube(3), flat_simplex(3), flat_degenerate(2)])
def test_without_a_list_the_bounds_hold(P):
    true = P.diameter(generators=hand_made(P))
    found = P.diameter(method="extents")
    assert (found.status, found.method) == (DiameterStatus.BOUNDED, "extents")
    assert found.lower <= true.upper
    assert true.lower <= found.upper < 2 * true.upper
    assert all(P.contains(x) for x in found.pair)
    assert found.lower == pytest.approx(sqrt(squared_distance(*found.pair)))
    partial = Generators(Completeness.PARTIAL, reason="time")
    assert P.diameter(generators=partial).method == "extents"


def test_unbounded_and_empty_sets():
    wedge = CollisionPolytope.from_halfspaces([[-1, 0], [0, -1]], [0, 0])
    for found in (wedge.diameter(generators=hand_made(wedge)), wedge.diameter(method="extents")):
        assert (found.status, found.lower) == (DiameterStatus.UNBOUNDED, inf)
    none = CollisionPolytope.from_halfspaces([[1], [-1]], [0, -1])
    for found in (none.diameter(generators=hand_made(none)), none.diameter(method="extents")):
        assert (found.status, found.upper) == (DiameterStatus.EMPTY, 0.0)
    with pytest.raises(InputError, match='"vertices" or "extents", got \'box\''):
        wedge.diameter(method="box")


def test_mean_pairwise_distance_of_a_square():
    P = cube(2)
    found = P.mean_pairwise_distance(generators=hand_made(P))
    assert found.n_pairs == 6
    assert found.value == pytest.approx((4 + 2 * sqrt(2)) / 6, rel=1e-15)
    assert found.lower <= found.value <= found.upper <= np.nextafter(found.lower, 9)


def test_mean_pairwise_distance_as_the_papers_scripts_take_it():
    P = random_simple(0, 4, 10)
    generators = hand_made(P)
    points = generators.points_float()
    plain = np.mean([np.linalg.norm(a - b) for a, b in combinations(points, 2)])
    assert P.mean_pairwise_distance(generators=generators).value == pytest.approx(plain)


@pytest.mark.parametrize("P", [random_simple(1, 4, 10), permutahedron(4)])
def test_rounded_mean_encloses_the_exact_one(P, monkeypatch):
    generators = hand_made(P)
    exact = P.mean_pairwise_distance(generators=generators)
    monkeypatch.setattr(distances_module, "_EXACT", 0)
    rounded = P.mean_pairwise_distance(generators=generators)
    assert rounded.lower <= exact.lower
    assert exact.upper <= rounded.upper
    assert rounded.upper - rounded.lower < 1e-12


def test_a_single_vertex_has_no_pairs():
    P = CollisionPolytope.from_halfspaces([[1], [-1]], [2, -2])
    assert P.mean_pairwise_distance(generators=hand_made(P)).n_pairs == 0
