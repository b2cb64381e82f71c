"""Linear regions: the composed map is the network's inside, and the rows say where inside is."""

from fractions import Fraction as F

import numpy as np
import pytest

from polytope.errors import InputError, NonFiniteError, ShapeError
from polytope.exact.rational import RationalVector
from polytope.network.graph import Maximum, Network, Relu
from polytope.network.region import OFF, Crossing, Place, linear_region, region_of
from tests.examples.networks import affine, random_network


def rows_hold(region, x):
    point = [F(v) for v in x]
    return all(
        sum(a * v for a, v in zip(row, point, strict=True)) + F(offset) <= 0
        for row, offset in zip(region.rows.data, region.offsets, strict=True)
    )


def mapped(region, x):
    point = [F(v) for v in x]
    return [
        sum(a * v for a, v in zip(row, point, strict=True)) + b
        for row, b in zip(region.weight.data, region.bias, strict=True)
    ]


@pytest.mark.parametrize("seed", range(12))
def test_rows_and_decisions_say_the_same_and_the_map_is_the_networks(seed):
    network = random_network(seed, quantised=seed % 2 == 0)
    rng = np.random.default_rng(seed)
    target = rng.standard_normal(3) if seed % 2 else rng.integers(-2, 3, 3) / 2
    region = linear_region(network, target)
    assert region.contains(target)
    assert rows_hold(region, target)
    inside = 0
    for size in (0.01, 0.1, 1.0) * 10:
        x = target + size * rng.standard_normal(3)
        assert region.contains(x) == rows_hold(region, x) == (not region.differences(x))
        if region.contains(x):
            inside += 1
            values = network.values(RationalVector.of(x.tolist()))[-1]
            assert mapped(region, x) == list(values)
    assert inside or not any(rows_hold(region, target + 1e-9 * d) for d in np.eye(3))


def test_every_tied_crossing_leads_to_a_region_that_holds_the_point():
    # At 0 everything is tied: whatever is decided otherwise, the point stays inside.
    network = random_network(4)
    flat = Network(
        3,
        tuple(
            affine(n.source, n.weight.data, [0] * n.weight.shape[0]) if hasattr(n, "weight") else n
            for n in network.nodes
        ),
    )
    region = linear_region(flat, [0, 0, 0])
    assert region.crossings
    for row in range(len(region.crossings)):
        beyond = region.beyond(row)
        assert beyond.pattern != region.pattern
        assert beyond.contains([0, 0, 0])


def test_a_max_pool_behind_a_relu_by_hand():
    # max(0, x, y) at (2, 1): x wins where x >= 0 and y <= x, whatever the sign of y.
    network = Network(
        2,
        (
            affine(0, np.eye(2), [0, 0]),
            Relu(1),
            Maximum(2, np.array([[0, 1]])),
            affine(3, [[3]], [F(1, 2)]),
        ),
    )
    region = linear_region(network, [2, 1])
    assert region.pattern == {Place(3, 0): 0}
    assert region.rows.data.tolist() == [[-1, 0], [-1, 1]]
    assert region.crossings == (Crossing(Place(3, 0), OFF), Crossing(Place(3, 0), 1))
    assert region.contains([2, -5])
    assert not region.contains([2, 3])
    assert mapped(region, [2, -5]) == [F(13, 2)]
    off = linear_region(network, [-1, -2])
    assert off.pattern == {Place(3, 0): OFF}
    assert off.rows.data.tolist() == [[1, 0], [0, 1]]
    assert mapped(off, [-1, -2]) == [F(1, 2)]


def test_a_pattern_no_point_has_is_an_empty_region():
    network = Network(1, (affine(0, [[1], [1]], [0, 1]), Relu(1), affine(2, [[1, 1]], [0])))
    region = region_of(network, {Place(2, 0): 0, Place(2, 1): OFF})  # x >= 0 and x + 1 <= 0
    assert not any(rows_hold(region, [F(k, 4)]) for k in range(-12, 12))


def test_a_network_of_one_layer_has_one_region():
    region = linear_region(Network(2, (affine(0, np.eye(2), [1, 2]),)), [5, 6])
    assert region.rows.shape == (0, 2)
    assert region.contains([-100, 100])


@pytest.mark.parametrize(
    ("target", "error", "message"),
    [
        ([1, 2], ShapeError, "x: expected 3 numbers, got 2"),
        ([1, 2, float("nan")], NonFiniteError, ": expected a finite number, got nan"),
        ([[1, 2, 3]], ShapeError, "x: expected 1 axes"),
    ],
)
def test_a_target_that_does_not_fit_is_refused(target, error, message):
    with pytest.raises(error, match=message):
        linear_region(random_network(0), target)


def test_a_place_that_decides_nothing_is_refused():
    from polytope.network.region import _entries

    with pytest.raises(InputError, match="a ReLU or a maximum, got node 1"):
        _entries(random_network(0), Place(1, 0))
