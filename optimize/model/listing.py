"""Which layers can be asked about?  Those in front of a ReLU, with their sizes; why not others."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from torch import nn

from optimize.model.graph import WIDENED, keeps_size
from optimize.model.opened import OpenedNetwork, entered_shape
from optimize.model.others import unread_layers
from optimize.model.steps import example_shape
from optimize.model.trace import Trace, own_name


@dataclass(frozen=True, kw_only=True)
class LayerInfo:
    """A layer whose output goes into a ReLU.

    Attributes:
        name: as torch names it; a later call of the same module is called "name#2", "name#3".
        kind: "Linear" (a product with a matrix as well), "Conv1d" to "Conv3d", "ConvTranspose1d" to
            "ConvTranspose3d", or "Sum", the sum of branches behind which a ReLU stands.
        n_inputs: d, numbers that enter the layer.
        n_units: N, numbers that leave it.
        input_shape, output_shape: of one input, without the batch axis; what enters a sum is flat.
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
    traced, run = opened.at(example), opened.run(example)
    found = []
    for call in opened.calls_at(example):
        if call.reason or not keeps_size(call, run.shapes):
            continue
        words = f"the input of {call.name!r}"
        before = entered_shape([run.one(each, words) for each in call.sources])
        behind = run.one(call.node, f"layer {call.name!r}")
        found.append(
            LayerInfo(
                name=call.name,
                kind=call.kind,
                n_inputs=math.prod(before),
                n_units=math.prod(behind),
                input_shape=before,
                output_shape=behind,
                normalised=call.normalised(traced),
            )
        )
    return tuple(found)


def other_layers(model: nn.Module | OpenedNetwork, example: Any = None) -> tuple[OtherLayer, ...]:
    """The layers of `model` that `relu_layers` leaves out, each with the reason.

    Args:
        model: as for `relu_layers`.
        example: likewise; needed only where the forward pass cannot be traced with symbols.

    Raises:
        InputError: the forward pass cannot be traced, or takes no such input.
    """
    opened = OpenedNetwork.of(model)
    traced, calls = opened.at(example), opened.calls_at(example)
    shapes = {} if example is None else opened.run(example).shapes
    found = [
        OtherLayer(name=call.name, kind=call.kind, reason=call.reason or WIDENED)
        for call in calls
        if call.reason or (shapes and not keeps_size(call, shapes))
    ]
    said = list(_said(traced))
    unread = unread_layers(traced, [*(c.name for c in calls), *(o.name for o in said)])
    return (*found, *said, *(OtherLayer(**vars(each)) for each in unread))


def _said(traced: Trace) -> Iterator[OtherLayer]:
    """Single steps that say of themselves that they hold weights, and why they are no layers."""
    for node in traced.graph.nodes:
        if node.op == "call_module":
            module = traced.module(node)
            reason = getattr(module, "weighted_reason", "")
            if isinstance(reason, str) and reason:
                name = own_name(str(node.target))
                yield OtherLayer(name=name, kind=type(module).__name__, reason=reason)
