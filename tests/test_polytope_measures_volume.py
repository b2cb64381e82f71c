"""Volumes known by hand, the two formulas against each other, and other programs' answers."""

from fractions import Fraction
from math import factorial, inf, sqrt

import numpy as np
import pytest

from polytope import Box, CollisionPolytope
from polytope.answers.generators import Completeness, Generators
from polytope.errors import InputError, LimitError
from polytope.measures.faces import incident_facets, pyramid_volume
from polytope.measures.local import local_points, local_rows
from polytope.measures.volume import VolumeStatus
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

F = Fraction
KNOWN = {
    "cube": (cube(4), F(1)),
    "simplex": (simplex(5), F(1, factorial(5)) ** 2),
    "flat simplex": (flat_simplex(4), F(5, factorial(4) ** 2)),
    "cross-polytope": (cross(4), F(2**4, factorial(4)) ** 2),
    "permutahedron": (permutahedron(5), F((5**3) ** 2 * 5)),
    "segment": (flat_simplex(1), F(2)),
    "square in a corner": (
        CollisionPolytope.from_layer([[2, 2]], [-3], [0, 0], domain=Box(0, 1)),
        F(7, 8) ** 2,
    ),
}


@pytest.mark.parametrize("name", KNOWN)
def test_known_volumes(name):
    P, square = KNOWN[name]
    found = P.volume(generators=hand_made(P))
    assert found.status is VolumeStatus.EXACT
    assert found.rational**2 * found.gram == square
    assert F(found.lower) ** 2 <= square <= F(found.upper) ** 2
    assert found.lower <= found.value <= found.upper <= np.nextafter(found.lower, inf)
    assert found.value == pytest.approx(sqrt(square), rel=1e-15)


def test_flat_sets_have_a_rational_part_and_a_gram_determinant():
    P = flat_simplex(3)
    found = P.volume(generators=hand_made(P))
    assert (found.dimension, found.rational, found.gram) == (3, F(1, 6), 4)


def pyramids(P, generators, limit=10**6):
    facets = incident_facets(generators.incidence)
    names = [generators.halfspaces[f] for f in facets]
    rows = local_rows(P.layer.system, generators.chart, names)
    points = local_points(generators)
    total = pyramid_volume(rows.normals, points, generators.incidence[:, facets], max_faces=limit)
    return F(int(total.p), int(total.q))


@pytest.mark.parametrize(
    "P",
    [cube(5), simplex(4), permutahedron(5), random_simple(1, 3, 15), random_simple(2, 5, 12)],
    ids=["cube", "simplex", "permutahedron", "random 3", "random 5"],
)
def test_both_formulas_agree_exactly_on_simple_sets(P):
    generators = hand_made(P)
    found = P.volume(generators=generators)
    assert found.method == "lawrence"
    assert pyramids(P, generators) == found.rational
    lower, upper = F(found.lower), F(found.upper)
    assert lower**2 <= found.rational**2 * found.gram <= upper**2
    assert upper - lower <= lower / 2**51


@pytest.mark.parametrize("seed", range(12))
def test_degenerate_flat_sets_against_qhull(seed):
    from scipy.spatial import ConvexHull

    P = flat_degenerate(seed, 4 + seed % 2)
    generators = hand_made(P)
    found = P.volume(generators=generators)
    local = np.array([p.to_float() for p in local_points(generators)])
    assert float(found.rational) == pytest.approx(ConvexHull(local).volume, rel=1e-12)
    assert found.gram == P.n_inputs


@pytest.mark.parametrize("P", [cross(5), random_simple(3, 4, 12)], ids=["cross", "random"])
def test_against_normaliz(P):
    normaliz = pytest.importorskip("PyNormaliz")
    generators = hand_made(P)
    points = [[*p.numerators, p.denominator] for p in generators.points]
    cone = normaliz.Cone(vertices=points)
    ours = P.volume(generators=generators)
    # Normaliz counts in unit simplices.
    assert F(cone.Volume()) / factorial(P.n_inputs) == ours.rational


def test_scaling_a_set_scales_its_volume():
    P, Q = (
        cube(3),
        CollisionPolytope.from_halfspaces(
            [[s * (i == j) for j in range(3)] for i in range(3) for s in (1, -1)], [F(7, 3), 0] * 3
        ),
    )
    assert Q.volume(generators=hand_made(Q)).rational == F(7, 3) ** 3
    assert P.volume(generators=hand_made(P)).rational == 1


def test_points_unbounded_and_empty_sets():
    point = CollisionPolytope.from_halfspaces([[1], [-1]], [2, -2])
    assert point.volume(generators=hand_made(point)).value == 1.0
    wedge = CollisionPolytope.from_halfspaces([[-1, 0], [0, -1]], [0, 0])
    found = wedge.volume(generators=hand_made(wedge))
    assert found.status is VolumeStatus.UNBOUNDED
    assert (found.rational, found.value, found.upper) == (None, inf, inf)
    strip = CollisionPolytope.from_halfspaces([[1, 0], [-1, 0]], [1, 1])
    assert strip.volume(generators=hand_made(strip)).value == inf
    none = CollisionPolytope.from_halfspaces([[1], [-1]], [0, -1])
    found = none.volume(generators=hand_made(none))
    assert (found.status, found.dimension, found.value) == (VolumeStatus.EMPTY, -1, 0.0)


def test_a_partial_list_and_too_many_faces_are_refused():
    partial = Generators(Completeness.PARTIAL, reason="10 vertices")
    with pytest.raises(InputError, match=r"complete list .* got PARTIAL \(10 vertices\)"):
        cube(2).volume(generators=partial)
    P = cross(4)
    with pytest.raises(LimitError, match="at most 5 faces"):
        P.volume(generators=hand_made(P), max_faces=5)
