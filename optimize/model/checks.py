"""Does the graph compute what the model computes?  Both are run, and the answers compared.

Tracing sees one run with symbols; a step that it misreads must not pass for an exact statement.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from optimize.model.copying import set_inplace
from optimize.model.graph import LayerCall
from optimize.model.hooked import Hooked, is_used
from optimize.model.recording import again
from optimize.model.trace import Trace
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

    A layer written with functions has no place of its own in a traced model: some call of torch
    must then be given its pre-activation.  A recording is held against another run of the model,
    every step that is asked for.

    Args:
        traced: the model.
        call: the layer.
        inputs: (n, *input), which the steps have been run on (`run_steps`); one of a recording.

    Returns:
        What the graph gives.

    Raises:
        InputError: they differ, or the model never reaches the layer.
    """
    wanted = (*call.sources, call.node, call.pre_activation)
    with torch.no_grad():
        values = traced.cut(wanted)(inputs.clone())
    if traced.recorded is not None:
        model = again(traced, inputs, call.pre_activation)
        for step, value in zip(wanted, values, strict=True):
            if step in model:
                expect_equal(value, model[step], call.name)
    elif call.node.op == "call_module":
        expect_equal(values[-2], _of_the_model(traced, call, inputs), call.name)
    elif not call.is_output and not _is_used(traced, inputs, values[-1]):
        raise _differs(call.name)
    return Passed(inputs, joined(values[:-2]), values[-1])


def joined(entered: Sequence[Tensor]) -> Tensor:
    """What enters a layer: the tensor as it is, or several, flat and one behind the other."""
    if len(entered) == 1:
        return entered[0]
    return torch.cat([each.flatten(1) for each in entered], dim=1)


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


def _is_used(traced: Trace, inputs: Tensor, pre: Tensor) -> bool:
    """Does the model itself use such a pre-activation, in-place steps included?"""

    def like(tensor: Tensor) -> bool:
        return tensor.shape == pre.shape and tensor.dtype == pre.dtype and close_to(tensor, pre)

    set_inplace(traced.inplace, True)
    try:
        return is_used(traced.root, inputs.clone(), like)
    finally:
        set_inplace(traced.inplace, False)


def close_to(found: Tensor, wanted: Tensor) -> bool:
    """Do two tensors differ by no more than rounding explains?"""
    if found.shape != wanted.shape:
        return False
    size = 1 + float(wanted.abs().max()) if wanted.numel() else 1.0
    allowed = _ROUNDINGS * torch.finfo(wanted.dtype).eps * size
    return bool(((found - wanted).abs() <= allowed).all())


def expect_equal(found: Tensor, wanted: Tensor, name: str) -> None:
    """Raise InputError where two tensors at a layer differ by more than rounding explains."""
    if not close_to(found, wanted):
        raise _differs(name)


def _differs(name: str) -> InputError:
    return InputError(
        f"model: expected a forward pass that a graph can say, got one whose values at layer "
        f"{name!r} differ from those of its graph (steps with hidden effects?)"
    )
