"""Targets, starts, bounds and units: what is accepted, and what each mistake is told."""

import numpy as np
import pytest
import torch

from optimize.model.layers import LayerReader
from optimize.search.inputs import read_request, read_start, read_units
from polytope.errors import DomainError, InputError, NonFiniteError, ShapeError, UnitError
from tests.examples.layers import convolutional, segment

READER = LayerReader(segment(), "0")
IMAGES = LayerReader(convolutional(seed=0), "3")
PRE = torch.tensor([[1.0, -1.0, 0.0, -2.0], [-1.0, 2.0, -3.0, 4.0]])


def request(target=((0.5, 0.5), (1.0, 0.0)), bounds=(0, 1)):
    return read_request(READER, target, bounds)


def test_one_target_and_a_batch():
    assert request([0.5, 0.25]).targets.tolist() == [[0.5, 0.25]]
    assert request().targets.shape == (2, 2)
    assert request().shape == (2,)
    assert read_request(IMAGES, np.zeros((1, 6, 6)), (0, 1)).targets.shape == (1, 1, 6, 6)
    assert read_request(IMAGES, np.zeros((4, 1, 6, 6)), (0, 1)).targets.shape == (4, 1, 6, 6)


def test_batched_overrides_the_guess():
    assert read_request(READER, [[0.5, 0.5]], (0, 1), batched=True).targets.shape == (1, 2)
    with pytest.raises(ShapeError, match=r"got shape \(2,\)"):
        read_request(READER, [0.5, 0.5], (0, 1), batched=True)


def test_bounds_of_every_kind():
    free = request(bounds=None)
    assert torch.isinf(free.lower).all()
    assert torch.isinf(free.upper).all()
    half = request(bounds=(0, None))
    assert half.lower.tolist() == [0, 0]
    assert torch.isinf(half.upper).all()
    each = request(bounds=(torch.tensor([0.0, -1.0]), [1, 2]))
    assert each.lower.tolist() == [0, -1]
    assert each.upper.tolist() == [1, 2]


def test_starts_of_every_kind():
    asked = request()
    assert read_start(READER, "target", asked).tolist() == [[0.5, 0.5], [1.0, 0.0]]
    assert read_start(READER, [0.25, 0.75], asked).tolist() == [[0.25, 0.75]] * 2
    assert read_start(READER, [[0.25, 0.75]], asked).tolist() == [[0.25, 0.75]] * 2
    assert read_start(READER, [[0, 1], [1, 0]], asked).tolist() == [[0, 1], [1, 0]]


def test_units_of_every_kind():
    assert read_units(2, PRE).tolist() == [[1, 2], [0, 2]]
    assert read_units([2], PRE).tolist() == [[2], [2]]
    assert read_units([[1, 3], [0, 2]], PRE).tolist() == [[1, 3], [0, 2]]
    assert read_units(torch.tensor([2]), PRE).tolist() == [[2], [2]]


@pytest.mark.parametrize(
    ("target", "error", "got"),
    [
        ([0.5], ShapeError, r"target: .* got shape \(1,\)"),
        ([[[0.5, 0.5]]], ShapeError, r"target: .* got shape \(1, 1, 2\)"),
        (np.zeros((0, 2)), ShapeError, r"target: .* got shape \(0, 2\)"),
        ([0.5, float("nan")], NonFiniteError, "target: .* got NaN or infinity"),
        ([0.5, float("inf")], NonFiniteError, "target: .* got NaN or infinity"),
        ([0.5, 1.5], DomainError, r"target: .* \[0.0, 1.0\], got 1.5 at coordinate 1 of input 0"),
        ("seven", InputError, "target: .* got"),
        (None, InputError, "target: .* got"),
        ([0.5, 1j], InputError, "target: .* got torch.complex128"),
    ],
)
def test_bad_targets(target, error, got):
    with pytest.raises(error, match=got):
        request(target)


@pytest.mark.parametrize(
    ("bounds", "error", "got"),
    [
        ((1, 0), DomainError, "bounds: .* got 1.0 > 0.0 at coordinate 0"),
        ((0, [1, -1]), DomainError, "bounds: .* got 0.0 > -1.0 at coordinate 1"),
        ((float("nan"), 1), NonFiniteError, "bounds: .* lower end, got NaN"),
        ((0, [1, 1, 1]), ShapeError, r"bounds: .* upper end .* got shape \(3,\)"),
        ((0, "one"), InputError, "bounds: .* upper end, got str"),
        (0.5, InputError, "bounds: .* got 0.5"),
        ((0, 1, 2), InputError, r"bounds: .* got \(0, 1, 2\)"),
        ((float("inf"), None), DomainError, "bounds: expected a lower end < inf"),
    ],
)
def test_bad_bounds(bounds, error, got):
    with pytest.raises(error, match=got):
        request(bounds=bounds)


@pytest.mark.parametrize(
    ("start", "error", "got"),
    [
        ("origin", InputError, "start: .* got 'origin'"),
        ([0.5], ShapeError, r"start: expected shape \(2,\) or \(2, 2\), got \(1,\)"),
        ([[0.5, 0.5]] * 3, ShapeError, r"start: .* got \(3, 2\)"),
        ([0.5, -0.5], DomainError, "start: .* got -0.5 at coordinate 1 of input 0"),
        ([0.5, float("nan")], NonFiniteError, "start: .* got NaN"),
    ],
)
def test_bad_starts(start, error, got):
    with pytest.raises(error, match=got):
        read_start(READER, start, request())


@pytest.mark.parametrize(
    ("units", "error", "got"),
    [
        ([4], UnitError, "units 0 to 3, got 4"),
        ([-1], UnitError, "units 0 to 3, got -1"),
        ([1], UnitError, r"got unit 1, which is active \(pre-activation 2\) for target 1"),
        (3, UnitError, "at most 2, the inactive units of target 1, got 3"),
        (0, InputError, "units: expected at least 1, got 0"),
        ([], ShapeError, r"units: .* got \[\]"),
        ([[2], [2], [2]], ShapeError, "units: expected 2 rows, one per target, got 3"),
        ([[1, 3], [2]], ShapeError, "units: .* rows of unequal length"),
        ([2.0], InputError, r"units: expected whole numbers, got \[2.0\]"),
        (True, ShapeError, "units: .* got True"),
        ([True, False], InputError, "units: expected whole numbers"),
    ],
)
def test_bad_units(units, error, got):
    with pytest.raises(error, match=got):
        read_units(units, PRE)
