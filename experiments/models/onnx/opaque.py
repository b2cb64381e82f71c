"""What if an operator is none of torch's?  It is run as the file has it, by ONNX's own reference.

So no operator behind the layer in question matters, and one before it only has no gradient.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from experiments.models.onnx.beyond import is_weighted
from experiments.models.onnx.build import Builder
from experiments.models.onnx.nodes import Node, Value
from experiments.models.onnx.running import (
    FAULTY,
    evaluate,
    has_runtime,
    output_example,
    refuse_unknown,
)
from polytope.errors import InputError

if TYPE_CHECKING:
    import onnx


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
        shapes: of its outputs, as the file has them.
    """

    #: What traces a network does not look inside.
    one_step = True
    #: Why it is no layer, where it holds a matrix; "" where it holds none.
    weighted_reason = ""

    def __init__(
        self,
        proto: "onnx.NodeProto",
        opset: int,
        given: Sequence[Known | bool | None],
        shapes: Sequence[tuple[int, ...]],
    ) -> None:
        super().__init__()
        self._words, self._opset = proto.SerializeToString(), opset
        self._given, self._shapes = tuple(given), tuple(shapes)
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
        count = max(map(len, arrays))
        runs = [
            self._run([a[i : i + 1] if f else a[i] for a, f in zip(arrays, flags, strict=True)])
            for i in range(count)
        ]
        joined = tuple(self._joined([run[k] for run in runs]) for k in range(len(runs[0])))
        return joined[0] if len(joined) == 1 else joined

    def _run(self, found: list[np.ndarray]) -> list[np.ndarray]:
        rest = iter(found)
        inputs = [
            each.array if isinstance(each, Known) else None if each is None else next(rest)
            for each in self._given
        ]
        try:
            made = [np.asarray(each) for each in evaluate(self._words, self._opset, inputs)]
        except Exception as problem:  # numpy's errors, of what the reference does not know
            raise InputError(
                f"model: expected operators that ONNX's reference runs, got {self._op}: {problem}"
            ) from problem
        if (shapes := tuple(each.shape for each in made)) != self._shapes:
            raise InputError(
                f"model: expected {self._op} to give shapes {self._shapes}, as ONNX infers them, "
                f"got {shapes} from its reference"
            )
        return made

    @staticmethod
    def _joined(found: list[np.ndarray]) -> Tensor:
        """One tensor over all inputs: along the file's batch axis, or along a new one."""
        if found[0].ndim > 1 and found[0].shape[0] == 1:
            return torch.from_numpy(np.concatenate(found))
        return torch.from_numpy(np.stack(found))


def take_as_it_is(b: Builder, node: Node, why: str = "") -> None:
    """Adds an operator that torch is not to run; its outputs' shapes are ONNX's own inference.

    Args:
        b: the module in the making.
        node: the operator.
        why: why torch is not to, "" where it has none of this name.

    Raises:
        InputError: it is random, has a graph inside, or nothing is known of its outputs.
    """
    refuse_unknown(node)
    if node.op in FAULTY and not has_runtime():
        raise node.refuse("the package onnxruntime, which runs such pools, to be installed", "none")
    if b.batch != 1:
        raise node.refuse("an operator known to keep inputs apart", f"batches of {b.batch}")
    names = [name for name in node.outputs if name]
    examples = [output_example(b, node, name) for name in names]
    given: list[Known | bool | None] = []
    values = []
    for name in node.inputs:
        if name in b.values:
            values.append(b.values[name])
            given.append(b.values[name].batched)
        else:
            given.append(Known(b.constants[name]) if name else None)
    kind = type(node.op, (Opaque,), {})  # what a message calls it
    module = kind(node.proto, b.opset, given, [tuple(each.shape) for each in examples])
    if is_weighted(b, node):
        module.weighted_reason = why or f"is a {node.op} with weights, which is no layer here"
    b.root.add_module(node.name, module)
    step = b.graph.call_module(node.name, tuple(each.node for each in values))
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
