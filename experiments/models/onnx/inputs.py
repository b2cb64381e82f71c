"""What enters an ONNX network?  One input, or several one behind the other; with a batch or not."""

from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from experiments.models.onnx.build import LARGEST, Builder
from experiments.models.onnx.nodes import Node, Value
from experiments.models.onnx.running import example_of
from polytope.errors import InputError

if TYPE_CHECKING:
    import onnx

_FLOATS = (np.float16, np.float32, np.float64)


@dataclass(frozen=True, eq=False)
class Inputs:
    """The inputs of a file, all of one type.

    Attributes:
        names: of the file.
        shapes: as torch has them, without the batch.
        kind: their type.
        batch: size of the batch axis in the file; 1 where there is none.
        batched: whether the file has a batch axis.
    """

    names: tuple[str, ...]
    shapes: tuple[tuple[int, ...], ...]
    kind: torch.dtype
    batch: int
    batched: bool

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one input of the module: several inputs are one row of numbers."""
        if len(self.shapes) == 1:
            return self.shapes[0]
        return (sum(map(prod, self.shapes)),)

    def start(self, builder: Builder) -> None:
        """Adds the module's input, and what the file reads of it."""
        step = builder.graph.placeholder("x")
        example = torch.empty((self.batch, *self.shape), dtype=self.kind, device="meta")
        if len(self.names) == 1:
            builder.values[self.names[0]] = Value(step, example, self.batched)
            return
        whole, first = Value(step, example), 0
        for name, shape in zip(self.names, self.shapes, strict=True):
            node = _reading(name)
            index = (slice(None), slice(first, first + prod(shape)))
            part = builder.getitem(node, whole, index)
            made = builder.method(node, "reshape", part, -1, *shape)
            builder.values[name] = Value(made.node, made.example, self.batched)
            first += prod(shape)


def _reading(name: str) -> Node:
    """Stands for the reading of an input in what a message says."""
    return Node(
        op="Input",
        name=name,
        place=f"input {name!r}",
        inputs=(),
        outputs=(name,),
        attributes={},
        proto=None,  # type: ignore[arg-type]
    )


def read_inputs(
    graph: "onnx.GraphProto",
    constants: dict[str, np.ndarray],
    wanted: tuple[int, ...] | None,
    path: Path,
    *,
    batched: bool,
) -> Inputs:
    """Returns the inputs that are no constants, and their shapes.

    Args:
        graph: of the file.
        constants: its numbers, which older files list among the inputs.
        wanted: of one input, where the file leaves sizes open.
        path: for messages.
        batched: whether the first axis counts inputs.

    Raises:
        InputError: there is none, sizes are open, or they are no floats.
    """
    found = [each for each in graph.input if each.name not in constants]
    if not found:
        raise InputError(f"{path}: expected an input, got none")
    kinds, shapes, batches = [], [], []
    for each in found:
        kinds.append(_kind(each, path))
        sizes = _sizes(each)
        batches.append((sizes[0] or 1) if batched else 1)
        own = tuple(sizes[1:] if batched else sizes)
        shapes.append(_closed(own, wanted if len(found) == 1 else None, path))
    if len(set(kinds)) > 1 or len(set(batches)) > 1:
        raise InputError(f"{path}: expected inputs of one type and batch, got {kinds}, {batches}")
    inputs = Inputs(
        tuple(each.name for each in found), tuple(shapes), kinds[0], batches[0], batched
    )
    if prod(inputs.shape) > LARGEST or inputs.batch > LARGEST:
        raise InputError(f"{path}: expected inputs of at most {LARGEST:,} numbers, got {shapes}")
    return inputs


def batch_readings(graph: "onnx.GraphProto") -> tuple[bool, ...]:
    """Whether the first axis of the inputs may be the batch; what is likelier comes first.

    One of size 1, or open, is one; another size may be a batch's as well as an input's own.
    """
    names = {each.name for each in graph.initializer}
    sizes = [_sizes(each) for each in graph.input if each.name not in names]
    if any(len(each) < 2 for each in sizes):
        return (False,)
    return (True,) if all(each[0] in (0, 1) for each in sizes) else (True, False)


def _kind(each: "onnx.ValueInfoProto", path: Path) -> torch.dtype:
    from onnx import helper

    element = each.type.tensor_type.elem_type
    dtype = helper.tensor_dtype_to_np_dtype(element) if element else None
    if dtype not in _FLOATS:
        raise InputError(f"{path}: expected an input of floats, got {dtype} for {each.name!r}")
    kind: torch.dtype = getattr(torch, np.dtype(dtype).name)
    return kind


def _sizes(each: "onnx.ValueInfoProto") -> list[int]:
    """The sizes of a tensor, 0 where they are open."""
    dims = each.type.tensor_type.shape.dim
    return [max(0, dim.dim_value) if dim.HasField("dim_value") else 0 for dim in dims]


def _closed(shape: tuple[int, ...], wanted: tuple[int, ...] | None, path: Path) -> tuple[int, ...]:
    """The shape of an input, the sizes that the file leaves open filled in."""
    if wanted is not None:
        if len(wanted) != len(shape) or any(
            size not in (0, asked) for size, asked in zip(shape, wanted, strict=True)
        ):
            raise InputError(f"input-shape: expected {_open(shape)} as in {path}, got {wanted}")
        shape = wanted
    if 0 in shape:
        raise InputError(
            f"input-shape: expected the sizes that {path} leaves open ({_open(shape)}), got none; "
            "give --input-shape"
        )
    return shape


def _open(shape: tuple[int, ...]) -> str:
    return ",".join("?" if size == 0 else str(size) for size in shape)


def inferred(model: "onnx.ModelProto", inputs: Inputs) -> dict[str, Tensor]:
    """Returns shape and type of every name as ONNX infers them; sizes are 0 where they are open."""
    import onnx

    closed = onnx.ModelProto()
    closed.CopyFrom(model)
    shapes = dict(zip(inputs.names, inputs.shapes, strict=True))
    for each in closed.graph.input:
        if each.name in shapes:
            own = shapes[each.name]
            sizes = (inputs.batch, *own) if inputs.batched else own
            kind = each.type.tensor_type.elem_type
            each.CopyFrom(onnx.helper.make_tensor_value_info(each.name, kind, sizes))
    del closed.graph.value_info[:]
    for each in closed.graph.output:  # what a file declares may contradict what it computes
        each.type.tensor_type.ClearField("shape")
    try:
        found = onnx.shape_inference.infer_shapes(closed)  # no values: they can be endless
    except Exception:  # a proposal only: a step whose shape is not known is run once
        return {}
    return {
        each.name: made
        for each in (*found.graph.value_info, *found.graph.output)
        if (made := example_of(each.type)) is not None
    }
