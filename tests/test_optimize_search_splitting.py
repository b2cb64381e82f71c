"""Operator splitting: known minima, independent solvers, bounds that hold, honest convergence."""

import cvxpy as cp
import numpy as np
import pytest
import torch
from scipy.optimize import linprog
from torch import nn

from optimize.search.finder import find_vertices
from optimize.search.objective import Objective
from optimize.search.splitting import Splitting
from optimize.search.stopping import Stopping
from polytope.errors import InputError
from tests.examples.layers import (
    SEGMENT_PENALTY_RESIDUAL,
    SEGMENT_PENALTY_VALUE,
    SEGMENT_TARGET,
    SEGMENT_VALUES,
    SEGMENT_VERTICES,
    network,
    random_inputs,
    random_network,
    segment,
)


def reference_minimum(search, model, target, vertex):
    """Equation 1 minimised by an interior-point method: (value, others' penalty by cvxpy)."""
    weight = model[0].weight.detach().double().numpy()
    bias = model[0].bias.detach().double().numpy()
    pre_t = weight @ target.double().numpy() + bias
    active, unit = pre_t > 0, int(search.units[vertex])
    others = ~active
    others[unit] = False
    x = cp.Variable(weight.shape[1])
    pre = weight @ x + bias
    size = cp.abs(pre[others]) if search.form.others == "absolute" else cp.pos(pre[others])
    loss = search.form.alpha / 2 * cp.sum_squares(pre[active] - pre_t[active])
    problem = cp.Problem(cp.Minimize(loss + pre[unit] + cp.sum(size)), [x >= 0, x <= 1])
    return problem.solve(solver=cp.CLARABEL)


def exact_minimum(model, target, unit, bounds=(0, 1)):
    """The constrained optimum by HiGHS."""
    weight = model[0].weight.detach().double().numpy()
    bias = model[0].bias.detach().double().numpy()
    pre = weight @ target.double().numpy() + bias
    on = pre > 0
    solved = linprog(
        weight[unit],
        A_ub=weight[~on],
        b_ub=-bias[~on],
        A_eq=weight[on],
        b_eq=(pre - bias)[on],
        bounds=bounds,
    )
    assert solved.status == 0
    return solved.fun + bias[unit]


def compare_with_reference(model, targets, others, units):
    search = find_vertices(
        model,
        "0",
        targets,
        units=units,
        objective=Objective(others=others),
        optimizer=Splitting(constrained=False),
        device="cpu",
    )
    assert search.converged.all()
    for vertex, owner in enumerate(search.targets.tolist()):
        minimum = reference_minimum(search, model, targets[owner], vertex)
        assert search.objective[vertex] == pytest.approx(minimum, rel=2e-4, abs=2e-4)
        assert search.lower_bound[vertex] <= minimum + 1e-6


@pytest.mark.parametrize("others", ["absolute", "hinge"])
def test_equation_1_agrees_with_an_interior_point_method(others):
    model, targets = random_network(40, 24, seed=5), random_inputs(2, 40, seed=6)
    compare_with_reference(model, targets, others, units=2)


@pytest.mark.slow
@pytest.mark.parametrize("others", ["absolute", "hinge"])
def test_equation_1_agrees_at_the_size_of_mnist(others):
    model, targets = random_network(784, 256, seed=7), random_inputs(2, 784, seed=8)
    compare_with_reference(model, targets, others, units=2)


def test_the_penalty_misses_the_activation_as_worked_out_by_hand():
    search = find_vertices(segment(), "0", SEGMENT_TARGET, units=[1], device="cpu")
    assert search.objective.item() == pytest.approx(SEGMENT_PENALTY_VALUE, abs=1e-4)
    assert search.equality_residual.item() == pytest.approx(SEGMENT_PENALTY_RESIDUAL, abs=5e-3)
    assert search.converged.all()
    assert search.gap.item() <= 1e-4


def test_the_constrained_form_reaches_both_vertices():
    search = find_vertices(
        segment(),
        "0",
        SEGMENT_TARGET,
        units=[1, 2],
        objective=Objective(others="hinge"),
        device="cpu",
    )
    assert search.converged.all()
    for row, unit in enumerate((1, 2)):
        assert search.points[row].tolist() == pytest.approx(SEGMENT_VERTICES[unit], abs=2e-3)
    assert search.pre_activation.tolist() == pytest.approx([*SEGMENT_VALUES.values()], abs=1e-3)


def test_the_constrained_form_agrees_with_an_lp_solver():
    model, targets = random_network(60, 30, seed=9), random_inputs(4, 60, seed=10)
    search = find_vertices(
        model, "0", targets, units=3, objective=Objective(others="hinge"), device="cpu"
    )
    assert search.converged.all()
    assert torch.maximum(search.equality_residual, search.violation).max() <= 1.01e-4
    for vertex, owner in enumerate(search.targets.tolist()):
        minimum = exact_minimum(model, targets[owner], int(search.units[vertex]))
        assert search.pre_activation[vertex] == pytest.approx(minimum, rel=2e-3, abs=2e-3)
        assert search.lower_bound[vertex] <= minimum + 1e-6


def test_the_step_sizes_follow_the_lengths_of_layer_and_box():
    # The same layer for inputs in 0..255 and with rows 100 times as long.
    model, targets = random_network(40, 20, seed=11), random_inputs(2, 40, seed=12)
    small = find_vertices(
        model, "0", targets, units=2, objective=Objective(others="hinge"), device="cpu"
    )
    first = model[0]
    scaled = network(first.weight.data * (100 / 255), first.bias.data * 100)
    large = find_vertices(
        scaled,
        "0",
        targets * 255,
        units=2,
        objective=Objective(others="hinge"),
        bounds=(0, 255),
        optimizer=Splitting(feasibility=1e-2),
        device="cpu",
    )
    assert large.converged.all()
    assert (large.pre_activation / 100).tolist() == pytest.approx(
        small.pre_activation.tolist(), rel=2e-3
    )
    assert large.steps.max() <= 2 * small.steps.max()


def test_fixed_coordinates_stay_and_the_rest_is_optimal():
    model, targets = random_network(30, 12, seed=13), random_inputs(1, 30, seed=14)
    lower, upper = torch.zeros(30), torch.ones(30)
    lower[:10] = upper[:10] = targets[0, :10]
    search = find_vertices(
        model,
        "0",
        targets[0],
        units=2,
        objective=Objective(others="hinge"),
        bounds=(lower, upper),
        device="cpu",
    )
    assert torch.equal(search.points[:, :10], targets[:, :10].expand(2, 10))
    box = np.stack([lower.double().numpy(), upper.double().numpy()], axis=1)
    for vertex in range(2):
        minimum = exact_minimum(model, targets[0], int(search.units[vertex]), box)
        assert search.pre_activation[vertex] == pytest.approx(minimum, rel=2e-3, abs=2e-3)


def test_half_lines_are_bounds_too():
    # Unit 1 = -x - y + 1/4 over x, y >= 0 with x + 2 y = 1 held: lowest at (1, 0), at -3/4.
    model = network(torch.tensor([[1.0, 2.0], [-1.0, -1.0]]), torch.tensor([0.0, 0.25]))
    search = find_vertices(
        model,
        "0",
        [0.5, 0.25],
        units=[1],
        objective=Objective(others="hinge"),
        bounds=(0, None),
        device="cpu",
    )
    assert search.converged.all()
    assert search.points[0].tolist() == pytest.approx([1, 0], abs=2e-3)


def test_an_objective_without_minimum_never_counts_as_converged():
    # Unit 0 holds y; unit 1 = -x falls without end over the plane.
    model = network(torch.tensor([[0.0, 1.0], [-1.0, 0.0]]), torch.tensor([0.0, 0.0]))
    search = find_vertices(
        model,
        "0",
        [1.0, 1.0],
        units=[1],
        objective=Objective(others="hinge"),
        bounds=None,
        stopping=Stopping(max_steps=500),
        device="cpu",
    )
    assert not search.converged.any()


def test_refusals():
    behind = nn.Sequential(*segment(), nn.ReLU())
    with pytest.raises(InputError, match="got 'splitting'"):
        find_vertices(behind, "2", SEGMENT_TARGET, units=1, optimizer="splitting")
    with pytest.raises(InputError, match="got others='absolute'"):
        find_vertices(
            segment(), "0", SEGMENT_TARGET, units=[1], optimizer=Splitting(constrained=True)
        )
    with pytest.raises(InputError, match=r"relaxation: .* got 2.5"):
        Splitting(relaxation=2.5)
    with pytest.raises(InputError, match=r"tolerance: .* got -1"):
        Splitting(tolerance=-1.0)
    with pytest.raises(InputError, match=r"feasibility: .* got 0"):
        Splitting(feasibility=0.0)
