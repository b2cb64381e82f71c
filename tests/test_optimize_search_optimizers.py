"""The methods step by step: the authors' recurrence, textbook Adam, constrained optima."""

import pytest
import torch

from optimize.model.layers import LayerReader
from optimize.search.finder import find_vertices
from optimize.search.inputs import read_request
from optimize.search.objective import Objective
from optimize.search.optimizers import Adam, AugmentedLagrangian, Authors, _adam_step
from optimize.search.result import SearchStatus
from optimize.search.setup import build_problem
from optimize.search.stopping import Stopping
from polytope.errors import InputError
from tests.examples.layers import (
    SEGMENT_PENALTY_POINT,
    SEGMENT_PENALTY_VALUE,
    SEGMENT_TARGET,
    SEGMENT_VALUES,
    SEGMENT_VERTICES,
    random_inputs,
    random_network,
    segment,
)


def problem_of(model, targets, units=2):
    reader = LayerReader(model, "0")
    request = read_request(reader, targets, (0.0, 1.0))
    problem, _, owners = build_problem(reader, request, Objective(), units=units)
    return problem, request.targets[owners].to(torch.float64)


def test_the_authors_recurrence_is_followed_exactly():
    problem, points = problem_of(random_network(6, 8, seed=3), random_inputs(3, 6, seed=3))
    state = Authors().begin(problem, points)
    Authors().advance(problem, state, 40)
    x, v = points.clone(), torch.zeros_like(points)
    for _ in range(40):
        leaf = x.clone().requires_grad_(True)
        pre = leaf @ problem.weight.T + problem.bias
        loss = problem.objective.value(pre, problem.pattern).sum()
        (gradient,) = torch.autograd.grad(loss, leaf)
        v = 0.99 * v + 0.01 * gradient
        x = (x - 0.01 * v).clamp(0, 1)
    torch.testing.assert_close(state["points"], x, rtol=0, atol=1e-6)
    assert not torch.equal(x, points)


def test_adam_is_torchs_adam_with_clipping():
    problem, points = problem_of(random_network(6, 8, seed=4), random_inputs(3, 6, seed=4))
    method = Adam(learning_rate=0.02)
    state = method.begin(problem, points)
    slope = problem.objective.slope(problem.pattern)
    for _ in range(30):
        # In float64: where a gradient nearly vanishes, Adam magnifies float32's rounding.
        gradient = problem.gradient(state["points"], slope)
        _adam_step(state, gradient, problem)
    leaf = points.clone().requires_grad_(True)
    reference = torch.optim.Adam([leaf], lr=0.02)
    for _ in range(30):
        reference.zero_grad()
        pre = leaf @ problem.weight.T + problem.bias
        problem.objective.value(pre, problem.pattern).sum().backward()
        reference.step()
        with torch.no_grad():
            leaf.clamp_(0, 1)
    torch.testing.assert_close(state["points"], leaf.detach(), rtol=0, atol=1e-10)


@pytest.mark.parametrize("method", ["authors", "adam"])
def test_gradient_methods_reach_the_minimum_known_by_hand(method):
    search = find_vertices(
        segment(),
        "0",
        SEGMENT_TARGET,
        units=[1],
        optimizer=method,
        stopping=Stopping(max_steps=20_000),
        device="cpu",
    )
    assert search.objective.item() == pytest.approx(SEGMENT_PENALTY_VALUE, abs=2e-3)
    assert search.points[0].tolist() == pytest.approx(SEGMENT_PENALTY_POINT, abs=2e-2)
    assert search.status == (SearchStatus.PLATEAU,)
    assert not search.converged.any()


def test_the_augmented_lagrangian_solves_the_constrained_problem():
    search = find_vertices(
        segment(),
        "0",
        SEGMENT_TARGET,
        units=[1, 2],
        objective=Objective(others="hinge"),
        optimizer="augmented",
        device="cpu",
    )
    for row, unit in enumerate((1, 2)):
        assert search.points[row].tolist() == pytest.approx(SEGMENT_VERTICES[unit], abs=1e-3)
    assert search.pre_activation.tolist() == pytest.approx([*SEGMENT_VALUES.values()], abs=1e-3)
    assert max(search.equality_residual.max(), search.violation.max()) <= 1e-3
    assert set(search.status) == {SearchStatus.PLATEAU}


def test_the_augmented_lagrangian_refuses_the_absolute_penalty():
    with pytest.raises(InputError, match="got others='absolute'"):
        find_vertices(segment(), "0", SEGMENT_TARGET, units=[1], optimizer="augmented")


@pytest.mark.parametrize(
    ("make", "options", "got"),
    [
        (Authors, {"learning_rate": 0.0}, "learning_rate: .* got 0.0"),
        (Authors, {"momentum": 1.0}, "momentum: .* got 1.0"),
        (Adam, {"learning_rate": float("nan")}, "learning_rate: .* got nan"),
        (Adam, {"halvings": -1}, "halvings: .* got -1"),
        (AugmentedLagrangian, {"penalty": -2.0}, "penalty: .* got -2.0"),
        (AugmentedLagrangian, {"decay": 1.5}, "decay: .* got 1.5"),
    ],
)
def test_options_that_make_no_sense(make, options, got):
    with pytest.raises(InputError, match=got):
        make(**options)
