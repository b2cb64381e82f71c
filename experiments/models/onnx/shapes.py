"""What does each ONNX operator on shapes become?  Numbers are moved, chosen, put together."""

from typing import Any

import numpy as np
import torch
from torch import nn

from experiments.models.onnx.build import Builder
from experiments.models.onnx.nodes import Node, Value
from experiments.models.onnx.ops import Made, op
from experiments.models.onnx.windows import torch_order


@op("Flatten")
def _flatten(b: Builder, node: Node) -> Made:
    value = b.value(node)
    axis = int(node.attributes.get("axis", 1))
    axis = axis + len(value.shape) if axis < 0 else axis
    sizes = [int(np.prod(value.shape[:axis])), int(np.prod(value.shape[axis:]))]
    return b.laid_out(node, value, tuple(sizes))


@op("Reshape")
def _reshape(b: Builder, node: Node) -> Made:
    value = b.value(node)
    wanted = b.needed(node, 1).astype(np.int64).reshape(-1).tolist()
    own = value.shape
    if not node.attributes.get("allowzero", 0):
        if any(size == 0 and i >= len(own) for i, size in enumerate(wanted)):
            raise node.refuse("a shape whose zeros copy an axis of the input", wanted)
        wanted = [own[i] if size == 0 else size for i, size in enumerate(wanted)]
    items, known = int(np.prod(own)), int(np.prod([size for size in wanted if size != -1]))
    if wanted.count(-1) > 1 or not known or items % known or (-1 not in wanted and items != known):
        raise node.refuse(f"a shape of {items} numbers, as {own}", wanted)
    return b.laid_out(node, value, tuple(items // known if s == -1 else s for s in wanted))


@op("Squeeze", "Unsqueeze")
def _squeeze(b: Builder, node: Node) -> Made:
    value, axes = b.value(node), node.attributes.get("axes")
    if axes is None and (found := b.constant(node, 1)) is not None:
        axes = found.reshape(-1).tolist()
    if node.op == "Unsqueeze":
        if axes is None:
            raise node.refuse("axes", "none")
        shape = np.expand_dims(np.empty(value.shape, dtype=bool), tuple(axes)).shape
    else:
        keep = () if axes is None else {int(axis) % len(value.shape) for axis in axes}
        shape = tuple(
            size
            for i, size in enumerate(value.shape)
            if size != 1 or (axes is not None and i not in keep)
        )
        if axes is not None and any(value.shape[i] != 1 for i in keep):
            raise node.refuse("axes of size 1", value.shape)
    return b.laid_out(node, value, shape)


@op("Transpose")
def _transpose(b: Builder, node: Node) -> Made:
    value = b.value(node)
    order = list(node.attributes.get("perm", reversed(range(len(value.shape)))))
    if value.batched and order[0] == 0:
        return b.method(node, "permute", value, *order)
    value = b.unbatched(node, value)
    return b.settled(node, b.method(node, "permute", value, 0, *(axis + 1 for axis in order)))


@op("Concat")
def _concat(b: Builder, node: Node) -> Made:
    parts: list[Any] = [b.values.get(name) for name in node.inputs]
    steps = [each for each in parts if each is not None]
    axis = int(node.attributes["axis"]) % len(steps[0].shape)
    if any(each is None for each in parts):
        raise node.refuse("parts that depend on the network's input", "a constant among them")
    if axis == 0 or not all(each.batched for each in steps):
        parts = [b.unbatched(node, each) for each in parts]
    return b.settled(node, b.call(node, torch.cat, parts, parts[0].axis(axis)))


@op("Split")
def _split(b: Builder, node: Node) -> Made:
    value = b.value(node)
    axis = int(node.attributes.get("axis", 0)) % len(value.shape)
    sizes = node.attributes.get("split")
    if sizes is None and (found := b.constant(node, 1)) is not None:
        sizes = found.reshape(-1).tolist()
    size, count = value.shape[axis], len(node.outputs)
    if sizes is None:
        each = -(-size // count)
        sizes = [each] * (count - 1) + [size - each * (count - 1)]
    if value.axis(axis) == 0:
        value = b.unbatched(node, value)
    starts = np.cumsum([0, *sizes]).tolist()
    return {
        name: _slice(b, node, value, {axis: slice(first, last)})
        for name, first, last in zip(node.outputs, starts[:-1], starts[1:], strict=True)
        if name
    }


@op("Slice")
def _slices(b: Builder, node: Node) -> Made:
    value, given = b.value(node), node.attributes
    if "starts" in given:
        starts, ends, axes, steps = given["starts"], given["ends"], given.get("axes"), None
    else:
        starts, ends = (b.needed(node, i).reshape(-1).tolist() for i in (1, 2))
        axes, steps = (
            None if found is None else found.reshape(-1).tolist()
            for found in (b.constant(node, 3), b.constant(node, 4))
        )
    places = [int(a) % len(value.shape) for a in (range(len(starts)) if axes is None else axes)]
    strides = [1] * len(starts) if steps is None else steps
    if min(strides) < 1:
        raise node.refuse("steps >= 1", strides)
    whole = {
        axis: slice(*slice(int(first), int(last), int(step)).indices(value.shape[axis]))
        for axis, first, last, step in zip(places, starts, ends, strides, strict=True)
    }
    if value.batched and whole.get(0) == slice(0, b.batch, 1):
        del whole[0]  # all of the batch, whatever its size
    if value.batched and 0 in whole:
        value = b.unbatched(node, value)
    return _slice(b, node, value, whole)


def _slice(b: Builder, node: Node, value: Value, parts: dict[int, slice]) -> Value:
    """The part of a value along axes of the file's."""
    index = [slice(None)] * value.example.ndim
    for axis, part in parts.items():
        index[value.axis(axis)] = part
    return b.settled(node, b.getitem(node, value, tuple(index)))


@op("Gather")
def _gather(b: Builder, node: Node) -> Made:
    """Entries along one axis by their places; a place alone takes the axis away."""
    value, places = b.value(node), b.needed(node, 1)
    axis = int(node.attributes.get("axis", 0)) % len(value.shape)
    if places.ndim > 1:
        raise node.refuse("places in a row", f"shape {places.shape}")
    if value.axis(axis) == 0:
        value = b.unbatched(node, value)
    wanted = np.where(places < 0, places + value.shape[axis], places).astype(np.int64)
    if wanted.size and not (wanted.min() >= 0 and wanted.max() < value.shape[axis]):
        raise node.refuse(f"places below {value.shape[axis]}", places.tolist())
    index = b.number(node, wanted.reshape(-1), label="places")
    made = b.call(node, torch.index_select, value, value.axis(axis), index)
    if places.ndim == 0:
        shape = tuple(size for i, size in enumerate(made.shape) if i != axis)
        return b.laid_out(node, made, shape)
    return b.settled(node, made)


@op("Pad")
def _pad(b: Builder, node: Node) -> Made:
    value, pads = b.value(node), node.attributes.get("pads")
    if pads is None:
        pads = b.needed(node, 1).reshape(-1).tolist()
    fill = float(node.attributes.get("value", 0.0))
    if len(node.inputs) > 2 and node.inputs[2]:
        fill = float(b.needed(node, 2).reshape(-1)[0])
    mode = node.attributes.get("mode", b"constant")
    axes = b.constant(node, 3) if len(node.inputs) > 3 else None
    if mode not in (b"constant", "constant") or axes is not None or min(pads) < 0:
        raise node.refuse("constants around every axis", f"pads {list(pads)}, {mode!r}")
    half = len(pads) // 2
    before, after = pads[:half], pads[half:]
    if value.batched:
        if before[0] or after[0]:
            raise node.refuse("no padding of the batch", list(pads))
        before, after = before[1:], after[1:]
    count = len(before)
    while count > 1 and not before[-count] and not after[-count]:
        count -= 1
    order = torch_order(before[-count:], after[-count:])
    if count > 3:  # torch has modules for three axes at most
        return b.call(node, nn.functional.pad, value, list(order), "constant", fill)
    return b.module(node, _padding(order, fill), value)


def _padding(order: tuple[int, ...], fill: float) -> nn.Module:
    """Torch's module for 1 to 3 axes, the last one first."""
    axes = len(order) // 2 - 1
    if fill == 0:
        return (nn.ZeroPad1d, nn.ZeroPad2d, nn.ZeroPad3d)[axes](order)  # type: ignore[arg-type]
    kinds = (nn.ConstantPad1d, nn.ConstantPad2d, nn.ConstantPad3d)
    return kinds[axes](order, fill)  # type: ignore[arg-type]


@op("Shape")
def _shape(b: Builder, node: Node) -> Made:
    """A constant: shapes are known."""
    end = node.attributes.get("end")
    sizes = np.array(b.value(node).shape, dtype=np.int64)
    b.constants[node.outputs[0]] = sizes[node.attributes.get("start", 0) : end]
    return {}


@op("Expand")
def _expand(b: Builder, node: Node) -> Made:
    value, wanted = b.value(node), b.needed(node, 1).reshape(-1).tolist()
    shape = np.broadcast_shapes(value.shape, tuple(wanted))
    if value.batched and len(shape) == len(value.shape) and shape[0] == b.batch:
        return b.method(node, "expand", value, -1, *shape[1:])
    value = b.unbatched(node, value)
    if missing := len(shape) - len(value.shape):
        value = b.method(node, "reshape", value, -1, *(1,) * missing, *value.shape)
    return b.settled(node, b.method(node, "expand", value, -1, *shape))
