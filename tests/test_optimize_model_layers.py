"""Reading a named layer: values, names, stopping there, first layers recognised."""

import pytest
import torch
from torch import nn

from optimize.model.layers import LayerReader, layer_names
from polytope.errors import InputError, NonFiniteError, ShapeError
from tests.examples.layers import (
    SEGMENT_BIAS,
    SEGMENT_WEIGHT,
    convolutional,
    random_network,
    segment,
)


def test_weight_bias_and_pre_activation_of_a_linear_layer():
    reader = LayerReader(segment(), "0")
    assert reader.weight.tolist() == SEGMENT_WEIGHT
    assert reader.bias.tolist() == SEGMENT_BIAS
    assert reader.pre_activation(torch.tensor([[0.5, 0.5], [1.0, 0.0]])).tolist() == [
        [0.5, -0.125, -0.25],
        [0.5, -0.375, 0.25],
    ]


def test_a_layer_without_bias_has_bias_zero():
    reader = LayerReader(nn.Sequential(nn.Linear(2, 3, bias=False)), "0")
    assert reader.bias.tolist() == [0, 0, 0]


def test_the_reader_stops_before_the_next_layer():
    class Behind(nn.Module):
        def forward(self, x):
            return bomb(torch.relu(x))

    model = nn.Sequential(nn.Linear(2, 3), Behind())
    assert LayerReader(model, "0").pre_activation(torch.zeros(1, 2)).shape == (1, 3)


def bomb(_x):
    """A step that is not to be taken."""
    raise AssertionError("ran past the layer")


torch.fx.wrap("bomb")


def test_a_deeper_layer_sees_the_activations_before_it():
    model = random_network(4, 5, seed=0)
    inputs = torch.rand(3, 4)
    reader = LayerReader(model, "2")
    assert torch.equal(reader.layer_inputs(inputs), model[1](model[0](inputs)))
    assert torch.equal(reader.pre_activation(inputs), model(inputs))


def test_a_convolution_is_flattened_by_channel_then_place():
    model = convolutional(seed=0)
    inputs = torch.rand(2, 1, 6, 6)
    pre = LayerReader(model, "0").pre_activation(inputs)
    assert torch.equal(pre, model[0](inputs).reshape(2, 48))


def test_the_callers_model_is_left_alone():
    model = nn.Sequential(nn.Dropout(0.5), nn.Linear(4, 4))
    reader = LayerReader(model, "1")
    inputs = torch.ones(1, 4)
    assert torch.equal(reader.layer_inputs(inputs), inputs)
    assert model.training
    assert model[1].weight.requires_grad
    assert not model[1]._forward_hooks


def test_a_wrong_name_lists_the_right_ones():
    with pytest.raises(InputError, match=r"has: '0', '2'\), got 'fc6'"):
        LayerReader(segment(), "fc6")
    with pytest.raises(InputError, match="got '1'"):
        LayerReader(segment(), "1")
    assert layer_names(segment()) == ("0", "2")


def test_other_mistakes_name_what_came():
    with pytest.raises(InputError, match=r"torch.nn.Module, got str"):
        LayerReader("net", "0")
    broken = segment()
    broken[0].weight.data[1, 0] = torch.nan
    with pytest.raises(NonFiniteError, match="weight of '0'"):
        LayerReader(broken, "0")
    broken = segment()
    broken[0].bias.data[1] = torch.inf
    with pytest.raises(NonFiniteError, match="bias of '0'"):
        LayerReader(broken, "0")
    empty = nn.Linear(2, 1)
    empty.weight = nn.Parameter(torch.zeros(0, 2))
    with pytest.raises(ShapeError, match=r"got a weight of shape \(0, 2\)"):
        LayerReader(nn.Sequential(empty), "0")


def test_a_layer_that_is_never_run_is_reported():
    class Idle(nn.Module):
        def __init__(self):
            super().__init__()
            self.used, self.unused = nn.Linear(2, 2), nn.Linear(2, 2)

        def forward(self, x):
            return self.used(x)

    with pytest.raises(InputError, match="'unused' is never reached"):
        LayerReader(Idle(), "unused").pre_activation(torch.zeros(1, 2))


@pytest.mark.parametrize(
    ("model", "name", "shape", "first"),
    [
        (segment(), "0", (2, 2), True),
        (nn.Sequential(nn.Flatten(), nn.Linear(36, 5)), "1", (2, 6, 6), True),
        (segment(), "2", (2, 2), False),
        (nn.Sequential(nn.ReLU(), nn.Linear(2, 2)), "1", (2, 2), False),
        (convolutional(seed=0), "0", (2, 1, 6, 6), False),
    ],
)
def test_first_linear_layers_are_recognised(model, name, shape, first):
    # All inputs are >= 0 here, so that a ReLU in front shows only on the random probe.
    assert LayerReader(model, name).is_first_layer(torch.rand(shape)) is first


def test_batches_are_told_from_single_inputs():
    reader = LayerReader(convolutional(seed=0), "3")
    assert reader.accepts_batch(torch.zeros(2, 1, 6, 6))
    assert not reader.accepts_batch(torch.zeros(1, 6, 6))
    assert not reader.accepts_batch(torch.zeros(0, 1, 6, 6))
    reader = LayerReader(segment(), "0")
    assert reader.accepts_batch(torch.zeros(2, 2))
    assert not reader.accepts_batch(torch.zeros(2))
    assert not reader.accepts_batch(torch.zeros(2, 3))
