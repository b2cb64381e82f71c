"""Mean widths: certified up to dimension 2, estimates held against integrals known by hand."""

from math import gamma, inf, pi, sqrt

import pytest

from polytope import CollisionPolytope
from polytope.errors import InputError
from polytope.measures.mean_width import MeanWidthStatus
from tests.oracles.hand_made import cube, flat_simplex, hand_made, simplex


@pytest.mark.parametrize(
    ("P", "width"),
    [
        (cube(1), 1.0),
        (flat_simplex(1), sqrt(2)),
        (cube(2), 4 / pi),
        (flat_simplex(2), 3 * sqrt(2) / pi),
        (simplex(2), (2 + sqrt(2)) / pi),
        (CollisionPolytope.from_halfspaces([[1], [-1]], [2, -2]), 0.0),
    ],
    ids=["segment", "flat segment", "square", "flat triangle", "triangle", "point"],
)
def test_certified_up_to_dimension_two(P, width):
    found = P.mean_width(generators=hand_made(P))
    assert found.status is MeanWidthStatus.CERTIFIED
    assert found.value == pytest.approx(width, rel=1e-15)
    assert found.lower <= found.value <= found.upper
    assert found.upper - found.lower <= 1e-15 * width


@pytest.mark.parametrize("n", [3, 5])
def test_estimate_of_the_cube(n):
    # The mean of |c_1| over the unit sphere, for each of the n edge directions.
    width = n * gamma(n / 2) / (sqrt(pi) * gamma((n + 1) / 2))
    P = cube(n)
    found = P.mean_width(generators=hand_made(P), directions=40_000, seed=1)
    assert found.status is MeanWidthStatus.ESTIMATED
    assert abs(found.value - width) < 4 * found.standard_error
    assert 0 < found.standard_error < 0.01


def test_directions_lie_in_the_hull():
    # A regular tetrahedron of side sqrt(2), its mean width 3 arccos(-1/3) sqrt(2) / (2 pi), flat
    # in four coordinates: directions out of its hull would make it less.
    from math import acos

    P = flat_simplex(3)
    found = P.mean_width(generators=hand_made(P), directions=40_000, seed=2)
    assert abs(found.value - 3 * acos(-1 / 3) * sqrt(2) / (2 * pi)) < 4 * found.standard_error


def test_seeds_decide():
    P = cube(3)
    generators = hand_made(P)

    def width(seed):
        return P.mean_width(generators=generators, directions=100, seed=seed).value

    assert width(1) == width(1) != width(2)


def test_unbounded_empty_and_bad_input():
    wedge = CollisionPolytope.from_halfspaces([[-1, 0], [0, -1]], [0, 0])
    found = wedge.mean_width(generators=hand_made(wedge))
    assert (found.status, found.value) == (MeanWidthStatus.UNBOUNDED, inf)
    none = CollisionPolytope.from_halfspaces([[1], [-1]], [0, -1])
    assert none.mean_width(generators=hand_made(none)).status is MeanWidthStatus.EMPTY
    with pytest.raises(InputError, match="directions: expected an int >= 2, got 1"):
        cube(2).mean_width(generators=hand_made(cube(2)), directions=1)
