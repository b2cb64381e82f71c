"""What does each ONNX operator on shapes become?  Reshape and its kin, and the sizes they read."""

import numpy as np
import torch
from torch import nn

from experiments.models.onnx.build import Builder, Node, Value
from experiments.models.onnx.ops import Made, op


@op("Constant")
def _constant(b: Builder, node: Node) -> Made:
    given = node.attributes
    kinds = {"value_float": "f4", "value_floats": "f4", "value_int": "i8", "value_ints": "i8"}
    if isinstance(given.get("value"), np.ndarray):
        return np.asarray(given["value"])
    for name, kind in kinds.items():
        if name in given:
            return np.asarray(given[name], dtype=kind)
    raise node.refuse("a dense tensor or numbers", ", ".join(given) or "nothing")


@op("Flatten")
def _flatten(b: Builder, node: Node) -> Made:
    value = b.value(node)
    axis = int(node.attributes.get("axis", 1))
    if axis not in (1, 1 - value.example.ndim):
        raise node.refuse("axis = 1, each input of the batch flat", f"axis = {axis}")
    return b.module(node, nn.Flatten(1), value)


@op("Reshape")
def _reshape(b: Builder, node: Node) -> Made:
    shape = b.needed(node, 1).astype(np.int64).reshape(-1).tolist()
    if node.inputs[0] in b.constants:
        b.compute(node, b.constants[node.inputs[0]].nbytes)
        return b.constants[node.inputs[0]].reshape(shape)
    value = b.value(node)
    own = tuple(value.example.shape)
    if not node.attributes.get("allowzero", 0):
        if any(size == 0 and i >= len(own) for i, size in enumerate(shape)):
            raise node.refuse("a shape whose zeros copy an axis of the input", shape)
        shape = [own[i] if size == 0 else size for i, size in enumerate(shape)]
    rest = shape[1:]
    items, known = int(np.prod(own[1:])), int(np.prod([s for s in rest if s != -1]))
    fits = known and (items % known == 0 if -1 in rest else items == known)
    if not rest or shape[0] not in (-1, b.batch) or (shape[0] == -1 and -1 in rest) or not fits:
        raise node.refuse(f"a shape that keeps the batch axis of {own}", shape)
    rest = [items // known if size == -1 else size for size in rest]
    if len(rest) == 1:
        return b.module(node, nn.Flatten(1), value)
    return b.module(node, nn.Unflatten(1, rest), _flat(b, node, value))


def _flat(b: Builder, node: Node, value: Value) -> Value:
    if value.example.ndim == 2:
        return value
    return b.module(node, nn.Flatten(1), value, name=f"{node.name}_flatten")


@op("Squeeze", "Unsqueeze")
def _squeeze(b: Builder, node: Node) -> Made:
    axes = node.attributes.get("axes")
    if axes is None:
        found = b.constant(node, 1)
        axes = None if found is None else found.reshape(-1).tolist()
    if axes is None:
        raise node.refuse("axes", "none")
    out = node.op == "Unsqueeze"
    if node.inputs[0] in b.constants:
        array = b.constants[node.inputs[0]]
        return np.expand_dims(array, tuple(axes)) if out else np.squeeze(array, tuple(axes))
    value = b.value(node)
    ndim = value.example.ndim + (len(axes) if out else 0)
    places = sorted(axis % ndim for axis in axes)
    if 0 in places:
        raise node.refuse("axes other than the batch's", list(axes))
    for axis in places if out else reversed(places):
        if not out and value.example.shape[axis] != 1:
            raise node.refuse("axes of size 1", tuple(value.example.shape))
        value = b.method(node, "unsqueeze" if out else "squeeze", value, axis)
    return value


@op("Transpose")
def _transpose(b: Builder, node: Node) -> Made:
    if node.inputs[0] in b.constants:
        return np.transpose(b.constants[node.inputs[0]], node.attributes.get("perm"))
    value = b.value(node)
    order = list(node.attributes.get("perm", reversed(range(value.example.ndim))))
    if order[0] != 0:
        raise node.refuse("an order that keeps the batch axis first", order)
    return b.method(node, "permute", value, *order)


@op("Concat")
def _concat(b: Builder, node: Node) -> Made:
    axis = int(node.attributes["axis"])
    if all(name in b.constants for name in node.inputs):
        parts = [b.constants[name] for name in node.inputs]
        b.compute(node, sum(part.nbytes for part in parts))
        return np.concatenate(parts, axis)
    values = [b.value(node, i) for i in range(len(node.inputs))]
    if axis % values[0].example.ndim == 0:
        raise node.refuse("an axis other than the batch's", axis)
    return b.call(node, torch.cat, values, axis)


@op("Pad")
def _pad(b: Builder, node: Node) -> Made:
    value = b.value(node)
    pads = node.attributes.get("pads")
    if pads is None:
        pads = b.needed(node, 1).reshape(-1).tolist()
    fill = node.attributes.get("value", 0.0)
    if len(node.inputs) > 2 and node.inputs[2]:
        fill = b.needed(node, 2).reshape(-1)[0]
    mode = node.attributes.get("mode", b"constant")
    axes = b.constant(node, 3) if len(node.inputs) > 3 else None
    plain = mode in (b"constant", "constant") and fill == 0 and axes is None
    if not plain or len(pads) != 8 or any((*pads[:2], *pads[4:6])) or min(pads) < 0:
        raise node.refuse("zeros around height and width", f"pads {list(pads)} of {fill}, {mode!r}")
    (top, left), (bottom, right) = pads[2:4], pads[6:8]
    return b.module(node, nn.ZeroPad2d((left, right, top, bottom)), value)


@op("Shape")
def _shape(b: Builder, node: Node) -> Made:
    name = node.inputs[0]
    shape = b.constants[name].shape if name in b.constants else b.value(node).example.shape
    end = node.attributes.get("end")
    return np.array(shape, dtype=np.int64)[node.attributes.get("start", 0) : end]


@op("Gather")
def _gather(b: Builder, node: Node) -> Made:
    array, places = b.needed(node, 0), b.needed(node, 1)
    axis = int(node.attributes.get("axis", 0))
    if not -array.ndim <= axis < array.ndim or array.shape[axis] == 0:
        raise node.refuse("an axis of the array", f"axis {axis} of shape {array.shape}")
    b.compute(node, places.size * (array.nbytes // array.shape[axis]))
    return np.asarray(np.take(array, places, axis=axis))
