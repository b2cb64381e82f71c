"""Claims beside the answers: active sets, points of the user's own, implicit equalities."""

from fractions import Fraction as F

import numpy as np
import pytest

from polytope import Box, CollisionPolytope, Nonnegative, verify
from polytope.errors import InputError
from polytope.sets.halfspaces import Bound, Row

TIES = CollisionPolytope.from_layer([[1, 0], [-1, 0], [0, 1]], [0, 0, 0], [0, F(1, 2)])


def test_active_units_and_ties():
    found = TIES.active_set()
    assert (found.active, found.ties) == ((2,), (0, 1))
    assert "just the 1 units stated are active, 2 are exactly 0" in verify(found.certificate)
    wanted = CollisionPolytope.from_activation([[1, 0]], [0], [1])
    with pytest.raises(InputError, match="got one by activation"):
        wanted.active_set()


def test_a_point_of_the_users_own():
    polytope = CollisionPolytope.from_layer([[1, 1]], [0], [1, 1], domain=Box(0, 2))
    inside = polytope.membership([F(1, 2), F(3, 2)])
    assert (inside.inside, inside.distance, inside.smallest_tolerance) == (True, F(1, 2), 0)
    assert "lies in C, 1/2 from the target" in verify(inside.certificate)
    outside = polytope.membership([0, F(7, 4)])
    assert (outside.inside, outside.smallest_tolerance) == (False, F(1, 4))
    assert outside.certificate is None
    with pytest.raises(InputError, match=r"asked for \.inside"):
        bool(inside)
    wanted = CollisionPolytope.from_activation([[1, 1]], [0], [2], domain=Box(0, 2))
    assert wanted.membership([1, 1]).distance is None


def test_implicit_equalities_of_ties_and_bounds():
    found = TIES.implicit_equalities()
    assert found.tight == (Row("upper", 0), Row("upper", 1))
    assert found.strict == ()
    # x >= 0 and x <= 0, the bound taking part; y is free to move.
    corner = CollisionPolytope.from_layer([[1, 0]], [0], [0, F(1, 2)], domain=Nonnegative())
    found = corner.implicit_equalities()
    assert found.tight == (Row("upper", 0), Bound("lower", 0))
    assert found.strict == (Bound("lower", 1),)
    fixed = CollisionPolytope.from_layer([[1, 1]], [-9], [0, 0], domain=Box([0, 0], [0, 1]))
    found = fixed.implicit_equalities()
    assert found.tight == (Bound("lower", 0), Bound("upper", 0))
    for certificate in found.certificates.values():
        verify(certificate)


def test_bounds_that_the_target_can_leave_are_strict_without_a_point():
    """A minor near the target shows the dimension: no point of the set was computed."""
    polytope = CollisionPolytope.from_layer([[1, 1]], [0], [0, F(1, 2)], domain=Box(0, 1))
    found = polytope.implicit_equalities()
    assert found.tight == ()
    assert Bound("lower", 0) in found.strict
    assert Bound("lower", 0) not in found.certificates
    assert set(found.certificates) <= set(found.strict)


def test_an_empty_set_has_none():
    empty = CollisionPolytope.from_activation([[1], [1]], [0, 0], [1, 2])
    found = empty.implicit_equalities()
    assert (found.tight, found.strict, found.certificates) == ((), (), {})
    assert found.reason == "the set is empty"


@pytest.mark.parametrize("seed", range(12))
def test_every_inequality_is_decided_by_a_proof(seed):
    """Random ties in a box: tight iff both directions of the row have the same optimum."""
    rng = np.random.default_rng(seed)
    weight = rng.integers(-2, 3, (5, 3))
    target = rng.integers(0, 2, 3) / 2
    bias = -(weight @ target) + rng.integers(-1, 2, 5) * (rng.random(5) < 0.4)
    polytope = CollisionPolytope.from_layer(weight, bias, target, domain=Box(0, 1))
    found = polytope.implicit_equalities()
    names = {*found.tight, *found.strict}
    assert len(names) >= 6
    for name, certificate in found.certificates.items():
        assert ("is tight" in verify(certificate)) == (name in found.tight)
    for name in names:
        row = (
            np.eye(3, dtype=int)[name.coordinate] if isinstance(name, Bound) else weight[name.unit]
        )
        low = polytope.minimize(row).value
        high = -polytope.minimize(-row).value
        if isinstance(name, Bound):
            edge = 0 if name.side == "lower" else 1
        else:
            edge = F(-bias[name.unit])
        assert (low == high == edge) == (name in found.tight), name
