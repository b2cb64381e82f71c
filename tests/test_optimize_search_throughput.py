"""The throughput measurement counts what it says it counts."""

import pytest

from optimize import Throughput, measure_throughput
from polytope.errors import InputError
from tests.examples.layers import random_inputs, random_network


@pytest.mark.parametrize("optimizer", ["auto", "authors"])
def test_vertices_and_steps_are_counted(optimizer):
    model, targets = random_network(20, 12, seed=1), random_inputs(3, 20, seed=1)
    result = measure_throughput(
        model, "0", targets, units=2, steps=4, singles=2, optimizer=optimizer, device="cpu"
    )
    assert (result.vertices, result.steps) == (6, 4)
    assert result.batched > 0
    assert result.one_at_a_time > 0


def test_the_ratio_by_hand():
    result = Throughput(vertices=10, steps=5, batched=1000.0, one_at_a_time=50.0)
    assert result.ratio == 20


@pytest.mark.parametrize("name", ["steps", "singles"])
def test_counts_below_one_are_refused(name):
    with pytest.raises(InputError, match=f"{name}: expected at least 1, got 0"):
        measure_throughput(random_network(2, 2, seed=0), "0", [0.5, 0.5], **{name: 0})
