"""The plateau rule, value by value, and limits that make no sense."""

import pytest
import torch

from optimize.search.stopping import Stopping, begin_watch, stalled
from polytope.errors import InputError


def test_the_plateau_rule_step_by_step():
    stopping = Stopping(plateau_tolerance=0.1, patience=2)
    state = begin_watch(3, torch.zeros(1))
    # Vertex 0 falls by 1 each time, vertex 1 by 0.05 (too little alone, enough in sum: 0.15 after
    # three), vertex 2 rises.
    seen = [
        stalled(state, torch.tensor([5.0 - k, 1.0 - 0.05 * k, float(k)]), stopping).tolist()
        for k in range(5)
    ]
    assert seen == [
        [False, False, False],
        [False, False, False],
        [False, True, True],
        [False, False, True],
        [False, False, True],
    ]


def test_the_margin_is_relative_above_one():
    stopping = Stopping(plateau_tolerance=0.1, patience=1)
    state = begin_watch(2, torch.zeros(1))
    stalled(state, torch.tensor([100.0, 100.0]), stopping)
    assert stalled(state, torch.tensor([91.0, 89.0]), stopping).tolist() == [True, False]


def test_nan_is_no_progress():
    state = begin_watch(1, torch.zeros(1))
    assert stalled(state, torch.tensor([torch.nan]), Stopping(patience=1)).tolist() == [True]
    assert state["best"].tolist() == [float("inf")]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("max_steps", 0),
        ("max_steps", 1.5),
        ("check_every", -1),
        ("patience", True),
        ("plateau_tolerance", -1e-3),
        ("plateau_tolerance", float("nan")),
        ("max_seconds", 0.0),
    ],
)
def test_limits_that_make_no_sense(name, value):
    with pytest.raises(InputError, match=f"{name}: .* got {value}"):
        Stopping(**{name: value})
