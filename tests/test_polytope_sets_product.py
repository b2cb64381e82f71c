"""Factors: dimensions add up, minima are those of the whole set."""

import numpy as np
import pytest

from polytope import Box, CollisionPolytope, Nonnegative
from polytope.exact.sparse import SparseMatrix


def pointwise(seed, positions=4, channels=(5, 7)):
    """The weight of a 1 x 1 convolution, dense: (out * positions, in * positions)."""
    rng = np.random.default_rng(seed)
    kernel = rng.standard_normal(channels[::-1]).astype(np.float32)
    weight = np.kron(kernel, np.eye(positions, dtype=np.float32))
    bias = np.repeat(rng.standard_normal(channels[1]).astype(np.float32), positions)
    target = np.abs(rng.standard_normal(channels[0] * positions)).astype(np.float32)
    return weight, bias, target


def sparse(weight):
    rows, columns = np.nonzero(weight)
    return SparseMatrix.of_entries(weight.shape, (rows, columns), weight[rows, columns])


@pytest.mark.parametrize("store", [np.asarray, sparse], ids=["dense", "sparse"])
@pytest.mark.parametrize("domain", [Nonnegative(), Box(0, 4), Box(np.zeros(20), np.full(20, 5))])
def test_a_pointwise_convolution_has_one_factor_a_position(store, domain):
    weight, bias, target = pointwise(0)
    P = CollisionPolytope.from_layer(store(weight), bias, target, domain=domain)
    factors = P.factors()
    assert [f.inputs for f in factors] == [tuple(range(k, 20, 4)) for k in range(4)]
    assert [f.units for f in factors] == [tuple(range(k, 28, 4)) for k in range(4)]
    assert sum(f.polytope.dimension().value for f in factors) == P.dimension().value
    for unit in P.inactive_units[:3]:
        factor = next(f for f in factors if unit in f.units)
        part = factor.polytope.unit_vertex(factor.units.index(unit))
        assert part.value == P.unit_vertex(unit).value


def test_tolerance_and_activation_go_along():
    weight, bias, target = pointwise(1)
    near = CollisionPolytope.from_layer(weight, bias, target, tolerance=0.25)
    assert {f.polytope.layer.tolerance for f in near.factors()} == {near.layer.tolerance}
    wanted = np.maximum(weight @ target + bias, 0)
    by_value = CollisionPolytope.from_activation(weight, bias, wanted)
    assert [f.polytope.n_positive for f in by_value.factors()] == [
        sum(wanted[list(f.units)] > 0) for f in by_value.factors()
    ]


def test_inputs_no_unit_sees_and_units_without_weight():
    weight, bias, target = pointwise(2)
    weight[3], weight[:, 7], weight[:, 8] = 0, 0, 0
    bias[3] = -1
    P = CollisionPolytope.from_layer(weight, bias, target, domain=Nonnegative())
    factors = P.factors()
    assert sorted(i for f in factors for i in f.units) == list(range(28))
    assert sorted(j for f in factors for j in f.inputs) == list(range(20))
    assert ((), (7, 8)) in [(f.units, f.inputs) for f in factors]
    assert 3 in factors[0].units
    assert sum(f.polytope.dimension().value for f in factors) == P.dimension().value


def test_a_layer_without_any_weight():
    P = CollisionPolytope.from_layer(np.zeros((2, 3)), [-1, 1], [1, 2, 3])
    assert [(f.units, f.inputs) for f in P.factors()] == [((0, 1), (0, 1, 2))]
    assert P.factors()[0].polytope.dimension().value == P.dimension().value == 3


def test_a_dense_layer_is_its_own_factor():
    P = CollisionPolytope.from_layer([[1, 2], [3, 4]], [0, 0], [1, 1])
    assert [(f.units, f.inputs) for f in P.factors()] == [((0, 1), (0, 1))]
