"""The search and its exact comparison behind convolutions, BatchNorm and pools."""

import pytest
import torch
from torch import nn

from optimize import (
    Adam,
    LayerReader,
    Objective,
    Stopping,
    compare,
    exact_layer,
    find_vertices,
)
from polytope import CollisionPolytope, Nonnegative
from tests.examples.graphs import randomised, vgg


def small(seed):
    """Conv, BatchNorm, ReLU, pool, Conv, BatchNorm, ReLU on 1 x 6 x 6, in float32."""
    net = nn.Sequential(
        nn.Conv2d(1, 3, 3, padding=1),
        nn.BatchNorm2d(3),
        nn.ReLU(inplace=True),
        nn.MaxPool2d(2),
        nn.Conv2d(3, 2, 2),
        nn.BatchNorm2d(2),
        nn.ReLU(inplace=True),
        nn.Flatten(),
        nn.Linear(8, 3),
    )
    return randomised(net, seed=seed).float()


@pytest.mark.parametrize("others", ["hinge", "absolute"])
def test_a_convolution_behind_others_is_searched_and_compared(others):
    net, target = small(6), torch.rand(1, 6, 6, generator=torch.Generator().manual_seed(3))
    search = find_vertices(
        net,
        "4",
        target,
        units=2,
        objective=Objective(others=others),
        stopping=Stopping(max_steps=400),
        device="cpu",
    )
    reader = LayerReader(net, "4")
    assert torch.equal(search.layer_inputs, reader.layer_inputs(search.points))
    # The pre-activation that was searched is the BatchNorm's output.
    folded = net[:6](search.points).flatten(1)
    own = folded[torch.arange(2), search.units]
    torch.testing.assert_close(search.pre_activation, own.detach(), rtol=0, atol=1e-5)
    layer, entered = exact_layer(net, "4", (1, 6, 6)), reader.layer_inputs(target[None])[0]
    polytope = CollisionPolytope.from_layer(layer.weight, layer.bias, entered, domain=Nonnegative())
    for found in compare(polytope, search, progress=False):
        own = search.pre_activation[found.vertex].item()
        assert float(found.found_value) == pytest.approx(own, abs=1e-5)
        worst = search.equality_residual[found.vertex].item()
        assert float(found.worst_equality) == pytest.approx(worst, abs=1e-5)
        assert found.worst_domain == 0  # what enters the layer comes out of a ReLU


@pytest.mark.parametrize("layer", ["features.0", "features.3", "classifier.0", "classifier.3"])
def test_every_layer_of_a_small_vgg_is_searched(layer):
    net = randomised(vgg(), seed=1).float()
    targets = torch.rand(2, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    search = find_vertices(
        net,
        layer,
        targets,
        units=2,
        optimizer=Adam(),
        stopping=Stopping(max_steps=100, check_every=50),
        device="cpu",
    )
    assert search.points.shape == (4, 3, 8, 8)
    assert (search.history.objective[-1] < search.history.objective[0]).all()
