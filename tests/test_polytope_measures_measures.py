"""The methods of CollisionPolytope: they list the vertices themselves, or take a list."""

import inspect

import pytest

from polytope import CollisionPolytope
from polytope.answers.generators import Completeness
from polytope.measures.measures import Measures
from tests.oracles.hand_made import (
    cross,
    cube,
    flat_degenerate,
    flat_simplex,
    hand_made,
    random_simple,
)

METHODS = {name: value for name, value in vars(Measures).items() if name[0] != "_"}
LISTED = {n: m for n, m in METHODS.items() if "generators" in inspect.signature(m).parameters}


def test_all_questions_are_there():
    assert set(METHODS) == {
        "chebyshev_ball",
        "diameter",
        "extents",
        "facets",
        "hausdorff_distance",
        "inscribed_ellipsoid",
        "mean_pairwise_distance",
        "mean_width",
        "random_combinations",
        "sample",
        "skeleton",
        "volume",
    }
    assert issubclass(CollisionPolytope, Measures)


@pytest.mark.parametrize("name", METHODS)
def test_documented_annotated_and_mostly_keyword_only(name):
    signature = inspect.signature(METHODS[name])
    assert inspect.getdoc(METHODS[name])
    assert signature.return_annotation is not inspect.Signature.empty
    positional = [p for p in signature.parameters.values() if p.kind is p.POSITIONAL_OR_KEYWORD]
    assert len(positional) <= 3


@pytest.mark.parametrize(
    "P", [cube(3), cross(3), flat_simplex(2), flat_degenerate(1), random_simple(0, 3, 10)]
)
def test_answers_do_not_depend_on_who_listed_the_vertices(P):
    ours, other = P.vertices(), hand_made(P)
    assert ours.status is Completeness.CERTIFIED
    volume, again = P.volume(), P.volume(generators=other)
    # The charts may differ, their volumes times sqrt(gram) may not.
    assert volume.rational**2 * volume.gram == again.rational**2 * again.gram
    assert P.diameter().squared == P.diameter(generators=other).squared
    assert P.mean_pairwise_distance().value == pytest.approx(
        P.mean_pairwise_distance(generators=other).value, rel=1e-15
    )
    graph, expected = P.skeleton(), P.skeleton(generators=other)
    links = [
        {frozenset((g.nodes[i]["point"], g.nodes[j]["point"])) for i, j in g.edges}
        for g in (graph, expected)
    ]
    assert links[0] == links[1]
    assert len(P.facets()) == len(P.facets(generators=other))
    assert P.mean_width(seed=0).value > 0
    assert P.random_combinations(2, seed=0).shape == (2, P.n_inputs)


@pytest.mark.parametrize("name", sorted(set(LISTED) - {"sample"}))
def test_a_given_list_is_not_made_again(name, monkeypatch):
    P = cube(2)
    listed = P.vertices()
    made, vertices = [], CollisionPolytope.vertices
    monkeypatch.setattr(
        CollisionPolytope,
        "vertices",
        lambda *given, **named: made.append(vertices(*given, **named)) or made[-1],
    )
    arguments = {"random_combinations": (1,), "hausdorff_distance": ([[0, 0]],)}
    getattr(P, name)(*arguments.get(name, ()), generators=listed)
    assert made == []
    getattr(cube(2), name)(*arguments.get(name, ()))
    assert len(made) == 1
