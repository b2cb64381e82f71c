from fractions import Fraction

import numpy as np
import pytest
import torch
from torch import nn

from experiments.measure.collisions import collision_meanings
from experiments.measure.grey_levels import as_8_bit, from_levels, grey_levels, write_png
from experiments.measure.interpolation import Interpolation, interpolate
from optimize import LayerReader
from polytope import Box, CollisionPolytope
from polytope.errors import DomainError, InputError, ShapeError


def linear(weight, bias):
    layer = nn.Linear(len(weight[0]), len(weight))
    layer.weight.data = torch.tensor(weight)
    layer.bias.data = torch.tensor(bias)
    return layer


@pytest.fixture
def square():
    """y = max(0, 2 x1 + 2 x2 - 3) and y = max(0, x1): the target (1/2, 0) holds x1."""
    return nn.Sequential(linear([[2.0, 2.0], [1.0, 0.0]], [-3.0, 0.0]), nn.ReLU())


def test_the_meanings_are_kept_apart(square):
    reader = LayerReader(square, "0")
    target = [0.5, 0.0]
    polytope = CollisionPolytope.from_layer(
        square[0].weight, square[0].bias, target, domain=Box(0, 1)
    )
    points = [[0.5, 1.0], [0.5 + 2.0**-20, 0.0], [0.5, 1.0 + 2.0**-10]]
    exact, near, out = collision_meanings(reader, target, points, polytope=polytope, bounds=(0, 1))
    assert (exact.exact, exact.exact_tolerance, exact.bit_equal, exact.tolerance) == (
        *(True, 0, True, 0.0),
    )
    # 1/2 is no grey level: 127.5 goes to the even 128, or is cut to 127.
    assert exact.png_tolerance == pytest.approx(1 / 255, rel=1e-4)  # both units see it
    assert exact.png_truncated == pytest.approx(0.5 / 255)  # only the second one
    assert exact.png_bit_equal is False
    assert (near.exact, near.bit_equal) == (False, False)
    assert near.exact_tolerance == Fraction(1, 2**20)
    assert near.tolerance == 2.0**-20
    # Outside of the box, and seen by the second unit too: no collision in the polytope's sense.
    assert out.exact is False
    assert out.exact_tolerance == Fraction(2, 2**10)


def test_a_float_run_may_call_equal_what_is_not():
    net = nn.Sequential(linear([[1.0, 1.0]], [0.0]), nn.ReLU())
    polytope = CollisionPolytope.from_layer(net[0].weight, net[0].bias, [1.0, 0.0])
    (found,) = collision_meanings(
        LayerReader(net, "0"), [1.0, 0.0], [[1.0, 2.0**-30]], polytope=polytope
    )
    assert found.bit_equal
    assert found.tolerance == 0
    assert found.exact is False
    assert found.exact_tolerance == Fraction(1, 2**30)
    assert found.png_tolerance is found.png_truncated is found.png_bit_equal is None


def test_points_must_fit_the_target(square):
    with pytest.raises(ShapeError, match=r"points: expected shape \(V, 2\)"):
        collision_meanings(LayerReader(square, "0"), [0.5, 0.0], [0.5, 0.0])


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("bounds", [(0, 1), (0, 255), (-117.0, 138.0), (-1, 1)])
@pytest.mark.parametrize("rounding", ["round", "truncate"])
def test_what_came_from_8_bits_goes_back_unchanged(dtype, bounds, rounding):
    levels = torch.arange(256, dtype=torch.uint8)
    values = from_levels(levels, bounds, dtype=dtype)
    assert torch.equal(grey_levels(values, bounds, rounding=rounding), levels)
    assert torch.equal(as_8_bit(values, bounds, rounding=rounding), values)


def test_rounding_truncating_and_clipping():
    values = torch.tensor([-3.0, 0.4, 0.6, 1.5, 254.9, 300.0])
    assert grey_levels(values, (0, 255)).tolist() == [0, 0, 1, 2, 255, 255]
    assert grey_levels(values, (0, 255), rounding="truncate").tolist() == [0, 0, 0, 1, 254, 255]
    # The authors' cast: a hair below a whole level is the level below.
    assert grey_levels(torch.tensor([99.9999]), (0, 255), rounding="truncate").tolist() == [99]
    per_channel = (torch.tensor([[0.0], [-100.0]]), torch.tensor([[255.0], [155.0]]))
    assert grey_levels(torch.zeros(2, 1), per_channel).flatten().tolist() == [0, 100]
    with pytest.raises(DomainError, match="upper > lower"):
        grey_levels(values, (0, 0))
    with pytest.raises(InputError, match="rounding: expected 'round' or 'truncate'"):
        grey_levels(values, (0, 1), rounding="floor")


@pytest.mark.parametrize("shape", [(5, 4), (1, 5, 4), (3, 5, 4)])
def test_a_png_holds_the_levels(tmp_path, shape):
    from PIL import Image

    image = torch.rand(shape, generator=torch.Generator().manual_seed(3))
    path = write_png(tmp_path / "a.png", image, (0, 1))
    with Image.open(path) as opened:
        assert opened.size == (4, 5)
        read = np.asarray(opened)
    wanted = grey_levels(image, (0, 1)).numpy()
    wanted = wanted[0] if shape[0] == 1 else np.moveaxis(wanted, 0, -1) if shape[0] == 3 else wanted
    assert np.array_equal(read, wanted)
    if shape[0] == 3:
        swapped = write_png(tmp_path / "b.png", image, (0, 1), bgr=True)
        with Image.open(swapped) as opened:
            assert np.array_equal(np.asarray(opened), read[:, :, ::-1])
    with pytest.raises(ShapeError, match="expected"):
        write_png(tmp_path / "c.png", torch.zeros(2, 5, 4), (0, 1))


def deep():
    """|x1|, then a layer that sees it: convex in its own space, not in the input."""
    first = linear([[1.0, 0.0], [-1.0, 0.0]], [0.0, 0.0])
    second = linear([[1.0, 1.0], [1.0, 0.0]], [0.0, -9.0])
    return nn.Sequential(first, nn.ReLU(), second, nn.ReLU())


def test_combinations_collide_in_the_layers_space_and_not_in_the_input():
    reader = LayerReader(deep(), "2")
    target, points = [1.0, 0.0], [[1.0, 0.0], [-1.0, 0.0]]
    found = interpolate(reader, target, points, samples=500, seed=1, tolerance=1e-6)
    assert isinstance(found, Interpolation)
    assert (found.layer.within, found.layer.samples) == (500, 500)
    assert found.layer.largest <= 1e-6
    assert found.input.within == 0  # |a - (1 - a)| = 1 only at the ends
    assert found.input.largest > 0.9
    free = interpolate(reader, target, [[1.0, 0.0], [-0.75, 0.0]], samples=200)
    assert free.tolerance == 0.25
    assert free.layer.within == 200
    with pytest.raises(ShapeError, match="at least 2"):
        interpolate(reader, target, [[1.0, 0.0]])
