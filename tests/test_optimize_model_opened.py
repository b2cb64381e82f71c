"""A network opened once: one copy and one trace for all that is asked of it."""

import numpy as np
import pytest
import torch
from torch import fx, nn

from optimize import (
    LayerReader,
    OpenedNetwork,
    Stopping,
    exact_layer,
    exact_network,
    find_vertices,
    input_polytope,
    other_layers,
    relu_layers,
)
from polytope import Box
from polytope.errors import InputError, ShapeError
from tests.examples.graphs import Fire, Residual, matrix, randomised, vgg


def dense(layer):
    found = matrix(layer.weight)
    return found.toarray() if hasattr(found, "toarray") else found


@pytest.fixture
def traces(monkeypatch):
    """Counts how often anything is traced."""
    met, original = [], fx.Tracer.trace

    def counted(self, root, *given, **named):
        met.append(root)
        return original(self, root, *given, **named)

    monkeypatch.setattr(fx.Tracer, "trace", counted)
    return met


def test_all_questions_are_answered_on_one_trace(traces):
    net, target = randomised(vgg(), seed=1).float(), torch.rand(3, 8, 8)
    opened = OpenedNetwork(net)
    names = [info.name for info in relu_layers(opened, target)]
    assert names == [info.name for info in relu_layers(opened, (3, 8, 8))]
    assert [other.name for other in other_layers(opened)] == ["classifier.5"]
    for name in names:
        LayerReader(opened, name)
        exact_layer(opened, name, target)
    exact_network(opened, names[1], target)
    input_polytope(opened, names[0], target, domain=Box(-1, 2))
    find_vertices(opened, names[-1], target, units=1, stopping=Stopping(max_steps=2), device="cpu")
    assert len(traces) == 1


@pytest.mark.parametrize("make", [vgg, Residual, Fire])
def test_an_opened_network_gives_what_its_model_gives(make):
    net = randomised(make()).float()
    shape = {vgg: (3, 8, 8), Residual: (2, 7, 7), Fire: (3, 6, 6)}[make]
    opened, x = OpenedNetwork(net), torch.rand(2, *shape)
    assert relu_layers(opened, shape) == relu_layers(net, shape)
    assert other_layers(opened) == other_layers(net)
    for info in relu_layers(opened, shape):
        for mine, theirs in zip(
            LayerReader(opened, info.name).run(x), LayerReader(net, info.name).run(x), strict=True
        ):
            assert torch.equal(mine, theirs)
        found, wanted = (exact_layer(each, info.name, shape) for each in (opened, net))
        assert np.array_equal(dense(found), dense(wanted))
        assert list(found.bias) == list(wanted.bias)


def test_what_is_done_to_the_model_later_is_not_seen():
    net = nn.Sequential(nn.Linear(2, 2), nn.ReLU())
    opened, x = OpenedNetwork(net), torch.rand(3, 2)
    before = LayerReader(net, "0").pre_activation(x)
    net[0].weight.data.zero_()
    assert torch.equal(LayerReader(opened, "0").pre_activation(x), before)
    assert net.training


def test_one_layer_at_two_shapes():
    net = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU())
    opened = OpenedNetwork(net)
    assert [exact_layer(opened, "0", (1, n, 4)).weight.shape for n in (4, 5, 4)] == [
        (8, 16),
        (12, 20),
        (8, 16),
    ]
    with pytest.raises(ShapeError, match="expected one input of the model"):
        exact_layer(opened, "0", (2, 4, 4))
    with pytest.raises(InputError, match="expected the name of a Linear or Conv2d layer"):
        opened.layer("1", (1, 4, 4))


class Branching(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = nn.Linear(2, 2)

    def forward(self, x):
        return torch.relu(self.a(x)) if x.sum() > 0 else x


def test_a_model_that_cannot_be_traced_is_read_at_an_example_alone():
    opened, x = OpenedNetwork(Branching()), torch.ones(1, 2)
    reader = LayerReader(opened, "a", example=x[0])
    assert torch.equal(reader.pre_activation(x), opened.untraced.a(x))
    assert [layer.name for layer in relu_layers(opened, x[0])] == ["a"]
    assert np.array_equal(exact_layer(opened, "a", x[0]).weight, opened.untraced.a.weight.detach())
    assert opened.at(x[0]) is opened.at(x[0].clone())
    for ask in (
        lambda: LayerReader(opened, "a"),
        lambda: other_layers(opened),
        lambda: opened.on(torch.device("cpu")),
    ):
        with pytest.raises(InputError, match=r"torch.fx can trace, got TraceError"):
            ask()
    # The other way through the model has no layer at all.
    assert relu_layers(opened, -x[0]) == ()
    with pytest.raises(InputError, match="the same for all inputs, got __bool__"):
        exact_network(opened, "a", x[0])
    with pytest.raises(InputError, match=r"torch.nn.Module, got str"):
        OpenedNetwork("net")


def test_what_a_step_decides_goes_on_from_it():
    opened, x = OpenedNetwork(randomised(Residual())), torch.rand(2, 2, 7, 7).double()
    traced, calls = opened.traced, {call.name: call for call in opened.calls}
    entered, whole = traced.cut([calls["one"].source, traced.result])(x)
    # The skip connection leaves the same tensor that enters the first convolution of a block.
    assert traced.decides(calls["one"].source, [traced.result])
    assert not traced.decides(calls["two"].source, [traced.result])
    assert traced.decides(calls["two"].source, [calls["two"].node])
    (onward,) = traced.cut([traced.result], source=calls["one"].source)(entered)
    assert torch.equal(onward, whole)


def test_a_trace_on_another_device_has_weights_of_its_own():
    opened = OpenedNetwork(randomised(vgg()))
    near, far = opened.traced, opened.on(torch.device("meta"))
    assert far is opened.on(torch.device("meta"))
    assert opened.on(torch.device("cpu")) is near
    assert {each.device.type for each in far.root.parameters()} == {"meta"}
    assert {each.device.type for each in near.root.parameters()} == {"cpu"}
    assert far.graph is near.graph
    assert len(far.inplace) == len(near.inplace) > 0
    assert set(far.inplace) <= set(far.root.modules())
    (outputs,) = far.cut([far.result])(torch.zeros(2, 3, 8, 8, device="meta", dtype=torch.double))
    assert outputs.shape == (2, 3)


@pytest.mark.gpu
def test_an_opened_network_has_weights_on_every_device_asked_for(traces):
    net = randomised(vgg(), seed=1).float()
    opened, x = OpenedNetwork(net), torch.rand(2, 3, 8, 8)
    near, far = LayerReader(opened, "features.3"), LayerReader(opened, "features.3", "cuda")
    assert (near.weight.device.type, far.weight.device.type) == ("cpu", "cuda")
    far.check(x.cuda())
    near.check(x)
    torch.testing.assert_close(far.pre_activation(x.cuda()).cpu(), near.pre_activation(x))
    assert opened.on(torch.device("cuda")) is opened.on(torch.device("cuda"))
    assert len(traces) == 1
