"""Arguments of the wrong type: one error of ours that names the argument, and nothing else."""

from fractions import Fraction

import numpy as np
import pytest

from polytope import (
    Box,
    CollisionPolytope,
    RationalVector,
    VRepresentation,
    read_polyhedron,
    write_generators,
    write_halfspaces,
)
from polytope.errors import InputError, ShapeError
from polytope.exact.arguments import integer, integers, random_numbers
from tests.oracles.hand_made import cube, hand_made

SQUARE = CollisionPolytope.from_layer([[2, 2]], [-3], [0, 0], domain=Box(0, 1))
LIST = SQUARE.vertices()
CUBE, CUBE_LIST = cube(3), hand_made(cube(3))
NO_LIST = "generators: expected Generators, got "

REFUSED = {
    "layer": (lambda: CollisionPolytope(3), "layer: expected Rows, got int"),
    "vector": (lambda: RationalVector.of(3), "vector: expected a sequence of numbers, got 3"),
    "walkers": (lambda: SQUARE.estimate_vertices(walkers="x"), "walkers: .* >= 2, got 'x'"),
    "few walkers": (lambda: SQUARE.estimate_vertices(walkers=-3), "walkers: .* got -3"),
    "half a walker": (lambda: SQUARE.estimate_vertices(walkers=2.5), "walkers: .* got 2.5"),
    "seed": (lambda: SQUARE.estimate_vertices(seed="x"), "seed: expected an int >= 0, got 'x'"),
    "negative seed": (lambda: SQUARE.estimate_vertices(seed=-1), "seed: .* got -1"),
    "volume": (lambda: SQUARE.volume(generators=3), NO_LIST + "int"),
    "faces": (lambda: SQUARE.volume(generators=LIST, max_faces="a"), "max_faces: .* got 'a'"),
    "no faces": (lambda: SQUARE.volume(generators=LIST, max_faces=-1), "max_faces: .* got -1"),
    "diameter": (lambda: SQUARE.diameter(generators=5), NO_LIST + "int"),
    "distances": (lambda: SQUARE.mean_pairwise_distance(generators=[]), NO_LIST + "list"),
    "directions": (
        lambda: SQUARE.mean_width(generators=LIST, directions="x"),
        "directions: expected an int >= 2, got 'x'",
    ),
    "half directions": (
        lambda: CUBE.mean_width(generators=CUBE_LIST, directions=2.5),
        "directions: .* got 2.5",
    ),
    "width seed": (lambda: CUBE.mean_width(generators=CUBE_LIST, seed=-1), "seed: .* got -1"),
    "samples": (lambda: SQUARE.sample("a"), "n: expected an int >= 0, got 'a'"),
    "half a sample": (lambda: SQUARE.sample(2.5), "n: .* got 2.5"),
    "true samples": (lambda: SQUARE.sample(True), "n: .* got True"),
    "sample seed": (lambda: SQUARE.sample(3, seed="x"), "seed: .* got 'x'"),
    "burn-in": (lambda: SQUARE.sample(3, burn_in=1.5), "burn_in: expected an int >= 1, got 1.5"),
    "thinning": (lambda: SQUARE.sample(3, thinning="a"), "thinning: .* got 'a'"),
    "sampled list": (lambda: SQUARE.sample(3, generators="a"), NO_LIST + "str"),
    "combinations": (lambda: SQUARE.random_combinations(1.5, generators=LIST), "n: .* got 1.5"),
    "combined list": (lambda: SQUARE.random_combinations(3, generators=7), NO_LIST + "int"),
    "facets": (lambda: SQUARE.facets(generators=7), NO_LIST + "int"),
    "skeleton": (lambda: SQUARE.skeleton(generators=7), NO_LIST + "int"),
    "one point": (lambda: SQUARE.hausdorff_distance(3), "points: .* got int"),
    "hull list": (lambda: SQUARE.hausdorff_distance([[0, 0]], generators=4), NO_LIST + "int"),
    "format": (lambda: read_polyhedron("x.ine", format=[]), r"format: expected .*, got \[\]"),
    "write": (lambda: write_halfspaces(3, "x.ine"), "polytope: expected CollisionPolytope, got i"),
    "write list": (lambda: write_generators(3, "x.ext"), "generators: .* lines, got int"),
    "write points": (
        lambda: write_generators(VRepresentation(2, ((1, 2),)), "x.ext"),
        "generators: expected RationalVector, got tuple",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    call, message = REFUSED[case]
    with pytest.raises(InputError, match=message):
        call()
    assert list(tmp_path.iterdir()) == []


def test_a_list_of_another_space_is_refused():
    message = "generators: expected points of 2 coordinates, got 3"
    for ask in (SQUARE.volume, SQUARE.diameter, SQUARE.mean_width, SQUARE.facets):
        with pytest.raises(ShapeError, match=message):
            ask(generators=CUBE_LIST)
    with pytest.raises(ShapeError, match=message):
        SQUARE.sample(1, generators=CUBE_LIST)


def test_a_list_of_another_set_is_refused():
    message = "generators: expected the list of this set, got point 0 off it"
    for box in (Box(2, 3), Box(Fraction(1, 3), Fraction(1, 2))):
        other = CollisionPolytope.from_activation([[2, 2]], [-30], [0], domain=box)
        with pytest.raises(InputError, match=message):
            SQUARE.volume(generators=other.vertices())
    assert SQUARE.volume(generators=LIST).rational == Fraction(7, 8)


@pytest.mark.parametrize("value", [3, np.int64(3), np.uint8(3)])
def test_ints_are_taken(value):
    assert type(integer(value, "n")) is int
    assert integers(value + np.arange(2), "n") == (3, 4)


@pytest.mark.parametrize("value", [3.0, np.float64(3), True, np.True_, "3", None, Fraction(3), [3]])
def test_other_types_are_not(value):
    with pytest.raises(InputError, match="n: expected an int, got "):
        integer(value, "n")
    with pytest.raises(InputError, match=r"n\[1\]: expected an int, got "):
        integers([0, value], "n")


def test_a_seed_is_that_of_numpy():
    expected = np.random.default_rng(5).random(3)
    assert (random_numbers(np.int64(5)).random(3) == expected).all()
    assert (random_numbers(None).random(3) != random_numbers(None).random(3)).any()
