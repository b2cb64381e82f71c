"""Free, Nonnegative, Box: bounds in any exact form, and what is refused."""

from fractions import Fraction

import numpy as np
import pytest
import torch

from polytope import Box, CollisionPolytope, Free, Nonnegative
from polytope.errors import DomainError, InexactError, InputError, NonFiniteError, ShapeError

F = Fraction


def test_bounds():
    assert Free().bounds(2) == ((None, None), (None, None))
    assert Nonnegative().bounds(2) == ((0, 0), (None, None))
    assert Box(0, 1).bounds(2) == ((0, 0), (1, 1))
    assert Box([0, -1], 1).bounds(2) == ((0, -1), (1, 1))


@pytest.mark.parametrize(
    ("lower", "upper"),
    [
        (0, 0.5),
        (F(0), F(1, 2)),
        (np.zeros(2), np.full(2, 0.5, np.float32)),
        (np.float16(0), np.array(0.5)),
        ([0, 0], (F(1, 2), 0.5)),
        (torch.tensor(0.0), torch.full((2,), 0.5, dtype=torch.bfloat16)),
        (-0.0, 0.5),
    ],
    ids=str,
)
def test_any_exact_form(lower, upper):
    assert Box(lower, upper).bounds(2) == ((0, 0), (F(1, 2), F(1, 2)))


def test_boxes_with_the_same_bounds_are_equal():
    assert Box(np.zeros(2), np.ones(2)) == Box([0, 0], [1, 1])
    assert hash(Box(np.zeros(2), np.ones(2))) == hash(Box([0, 0], [1, 1]))
    assert Box(np.zeros(2), np.ones(2)) != Box([0, 0], [1, 2])


def test_a_box_does_not_follow_its_array():
    upper = np.ones(2)
    box = Box(0, upper)
    upper[0] = -1
    assert box.bounds(2)[1] == (1, 1)


@pytest.mark.parametrize(
    ("lower", "upper", "error", "message"),
    [
        ([0, 2], [1, 1], DomainError, "lower: expected lower <= upper, got 2 > 1 at coordinate 1"),
        (1, 0, DomainError, "got 1 > 0 at coordinate 0"),
        (0, np.inf, NonFiniteError, "upper: expected a finite number, got inf"),
        (0, [1, np.nan], NonFiniteError, r"upper\[1\]: expected a finite number, got nan"),
        (np.array([np.nan]), 1, NonFiniteError, r"lower: expected finite numbers, got nan .*\[0\]"),
        (-np.inf, 0, NonFiniteError, "lower: expected a finite number, got -inf"),
        ([0, 0], [1, 1, 1], ShapeError, r"upper: expected as many bounds as lower \(2\), got 3"),
        (np.zeros((2, 2)), 1, ShapeError, r"lower: expected 1 axes, got shape \(2, 2\)"),
        ([[0], [1, 2]], 1, ShapeError, "lower: expected a rectangular array, got a ragged one"),
        ([], 1, InputError, "lower: expected at least one bound, got an empty array"),
        ("a", 1, InexactError, "lower: expected an int, a float or a Fraction, got str"),
        (None, 1, InexactError, "lower: expected an int, .* got NoneType"),
        (0, True, InexactError, "upper: expected an int, .* got bool"),
        (0, 1j, InexactError, "upper: expected an int, .* got complex"),
    ],
)
def test_refused(lower, upper, error, message):
    with pytest.raises(error, match=message):
        Box(lower, upper)


def test_wrong_number_of_bounds():
    with pytest.raises(ShapeError, match="lower: expected 1 or 2 bounds, got 3"):
        CollisionPolytope.from_layer([[1, 2]], [0], [0, 0], domain=Box([0, 0, 0], 1))


@pytest.mark.parametrize("domain", ["free", Free, (0, 1), 3])
def test_not_a_domain(domain):
    with pytest.raises(InputError, match=r"domain: expected Free\(\), .* got "):
        CollisionPolytope.from_layer([[1]], [0], [0], domain=domain)
