"""Any module as a graph: which layers feed a ReLU, and why the others do not."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from optimize import LayerReader, exact_layer, exact_network, other_layers, relu_layers
from polytope.errors import InputError, ShapeError
from tests.examples.graphs import Fire, Functional, Residual, one_dimensional, randomised, vgg


def names(model, shape):
    return [layer.name for layer in relu_layers(model, shape)]


@pytest.mark.parametrize(
    ("model", "shape", "listed", "others"),
    [
        (
            Residual(),
            (2, 7, 7),
            ["stem", "one", "two+relu", "one#2", "two+relu#2"],
            ["two", "two#2", "head"],
        ),
        (Fire(), (3, 9, 9), ["squeeze", "left", "right", "final"], []),
        (Functional(), (1, 6, 6), ["conv1", "linear"], ["fc"]),
        (
            vgg(),
            (3, 8, 8),
            ["features.0", "features.3", "classifier.0", "classifier.3"],
            ["classifier.5"],
        ),
        (one_dimensional(), (2, 21), ["0", "5", "9"], ["12"]),
        (nn.Linear(3, 2), (3,), [], [""]),
        (nn.Sequential(nn.Linear(3, 2), nn.ReLU()), (3,), ["0"], []),
    ],
)
def test_layers_are_listed_as_torch_names_them(model, shape, listed, others):
    assert names(model, shape) == listed
    assert [layer.name for layer in other_layers(model)] == others


def test_shapes_and_counts_are_those_of_one_input():
    layers = {layer.name: layer for layer in relu_layers(vgg(), torch.zeros(3, 8, 8))}
    first, second = layers["features.0"], layers["features.3"]
    assert (first.kind, first.n_inputs, first.n_units, first.normalised) == (
        "Conv2d",
        192,
        256,
        False,
    )
    assert second.input_shape == (4, 4, 4)
    assert second.output_shape == (6, 4, 4)
    assert (second.n_inputs, second.n_units, second.normalised) == (64, 96, True)
    assert layers["classifier.0"].kind == "Linear"


def test_the_example_may_be_a_shape_or_an_input():
    net = nn.Sequential(nn.Linear(2, 3), nn.ReLU())
    for example in ((2,), [2], torch.Size([2]), [0.5, 0.25], torch.zeros(2)):
        assert names(net, example) == ["0"]


class Path(nn.Module):
    """A layer `a` on 4 numbers, then what is asked for."""

    def __init__(self, after):
        super().__init__()
        self.a, self.after = nn.Linear(4, 4), after

    def forward(self, x):
        return self.after(self.a(x))


@pytest.mark.parametrize(
    ("after", "reason"),
    [
        (lambda y: torch.relu(y) + y, r"goes into add .* as well as into a ReLU"),
        (lambda y: (torch.relu(y), y), "goes into the model's output as well as into a ReLU"),
        (torch.sigmoid, "goes into sigmoid"),
        (lambda y: functional.relu6(y), "goes into"),
        (lambda y: y.clamp(0, 6), "goes into clamp"),
        (lambda y: functional.leaky_relu(y), "goes into leaky_relu"),
        (lambda y: torch.relu(y * 2), "goes into mul"),
        (lambda y: torch.relu(y[:, :2]), "goes into getitem"),
        (lambda y: functional.avg_pool1d(y.unsqueeze(1), 2).relu(), "goes into avg_pool1d"),
        (lambda y: functional.dropout(y).relu(), "goes into dropout"),  # training=True for ever
    ],
)
def test_a_layer_used_otherwise_is_not_listed(after, reason):
    net = Path(after)
    assert names(net, (4,)) == []
    (other,) = other_layers(net)
    assert other.name == "a"
    message = f"got 'a', whose output {reason}"
    with pytest.raises(InputError, match=message):
        LayerReader(net, "a")
    with pytest.raises(InputError, match=message):
        exact_layer(net, "a", (4,))
    with pytest.raises(InputError, match=message):
        exact_network(net, "a", (4,))


@pytest.mark.parametrize(
    "after",
    [
        lambda y: y.relu_() + 1,
        lambda y: (torch.relu(y), functional.relu(y)),
        lambda y: torch.relu(y.view(y.shape[0], 2, -1)),
        lambda y: functional.dropout(y, training=False).clamp_min(0),
        lambda y: torch.relu(functional.max_pool1d(y.squeeze(1).unsqueeze(1), 2)),
        lambda y: y.clamp(min=0),
        lambda y: functional.relu(y, True),
        lambda y: functional.relu_(y) + y,  # y is what relu_ made of it
    ],
)
def test_every_way_to_write_a_relu_is_seen(after):
    assert names(Path(after), (4,)) == ["a"]


def test_a_max_pool_before_the_relu_commutes_with_it():
    net = nn.Sequential(nn.Conv2d(1, 2, 3), nn.MaxPool2d(2), nn.ReLU())
    assert names(net, (1, 6, 6)) == ["0"]
    behind = nn.Sequential(nn.Conv2d(1, 2, 3), nn.MaxPool2d(2), nn.BatchNorm2d(2), nn.ReLU())
    assert names(behind, (1, 6, 6)) == []
    assert "BatchNorm2d '2'" in other_layers(behind)[0].reason
    before = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.MaxPool2d(2), nn.ReLU())
    assert [layer.normalised for layer in relu_layers(before, (1, 6, 6))] == [True]


def test_two_batch_norms_on_one_layer_are_no_single_pre_activation():
    class Two(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.p, self.q = nn.Linear(3, 3), nn.BatchNorm1d(3), nn.BatchNorm1d(3)

        def forward(self, x):
            y = self.a(x)
            return torch.relu(self.p(y)) + torch.relu(self.q(y))

    assert names(Two(), (3,)) == []
    assert other_layers(Two())[0].reason == "goes into BatchNorm1d 'p', BatchNorm1d 'q'"


def test_a_reader_stops_at_the_folded_batch_norm():
    net = randomised(vgg())
    x = torch.rand(2, 3, 8, 8, dtype=torch.float64)
    entered, pre = LayerReader(net, "features.3").run(x)
    assert torch.equal(entered, net.features[:3](x))
    assert torch.equal(pre, net.features[:5](x))
    own = LayerReader(net, "features.3").own_pre_activation(entered)
    assert torch.equal(own, pre.flatten(1))


def test_a_later_call_of_a_module_has_a_name_of_its_own():
    net = randomised(Residual())
    x = torch.rand(1, 2, 7, 7, dtype=torch.float64)
    first, second = LayerReader(net, "one"), LayerReader(net, "one#2")
    again = torch.relu(net.two(torch.relu(net.norm(net.one(first.run(x)[0])))) + first.run(x)[0])
    torch.testing.assert_close(second.run(x)[0], again)


def test_in_place_steps_keep_their_meaning_and_the_caller_s_model_is_left_alone():
    net = randomised(Residual())
    x = torch.rand(2, 2, 7, 7, dtype=torch.float64)
    with torch.no_grad():
        wanted = net(x.clone())
    torch.testing.assert_close(LayerReader(net, "head").pre_activation(x), wanted)
    assert net.relu.inplace


def test_the_last_layer_may_be_read_although_it_has_no_relu():
    net = vgg().eval()
    x = torch.rand(2, 3, 8, 8)
    assert torch.equal(LayerReader(net, "classifier.5").pre_activation(x), net(x))


class Branching(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = nn.Linear(2, 2)

    def forward(self, x):
        return torch.relu(self.a(x)) if x.sum() > 0 else x


def test_a_model_that_cannot_be_traced_is_refused_with_the_reason():
    with pytest.raises(InputError, match=r"torch.fx can trace, got TraceError \(.*control flow"):
        other_layers(Branching())


def test_without_an_example_a_reader_refuses_what_it_cannot_trace():
    with pytest.raises(InputError, match=r"torch.fx can trace, got TraceError"):
        LayerReader(Branching(), "a")
    model, x = Branching(), torch.ones(1, 2)
    reader = LayerReader(model, "a", example=x[0])
    assert reader.relu_checked
    assert torch.equal(reader.pre_activation(x), model.a(x))
    assert torch.equal(reader.own_pre_activation(x), model.a(x))
    with pytest.raises(InputError, match=r"has: 'a'\), got 'b'"):
        LayerReader(Branching(), "b", example=x[0])
    with pytest.raises(InputError, match="'a' is never reached"):
        LayerReader(Branching(), "a", example=-x[0])


class Assigning(nn.Module):
    def forward(self, x):
        x[:, 0] = 0
        return x


class Copying(nn.Module):
    def forward(self, x):
        return (x * 0).copy_(x)


class Writing(nn.Module):
    def forward(self, x):
        return torch.add(x, x, out=x)


class Viewing(nn.Module):
    def forward(self, x):
        y = x + 0
        z = y.view(-1)
        y.relu_()
        return z


class Several(nn.Module):
    def forward(self, x, y):
        return x + y


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (Assigning(), "can trace, got TypeError"),
        (Copying(), r"an assignment at step 'copy_' \(copy_\)"),
        (Writing(), r"an assignment at step 'add' \(add\)"),
        (Viewing(), "whose view is read again"),
        (Several(), "needs x, y"),
        ("net", "torch.nn.Module, got str"),
    ],
)
def test_what_a_graph_cannot_say_is_refused(model, message):
    with pytest.raises(InputError, match=message):
        other_layers(model)


def test_a_wrong_example_is_named():
    with pytest.raises(ShapeError, match=r"example: .* got shape \(3,\)"):
        relu_layers(nn.Sequential(nn.Linear(2, 2), nn.ReLU()), (3,))
    with pytest.raises(InputError, match="example: expected one input"):
        relu_layers(nn.Sequential(nn.Linear(2, 2), nn.ReLU()), "image")
    with pytest.raises(InputError, match=r"positive lengths, got \(0, 2\)"):
        relu_layers(nn.Sequential(nn.Linear(2, 2), nn.ReLU()), (0, 2))


@pytest.mark.parametrize("hooked", [False, True], ids=["traced", "recorded"])
def test_batch_norm_without_stored_statistics_is_refused(hooked):
    net = nn.Sequential(nn.Linear(3, 3), nn.BatchNorm1d(3, track_running_stats=False), nn.ReLU())
    if hooked:
        net = nn.Sequential(Branching(), nn.Linear(2, 3), *net[1:])
    example = torch.ones(2 if hooked else 3)
    with pytest.raises(InputError, match=r"stored statistics, got '[12]'"):
        LayerReader(net, "1" if hooked else "0", example=example)


def test_a_batchnorm_without_statistics_is_named():
    """Layers that depend on it are no layers in front of a ReLU; those before it are."""
    free = {"track_running_stats": False}
    first = nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3, **free), nn.ReLU(), nn.Linear(3, 2))
    reason = "takes its statistics from each batch (track_running_stats=False)"
    assert relu_layers(first, (4,)) == ()
    found = {layer.name: layer.reason for layer in other_layers(first, (4,))}
    assert found == {
        "0": f"depends on BatchNorm '1', which {reason}",
        "3": "goes into the model's output",
    }
    with pytest.raises(InputError, match="BatchNorm with stored statistics, got '1', which takes"):
        exact_layer(first, "0", (4,))
    behind = nn.Sequential(
        nn.Conv2d(1, 2, 3), nn.ReLU(), nn.BatchNorm2d(2, **free), nn.Conv2d(2, 2, 2), nn.ReLU()
    )
    assert [layer.name for layer in relu_layers(behind, (1, 5, 5))] == ["0"]
    assert exact_layer(behind, "0", (1, 5, 5)).weight.shape == (18, 25)
    (other,) = other_layers(behind, (1, 5, 5))
    assert other.reason == f"depends on BatchNorm '2', which {reason}"
