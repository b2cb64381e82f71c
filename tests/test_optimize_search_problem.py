"""The affine path and the autograd path give the same numbers."""

import dataclasses

import pytest
import torch

from optimize.model.layers import LayerReader
from optimize.search.inputs import read_request
from optimize.search.objective import Objective
from optimize.search.problem import in_blocks
from optimize.search.setup import build_problem
from tests.examples.layers import convolutional, random_inputs, random_network


@pytest.mark.parametrize("others", ["absolute", "hinge"])
def test_affine_gradients_are_autograds(others):
    model = random_network(20, 15, seed=1).double()
    reader = LayerReader(model, "0")
    request = read_request(reader, random_inputs(4, 20, seed=2).double(), (0, 1))
    affine, _, _ = build_problem(reader, request, Objective(others=others), units=3)
    assert affine.affine
    general = dataclasses.replace(affine, weight=None, bias=None)
    points = random_inputs(12, 20, seed=3).double()
    torch.testing.assert_close(affine.pre_activation(points), general.pre_activation(points))
    torch.testing.assert_close(
        affine.gradient(points, affine.objective.slope(affine.pattern)),
        general.gradient(points, general.objective.slope(general.pattern)),
    )


def test_the_general_gradient_is_that_of_the_whole_objective():
    model = convolutional(seed=0).double()
    reader = LayerReader(model, "3")
    request = read_request(reader, torch.rand(2, 1, 6, 6, dtype=torch.float64), (0, 1))
    problem, _, _ = build_problem(reader, request, Objective(), units=2)
    assert not problem.affine
    points = torch.rand(4, 36, dtype=torch.float64)
    leaf = points.clone().requires_grad_(True)
    pre = model(leaf.view(4, 1, 6, 6))
    (expected,) = torch.autograd.grad(problem.objective.value(pre, problem.pattern).sum(), leaf)
    found = problem.gradient(points, problem.objective.slope(problem.pattern))
    torch.testing.assert_close(found, expected)


def test_projection_clips_to_the_bounds():
    reader = LayerReader(random_network(3, 4, seed=1), "0")
    request = read_request(reader, [[0.5, 0.5, 0.5]], ([0, 0.25, 0], [1, 1, 0.75]))
    problem, _, _ = build_problem(reader, request, Objective(), units=1)
    points = torch.tensor([[-1.0, 0.0, 0.8], [2.0, 0.5, 0.1]], dtype=torch.float64)
    assert problem.project(points).tolist() == [[0, 0.25, 0.75], [1, 0.5, 0.1]]


def test_blocks_of_vertices_give_what_one_block_gives(monkeypatch):
    model, targets = random_network(20, 15, seed=1), random_inputs(4, 20, seed=2)
    reader = LayerReader(model, "0")
    request = read_request(reader, targets, (0, 1))
    problem, _, owners = build_problem(reader, request, Objective(), units=3)
    points = request.targets[owners].double()

    def walk(block, local):
        for _ in range(3):
            gradient = block.gradient(local["points"], block.objective.slope(block.pattern))
            local["points"] = block.project(local["points"] - 0.01 * gradient)

    found = []
    for size in (64, 5):
        monkeypatch.setattr("optimize.search.problem._BLOCK", size)
        state = {"points": points.clone(), "other": points}
        in_blocks(problem, state, ("points",), dtype=torch.float64, round_of_steps=walk)
        assert state["other"] is points
        found.append(state["points"])
    assert not torch.equal(found[0], points)
    torch.testing.assert_close(found[0], found[1], rtol=0, atol=1e-12)
