import numpy as np
import pytest
import torch
from torch import nn

from experiments.measure.interpolation import combinations
from experiments.measure.probe import Probe
from experiments.models.lenet5 import LeNet5
from experiments.models.mlp import MLP
from experiments.models.squeezenet import Fire, SqueezeNet
from optimize import OpenedNetwork
from polytope.errors import InputError


class Small(nn.Module):
    """A convolution with a BatchNorm and a ReLU in place, then two dense layers."""

    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(3, 4, 3, padding=1)
        self.norm = nn.BatchNorm2d(4)
        self.fires = nn.ReLU(inplace=True)
        self.dense = nn.Linear(4 * 6 * 6, 8)
        self.last = nn.Linear(8, 5)

    def forward(self, x):
        x = torch.flatten(self.fires(self.norm(self.first(x))), 1)
        return self.last(torch.relu_(self.dense(x)))


@pytest.fixture
def small():
    torch.manual_seed(1)
    model = Small().eval()
    model.norm.running_mean.normal_()
    model.norm.running_var.uniform_(0.5, 2)
    return model


@pytest.fixture
def images():
    return torch.rand((5, 3, 6, 6), generator=torch.Generator().manual_seed(2))


def test_one_pass_gives_input_pre_activation_and_probabilities(small, images):
    seen = Probe(small, "dense", batch=2).look(images)
    with torch.no_grad():
        entered = torch.relu(small.norm(small.first(images))).flatten(1)
        pre = small.dense(entered)
        wanted = torch.softmax(small.last(torch.relu(pre)).double(), 1)
    assert torch.allclose(seen.entered, entered, atol=1e-6)
    assert torch.allclose(seen.pre, pre, atol=1e-6)
    assert (seen.pre < 0).any()  # the ReLU in place did not overwrite it
    assert torch.allclose(seen.probabilities, wanted, atol=1e-6)


def test_the_pre_activation_is_behind_the_batch_normalisation(small, images):
    seen = Probe(small, "first").look(images)
    with torch.no_grad():
        wanted = small.norm(small.first(images))
    assert torch.allclose(seen.pre, wanted.flatten(1), atol=1e-6)
    assert (seen.pre < 0).any()
    assert torch.equal(seen.entered, images)


@pytest.mark.parametrize("layer", ["first", "dense"])
def test_going_on_from_the_layers_input_is_the_rest_of_the_pass(small, images, layer):
    probe = Probe(small, layer, batch=5)
    whole = probe.look(images)
    (onward,) = probe.entering(whole.entered)
    assert torch.equal(onward.pre, whole.pre)
    assert torch.equal(onward.probabilities, whole.probabilities)


def test_what_enters_a_fire_module_goes_on_through_both_of_its_halves(images):
    torch.manual_seed(3)
    model = nn.Sequential(Fire(3, 2, 4), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 5))
    probe = Probe(model, "0.expand1x1", batch=5)
    entered = probe.look(images).entered * 0.5
    (seen,) = probe.entering(entered)
    fire = model[0]
    with torch.no_grad():
        halves = [torch.relu(fire.expand1x1(entered)), torch.relu(fire.expand3x3(entered))]
        wanted = model[3](torch.cat(halves, 1).mean((2, 3)))
    assert torch.allclose(seen.probabilities, torch.softmax(wanted.double(), 1), atol=1e-6)


class Twice(nn.Module):
    """A fire module behind a BatchNorm: what enters it is read by two layers."""

    def __init__(self):
        super().__init__()
        self.norm, self.fire = nn.BatchNorm2d(3), Fire(3, 2, 4)
        self.last = nn.Conv2d(8, 5, 1)

    def forward(self, x):
        return torch.relu_(self.last(self.fire(self.norm(x)))).mean((2, 3))


def of_the_model(model, layer, images):
    """What the model itself gives, by hooks: the layer's input, its output, logits."""
    met = []
    module = model.get_submodule(layer)
    behind = model.norm if layer == "first" else module  # the BatchNorm that is folded
    handles = [
        module.register_forward_hook(lambda _m, given, _out: met.append(given[0].clone())),
        behind.register_forward_hook(lambda _m, _given, out: met.append(out.clone())),
    ]
    with torch.no_grad():
        logits = model(images.clone())
    for handle in handles:
        handle.remove()
    entered, pre = met
    return entered, pre, torch.softmax(logits.double(), 1)


def networks():
    """(network, images, layers), weights random and the statistics of every BatchNorm too."""
    torch.manual_seed(1)
    colour, grey = torch.rand(4, 3, 6, 6), torch.rand(4, 1, 28, 28)
    large = torch.rand(2, 3, 63, 63)
    found = [
        (Small(), colour, ("first", "dense")),
        (Twice(), colour, ("fire.squeeze", "fire.expand1x1", "fire.expand3x3", "last")),
        (Skip(), torch.rand(4, 4), ("one", "two")),
        (LeNet5(), grey, ("conv1", "conv2", "fc1", "fc2")),
        (MLP(784, 8, 10), grey.flatten(1), ("hidden1", "hidden2", "output")),
        (SqueezeNet(), large, ("features.3.expand1x1", "features.12.squeeze", "classifier.1")),
    ]
    for model, _, _ in found:
        for module in model.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.running_mean.normal_()
                module.running_var.uniform_(0.5, 2)
    return [(model.eval(), images, layer) for model, images, layers in found for layer in layers]


@pytest.mark.parametrize("opened", [False, True])
def test_a_probe_gives_the_models_own_numbers_bit_for_bit(opened):
    for model, images, layer in networks():
        given = OpenedNetwork(model) if opened else model
        probe = Probe(given, layer, batch=len(images))
        seen, wanted = probe.look(images), of_the_model(model, layer, images)
        assert torch.equal(seen.entered, wanted[0]), layer
        assert torch.equal(seen.pre, wanted[1].flatten(1)), layer
        assert torch.equal(seen.probabilities, wanted[2]), layer
        if not probe.reason:
            (onward,) = probe.entering(seen.entered)
            assert torch.equal(onward.pre, seen.pre), layer
            assert torch.equal(onward.probabilities, seen.probabilities), layer


class Skip(nn.Module):
    def __init__(self):
        super().__init__()
        self.one, self.two, self.last = (nn.Linear(4, 4) for _ in range(3))

    def forward(self, x):
        x = torch.relu(self.one(x))
        return self.last(x + torch.relu(self.two(torch.relu(x - 1))))


def test_a_layer_that_is_passed_by_has_no_onward_pass_and_says_so():
    probe = Probe(Skip(), "two")
    assert "also read something" in probe.reason
    with pytest.raises(InputError, match="also read something"):
        next(probe.entering(torch.zeros(1, 4)))


def test_a_layer_that_does_not_exist_and_a_network_that_cannot_be_traced(small):
    with pytest.raises(InputError, match=r"this model has: 'first', 'dense', 'last'\), got 'fc6'"):
        Probe(small, "fc6")

    class Loop(nn.Module):
        def forward(self, x):
            return x if x.sum() > 0 else -x

    with pytest.raises(InputError, match=r"that torch\.fx can trace"):
        Probe(Loop(), "x")


def test_combinations_are_the_weighted_sums():
    rng = np.random.default_rng(4)
    weights, vertices = rng.dirichlet(np.ones(3), size=7), rng.random((3, 2, 5))
    drawn = combinations(weights, torch.from_numpy(vertices), batch=3, dtype=torch.float32)
    parts = list(drawn)
    assert [len(points) for points in parts] == [3, 3, 1]
    found = torch.cat(parts).numpy()
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, np.tensordot(weights, vertices, axes=1), rtol=1e-6)
