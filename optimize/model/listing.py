"""Which layers can be asked about?  Those in front of a ReLU, with their sizes; why not others."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from torch import nn

from optimize.model.opened import OpenedNetwork
from optimize.model.steps import example_shape, one_input
from optimize.model.trace import Trace, own_name


@dataclass(frozen=True, kw_only=True)
class LayerInfo:
    """A layer whose output goes into a ReLU.

    Attributes:
        name: as torch names it; a later call of the same module is called "name#2", "name#3".
        kind: "Linear", "Conv1d" or "Conv2d".
        n_inputs: d, numbers that enter the layer.
        n_units: N, numbers that leave it.
        input_shape, output_shape: of one input, without the batch axis.
        normalised: whether a BatchNorm is folded into the pre-activation.
    """

    name: str
    kind: str
    n_inputs: int
    n_units: int
    input_shape: tuple[int, ...]
    output_shape: tuple[int, ...]
    normalised: bool


@dataclass(frozen=True, kw_only=True)
class OtherLayer:
    """A layer that is not one of `relu_layers`, and why: where its output goes."""

    name: str
    kind: str
    reason: str


def relu_layers(model: nn.Module | OpenedNetwork, example: Any) -> tuple[LayerInfo, ...]:
    """The layers of `model` whose output goes into a ReLU and nowhere else, as they are run.

    Args:
        model: a torch module; it is copied, never changed, and read in evaluation mode.
        example: one input (*input,), or its shape.

    Raises:
        InputError: the forward pass cannot be traced, or takes no such input.

    Example:
        >>> from torch import nn
        >>> net = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(144, 10))
        >>> [(layer.name, layer.n_inputs, layer.n_units) for layer in relu_layers(net, (1, 8, 8))]
        [('0', 64, 144)]
        >>> [(layer.name, layer.reason) for layer in other_layers(net)]
        [('3', "goes into the model's output")]
    """
    example_shape(example)
    opened = OpenedNetwork.of(model)
    shapes = opened.run(example).shapes
    found = []
    for call in opened.calls:
        if call.reason:
            continue
        before = one_input(shapes[call.source], f"the input of {call.name!r}")
        behind = one_input(shapes[call.node], f"layer {call.name!r}")
        found.append(
            LayerInfo(
                name=call.name,
                kind=call.weighted.kind,
                n_inputs=math.prod(before),
                n_units=math.prod(behind),
                input_shape=before,
                output_shape=behind,
                normalised=call.norm is not None,
            )
        )
    return tuple(found)


def other_layers(model: nn.Module | OpenedNetwork) -> tuple[OtherLayer, ...]:
    """The layers of `model` that `relu_layers` leaves out, each with the reason.

    Raises:
        InputError: the forward pass cannot be traced.
    """
    opened = OpenedNetwork.of(model)
    found = [
        OtherLayer(name=call.name, kind=call.weighted.kind, reason=call.reason)
        for call in opened.calls
        if call.reason
    ]
    return (*found, *_said(opened.traced))


def _said(traced: Trace) -> Iterator[OtherLayer]:
    """Single steps that say of themselves that they hold weights, and why they are no layers."""
    for node in traced.graph.nodes:
        if node.op == "call_module":
            module = traced.module(node)
            reason = getattr(module, "weighted_reason", "")
            if isinstance(reason, str) and reason:
                name = own_name(str(node.target))
                yield OtherLayer(name=name, kind=type(module).__name__, reason=reason)
