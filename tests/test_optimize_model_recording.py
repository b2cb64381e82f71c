"""Models that symbols cannot trace: what is read is what feeds the ReLU, or they are refused."""

import numpy as np
import pytest
import torch
from torch import nn

from optimize import (
    LayerReader,
    Objective,
    OpenedNetwork,
    Stopping,
    exact_layer,
    exact_network,
    find_vertices,
    input_polytope,
    other_layers,
    relu_layers,
)
from optimize.exact.checks import float_values
from optimize.model.opened import OpenedLayer
from optimize.model.recording import record
from polytope import CollisionPolytope
from polytope.errors import InputError, ShapeError
from tests.campaigns.torch_architectures import verdict
from tests.campaigns.torch_own import OWN
from tests.examples.graphs import Residual, matrix, randomised
from tests.examples.untraceable import (
    BehindMemory,
    Between,
    Branches,
    Guards,
    Products,
    Volumes,
    encoder,
)

HINGE = Objective(others="hinge")


def relu_inputs(model, x):
    """What torch itself gives every ReLU of the model, in order, by the function that is called."""
    seen = []

    class Watch(torch.overrides.TorchFunctionMode):
        def __torch_function__(self, func, types, args=(), kwargs=None):
            name = getattr(func, "__name__", "")
            least = type((kwargs or {}).get("min")) is int
            if name in ("relu", "relu_") or (name == "clamp" and least):
                seen.append(args[0].clone())
            return func(*args, **(kwargs or {}))

    with torch.no_grad(), Watch():
        model(x.clone())
    return seen


def agree_with_torch(model, shape):
    """Every layer listed gives what torch gives its ReLU, in floats and exactly."""
    model = randomised(model, seed=1)
    x = torch.rand(1, *shape, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    opened, wanted = OpenedNetwork(model), relu_inputs(model, x)
    layers = relu_layers(opened, x[0])
    for layer in layers:
        entered, pre = LayerReader(opened, layer.name, example=x[0]).run(x)
        assert any(pre.shape == each.shape and torch.equal(pre, each) for each in wanted)
        exact = exact_layer(opened, layer.name, x[0])
        assert (exact.weight.shape, exact.input_shape) == (
            (layer.n_units, layer.n_inputs),
            layer.input_shape,
        )
        found = matrix(exact.weight) @ entered.flatten().numpy() + np.array(exact.bias, dtype=float)
        np.testing.assert_allclose(found, pre.flatten().numpy(), rtol=0, atol=1e-12)
    return [layer.name for layer in layers], opened, x


@pytest.mark.parametrize(
    ("make", "shape", "listed"),
    [
        (Branches, (4,), ["fc1"]),
        (Products, (4,), ["W", "V", "U", "E", "F"]),
        (Volumes, (2, 3, 5, 4), ["conv", "up", "up2", "up1"]),
        (Guards, (6,), ["fc1", "fc2"]),
        (encoder, (3, 4), ["linear1"]),
        (BehindMemory, (5, 3), ["fc"]),
        (lambda: nn.DataParallel(nn.Sequential(nn.Linear(3, 4), nn.ReLU())), (3,), ["0"]),
        (lambda: nn.Sequential(nn.DataParallel(nn.Linear(3, 4)), nn.ReLU()), (3,), ["0"]),
    ],
)
def test_every_layer_is_what_torch_gives_its_relu(make, shape, listed):
    assert agree_with_torch(make(), shape)[0] == listed


@pytest.mark.parametrize("make", [Products, Guards])
def test_the_layers_before_are_torchs_too(make):
    names, opened, x = agree_with_torch(make(), (4,) if make is Products else (6,))
    network = exact_network(opened, names[-1], x[0])
    wanted = LayerReader(opened, names[-1], example=x[0]).pre_activation(x)[0]
    np.testing.assert_allclose(float_values(network, x[0].numpy()), wanted, rtol=0, atol=1e-10)


@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")
def test_an_exported_model_is_read_as_its_own_module_is():
    net = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.ReLU(), nn.Linear(4, 2), nn.ReLU())
    net, x = randomised(net), torch.rand(2, 3).double()
    exported = torch.export.export(net, (x[:1],)).module()
    assert [(layer.name, layer.normalised) for layer in relu_layers(exported, x[0])] == [
        ("0", True),
        ("3", False),
    ]
    for name in ("0", "3"):
        mine, theirs = (LayerReader(each, name, example=x[0]) for each in (exported, net))
        torch.testing.assert_close(mine.pre_activation(x), theirs.pre_activation(x))
        one, other = (exact_layer(each, name, x[0]) for each in (exported, net))
        assert np.array_equal(one.weight, other.weight)
        assert np.array_equal(one.bias, other.bias)


@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")
def test_an_exported_model_may_work_in_place():
    net, x = randomised(Residual(), seed=1), torch.rand(1, 2, 7, 7).double()
    exported = torch.export.export(net, (x,)).module()
    layers, others = relu_layers(exported, x[0]), relu_layers(net, x[0])
    assert [(a.kind, a.n_inputs) for a in layers] == [(b.kind, b.n_inputs) for b in others]
    for mine, theirs in zip(layers, others, strict=True):
        one = LayerReader(exported, mine.name, example=x[0]).pre_activation(x)
        torch.testing.assert_close(one, LayerReader(net, theirs.name).pre_activation(x))
        exact = exact_layer(exported, mine.name, x[0])
        assert exact.weight.shape == (mine.n_units, mine.n_inputs)


def test_what_is_found_behind_a_branch_collides_at_the_relu():
    model, target = Branches().eval(), torch.tensor([0.9, 0.75, 0.5, 0.875])
    search = find_vertices(
        model, "fc1", target, units=1, objective=HINGE, device="cpu", bounds=(0.25, 1),
        stopping=Stopping(max_steps=3000),
    )  # fmt: skip
    with torch.no_grad():
        wanted, found = (torch.relu(model.bn(model.fc1(x))) for x in (target[None], search.points))
    assert float((found - wanted).abs().max()) < 5e-3
    assert float(search.pre_activation[0]) < -0.05
    # The same to a model that takes the one way only, which symbols can trace.
    plain = nn.Sequential(model.fc1, model.bn, nn.ReLU(), model.fc2)
    layer, other = exact_layer(model, "fc1", target), exact_layer(plain, "0", target)
    assert (layer.weight == other.weight).all()
    assert (layer.bias == other.bias).all()
    polytope = CollisionPolytope.from_layer(layer.weight, layer.bias, target)
    tolerance = polytope.residuals(search.layer_inputs[0].double().numpy()).smallest_tolerance
    assert tolerance < 5e-3


def test_points_that_go_another_way_are_refused():
    # The sum - 2 is lowest at the lower ends: of 0.25 it is 1 there, which goes the target's way.
    model, target = Branches().eval(), torch.tensor([0.5, 0.25, 0.25, 0.25])
    model.bn = nn.Identity()
    model.fc1, model.fc2 = nn.Linear(4, 1), nn.Linear(1, 3)
    model.fc1.weight.data, model.fc1.bias.data = torch.ones(1, 4), -2 * torch.ones(1)
    asked = {"units": 1, "objective": HINGE, "device": "cpu"}
    kept = find_vertices(model, "fc1", target, bounds=(0.25, 1), start=[0.5] * 4, **asked)
    assert kept.points.tolist() == [[0.25] * 4]
    with pytest.raises(InputError, match=r"another way through the forward pass"):
        find_vertices(model, "fc1", target, bounds=(-1, 1), **asked)
    with pytest.raises(InputError, match="another way through the forward pass"):
        find_vertices(model, "fc1", torch.stack([target, -target]), bounds=(-1, 1), **asked)
    with pytest.raises(InputError, match="the same for all inputs, got __bool__"):
        input_polytope(model, "fc1", target)


@pytest.mark.parametrize(
    ("step", "reason"),
    [
        (lambda y: y * 2, "goes into mul"),
        (lambda y: torch.dropout(y, 0.5, True), "goes into dropout"),
        (lambda y: y.roll(1, 1), "goes into roll"),
        (lambda y: nn.functional.linear(y, torch.eye(6)), "goes into linear"),
        (lambda y: nn.functional.layer_norm(y, (6,)), "goes into layer_norm"),
        (lambda y: y - y.mean(), "goes into mean .*, sub"),
        (lambda y: y if y.sum() > -1e9 else -y, "goes into sum .* as well as into a ReLU"),
    ],
)
def test_a_step_between_a_layer_and_its_relu_is_seen(step, reason):
    model, x = Between(step).eval(), torch.rand(4)
    assert "fc1" not in [layer.name for layer in relu_layers(model, x)]
    for ask in (
        lambda: find_vertices(model, "fc1", x, units=1, device="cpu"),
        lambda: exact_layer(model, "fc1", x),
        lambda: LayerReader(model, "fc1", example=x),
    ):
        with pytest.raises(InputError, match=f"got 'fc1', whose output {reason}"):
            ask()


@pytest.mark.parametrize(
    "step", [lambda y: y + 0.5, lambda y: 1 - (1 - y), lambda y: y - torch.arange(6.0) / 8]
)
def test_constants_added_are_part_of_the_layer(step):
    model, x = Between(step).eval(), torch.rand(4)
    if step(torch.zeros(1, 6)).shape == (1, 6) and "fc1" not in [
        layer.name for layer in relu_layers(model, x)
    ]:
        assert "goes into" in other_layers(model, x)[0].reason
        return
    layer, reader = exact_layer(model, "fc1", x), LayerReader(model, "fc1", example=x)
    pre = reader.pre_activation(x[None])[0]
    torch.testing.assert_close(pre, step(model.fc1(x[None]))[0])
    found = matrix(layer.weight) @ x.double().numpy() + np.array(layer.bias, dtype=float)
    np.testing.assert_allclose(found, pre.detach(), atol=1e-6)
    weight, bias = reader.affine_map()
    np.testing.assert_allclose(weight @ x.double() + bias, pre.detach(), atol=1e-6)


SLOW = ("export", "compiled", "jit", "VGG", "residual network", "signals")
SHORT = [made for made in OWN if not any(word in made[0] for word in SLOW)]


@pytest.mark.parametrize("made", SHORT, ids=[made[0] for made in SHORT])
def test_architectures_are_read_and_rightly(made):
    """A sample of `python -m tests.campaigns.torch_architectures`."""
    _, make, shape = made
    assert verdict(make, shape).startswith("read (")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_scripts_are_refused_in_one_sentence():
    net = nn.Sequential(nn.Linear(2, 2), nn.ReLU())
    traced = torch.jit.trace(net, torch.zeros(1, 2))
    for model in (traced, torch.jit.script(net), nn.Sequential(traced)):
        with pytest.raises(InputError, match="in Python, got a ScriptModule"):
            OpenedNetwork(model).at((2,))


class Hidden(nn.Module):
    """A step of numpy, which nobody sees."""

    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(2, 2), nn.Linear(2, 2)

    def forward(self, x):
        y = torch.relu(self.a(x))
        return torch.relu(self.b(torch.from_numpy(y.detach().numpy() * 2)))


def test_what_leaves_torch_is_noted_as_a_decision():
    model, x = Hidden(), torch.rand(2)
    assert [layer.name for layer in relu_layers(model, x)] == ["a"]
    (other,) = other_layers(model, x)
    assert other.name == "b"
    assert other.reason == "is given nothing that depends, by steps of torch, on the model's input"


class Noisy(nn.Module):
    """Other values at every run."""

    def __init__(self):
        super().__init__()
        self.a = nn.Linear(2, 2)

    def forward(self, x):
        return torch.relu(self.a(x + 100 * torch.rand(2) if len(x) else x))


def test_a_model_of_chance_is_refused():
    with pytest.raises(InputError, match="differ from those of its graph"):
        exact_layer(Noisy(), "a", (2,))


def test_an_input_that_the_model_does_not_take_is_named():
    with pytest.raises(ShapeError, match=r"got shape \(5,\) \(six numbers\)"):
        relu_layers(Guards(), (5,))


def test_steps_are_those_that_were_taken():
    traced = record(Branches().eval(), torch.ones(1, 4))
    assert [node.op for node in traced.graph.nodes if node.op == "placeholder"] == ["placeholder"]
    assert [node.name for node in traced.recorded.decisions] == ["bool_1"]
    assert isinstance(OpenedNetwork(Branches()).layer("fc1", torch.ones(4)), OpenedLayer)
