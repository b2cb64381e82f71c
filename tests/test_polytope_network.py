"""An exact walk through a network agrees with floats, and refuses what does not fit."""

import numpy as np
import pytest

from polytope.errors import InputError, LimitError, ShapeError
from polytope.exact.array import ExactArray
from polytope.exact.rational import RationalVector
from polytope.network.graph import Concat, Maximum, Network, Relu, Sum
from polytope.network.region import linear_region
from tests.examples.networks import affine, by_floats, random_network


@pytest.mark.parametrize("seed", range(8))
def test_values_agree_with_floats(seed):
    network = random_network(seed, quantised=seed % 2 == 0)
    rng = np.random.default_rng(seed)
    for _ in range(5):
        x = rng.standard_normal(3)
        values = network.values(ExactArray.of(x, "x", ndim=1).vector())
        assert [len(v) for v in values] == list(network.lengths)
        np.testing.assert_allclose(values[-1].to_float(), by_floats(network, x), rtol=1e-12)


def test_relus_that_only_max_pools_read_are_one_decision_with_them():
    assert random_network(0).fused == {2}


EYE = affine(0, np.eye(2), [0, 0])


@pytest.mark.parametrize(
    ("nodes", "error", "message"),
    [
        ((), InputError, "Affine node at its end"),
        ((EYE, Relu(1)), InputError, "Affine node at its end"),
        ((affine(1, np.eye(2), [0, 0]),), InputError, "source from 0 to 0 at node 1, got 1"),
        ((affine(0, np.eye(3), [0, 0, 0]),), ShapeError, "expected 2 columns and 3 biases"),
        ((affine(0, np.eye(2), [0]),), ShapeError, "got 2 and .1,."),
        ((Maximum(0, np.array([[0, 2]])), EYE), ShapeError, "places below 2"),
        ((Maximum(0, np.array([[-1, -1]])), EYE), ShapeError, "none of them empty"),
        ((Concat((0, 0)), Sum((0, 1)), EYE), ShapeError, "expected equal lengths at node 2, got"),
    ],
)
def test_nodes_that_do_not_fit_are_refused(nodes, error, message):
    with pytest.raises(error, match=message):
        Network(2, nodes)


def test_a_point_of_another_length_is_refused():
    with pytest.raises(ShapeError, match="x: expected 2 numbers, got 3"):
        Network(2, (EYE,)).values(RationalVector((1, 2, 3)))


def test_a_map_too_large_to_be_written_out_is_refused(monkeypatch):
    monkeypatch.setattr("polytope.network.graph.LARGEST_MAP", 5)
    wide = affine(0, np.ones((1, 3)), [0])
    narrow = affine(1, np.ones((2, 1)), [0, 0])
    Network(3, (wide, narrow)).values(RationalVector((1, 2, 3)))  # 3 and 2 entries
    with pytest.raises(LimitError, match=r"at most 5 entries.*got one of 2 x 4"):
        linear_region(Network(3, (wide, narrow)), [1, 2, 3])  # 2 functions of 3 inputs and 1
    with pytest.raises(LimitError, match=r"got one of 2 x 3"):
        Network(3, (affine(0, np.ones((2, 3)), [0, 0]),)).values(RationalVector((1, 2, 3)))
