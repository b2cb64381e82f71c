"""Models that hide something from their graph: refused, or read rightly; never read wrongly."""

import math

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional
from torch.nn.utils import parametrizations, prune

from optimize import (
    LayerReader,
    OpenedNetwork,
    exact_layer,
    exact_network,
    find_vertices,
    relu_layers,
)
from optimize.exact.checks import check_network, float_values
from polytope.errors import InputError
from polytope.exact.array import ExactArray
from polytope.network.graph import Affine, Network


class Middle(nn.Module):
    """Conv2d `a` on 1 x 4 x 4, its ReLU, what is asked for, Linear `b`, a ReLU."""

    def __init__(self, middle, width=64, relu=True):
        super().__init__()
        torch.manual_seed(0)
        self.a, self.b = nn.Conv2d(1, 4, 3, padding=1), nn.Linear(width, 3)
        self.middle, self.relu = middle, relu

    def forward(self, x):
        y = self.a(x)
        y = self.middle(y.relu() if self.relu else y)
        return torch.relu(self.b(y.flatten(1)))


def agrees(model, shape=(1, 4, 4)):
    """The exact network gives the model's own values."""
    model = model.double().eval()
    network = exact_network(model, "b", shape)
    for seed in range(2):
        x = torch.randn((1, *shape), generator=torch.Generator().manual_seed(seed)).double()
        with torch.no_grad():
            wanted = model(x.clone())[0].numpy()
        found = np.maximum(float_values(network, x.flatten().numpy()), 0)
        np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-9)


def made_of_ones(y):
    """A module made in the forward pass."""
    made = nn.Conv2d(4, 4, 1, bias=False, dtype=y.dtype)
    nn.init.ones_(made.weight)
    return made(y)


def write(function):
    """A step that changes its argument and gives nothing back."""

    def changed(y):
        function(y)
        return y

    return changed


def read_view(make, change=torch.Tensor.relu_):
    """A view made before a change, and read behind it."""

    def changed(y):
        view = make(y)
        change(y)
        return view

    return changed


@pytest.mark.parametrize(
    ("middle", "width"),
    [
        (write(lambda y: torch.clamp_(y, min=0)), 64),
        (write(lambda y: y.clamp_(min=0)), 64),
        (write(lambda y: functional.relu(y, inplace=True)), 64),
        (write(lambda y: y.add_(1)), 64),
        (lambda y: torch.cat((y, y), axis=3), 128),
        (lambda y: torch.cat(y.chunk(2, 1), 1), 64),
        (lambda y: torch.cat(y.split(1, dim=1)[::-1], 2), 64),
        (lambda y: y.mean(axis=2), 16),
        (lambda y: y.sum(axis=2), 16),
        (read_view(lambda y: y.double()), 64),  # the very same tensor, so the changed one
        (lambda y: torch.stack([y, 2 * y], 1).amax(1), 64),
        (lambda y: functional.pad(y, (1, -1), value=1.5), 64),
        (lambda y: functional.pad(y, (1, 0, 0, 0), mode="replicate")[..., 1:], 64),
        (lambda y: y.repeat(1, 2, 1, 1), 128),
        (lambda y: y.index_select(2, torch.tensor([2, 0, 0])), 48),
        (lambda y: functional.leaky_relu(y, 0.25), 64),
        (lambda y: functional.leaky_relu(y, 1.75), 64),
        (lambda y: functional.prelu(y, torch.tensor([0.5, -1.0, 2.0, 0.0]).to(y)), 64),
        (lambda y: y.abs(), 64),
        (lambda y: functional.hardtanh(y), 64),
        (lambda y: functional.relu6(4 * y), 64),
        (lambda y: y.clamp(max=0.25), 64),
        (lambda y: y.clamp(min=-0.25), 64),
        (lambda y: y.view(y.shape[0], 64) if y.shape[1] == 4 else y, 64),
        (lambda y: y[: len(y)], 64),
        (lambda y: 0 * made_of_ones(y) + y if y.shape[1] else y, 64),
        (lambda y: -y, 64),
        (lambda y: functional.avg_pool2d(y, 3, 1, 1), 64),
    ],
)
def test_hidden_or_unusual_steps_are_read_rightly(middle, width):
    agrees(Middle(middle, width, relu=False))


@pytest.mark.parametrize(
    "middle",
    [
        read_view(lambda y: y.swapaxes(2, 3)),
        read_view(lambda y: y.view_as(y)),
        read_view(lambda y: y.unbind(1)[0]),
        read_view(lambda y: y.T if y.ndim == 2 else y.mT),
        read_view(lambda y: y, lambda y: y.data.relu_()),
    ],
)
def test_a_view_of_what_is_changed_is_refused(middle):
    model = Middle(middle, 64, relu=False).double()
    for ask in (
        lambda: exact_network(model, "b", (1, 4, 4)),
        lambda: relu_layers(model, (1, 4, 4)),
    ):
        with pytest.raises(InputError, match=r"whose view is read again|can trace"):
            ask()


def test_a_change_that_nobody_knows_is_seen_when_it_happens():
    class Hiding(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = nn.Linear(3, 3), nn.Linear(3, 2)

        def forward(self, x):
            y = self.a(x)
            hidden_step(y)
            return torch.relu(self.b(torch.relu(y)))

    for ask in (
        lambda: relu_layers(Hiding(), (3,)),
        lambda: exact_network(Hiding(), "b", (3,)),
        lambda: LayerReader(Hiding(), "b").check(torch.rand(1, 3)),
        lambda: find_vertices(Hiding(), "b", torch.rand(3), units=1, device="cpu"),
    ):
        with pytest.raises(InputError, match="which changes 'model_a' in place"):
            ask()


def hidden_step(y):
    """Known to the tracer as one step, to nobody as one in place."""
    return y.mul_(2)


torch.fx.wrap("hidden_step")


@pytest.mark.parametrize(
    "pool", [nn.MaxPool2d(3, 1, 1), nn.AvgPool2d(3, 1, 1), nn.AdaptiveAvgPool2d((4, 4))]
)
def test_a_pool_of_two_axes_on_a_batch_of_single_maps_is_no_signal(pool):
    class Single(nn.Module):
        def __init__(self):
            super().__init__()
            self.pool, self.b = pool, nn.Linear(16, 3)

        def forward(self, x):
            return torch.relu(self.b(self.pool(x).flatten(1)))

    with pytest.raises(InputError, match=r"over an input of shape \(4, 4\)"):
        exact_network(Single(), "b", (4, 4))


def hooked():
    model = nn.Sequential(nn.Linear(2, 2), nn.ReLU())
    model[0].register_forward_hook(lambda _module, _inputs, outputs: outputs * 2)
    return model


def pruned():
    model = nn.Sequential(nn.Linear(2, 2), nn.ReLU())
    prune.random_unstructured(model[0], "weight", 0.5)
    return model


@pytest.mark.parametrize("make", [hooked, pruned])
def test_hooks_are_refused(make):
    with pytest.raises(InputError, match=r"hooks of their own, got '0'|can be copied"):
        relu_layers(make(), (2,))


def test_a_reader_refuses_a_hook_too():
    with pytest.raises(InputError, match="hooks of their own, got '0'"):
        LayerReader(hooked(), "0", example=torch.rand(2))


def test_parametrised_weights_are_what_torch_computes():
    torch.manual_seed(0)
    net = nn.Sequential(parametrizations.weight_norm(nn.Linear(3, 2)), nn.ReLU())
    layer = exact_layer(net, "0", (3,))
    assert np.array_equal(layer.weight, net[0].weight.detach().numpy())


@pytest.mark.filterwarnings("ignore:`torch.jit.script_method` is deprecated")
def test_a_compiled_model_is_read_as_what_was_compiled():
    net = nn.Sequential(nn.Linear(3, 2), nn.ReLU())
    assert [layer.name for layer in relu_layers(torch.compile(net), (3,))] == ["0"]


class Compared(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = nn.Linear(2, 2)

    def forward(self, x):
        y = self.a(x)
        return torch.relu(y) + (y == 0.5)


class Sized(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = nn.Linear(2, 2)

    def forward(self, x):
        y = self.a(x)
        torch._assert(y.shape[1] == 2, "two")
        return torch.relu(y).view(y.size(0) * 1, -1)


def test_a_comparison_of_entries_is_a_use_of_them_and_one_of_sizes_is_not():
    assert relu_layers(Compared(), (2,)) == ()
    assert [layer.name for layer in relu_layers(Sized(), (2,))] == ["a"]


@pytest.mark.parametrize(
    "middle",
    [torch.flatten, torch.squeeze, lambda y: y.view(-1, 16), lambda y: y[0]],
)
def test_steps_that_lose_the_batch_axis_are_refused(middle):
    class Losing(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = nn.Conv2d(1, 4, 3, padding=1), nn.LazyLinear(3)

        def forward(self, x):
            return torch.relu(self.b(middle(torch.relu(self.a(x)))))

    model = Losing()
    model(torch.zeros(1, 1, 4, 4))
    for ask in (relu_layers, lambda m, shape: exact_network(m, "b", shape)):
        with pytest.raises(InputError, match="keep the batch axis in front, got shape"):
            ask(model, (1, 4, 4))


@pytest.mark.parametrize(
    ("middle", "words"),
    [
        (lambda y: torch.stack([y, y], 1).logsumexp(1), "got logsumexp"),
        (lambda y: torch.einsum("bchw,c->bchw", y, torch.ones(4)), "got einsum"),
        (lambda y: y * y, "of two tensors that depend on the input"),
        (lambda y: y / 0, "a constant that is not 0"),
        (lambda y: functional.pad(y.exp(), (1, -1), value=1.0), "got exp"),
    ],
)
def test_unknown_steps_are_named(middle, words):
    with pytest.raises(InputError, match=words):
        exact_network(Middle(middle), "b", (1, 4, 4))


def test_a_normalisation_behind_a_reshape_is_folded_unit_by_unit():
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(3, 6), nn.Unflatten(1, (2, 3)), nn.BatchNorm1d(2), nn.ReLU())
    net[2].running_var.copy_(torch.tensor([0.5, 2.0]))
    net[2].running_mean.copy_(torch.tensor([0.5, -2.0]))
    weight, bias = LayerReader(net.eval(), "0").affine_map()
    x = torch.rand(4, 3, dtype=torch.float64)
    with torch.no_grad():
        wanted = net[:3].double()(x).flatten(1)
    torch.testing.assert_close(x @ weight.T + bias, wanted)


class Seen(nn.Module):
    """Goes another way where it sees that its input is a symbol: by layers without modules."""

    def __init__(self):
        super().__init__()
        self.V = nn.Parameter(torch.randn(3, 4, generator=torch.Generator().manual_seed(0)))

    def forward(self, x):
        return torch.relu((x if isinstance(x, torch.Tensor) else -x) @ self.V)


def test_layers_without_modules_are_held_against_the_model_too():
    for ask in (
        lambda: exact_layer(Seen(), "V", (3,)) and None,
        lambda: LayerReader(Seen(), "V").check(torch.rand(1, 3)),
    ):
        with pytest.raises(InputError, match="differ from those of its graph"):
            ask()
    plain = nn.Sequential(nn.Linear(3, 4, bias=False), nn.ReLU())
    plain[0].weight.data = Seen().V.detach().T.clone()
    assert exact_layer(plain, "0", (3,)).weight.shape == (4, 3)


def test_a_wrong_network_would_be_caught():
    net = nn.Sequential(nn.Linear(2, 2), nn.ReLU()).double()
    opened = OpenedNetwork(net)
    layer, network = opened.layer("0", (2,)), exact_network(opened, "0", (2,))
    check_network(network, layer)
    (node,) = network.nodes
    other = Affine(0, node.weight, ExactArray(node.bias.data + 1e-6, "float64"))
    with pytest.raises(InputError, match="differ from those of its graph"):
        check_network(Network(2, (other,)), layer)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float32])
def test_a_number_is_rounded_as_torch_rounds_it(dtype):
    class Scaled(nn.Module):
        def __init__(self):
            super().__init__()
            self.b = nn.Linear(1, 1)

        def forward(self, x):
            return torch.relu(self.b(x * 0.1))

    first = exact_network(Scaled().to(dtype), "b", (1,)).nodes[0]
    factor = first.weight.data.item() if math.prod(first.weight.shape) == 1 else None
    assert factor == float(np.float32(0.1))
