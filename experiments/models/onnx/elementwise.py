"""What does each ONNX operator on single numbers become?  Arithmetic, activations."""

import operator
from collections.abc import Callable
from functools import reduce
from math import isinf
from typing import Any

import numpy as np
import torch
from torch import nn

from experiments.models.onnx.build import Builder
from experiments.models.onnx.nodes import Node, Value
from experiments.models.onnx.ops import Made, op

_ARITHMETIC: dict[str, Callable[[Any, Any], Any]] = {
    "Add": operator.add,
    "Sub": operator.sub,
    "Mul": operator.mul,
    "Div": operator.truediv,
    "Sum": operator.add,
}
_FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "Neg": operator.neg,
    "Abs": torch.abs,
    "Exp": torch.exp,
    "Log": torch.log,
    "Sqrt": torch.sqrt,
    "Sin": torch.sin,
    "Cos": torch.cos,
    "Erf": torch.erf,
}
_MODULES: dict[str, Callable[[dict[str, Any]], nn.Module]] = {
    "Relu": lambda given: nn.ReLU(),
    "Sigmoid": lambda given: nn.Sigmoid(),
    "Tanh": lambda given: nn.Tanh(),
    "Softplus": lambda given: nn.Softplus(threshold=1e6),  # torch's is the identity beyond 20
    "Softsign": lambda given: nn.Softsign(),
    "LeakyRelu": lambda given: nn.LeakyReLU(float(given.get("alpha", 0.01))),
    "Elu": lambda given: nn.ELU(float(given.get("alpha", 1.0))),
}


@op(*_ARITHMETIC)
def _arithmetic(b: Builder, node: Node) -> Made:
    function = _ARITHMETIC[node.op]
    made = reduce(lambda one, other: _pair(b, node, function, one, other), _terms(b, node))
    assert isinstance(made, Value)  # with constants alone it would have been computed
    return made


def _terms(b: Builder, node: Node) -> list[Value | np.ndarray]:
    """Steps and constants, in order."""
    return [
        b.values[name] if name in b.values else b.needed(node, i)
        for i, name in enumerate(node.inputs)
    ]


def _pair(
    b: Builder,
    node: Node,
    function: Callable[[Any, Any], Any],
    one: Value | np.ndarray,
    other: Value | np.ndarray,
) -> Value | np.ndarray:
    """Two terms, broadcast as the file's shapes are."""
    if isinstance(one, np.ndarray) and isinstance(other, np.ndarray):
        return np.asarray(function(one, other))
    shapes = [each.shape for each in (one, other)]
    shape = np.broadcast_shapes(*shapes)
    steps = [each for each in (one, other) if isinstance(each, Value)]
    kept = all(each.batched and len(each.shape) == len(shape) for each in steps)
    kept = kept and shape[:1] == (b.batch,)
    sides = [_side(b, node, each, len(shape), kept) for each in (one, other)]
    return b.settled(node, b.call(node, function, *sides))


def _side(b: Builder, node: Node, term: Value | np.ndarray, axes: int, kept: bool) -> Value:
    """A term with so many axes; `kept`: the first of them is the batch on both sides."""
    if isinstance(term, np.ndarray):
        if kept and term.ndim == axes and term.shape[0] != 1:
            raise node.refuse("constants that are the same for each of a batch", f"{term.shape}")
        return b.number(node, term, label=b.free_label(node))
    if kept:
        return term
    value = b.unbatched(node, term)
    missing = axes - len(value.shape)
    return b.method(node, "reshape", value, -1, *(1,) * missing, *value.shape) if missing else value


@op(*_FUNCTIONS)
def _function(b: Builder, node: Node) -> Made:
    return b.call(node, _FUNCTIONS[node.op], b.value(node))


@op(*_MODULES)
def _activation(b: Builder, node: Node) -> Made:
    return b.module(node, _MODULES[node.op](dict(node.attributes)), b.value(node))


@op("Clip")
def _clip(b: Builder, node: Node) -> Made:
    least, most = (_bound(b, node, name, i) for i, name in ((1, "min"), (2, "max")))
    return b.module(node, _clamp(node, least, most), b.value(node))


def _bound(b: Builder, node: Node, name: str, index: int) -> float | None:
    """One end of a Clip: an attribute once, an input since; infinite ones do not matter."""
    found = node.attributes.get(name)
    if found is None and (array := b.constant(node, index)) is not None:
        found = array.reshape(-1)[0]
    return None if found is None or isinf(found) or abs(found) >= 3.4e38 else float(found)


def _clamp(node: Node, least: float | None, most: float | None) -> nn.Module:
    if least == 0 and most is None:
        return nn.ReLU()
    if least is None or most is None:
        raise node.refuse("both ends, or min = 0 alone", f"min {least}, max {most}")
    return nn.ReLU6() if (least, most) == (0, 6) else nn.Hardtanh(least, most)


@op("Max")
def _maximum(b: Builder, node: Node) -> Made:
    """A maximum with 0 is the ReLU."""
    constants = [b.constants[name] for name in node.inputs if name in b.constants]
    if len(node.inputs) != 2 or len(constants) != 1 or np.any(constants[0]):
        raise node.refuse("a maximum with 0", f"{len(node.inputs)} inputs")
    value = b.value(node, 0 if node.inputs[0] in b.values else 1)
    if np.broadcast_shapes(constants[0].shape, value.shape) != value.shape:
        raise node.refuse("a 0 that leaves the shape", f"{constants[0].shape}")
    return b.module(node, nn.ReLU(), value)


@op("Softmax", "LogSoftmax")
def _softmax(b: Builder, node: Node) -> Made:
    value = b.value(node)
    old = b.opset < 13  # there the axes from `axis` on were one
    axis = int(node.attributes.get("axis", 1 if old else -1)) % len(value.shape)
    if value.axis(axis) == 0:
        raise node.refuse("a softmax over axes that are not the batch", f"axis {axis}")
    kind = nn.Softmax if node.op == "Softmax" else nn.LogSoftmax
    if not old or axis == len(value.shape) - 1:
        return b.module(node, kind(dim=value.axis(axis)), value)
    flat = b.method(node, "flatten", value, value.axis(axis))
    made = b.module(node, kind(dim=value.axis(axis)), flat)
    return b.method(node, "reshape", made, -1, *value.example.shape[1:])


@op("Identity", "Dropout")
def _identity(b: Builder, node: Node) -> Made:
    training = b.constant(node, 2) if node.op == "Dropout" else None
    if training is not None and bool(training):
        raise node.refuse("evaluation mode", "training_mode = true")
    return b.value(node)


@op("Cast")
def _cast(b: Builder, node: Node) -> Made:
    import onnx

    value, wanted = b.value(node), int(node.attributes["to"])
    kind = np.dtype(onnx.helper.tensor_dtype_to_np_dtype(wanted))
    if not hasattr(torch, kind.name):
        raise node.refuse("a type that torch has", kind)
    asked = getattr(torch, kind.name)
    return value if value.example.dtype is asked else b.method(node, "to", value, asked)
