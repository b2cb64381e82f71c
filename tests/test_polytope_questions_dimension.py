"""The cheaper ways to a dimension agree with the program that always works."""

import numpy as np
import pytest

from polytope import Box, CollisionPolytope, Nonnegative, verify
from polytope.questions import dimension as routes


@pytest.mark.parametrize("seed", range(40))
def test_a_target_that_cannot_leave_its_bounds(seed):
    rng = np.random.default_rng(seed)
    d, n = int(rng.integers(3, 9)), int(rng.integers(2, 12))
    weight, bias = rng.integers(-3, 4, (n, d)), rng.integers(-3, 4, n)
    target = np.maximum(rng.integers(-3, 4, d), 0)
    upper = np.where(rng.random(d) < 0.2, target, 3)  # some coordinates are fixed
    for domain in (Nonnegative(), Box(0, 3), Box(0 * upper, upper)):
        P = CollisionPolytope.from_layer(weight, bias, target, domain=domain)
        value, bound = P.dimension().value, d - P.n_positive
        by_program = routes._from_interior(P.layer, routes._from_program(P.layer), bound)
        assert value == by_program.value
        found = routes._from_bounds(P.layer)
        if found is not None:
            by_bounds = routes._from_interior(P.layer, found, bound)
            assert by_bounds.value == value
            assert verify(by_bounds.certificate)


def test_one_by_hand():
    # x = 1 and x + y + z = 1 hold y = z = 0 in x >= 0: the target is the only point.
    P = CollisionPolytope.from_layer(
        [[1, 0, 0], [1, 1, 1]], [0, 0], [1, 0, 0], domain=Nonnegative()
    )
    found = routes._from_bounds(P.layer)
    assert found.fixed == {1, 2}
    assert P.dimension().value == 0
