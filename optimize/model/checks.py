"""Does the graph compute what the model computes?  Both are run, and the answers compared.

Tracing sees one run with symbols; a step that it misreads must not pass for an exact statement.
"""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from optimize.model.graph import LayerCall
from optimize.model.trace import Trace, run_steps, set_inplace
from polytope.errors import InputError
from polytope.exact.rational import ExactArray
from polytope.exact.sparse import SparseMatrix
from polytope.network.graph import Affine, Concat, Maximum, Network, Relu

#: Differences that rounding can explain, in units of the type's relative spacing.
_ROUNDINGS = 1e4


class _Reached(Exception):
    """Carries what a layer computed out of the model; never leaves this module."""

    def __init__(self, outputs: Tensor) -> None:
        super().__init__("reached the layer")
        self.outputs = outputs


def check_layer(traced: Trace, call: LayerCall, inputs: Tensor) -> None:
    """Compare the layer's output in the graph with what the model itself gives it.

    A layer written with functions has no place of its own in the model; its steps alone are run.

    Args:
        traced: the model.
        call: the layer.
        inputs: (n, *input).

    Raises:
        InputError: they differ, or a step works in place in a way that was not seen.
    """
    run_steps(traced, inputs, last=call.pre_activation)
    if call.node.op != "call_module":
        return
    left = int(call.name.rpartition("#")[2]) if "#" in call.name else 1

    def stop(_module: object, _inputs: object, outputs: Tensor) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            raise _Reached(outputs.clone())

    handle = traced.module(call.node).register_forward_hook(stop)
    set_inplace(traced.inplace, True)
    try:
        with torch.no_grad():
            traced.root(inputs.clone())
    except _Reached as reached:
        wanted = reached.outputs
    else:
        raise InputError(f"layer: {call.name!r} is never reached in the model's forward pass")
    finally:
        set_inplace(traced.inplace, False)
        handle.remove()
    with torch.no_grad():
        (found,) = traced.cut([call.node])(inputs.clone())
    _expect_equal(found, wanted, call.name)


def _expect_equal(found: Tensor, wanted: Tensor, name: str) -> None:
    size = 1 + float(wanted.abs().max())
    allowed = _ROUNDINGS * torch.finfo(wanted.dtype).eps * size
    if found.shape != wanted.shape or not bool(((found - wanted).abs() <= allowed).all()):
        raise InputError(
            f"model: expected a forward pass that a graph can say, got one whose values at layer "
            f"{name!r} differ from those of its graph (steps with hidden effects?)"
        )


def check_network(network: Network, place: tuple[Trace, LayerCall], inputs: Tensor) -> None:
    """Compare the exact network, evaluated in float64, with the model's own pre-activation.

    Args:
        network: what `exact_network` made.
        place: the model and the layer.
        inputs: (1, *input).

    Raises:
        InputError: they differ by more than rounding explains.
    """
    traced, call = place
    with torch.no_grad():
        (wanted,) = traced.cut([call.pre_activation])(inputs.clone())
    found = float_values(network, inputs.double().reshape(-1).cpu().numpy())
    _expect_equal(torch.from_numpy(found).to(wanted).reshape(wanted.shape), wanted, call.name)


def check_affine(pair: tuple[Any, Any], place: tuple[Trace, LayerCall], inputs: Tensor) -> None:
    """The same for the affine map (weight, bias) of one layer, at what enters it."""
    traced, call = place
    with torch.no_grad():
        entered, wanted = traced.cut([call.source, call.pre_activation])(inputs.clone())
    weight, bias = pair
    point = entered.double().reshape(-1).cpu().numpy()
    found = torch.from_numpy(_product(weight, point) + bias.approx)
    _expect_equal(found.to(wanted).reshape(wanted.shape), wanted, call.name)


def _product(weight: ExactArray, point: np.ndarray) -> np.ndarray:
    if isinstance(weight, SparseMatrix):
        return np.asarray(weight.float_form() @ point)
    return np.asarray(weight.approx @ point)


def float_values(network: Network, point: np.ndarray) -> np.ndarray:
    """The network's last vector at a flat float64 point, in float64."""
    held = [point]
    for node in network.nodes:
        if isinstance(node, Affine):
            held.append(_product(node.weight, held[node.source]) + node.bias.approx)
        elif isinstance(node, Relu):
            held.append(np.maximum(held[node.source], 0))
        elif isinstance(node, Maximum):
            padded = np.append(held[node.source], -np.inf)
            held.append(padded[node.windows].max(1))
        elif isinstance(node, Concat):
            held.append(np.concatenate([held[source] for source in node.sources]))
        else:
            held.append(np.sum([held[source] for source in node.sources], axis=0))
    return held[-1]
