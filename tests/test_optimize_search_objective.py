"""Equation 1 by hand, its terms, and its gradient against autograd."""

import pytest
import torch

from optimize.search.objective import (
    Objective,
    Pattern,
    chosen_term,
    equality_residual,
    equality_term,
    others_term,
    violation,
)
from polytope.errors import InputError

# Two vertices of one target with pre-activations (3, 1, 0, -1): units 2 and 3 are pushed down.
# A pre-activation of exactly 0 counts as inactive.
TARGET = torch.tensor([[3.0, 1.0, 0.0, -1.0]]).expand(2, 4)
PATTERN = Pattern.of(TARGET, torch.tensor([2, 3]))
PRE = torch.tensor([[1.0, 2.0, 5.0, -4.0], [3.0, 1.0, 0.5, 7.0]])


def test_the_pattern_splits_the_units():
    assert PATTERN.active.tolist() == [[True, True, False, False]] * 2
    assert PATTERN.chosen.tolist() == [[False, False, True, False], [False, False, False, True]]
    assert PATTERN.others.tolist() == [[False, False, False, True], [False, False, True, False]]
    assert PATTERN.take(torch.tensor([1])).chosen.tolist() == [[False, False, False, True]]


def test_every_term_by_hand():
    assert equality_term(PRE, PATTERN).tolist() == [(4 + 1) / 2, 0]
    assert chosen_term(PRE, PATTERN).tolist() == [5, 7]
    assert others_term(PRE, PATTERN, "absolute").tolist() == [4, 0.5]
    assert others_term(PRE, PATTERN, "hinge").tolist() == [0, 0.5]
    assert equality_residual(PRE, PATTERN).tolist() == [2, 0]
    assert violation(PRE, PATTERN).tolist() == [5, 7]
    assert Objective(alpha=10).value(PRE, PATTERN).tolist() == [25 + 5 + 4, 7.5]
    assert Objective(alpha=2, others="hinge").value(PRE, PATTERN).tolist() == [5 + 5 + 0, 7.5]


def test_no_active_unit_at_all():
    pattern = Pattern.of(torch.tensor([[-1.0, -2.0]]), torch.tensor([0]))
    pre = torch.tensor([[-3.0, 4.0]])
    assert equality_residual(pre, pattern).tolist() == [0]
    assert Objective().value(pre, pattern).tolist() == [1]


@pytest.mark.parametrize("others", ["absolute", "hinge"])
def test_the_gradient_is_autograds(others):
    generator = torch.Generator().manual_seed(0)
    target = torch.randn(30, 12, generator=generator, dtype=torch.float64)
    target[:, 0] = -1.0
    pattern = Pattern.of(target, torch.zeros(30, dtype=torch.int64))
    pre = torch.randn(30, 12, generator=generator, dtype=torch.float64)
    pre[0, 3] = 0.0
    objective = Objective(alpha=7.5, others=others)
    leaf = pre.clone().requires_grad_(True)
    (expected,) = torch.autograd.grad(objective.value(leaf, pattern).sum(), leaf)
    # autograd's slope of clamp(min=0) is 1 at 0, ours 0 (both are subgradients): leave that out.
    smooth = pre != 0
    torch.testing.assert_close(objective.slope(pattern)(pre)[smooth], expected[smooth])


@pytest.mark.parametrize("alpha", [0.0, -1.0, float("nan"), float("inf")])
def test_alpha_must_be_positive(alpha):
    with pytest.raises(InputError, match=f"alpha: .* got {alpha}"):
        Objective(alpha=alpha)


def test_an_unknown_penalty_is_named():
    with pytest.raises(InputError, match=r"others: .* got 'squared'"):
        Objective(others="squared")
