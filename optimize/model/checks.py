"""Does the graph compute what the model computes?  Both are run, and the answers compared.

Tracing sees one run with symbols; a step that it misreads must not pass for an exact statement.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from optimize.model.graph import LayerCall
from optimize.model.hooked import Hooked
from optimize.model.trace import Trace, set_inplace
from polytope.errors import InputError

#: Differences that rounding can explain, in units of the type's relative spacing.
_ROUNDINGS = 1e4


@dataclass(frozen=True, eq=False)
class Passed:
    """What a batch of inputs gave at a layer.

    Attributes:
        inputs: (n, *input) of the model.
        entered: (n, *layer input).
        pre: (n, *pre-activation).
    """

    inputs: Tensor
    entered: Tensor
    pre: Tensor


def check_layer(traced: Trace, call: LayerCall, inputs: Tensor) -> Passed:
    """Compare the layer's output in the graph with what the model itself gives it.

    A layer written with functions has no place of its own in the model; nothing is compared then.

    Args:
        traced: the model.
        call: the layer.
        inputs: (n, *input), which the steps have been run on (`run_steps`).

    Returns:
        What the graph gives.

    Raises:
        InputError: they differ, or the model never reaches the layer.
    """
    with torch.no_grad():
        entered, found, pre = traced.cut([call.source, call.node, call.pre_activation])(
            inputs.clone()
        )
    if call.node.op == "call_module":
        expect_equal(found, _of_the_model(traced, call, inputs), call.name)
    return Passed(inputs, entered, pre)


def _of_the_model(traced: Trace, call: LayerCall, inputs: Tensor) -> Tensor:
    """The output of the layer's module where the model itself is run, in-place steps included."""
    which = int(call.name.rpartition("#")[2]) if "#" in call.name else 1
    hooked = Hooked(traced.root, traced.module(call.node), call.name, call=which)
    set_inplace(traced.inplace, True)
    try:
        with torch.no_grad():
            outputs: Tensor = hooked(inputs.clone())[1]
    finally:
        set_inplace(traced.inplace, False)
    return outputs


def expect_equal(found: Tensor, wanted: Tensor, name: str) -> None:
    """Raise InputError where two tensors at a layer differ by more than rounding explains."""
    size = 1 + float(wanted.abs().max())
    allowed = _ROUNDINGS * torch.finfo(wanted.dtype).eps * size
    if found.shape != wanted.shape or not bool(((found - wanted).abs() <= allowed).all()):
        raise InputError(
            f"model: expected a forward pass that a graph can say, got one whose values at layer "
            f"{name!r} differ from those of its graph (steps with hidden effects?)"
        )
