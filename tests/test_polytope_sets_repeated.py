"""Zero, parallel and repeated rows are counted exactly, whatever floats say of them."""

from fractions import Fraction

import numpy as np
import pytest

from polytope import CollisionPolytope
from tests.examples.random_layers import FAMILIES, instance
from tests.oracles.exact_oracle import exact, rank

F = Fraction
build = CollisionPolytope.from_layer


def test_by_hand():
    rows = [[1, 2], [0, 0], [2, 4], [-1, -2], [1, 3], [1, 2], [-0.0, 0]]
    found = build(rows, [1, 0, 2, -1, 1, 5, -3], [0, 0]).repeated_units()
    assert found.zero == (1, 6)
    assert found.parallel == ((0, 2, 3, 5),)
    assert found.repeated == ((0, 2),)


def test_an_ulp_is_a_difference():
    row = np.array([0.1, 0.2, 0.3], np.float32)
    other = row.copy()
    other[1] = np.nextafter(other[1], np.float32(1))
    weight = np.array([row, other, row * np.float32(0.5)])
    found = build(weight, [0, 0, 0], [0, 0, 0]).repeated_units()
    assert found.parallel == found.repeated == ((0, 2),)


@pytest.mark.parametrize("scale", [5e-324, 1e-310, 1e300, 2.0**-1022])
def test_subnormal_and_huge_rows(scale):
    weight = np.array([[1.0, 2.0, 0.0], [scale, 2 * scale, 0.0], [scale, 3 * scale, 0.0]])
    found = build(weight, [0, 0, 0], [0, 0, 0]).repeated_units()
    assert found.parallel == ((0, 1),)


def test_no_units_and_fractions():
    assert build(np.zeros((0, 2)), [], [0, 0]).repeated_units().zero == ()
    third = F(1, 3)
    found = build([[third, 1], [1, 3], [third, F(1) + F(1, 10**40)]], [0] * 3, [0, 0])
    assert found.repeated_units().parallel == ((0, 1),)


@pytest.mark.parametrize("seed", range(3 * len(FAMILIES)))
def test_as_ranks_have_it(seed):
    case = instance(seed)
    found = case.polytope().repeated_units()
    weight, bias = [exact(row) for row in case.weight], exact(case.bias)
    n = len(weight)
    assert found.zero == tuple(i for i in range(n) if not any(weight[i]))
    together = {(i, j) for group in found.parallel for i in group for j in group if i < j}
    same = {(i, j) for group in found.repeated for i in group for j in group if i < j}
    for i in range(n):
        for j in range(i + 1, n):
            live = any(weight[i]) and any(weight[j])
            assert ((i, j) in together) == (live and rank([weight[i], weight[j]]) == 1)
            k = next((k for k, v in enumerate(weight[i]) if v), 0)
            factor = weight[j][k] / weight[i][k] if live and weight[i][k] else F(0)
            equal = factor > 0 and [factor * v for v in (*weight[i], bias[i])] == [
                *weight[j],
                bias[j],
            ]
            assert ((i, j) in same) == equal
