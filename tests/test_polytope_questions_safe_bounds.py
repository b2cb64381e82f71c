"""Safe bounds: below every value of the set, whatever the float solver says."""

from fractions import Fraction as F
from types import SimpleNamespace

import numpy as np
import pytest

from polytope import Box, CollisionPolytope, Nonnegative, verify
from polytope.questions import safe_bounds


def layer(seed, domain):
    rng = np.random.default_rng(seed)
    weight = rng.normal(size=(6, 5)).astype(np.float32)
    target = (rng.random(5) * (rng.random(5) < 0.7)).astype(np.float32)
    return CollisionPolytope.from_layer(weight, rng.normal(size=6), target, domain=domain)


@pytest.mark.parametrize("seed", range(10))
def test_the_exact_minimum_lies_between(seed):
    polytope = layer(seed, Box(0, 1))
    c = np.random.default_rng(seed).normal(size=5)
    found, exact = polytope.objective_bounds(c), polytope.minimize(c)
    assert found.lower <= exact.value <= found.upper
    assert exact.value - found.lower < F(1, 10**6)
    assert polytope.contains(found.point)
    assert "lies between" in verify(found.certificate)
    # Short numbers: no exact program was solved.
    assert found.lower.denominator.bit_length() < 400


@pytest.mark.parametrize("lie", [np.nan, np.inf, 1e300, -1.0, 0.0])
def test_any_multipliers_prove_something_true(monkeypatch, lie):
    polytope = layer(3, Box(0, 1))
    exact = polytope.minimize([1, 2, 3, 4, 5])
    monkeypatch.setattr(
        safe_bounds, "_float_multipliers", lambda layer, c: np.full(len(layer.system.rows), lie)
    )
    found = polytope.objective_bounds([1, 2, 3, 4, 5])
    assert found.lower <= exact.value <= found.upper
    verify(found.certificate)


def test_a_solver_that_fails_leaves_the_exact_minimum(monkeypatch):
    polytope = layer(4, Box(0, 1))
    monkeypatch.setattr(safe_bounds, "linprog", lambda *_, **__: SimpleNamespace(status=4))
    found = polytope.objective_bounds([1, 0, 0, 0, 0])
    assert found.lower == found.upper == polytope.minimize([1, 0, 0, 0, 0]).value


def test_without_bounds_the_minimum_is_exact_or_there_is_none():
    polytope = CollisionPolytope.from_layer([[1, 1]], [0], [1, 0], domain=Nonnegative())
    found = polytope.objective_bounds([1, F(1, 3)])
    assert found.lower == F(1, 3)
    verify(found.certificate)
    falling = CollisionPolytope.from_layer([[-1, -1]], [0], [1, 0], domain=Nonnegative())
    found = falling.objective_bounds([-1, 0])
    assert (found.lower, found.upper, found.certificate) == (None, -1, None)
    assert "unbounded" in found.reason


def test_an_empty_set_has_no_bounds():
    empty = CollisionPolytope.from_activation([[1], [1]], [0, 0], [1, 2], domain=Box(0, 5))
    found = empty.objective_bounds([1])
    assert (found.lower, found.upper, found.point, found.certificate) == (None, None, None, None)
    assert found.reason == "the set is empty"
