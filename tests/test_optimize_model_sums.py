"""Residual sums as layers, bent functions before a layer: exact collisions pushed through torch."""

import numpy as np
import pytest
import torch
from torch import nn

from optimize import (
    LayerReader,
    Objective,
    Stopping,
    exact_layer,
    find_vertices,
    input_polytope,
    relu_layers,
)
from polytope import Box, CollisionPolytope
from polytope.errors import InputError
from tests.examples.graphs import matrix, randomised


class Sums(nn.Module):
    """ReLUs behind sums of every kind: an identity, two layers, a difference, one input twice."""

    def __init__(self):
        super().__init__()
        self.a, self.b, self.c = nn.Linear(4, 5), nn.Linear(5, 5), nn.Linear(4, 5)
        self.d, self.e = nn.Linear(5, 5), nn.Linear(5, 5)
        self.n, self.m = nn.BatchNorm1d(5), nn.BatchNorm1d(5)

    def forward(self, x):
        y = torch.relu(self.a(x))
        z = torch.relu(self.n(self.b(y)) + y)
        z = torch.relu(self.m(self.d(z) - self.c(x) + 0.25))
        return torch.relu(self.e(z) + z + y)


def relu_outputs(model, x):
    """What the ReLUs of a model give, one behind the other."""
    seen = []
    hook = torch.relu

    class Watch(torch.overrides.TorchFunctionMode):
        def __torch_function__(self, func, types, args=(), kwargs=None):
            result = func(*args, **(kwargs or {}))
            if func is hook:
                seen.append(result)
            return result

    with torch.no_grad(), Watch():
        model(x)
    return seen


NAMES = ["a", "b+relu", "d+c", "e+relu_2+relu"]


def test_sums_are_layers_whose_inputs_are_their_branches():
    net = randomised(Sums(), seed=3)
    x = torch.rand(2, 4, dtype=torch.float64)
    layers = relu_layers(net, (4,))
    assert [layer.name for layer in layers] == NAMES
    assert [(layer.kind, layer.n_inputs) for layer in layers[1:]] == [
        *(("Sum", 5), ("Sum", 9), ("Sum", 10))
    ]
    assert [layer.normalised for layer in layers] == [False, True, True, False]
    with torch.no_grad():
        y = torch.relu(net.a(x))
    wanted = relu_outputs(net, x)
    for layer, post in zip(layers, wanted, strict=True):
        reader = LayerReader(net, layer.name)
        entered, pre = reader.run(x)
        assert torch.equal(torch.relu(pre), post)
        assert torch.allclose(reader.own_pre_activation(entered), pre)
        exact = exact_layer(net, layer.name, (4,))
        found = entered.numpy() @ matrix(exact.weight).toarray().T if layer.kind == "Sum" else None
        if found is not None:
            found = found + np.array(exact.bias, dtype=float)
            np.testing.assert_allclose(found, pre, atol=1e-12)
    # n(b(y)) + y has one input: its matrix is that of the layer and the identity together.
    exact = exact_layer(net, "b+relu", (4,))
    scale = net.n.weight / torch.sqrt(net.n.running_var + net.n.eps)
    plain = (net.b.weight * scale[:, None] + torch.eye(5)).detach().numpy()
    np.testing.assert_allclose(matrix(exact.weight).toarray(), plain, atol=1e-12)
    assert torch.equal(LayerReader(net, "b+relu").run(x)[0], y)


@pytest.mark.parametrize("name", NAMES)
def test_exact_collisions_in_the_input_collide_in_torch(name):
    net, place = randomised(Sums(), seed=3), NAMES.index(name)
    x = torch.rand(4, dtype=torch.float64, generator=torch.Generator().manual_seed(5))
    polytope = input_polytope(net, name, x, domain=Box(0, 1))
    wanted = relu_outputs(net, x[None])[place]
    found = [polytope.unit_vertex(unit) for unit in polytope.inactive_units]
    points = torch.tensor(
        [[float(v) for v in each.point] for each in found if each.point], dtype=torch.float64
    )
    assert len(points) == len(found)
    for point in points:
        post = relu_outputs(net, point[None])[place]
        torch.testing.assert_close(post, wanted, rtol=0, atol=1e-9)


def test_what_a_search_measures_at_a_sum_is_what_its_exact_set_says():
    net = randomised(Sums(), seed=3).float()
    x = torch.rand(4, generator=torch.Generator().manual_seed(5))
    search = find_vertices(
        net, "b+relu", x, units=1, objective=Objective(others="hinge"), device="cpu",
        stopping=Stopping(max_steps=500),
    )  # fmt: skip
    layer = exact_layer(net, "b+relu", x)
    entered = LayerReader(net, "b+relu").run(x[None])[0][0]
    polytope = CollisionPolytope.from_layer(layer.weight, layer.bias, entered)
    miss = polytope.residuals(search.layer_inputs[0].double().numpy())
    assert abs(float(miss.worst_equality) - float(search.equality_residual[0])) < 1e-5
    assert abs(float(miss.pre_activation[search.units[0]]) - search.pre_activation[0]) < 1e-5


@pytest.mark.parametrize(
    "bent",
    [
        nn.LeakyReLU(0.125), nn.LeakyReLU(3.0), nn.PReLU(8), nn.Hardtanh(-0.5, 0.25), nn.ReLU6(),
        nn.ConstantPad1d((1, 0), 0.75), nn.Threshold(0, 0),
    ],
    ids=lambda bent: type(bent).__name__,
)  # fmt: skip
def test_collisions_behind_bent_functions_collide_in_torch(bent):
    width = 9 if isinstance(bent, nn.ConstantPad1d) else 8
    net = nn.Sequential(nn.Linear(5, 8), bent, nn.Linear(width, 4), nn.ReLU())
    net = randomised(net, seed=2)
    x = torch.rand(5, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    polytope = input_polytope(net, "2", x, domain=Box(0, 1))
    assert polytope.region.contains(x.numpy())
    with torch.no_grad():
        wanted = net(x[None])
        for unit in polytope.inactive_units:
            exact = [float(v) for v in polytope.unit_vertex(unit).point]
            point = torch.tensor([exact], dtype=torch.float64)
            torch.testing.assert_close(net(point), wanted, rtol=0, atol=1e-9)


def test_a_sum_of_other_shapes_is_no_layer():
    class Wide(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = nn.Linear(3, 3), nn.Linear(3, 1)

        def forward(self, x):
            return torch.relu(self.a(x) + self.b(x))

    assert relu_layers(Wide(), (3,)) == ()
    with pytest.raises(InputError, match="is added to something of another shape"):
        exact_layer(Wide(), "a+b", (3,))


def test_all_outputs_equal():
    # Four numbers whose sum and first are those of the target: a plane of dimension 2.
    net = nn.Sequential(nn.Linear(4, 2, bias=False))
    net[0].weight.data = torch.tensor([[1.0, 1, 1, 1], [1, 0, 0, 0]])
    x = [0.5, 0.25, 0.25, 0.125]
    polytope = input_polytope(net, "0", x, target="preactivation")
    assert (polytope.n_positive, polytope.dimension().value) == (2, 2)
    assert polytope.contains([0.5, 0.125, 0.375, 0.125])
    assert not polytope.contains([0.5, 0.25, 0.25, 0.25])
    with pytest.raises(InputError, match="which is the model's output"):
        input_polytope(net, "0", x)
    with pytest.raises(InputError, match="target: expected 'postactivation' or 'preactivation'"):
        input_polytope(net, "0", x, target="outputs")
