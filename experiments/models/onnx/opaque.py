"""What if an operator is none of torch's?  It is run as the file has it, by ONNX's own reference.

So no operator behind the layer in question matters, and one before it only has no gradient.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from experiments.models.onnx.build import Builder, Node, Value
from polytope.errors import InputError

if TYPE_CHECKING:
    import onnx

#: Operators that give other numbers each time.
RANDOM = (
    *("RandomNormal", "RandomUniform", "RandomNormalLike", "RandomUniformLike"),
    *("Multinomial", "Bernoulli"),
)
#: Operators that the reference computes wrongly in some uses (pads with ceil_mode).
FAULTY = ("MaxPool", "AveragePool", "LpPool")


@dataclass(frozen=True, eq=False)
class Known:
    """An input that is a constant of the file."""

    array: np.ndarray


class Opaque(nn.Module):
    """An operator of the file, run on one input after another, in numpy.

    Args:
        proto: the operator.
        opset: its version.
        given: for each of its inputs: numbers, None where it is left out, or whether the tensor
            that comes in has the file's batch axis (a bool).
        batch: size of that axis in the file.
    """

    #: What traces a network does not look inside.
    one_step = True

    def __init__(
        self, proto: "onnx.NodeProto", opset: int, given: Sequence[Known | bool | None], batch: int
    ) -> None:
        super().__init__()
        self._words, self._opset = proto.SerializeToString(), opset
        self._given, self._batch = tuple(given), batch
        self._op = proto.op_type

    def forward(self, *found: Tensor) -> Any:
        """The outputs that are in use: one tensor, or a tuple of them."""
        if torch.is_grad_enabled() and any(each.requires_grad for each in found):
            raise InputError(
                f"model: expected operators with a gradient before the layer, got {self._op}, "
                "which only ONNX's reference runs; ask of a layer before it, or of the exact set"
            )
        arrays = [each.detach().cpu().numpy() for each in found]
        flags = [each for each in self._given if isinstance(each, bool)]
        count = max(
            len(each) // (self._batch if flag else 1)
            for each, flag in zip(arrays, flags, strict=True)
        )
        runs = [self._run(self._one(arrays, flags, i)) for i in range(count)]
        joined = tuple(self._joined([run[k] for run in runs]) for k in range(len(runs[0])))
        return joined[0] if len(joined) == 1 else joined

    def _one(self, arrays: list[np.ndarray], flags: list[bool], index: int) -> list[np.ndarray]:
        """What the file's network would see of one of its batches."""
        size = self._batch
        return [
            array[index * size : (index + 1) * size] if flag else array[index]
            for array, flag in zip(arrays, flags, strict=True)
        ]

    def _run(self, found: list[np.ndarray]) -> list[np.ndarray]:
        rest = iter(found)
        inputs = [
            each.array if isinstance(each, Known) else None if each is None else next(rest)
            for each in self._given
        ]
        try:
            return evaluate(self._words, self._opset, inputs)
        except Exception as problem:  # numpy's errors, of what the reference does not know
            raise InputError(
                f"model: expected operators that ONNX's reference runs, got {self._op}: {problem}"
            ) from problem

    def _joined(self, found: list[np.ndarray]) -> Tensor:
        """One tensor over all inputs: along the file's batch axis, or along a new one."""
        first = np.asarray(found[0])
        if first.ndim > 1 and first.shape[0] == self._batch:
            return torch.from_numpy(np.concatenate(found))
        return torch.from_numpy(np.stack(found))


def evaluate(words: bytes, opset: int, inputs: Sequence[np.ndarray | None]) -> list[np.ndarray]:
    """Returns the outputs of one operator by ONNX's reference implementation."""
    import onnx
    from onnx.reference import ReferenceEvaluator

    node = onnx.NodeProto.FromString(words)
    names = [name for name in node.input if name]
    given = {n: a for n, a in zip(node.input, inputs, strict=True) if a is not None}
    graph = onnx.helper.make_graph(
        [node],
        "operator",
        [onnx.helper.make_tensor_value_info(name, 0, None) for name in dict.fromkeys(names)],
        [onnx.helper.make_tensor_value_info(name, 0, None) for name in node.output if name],
    )
    opsets = [onnx.helper.make_opsetid("", opset)]
    model = onnx.helper.make_model(graph, opset_imports=opsets)
    return list(ReferenceEvaluator(model).run(None, given))


def fold(b: Builder, node: Node) -> bool:
    """Computes an operator whose inputs are all constants; False where one is not."""
    inputs = [b.constants.get(name) if name else None for name in node.inputs]
    if any(name and array is None for name, array in zip(node.inputs, inputs, strict=True)):
        return False
    if node.op in RANDOM:
        raise node.refuse("numbers that are the same each time", node.op)
    _expected_size(b, node, inputs)
    outputs = evaluate(node.proto.SerializeToString(), b.opset, inputs)
    for name, array in zip([each for each in node.outputs if each], outputs, strict=True):
        b.compute(node, np.asarray(array).nbytes)
        b.constants[name] = np.asarray(array)
    return True


#: Operators whose outputs can be far larger than what they are given.
GROWING = ("Expand", "Tile", "ConstantOfShape", "Range", "Resize", "Upsample", "Pad", "OneHot")


def _expected_size(b: Builder, node: Node, inputs: Sequence[np.ndarray | None]) -> None:
    """Refuses an operator that would make far more numbers than it is given, before it does."""
    known = [b.known[name] for name in node.outputs if name in b.known]
    size = sum(each.numel() * each.element_size() for each in known)
    if node.op in GROWING:
        size = max(size, _asked_for(node.op, inputs))
    b.compute(node, size)
    b.computed -= size  # counted by what comes of it


def _asked_for(op: str, inputs: Sequence[np.ndarray | None]) -> int:
    """Bytes at most that an operator's sizes ask for."""
    sizes = [each for each in inputs if each is not None and each.dtype.kind in "iu"]
    first = inputs[0]
    if op == "Range":
        start, limit, delta = (float(np.asarray(each).reshape(-1)[0]) for each in inputs[:3])
        return int(8 * max(0.0, (limit - start) / (delta or 1.0)))
    own = first.nbytes if op == "Tile" and first is not None else 8
    product = 1
    for size in sizes[-1].reshape(-1).tolist() if sizes else []:
        product *= max(1, abs(int(size)))
    return own * product


def take_as_it_is(b: Builder, node: Node) -> None:
    """Adds an operator that torch is not to run; its outputs' shapes are ONNX's own inference.

    Raises:
        InputError: it is random, has a graph inside, or nothing is known of its outputs.
    """
    if node.op in RANDOM:
        raise node.refuse("numbers that are the same each time", node.op)
    if b.batch != 1:
        raise node.refuse("an operator known to keep inputs apart", f"batches of {b.batch}")
    if any(each.type in (each.GRAPH, each.GRAPHS) for each in node.proto.attribute):
        raise node.refuse("an operator without a graph inside", node.op)
    given: list[Known | bool | None] = []
    values = []
    for name in node.inputs:
        if name in b.values:
            values.append(b.values[name])
            given.append(b.values[name].batched)
        else:
            given.append(Known(b.constants[name]) if name else None)
    kind = type(node.op, (Opaque,), {})  # what a message calls it
    module = kind(node.proto, b.opset, given, b.batch)
    b.root.add_module(node.name, module)
    step = b.graph.call_module(node.name, tuple(each.node for each in values))
    names = [name for name in node.outputs if name]
    examples = [_example(b, node, name, values) for name in names]
    whole = Value(step, examples[0], _is_batched(b, examples[0]))
    for i, (name, example) in enumerate(zip(names, examples, strict=True)):
        b.check_size(node, example)
        batched = _is_batched(b, example)
        if not batched:
            example = example[None]
        value = whole if len(names) == 1 else b.part(node, whole, i, example)
        b.values[name] = b.settled(node, Value(value.node, example, batched))


def _is_batched(b: Builder, example: Tensor) -> bool:
    return example.ndim > 1 and example.shape[0] == b.batch


def _example(b: Builder, node: Node, name: str, values: list[Value]) -> Tensor:
    """Shape and type of an output, as the file has it: inferred, or by running it once."""
    known = b.known.get(name)
    if known is not None and 0 not in known.shape:
        return known
    inputs: list[np.ndarray | None] = []
    rest = iter(values)
    for each in node.inputs:
        if each in b.values:
            value = next(rest)
            kind = torch.empty(0, dtype=value.example.dtype).numpy().dtype
            inputs.append(np.zeros(value.shape, kind))
        else:
            inputs.append(b.constants[each] if each else None)
    if node.op in GROWING:
        raise node.refuse("a shape that can be inferred", "none")
    try:
        outputs = evaluate(node.proto.SerializeToString(), b.opset, inputs)
    except Exception as problem:
        raise node.misfit(problem) from problem
    found = dict(zip([each for each in node.outputs if each], outputs, strict=True))[name]
    return torch.from_numpy(np.array(found)).to("meta")
