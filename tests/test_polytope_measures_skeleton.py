"""Facets, incidence and edges of sets whose face lattices are known by hand."""

from itertools import combinations

import numpy as np
import pytest

from polytope import CollisionPolytope
from polytope.answers.generators import Completeness, Generators
from polytope.errors import InputError
from polytope.measures.skeleton import edges
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

networkx = pytest.importorskip("networkx")
PYRAMID = CollisionPolytope.from_halfspaces(  # over a square, the apex (0, 0, 1) in four facets
    [[0, 0, -1], [1, 0, 1], [-1, 0, 1], [0, 1, 1], [0, -1, 1]], [0, 1, 1, 1, 1]
)
KNOWN = {  # vertices, edges, facets
    "cube": (cube(4), 16, 32, 8),
    "simplex": (simplex(4), 5, 10, 5),
    "flat simplex": (flat_simplex(3), 4, 6, 4),
    "cross-polytope": (cross(4), 8, 24, 16),
    "permutahedron": (permutahedron(4), 24, 36, 14),
    "pyramid": (PYRAMID, 5, 8, 5),
    "segment": (cube(1), 2, 1, 2),
    "square": (cube(2), 4, 4, 4),
    "point": (CollisionPolytope.from_halfspaces([[1], [-1]], [2, -2]), 1, 0, 0),
}


@pytest.mark.parametrize("name", KNOWN)
def test_known_face_counts(name):
    P, n_vertices, n_edges, n_facets = KNOWN[name]
    generators = hand_made(P)
    graph = P.skeleton(generators=generators)
    assert (len(graph), graph.number_of_edges()) == (n_vertices, n_edges)
    assert len(P.facets(generators=generators)) == n_facets
    assert graph.graph["unbounded_edges"] == []
    assert networkx.is_connected(graph)


def test_edges_of_the_permutahedron_swap_neighbouring_values():
    P = permutahedron(4)
    graph = P.skeleton(generators=hand_made(P))
    for i, j in combinations(graph, 2):
        a, b = (tuple(map(int, graph.nodes[k]["point"])) for k in (i, j))
        moved = [k for k in range(4) if a[k] != b[k]]
        neighbours = len(moved) == 2 and abs(a[moved[0]] - a[moved[1]]) == 1
        assert graph.has_edge(i, j) == neighbours


def test_edges_of_the_cube_change_one_coordinate():
    P = cube(3)
    graph = P.skeleton(generators=hand_made(P))
    for i, j in combinations(graph, 2):
        a, b = (np.array([int(v) for v in graph.nodes[k]["point"]]) for k in (i, j))
        assert graph.has_edge(i, j) == (np.abs(a - b).sum() == 1)


def by_rank(P, generators):
    """Edges by algebra: the halfspaces tight at both ends have rank one less than the dimension."""
    system, chart = P.layer.system, generators.chart
    from polytope.measures.local import local_rows

    normals = np.array(local_rows(system, chart, generators.halfspaces).normals, dtype=float)
    found = []
    for i, j in combinations(range(len(generators.points)), 2):
        both = normals[generators.incidence[i] & generators.incidence[j]]
        if (
            np.linalg.matrix_rank(both) == chart.dimension - 1
            if len(both)
            else chart.dimension == 1
        ):
            found.append((i, j))
    return found


@pytest.mark.parametrize("seed", range(8))
def test_edges_of_degenerate_sets_against_ranks(seed):
    P = flat_degenerate(seed)
    generators = hand_made(P)
    assert edges(generators) == by_rank(P, generators)


def test_edges_of_simple_sets_against_ranks():
    P = random_simple(4, 3, 15)
    generators = hand_made(P)
    assert edges(generators) == by_rank(P, generators)


def test_repeated_and_redundant_halfspaces():
    P = CollisionPolytope.from_halfspaces(
        [[1, 0], [2, 0], [-1, 0], [0, 1], [0, -1], [1, 1]], [1, 2, 0, 1, 0, 2]
    )
    found = P.facets(generators=hand_made(P))
    names = [[h.unit for h in facet.halfspaces] for facet in found.facets]
    assert sorted(names) == [[0, 1], [2], [3], [4]]  # x + y <= 2 touches one corner only
    assert all(len(facet.points) == 2 for facet in found.facets)
    assert found.incidence.shape == (4, 4)
    assert found.incidence.sum(axis=0).tolist() == [2, 2, 2, 2]


def test_unbounded_edges_and_lines():
    wedge = CollisionPolytope.from_halfspaces([[-1, 0], [0, -1], [-1, -1]], [0, 0, -1])
    generators = hand_made(wedge)
    graph = wedge.skeleton(generators=generators)
    assert graph.number_of_edges() == 1
    ends = {
        tuple(map(int, graph.nodes[i]["point"])): tuple(map(int, generators.rays[r]))
        for i, r in graph.graph["unbounded_edges"]
    }
    assert ends == {(0, 1): (0, 1), (1, 0): (1, 0)}
    cone = CollisionPolytope.from_halfspaces(
        [[1, 0, 1], [-1, 0, 1], [0, 1, 1], [0, -1, 1]], [0] * 4
    )
    graph = cone.skeleton(generators=hand_made(cone))
    assert (len(graph), len(graph.graph["unbounded_edges"])) == (1, 4)
    strip = CollisionPolytope.from_halfspaces([[1, 0], [-1, 0]], [1, 1])
    assert strip.skeleton(generators=hand_made(strip)).number_of_edges() == 1
    assert len(strip.facets(generators=hand_made(strip))) == 2


def test_empty_and_partial_lists():
    empty = Generators(Completeness.EMPTY)
    assert len(cube(2).facets(generators=empty)) == len(cube(2).skeleton(generators=empty)) == 0
    partial = Generators(Completeness.PARTIAL, reason="time")
    with pytest.raises(InputError, match=r"complete list for the facets, got PARTIAL \(time\)"):
        cube(2).skeleton(generators=partial)
    whole = hand_made(cube(3))
    missing = Generators(
        whole.status, whole.points[1:], (), (), whole.chart, whole.halfspaces, whole.incidence[1:]
    )
    with pytest.raises(InputError, match="expected a complete list, got 1 vertices and 0 rays"):
        edges(missing)
