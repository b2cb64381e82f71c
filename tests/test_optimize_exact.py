"""Layers and networks as exact maps: their values are torch's, their numbers the stored ones."""

import math
from fractions import Fraction

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from optimize import LayerReader, exact_layer, exact_network, input_polytope, relu_layers
from optimize.exact.checks import float_values
from optimize.exact.stored import inverse_root
from polytope import Box, CollisionPolytope
from polytope.errors import InputError, LimitError, NonFiniteError
from polytope.exact.sparse import SparseMatrix
from tests.examples.graphs import (
    Fire,
    Functional,
    Residual,
    matrix,
    one_dimensional,
    randomised,
    vgg,
)

NETWORKS = {
    "residual": (Residual, (2, 7, 7)),
    "fire": (Fire, (3, 9, 9)),
    "functional": (Functional, (1, 6, 6)),
    "vgg": (vgg, (3, 8, 8)),
    "signals": (one_dimensional, (2, 21)),
}


def agrees(model, name, shape, seed=0):
    """Both exact forms give torch's float64 pre-activations, up to rounding."""
    model = randomised(model, seed=seed)
    generator = torch.Generator().manual_seed(seed + 1)
    x = torch.randn(3, *shape, generator=generator, dtype=torch.float64)
    entered, pre = LayerReader(model, name).run(x)
    layer, network = exact_layer(model, name, shape), exact_network(model, name, shape)
    assert network.n_inputs == math.prod(shape)
    assert layer.weight.shape == (pre[0].numel(), entered[0].numel())
    assert layer.input_shape == tuple(entered.shape[1:])
    for k in range(3):
        wanted = pre[k].flatten().numpy()
        own = matrix(layer.weight) @ entered[k].flatten().numpy() + matrix(layer.bias)
        size = 1 + np.abs(wanted).max()
        np.testing.assert_allclose(own, wanted, rtol=0, atol=1e-9 * size)
        whole = float_values(network, x[k].flatten().numpy())
        np.testing.assert_allclose(whole, wanted, rtol=0, atol=1e-9 * size)


@pytest.mark.parametrize("which", NETWORKS)
def test_every_layer_of_a_network_is_torchs(which):
    make, shape = NETWORKS[which]
    for layer in relu_layers(make(), shape):
        agrees(make(), layer.name, shape, seed=3)


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel")
@pytest.mark.parametrize("stride", [1, 2, (2, 3)])
@pytest.mark.parametrize("padding", [0, 1, (2, 1), "same", "valid"])
@pytest.mark.parametrize("dilation", [1, 2, (1, 3)])
@pytest.mark.parametrize("groups", [1, 2, 4])
def test_convolutions(stride, padding, dilation, groups):
    if padding == "same":
        stride = 1  # torch has no other
    options = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    conv = nn.Conv2d(4, 8, (3, 2), bias=groups != 2, **options)
    agrees(nn.Sequential(conv, nn.ReLU()), "0", (4, 7, 8))


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel")
@pytest.mark.parametrize("kernel", [1, 2, 4, 7])
def test_even_and_whole_kernels(kernel):
    for options in ({"padding": "same"}, {"padding": kernel // 2, "stride": 3}):
        agrees(nn.Sequential(nn.Conv2d(1, 2, kernel, **options), nn.ReLU()), "0", (1, 7, 7))


@pytest.mark.parametrize(
    "norm",
    [
        nn.BatchNorm2d(4),
        nn.BatchNorm2d(4, affine=False, eps=0.25),
        nn.BatchNorm2d(4, eps=0.0),
    ],
)
def test_batch_norms_are_folded(norm):
    agrees(nn.Sequential(nn.Conv2d(2, 4, 3, padding=1), norm, nn.ReLU()), "0", (2, 5, 4))


def test_batch_norms_with_gamma_zero_or_negative_are_folded():
    net = randomised(nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.ReLU()))
    net[1].weight.data.copy_(torch.tensor([0.0, -2.0, 1.0, -0.5]))
    net[1].running_var.copy_(torch.tensor([0.0, 1.0, 0.5, 2.0]))
    x = torch.rand(1, 3, dtype=torch.float64)
    layer = exact_layer(net, "0", (3,))
    wanted = net[:2](x)[0].detach().numpy()
    own = matrix(layer.weight) @ x[0].numpy() + matrix(layer.bias)
    np.testing.assert_allclose(own, wanted, rtol=1e-12)
    assert not layer.weight[0].any()
    assert layer.bias[0] == Fraction(net[1].bias.tolist()[0])


@pytest.mark.parametrize(
    "pool",
    [
        nn.MaxPool2d(2),
        nn.MaxPool2d(3, stride=2, padding=1, dilation=2),
        nn.MaxPool2d((2, 3), stride=(3, 2), ceil_mode=True),
        nn.MaxPool2d(3, stride=3, padding=1, ceil_mode=True),
        nn.AvgPool2d(2),
        nn.AvgPool2d(3, stride=2, padding=1),
        nn.AvgPool2d(3, stride=2, padding=1, ceil_mode=True),
        nn.AvgPool2d(3, stride=2, padding=1, ceil_mode=True, count_include_pad=False),
        nn.AvgPool2d((3, 2), stride=3, divisor_override=5, ceil_mode=True),
        nn.AdaptiveAvgPool2d((3, 2)),
        nn.AdaptiveAvgPool2d((None, 5)),
        nn.AdaptiveMaxPool2d(3),
        nn.ZeroPad2d((1, 0, 2, 1)),
        nn.PixelUnshuffle(1),
        nn.ChannelShuffle(2),
        nn.Upsample(scale_factor=1),
    ],
    ids=str,
)
def test_pools_and_moves(pool):
    if isinstance(pool, nn.Upsample):  # not one of the kinds that are read
        with pytest.raises(InputError, match="got Upsample '0'"):
            agrees(nn.Sequential(pool, nn.Conv2d(2, 3, 1), nn.ReLU()), "1", (2, 8, 7))
        return
    agrees(nn.Sequential(pool, nn.Conv2d(2, 3, 1), nn.ReLU()), "1", (2, 8, 7))


def test_values_are_the_stored_numbers():
    net = nn.Sequential(nn.Linear(3, 2), nn.ReLU())
    layer = exact_layer(net, "0", (3,))
    assert layer.weight.dtype == np.float32
    assert np.array_equal(layer.weight, net[0].weight.detach().numpy())
    conv = nn.Sequential(nn.Conv2d(1, 2, 2), nn.ReLU()).to(torch.bfloat16)
    layer = exact_layer(conv, "0", (1, 3, 3))
    assert isinstance(layer.weight, SparseMatrix)
    stored = set(conv[0].weight.detach().float().flatten().tolist())
    assert set(layer.weight.values.data.tolist()) == stored
    assert layer.bias.tolist() == conv[0].bias.detach().float().repeat_interleave(4).tolist()


def test_a_folded_layer_is_exact_to_the_last_bit():
    net = nn.Sequential(nn.Linear(1, 1), nn.BatchNorm1d(1, eps=0.125), nn.ReLU()).eval()
    net[0].weight.data.fill_(0.1)
    net[0].bias.data.fill_(0.3)
    net[1].running_mean.fill_(0.2)
    net[1].running_var.fill_(0.7)
    net[1].weight.data.fill_(1.5)
    net[1].bias.data.fill_(-0.4)
    w, b, m, v, g, s = (
        Fraction(float(np.float32(value))) for value in (0.1, 0.3, 0.2, 0.7, 1.5, -0.4)
    )
    r = inverse_root(v + Fraction(1, 8))
    layer = exact_layer(net, "0", (1,))
    assert layer.weight[0, 0] == w * g * r
    assert layer.bias[0] == (b - m) * g * r + s


@pytest.mark.parametrize("square", [Fraction(1, 3), Fraction(2), Fraction(10) ** 300, Fraction(4)])
def test_the_root_is_the_nearest_float(square):
    root = inverse_root(square)
    for other in (math.nextafter(root, 0), math.nextafter(root, math.inf)):
        middle = (root + Fraction(other)) / 2
        # 1 / sqrt(square) lies on the root's side of the midpoint.
        assert (middle**2 * square > 1) == (other > root)
    if square == 4:
        assert root == Fraction(1, 2)


@pytest.mark.parametrize("square", [Fraction(0), Fraction(-1)])
def test_a_variance_must_be_positive(square):
    with pytest.raises(NonFiniteError, match="expected a positive variance"):
        inverse_root(square)


def test_a_convolution_with_its_polytope():
    net = nn.Sequential(nn.Conv2d(1, 2, 2), nn.ReLU())
    layer = exact_layer(net, "0", (1, 3, 3))
    target = torch.rand(9).numpy()
    polytope = CollisionPolytope.from_layer(layer.weight, layer.bias, target)
    with torch.no_grad():
        pre = net[0](torch.from_numpy(target).view(1, 1, 3, 3)).flatten()
    assert polytope.n_positive == int((pre > 0).sum())


def test_weights_that_are_zero_are_left_out():
    net = nn.Sequential(nn.Conv2d(2, 3, 3, padding=1, groups=1), nn.ReLU())
    full = len(exact_layer(net, "0", (2, 4, 4)).weight.rows)
    net[0].weight.data[:, 0] = 0
    half = exact_layer(net, "0", (2, 4, 4)).weight
    assert len(half.rows) == full // 2
    assert half.columns.min() == 16  # the second channel
    assert half.values.data.all()


@pytest.mark.parametrize("mode", ["reflect", "circular", "replicate"])
def test_other_paddings_are_refused(mode):
    net = nn.Sequential(nn.Conv2d(1, 1, 3, padding=1, padding_mode=mode), nn.ReLU())
    with pytest.raises(InputError, match=f"padding_mode 'zeros', got '{mode}' in '0'"):
        exact_layer(net, "0", (1, 4, 4))


def test_too_many_products_are_refused_before_they_are_made(monkeypatch):
    monkeypatch.setattr("optimize.exact.affine.MOST_ENTRIES", 100)
    net = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU())
    assert exact_layer(net, "0", (1, 4, 4)).weight.shape == (8, 16)  # 72 products
    with pytest.raises(LimitError, match="at most 100 products, got 162 in '0'"):
        exact_layer(net, "0", (1, 5, 5))


def test_weights_that_are_not_finite_are_refused():
    net = nn.Sequential(nn.Linear(2, 2), nn.ReLU())
    net[0].bias.data[1] = torch.nan
    with pytest.raises(NonFiniteError, match="bias of '0'"):
        exact_layer(net, "0", (2,))
    with pytest.raises(NonFiniteError, match="bias of '0'"):
        exact_network(net, "0", (2,))


@pytest.mark.parametrize(
    ("before", "words"),
    [
        (nn.Sigmoid(), "got Sigmoid '0'"),
        (nn.LayerNorm(3), "got LayerNorm '0'"),
        (nn.GELU(), "got GELU '0'"),
    ],
)
def test_a_step_that_is_not_piecewise_affine_is_named(before, words):
    net = nn.Sequential(before, nn.Linear(3, 3), nn.ReLU())
    assert exact_layer(net, "1", (3,)).weight.shape == (3, 3)  # the layer itself is affine
    with pytest.raises(InputError, match=words):
        exact_network(net, "1", (3,))


def test_a_large_convolution_is_made_in_seconds():
    net = nn.Sequential(nn.Conv2d(16, 32, 3, padding=1), nn.ReLU())
    layer = exact_layer(net, "0", (16, 32, 32))
    assert layer.weight.shape == (32768, 16384)
    assert len(layer.weight.rows) == 16 * 32 * (3 * 32 - 2) ** 2


class Padded(nn.Module):
    """A convolution behind zeros that differ at both ends, as TensorFlow's SAME has them."""

    def __init__(self, how):
        super().__init__()
        self.how, self.pad = how, nn.ZeroPad2d((0, 1, 0, 2))
        self.conv = nn.Conv2d(2, 3, 3, stride=2, padding=1)

    def forward(self, x):
        if self.how == "module":
            x = self.pad(x)
        elif self.how == "twice":
            x = functional.pad(functional.pad(x, (0, 1)), [0, 0, 0, 2])
        else:
            x = functional.pad(x, (0, 1, 0, 2))
        return torch.relu(self.conv(x))


@pytest.mark.parametrize("how", ["module", "function", "twice"])
def test_zeros_around_an_image_are_part_of_the_convolution_and_no_inputs(how):
    torch.manual_seed(0)
    model, x = Padded(how).double().eval(), torch.rand(2, 5, 6, dtype=torch.float64)
    (info,) = relu_layers(model, x)
    assert (info.n_inputs, info.input_shape) == (60, (2, 5, 6))
    layer = exact_layer(model, "conv", x)
    assert layer.weight.shape[1] == 60
    with torch.no_grad():
        wanted = model.conv(functional.pad(x[None], (0, 1, 0, 2))).flatten().numpy()
    matrix = np.zeros(layer.weight.shape)
    np.add.at(
        matrix, (layer.weight.rows, layer.weight.columns), layer.weight.values.data.astype(float)
    )
    np.testing.assert_allclose(matrix @ x.flatten().numpy() + layer.bias, wanted, atol=1e-12)
    own = CollisionPolytope.from_layer(layer.weight, layer.bias, x.flatten(), domain=Box(0, 1))
    whole = input_polytope(model, "conv", x, domain=Box(0, 1))
    assert own.dimension().value == whole.dimension().value
    unit = own.inactive_units[0]
    assert own.unit_vertex(unit).value == whole.unit_vertex(unit).value


@pytest.mark.parametrize(
    "before", [nn.ConstantPad2d(1, 0.5), nn.ReflectionPad2d(1), nn.ZeroPad2d((-1, 0, 0, 0))]
)
def test_another_border_is_a_step_of_its_own(before):
    net = nn.Sequential(before, nn.Conv2d(1, 2, 2), nn.ReLU()).eval()
    (info,) = relu_layers(net, (1, 5, 5))
    assert info.n_inputs == before(torch.zeros(1, 1, 5, 5)).numel()
