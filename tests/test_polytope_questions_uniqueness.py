"""Targets without another collision: hand-made ones, and random ones with ties."""

from fractions import Fraction as F

import numpy as np
import pytest

from polytope import Box, CollisionPolytope, Nonnegative, verify
from polytope.errors import InputError


def proved(polytope):
    found = polytope.uniqueness()
    words = "is the only point" if found.unique else f"has dimension {found.dimension} "
    assert words in verify(found.certificate)
    if found.spanning_certificate is not None:
        lines = polytope.n_inputs - found.rank_nonnegative
        assert f"has dimension {lines}." in verify(found.spanning_certificate)
    return found


def summary(found):
    return found.unique, found.dimension, found.rank_active, found.rank_nonnegative, found.spanning


@pytest.mark.parametrize(
    ("weight", "bias", "target", "expected"),
    [
        # Rank d of the active rows: the usual case of a wide layer.
        ([[1, 0], [0, 1]], [1, 1], [0, 0], (True, 0, 2, 2, True)),
        # Ties alone: x <= 0 and -x <= 0.  The active rows are none.
        ([[1], [-1]], [0, 0], [0], (True, 0, 0, 1, True)),
        # The rows span, and yet all x <= 0 collide.
        ([[1]], [0], [0], (False, 1, 0, 1, True)),
        # Nothing points the way of x.
        ([[1]], [-1], [0], (False, 1, 0, 0, False)),
        # One active row and two ties that hold the rest.
        ([[1, 0], [0, 1], [0, -1]], [1, 0, 0], [0, 0], (True, 0, 1, 2, True)),
        ([[1, 0], [0, 1], [0, 1]], [1, 0, 0], [0, 0], (False, 1, 1, 2, True)),
    ],
)
def test_on_the_whole_space(weight, bias, target, expected):
    assert summary(proved(CollisionPolytope.from_layer(weight, bias, target))) == expected


def test_bounds_can_single_a_target_out_where_no_row_points():
    alone = CollisionPolytope.from_layer([[1]], [0], [0], domain=Nonnegative())
    assert summary(proved(alone)) == (True, 0, 0, 1, True)
    fixed = CollisionPolytope.from_layer([[1]], [-5], [2], domain=Box(2, 2))
    assert summary(proved(fixed)) == (True, 0, 0, 0, False)
    assert fixed.uniqueness().spanning_certificate is None


def test_without_a_target_the_rows_are_not_known():
    one = CollisionPolytope.from_activation([[1, 0], [0, 1]], [0, 0], [1, 2])
    assert summary(proved(one)) == (True, 0, 2, None, None)
    none = CollisionPolytope.from_activation([[1, 0], [1, 0]], [0, 0], [1, 2])
    found = none.uniqueness()
    assert summary(found) == (False, -1, 1, None, None)
    assert "has dimension -1" in verify(found.certificate)


def test_a_tolerance_leaves_room():
    polytope = CollisionPolytope.from_layer([[1], [-1]], [0, 0], [0], tolerance=F(1, 8))
    assert summary(proved(polytope)) == (False, 1, 0, 1, True)


def test_no_truth_value():
    with pytest.raises(InputError, match=r"expected to be asked for \.unique"):
        bool(CollisionPolytope.from_layer([[1]], [0], [0]).uniqueness())


def random_polytope(seed):
    """Small integers, and biases of which about half make ties."""
    rng = np.random.default_rng(seed)
    inputs = int(rng.integers(1, 4))
    units = int(rng.integers(1, 2 * inputs + 2))
    weight, target = rng.integers(-1, 2, (units, inputs)), rng.integers(-1, 2, inputs)
    bias = -weight @ target * rng.integers(0, 2, units)
    return CollisionPolytope.from_layer(weight, bias, target)


@pytest.mark.parametrize("seed", range(60))
def test_random_targets_keep_the_order_of_the_conditions(seed):
    """Active rows of rank d, then unique, then spanning; unique iff one generator is listed."""
    polytope = random_polytope(seed)
    found, inputs = proved(polytope), polytope.n_inputs
    listed = polytope.vertices()
    assert found.unique == (len(listed.points) == 1 and not listed.rays and not listed.lines)
    assert found.unique or found.rank_active < inputs
    assert found.spanning or not found.unique
    assert found.rank_active <= found.rank_nonnegative <= inputs


def test_all_kinds_of_targets_occur_at_random():
    """The random test above sees unique targets by ties, and spanning ones that are not unique."""
    seen = set()
    for seed in range(60):
        polytope = random_polytope(seed)
        found = polytope.uniqueness()
        seen.add((found.unique, found.spanning, found.rank_active == polytope.n_inputs))
    assert {(True, True, False), (False, True, False), (False, False, False)} <= seen
