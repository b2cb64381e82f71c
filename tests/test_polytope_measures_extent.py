"""Extents against the vertices, and their certificates."""

from fractions import Fraction
from math import inf

import numpy as np
import pytest

from polytope import Box, CollisionPolytope, Nonnegative, verify
from polytope.answers.results import LPStatus
from polytope.errors import InputError
from tests.examples.bounded import EXAMPLES
from tests.oracles.hand_made import flat_degenerate, flat_simplex, hand_made, random_simple

F = Fraction
BOUNDED = [e for e in EXAMPLES if e.bounded and e.vertices]


@pytest.mark.parametrize("example", BOUNDED, ids=lambda e: e.name)
def test_known_examples(example):
    found = example.polytope().extents()
    columns = list(zip(*example.vertices, strict=True))
    assert found.lower == tuple(map(min, columns))
    assert found.upper == tuple(map(max, columns))
    assert found.widths == tuple(max(c) - min(c) for c in columns)


@pytest.mark.parametrize(
    "P", [flat_degenerate(0), flat_degenerate(1), flat_simplex(3), random_simple(0, 4, 10)]
)
def test_ends_are_those_of_the_vertices_and_certified(P):
    points = np.array([list(p) for p in hand_made(P).points], dtype=object)
    found = P.extents()
    assert found.lower == tuple(points.min(axis=0))
    assert found.upper == tuple(points.max(axis=0))
    for result in (*found.lowest, *found.highest):
        assert "minimum" in verify(result.certificate)


def test_chosen_coordinates():
    P = CollisionPolytope.from_layer([[2, 2]], [-3], [0, 0], domain=Box(0, 1))
    found = P.extents([1])
    assert (found.coordinates, found.lower, found.upper) == ((1,), (0,), (1,))
    assert P.extents(np.array([1, 0])).coordinates == (1, 0)


@pytest.mark.parametrize(
    ("coordinates", "message"),
    [
        ([2], "coordinates: expected 0 <= coordinate < 2, got 2"),
        ([0, -1], "coordinates: expected 0 <= coordinate < 2, got -1"),
        ([0.5], r"coordinates\[0\]: expected an int, got 0.5"),
        ([0, True], r"coordinates\[1\]: expected an int, got True"),
        (np.array([0.0]), r"coordinates\[0\]: expected an int, got "),
        (["a"], r"coordinates\[0\]: expected an int, got 'a'"),
        ("01", "coordinates: expected a sequence of ints, got '01'"),
        (3, "coordinates: expected a sequence of ints, got 3"),
    ],
)
def test_coordinates_that_are_refused_before_any_work(coordinates, message, monkeypatch):
    P = CollisionPolytope.from_layer([[2, 2]], [-3], [0, 0], domain=Box(0, 1))
    monkeypatch.setattr("polytope.measures.extent.Minimizer", None)
    with pytest.raises(InputError, match=message):
        P.extents(coordinates)


def test_unbounded_and_empty_sets():
    P = CollisionPolytope.from_layer([[1, -1]], [0], [0, 3], domain=Nonnegative())
    found = P.extents()
    assert (found.lower, found.upper, found.widths) == ((0, 0), (None, None), (None, None))
    assert found.highest[0].status is LPStatus.UNBOUNDED
    assert found.widths_float().tolist() == [inf, inf]
    none = CollisionPolytope.from_halfspaces([[1, 0], [-1, 0]], [0, -1])
    assert none.extents().empty
    assert none.extents().lower == (None, None)
    assert np.isnan(none.extents().widths_float()).all()
