"""Inscribed ellipsoids known by hand, and the exact proof that they lie inside."""

from fractions import Fraction
from math import exp, inf, pi, sqrt

import numpy as np
import pytest

from polytope import Box, CollisionPolytope, RationalVector
from polytope.measures.ellipsoid import EllipsoidStatus
from polytope.measures.hull import Hull
from polytope.measures.local import Around
from tests.oracles.hand_made import (
    cross,
    cube,
    flat_degenerate,
    flat_simplex,
    random_simple,
    simplex,
)

F = Fraction
BALL = {1: 2.0, 2: pi, 3: 4 / 3 * pi, 4: pi**2 / 2}


def brick(sizes, shift=0):
    n = len(sizes)
    matrix = [[s * (i == j) for j in range(n)] for i in range(n) for s in (1, -1)]
    return CollisionPolytope.from_halfspaces(
        matrix, [v for s in sizes for v in (F(s) + shift, -shift)]
    )


KNOWN = {
    "cube": (cube(3), BALL[3] / 8, 0.5),
    "flat triangle": (flat_simplex(2), BALL[2] / 6, 1 / 3),
    "flat segment": (flat_simplex(1), sqrt(2), 0.5),
    "cross-polytope": (cross(4), BALL[4] / 16, 0.0),
    # the affine image of the ball in the regular simplex: pi / (3 sqrt(3)) of the area
    "triangle": (simplex(2), pi / (3 * sqrt(3)) / 2, 1 / 3),
    "needle": (brick([1, 1e-6, 1e6]), BALL[3] / 8, None),
    "tiny and far": (brick([1, 1e-6, 1e6], 10**12), BALL[3] / 8, None),
    "tiny": (brick([F(1, 2**200), 2**300]), BALL[2] / 4 * 2.0**100, None),
}


@pytest.mark.parametrize("name", KNOWN)
def test_known_ellipsoids(name):
    P, volume, center = KNOWN[name]
    found = P.inscribed_ellipsoid()
    assert found.contained
    assert exp(found.log_volume) == pytest.approx(volume, rel=1e-4)
    if center is not None:
        assert found.center.to_float() == pytest.approx(center, abs=1e-4)


@pytest.mark.parametrize(
    "P",
    [
        *map(flat_degenerate, range(3)),
        random_simple(0, 5, 20),
        CollisionPolytope.from_layer([[2, 2]], [-3], [0, 0], domain=Box(0, 1)),
        CollisionPolytope.from_layer([[1, 1, 1]], [-1], [1, 0.5, 0.25], domain=Box(0, 1)),
    ],
)
def test_points_of_the_ellipsoid_lie_in_the_set(P):
    found = P.inscribed_ellipsoid()
    assert found.contained
    assert P.contains(found.center)
    rng = np.random.default_rng(0)
    basis = found.chart.basis
    for z in rng.normal(size=(20, found.dimension)):
        # just inside the unit sphere, so that rounding z does not leave it
        step = found.shape @ (z / np.linalg.norm(z) * (1 - 1e-12))
        point = [
            c + sum((F(v) * b for v, b in zip(step.tolist(), row, strict=True)), F(0))
            for c, row in zip(found.center, basis, strict=True)
        ]
        assert P.contains(point)
    assert found.axes.shape == (P.n_inputs, found.dimension)


def test_the_ball_of_the_ellipsoid_is_no_larger_than_the_chebyshev_ball():
    P = random_simple(1, 4, 12)
    smallest = np.linalg.svd(P.inscribed_ellipsoid().axes)[1].min()
    assert smallest <= P.chebyshev_ball().radius_upper


def test_a_shape_that_sticks_out_by_a_hair_is_seen():
    P = cube(2)
    rows = Hull.of(P.layer).flattened()
    around = Around(rows, RationalVector.of([F(1, 4), F(1, 2)]))
    center = np.array([0.25, 0.0])
    assert around.contains_ellipsoid(center, np.eye(2) / 2)
    assert not around.contains_ellipsoid(center, np.diag([np.nextafter(0.5, 1), 0.5]))
    assert not around.contains_ellipsoid(np.array([2.0, 0.0]), np.eye(2) * 1e-9)
    assert around.is_inside
    assert not Around(rows, RationalVector.of([0, F(1, 2)])).is_inside


def test_points_unbounded_and_empty_sets():
    point = CollisionPolytope.from_halfspaces([[1], [-1]], [2, -2]).inscribed_ellipsoid()
    assert (point.contained, point.dimension, list(point.center)) == (True, 0, [2])
    strip = CollisionPolytope.from_halfspaces([[1, 0], [-1, 0], [0, 1]], [1, 1, 0])
    found = strip.inscribed_ellipsoid()
    assert (found.status, found.log_volume) == (EllipsoidStatus.UNBOUNDED, inf)
    none = CollisionPolytope.from_halfspaces([[1], [-1]], [0, -1])
    assert none.inscribed_ellipsoid().status is EllipsoidStatus.EMPTY


@pytest.mark.parametrize("power", [-160, -309, -323, 160, 300])
def test_sets_of_any_width_are_measured_without_warnings(power):
    width = F(10) ** power
    rows = [[1, 0, 0], [0, 1, 0], [0, 0, 1], [-1, 0, 0], [0, -1, 0], [0, 0, -1]]
    box = CollisionPolytope.from_halfspaces(rows, [width] * 3 + [0] * 3)
    found = box.inscribed_ellipsoid()
    assert found.contained or "no ellipsoid that floats proposed" in found.reason
    if power > -309:
        assert found.contained
        points = box.sample(3, seed=0)
        assert all(0 <= F(v) <= width for v in points.ravel())
        assert points.any()
        assert box.mean_width(seed=0).value == pytest.approx(1.5 * float(width), rel=0.1)
