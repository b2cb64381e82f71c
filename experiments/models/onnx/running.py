"""What does one operator compute?  ONNX's reference implementation runs it, or onnxruntime.

Constants are folded in this way, and the shapes of what cannot be folded inferred by ONNX itself.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from experiments.models.onnx.build import Builder
from experiments.models.onnx.nodes import Node
from experiments.readers.foreign_files import reason

if TYPE_CHECKING:
    import onnx

#: Operators that give other numbers each time.
RANDOM = (
    *("RandomNormal", "RandomUniform", "RandomNormalLike", "RandomUniformLike"),
    *("Multinomial", "Bernoulli"),
)
#: Operators that the reference computes wrongly in some uses: pads with ceil_mode, other than two
#: axes behind the channels, an LRN of several images.
FAULTY = ("MaxPool", "AveragePool", "LpPool", "GlobalMaxPool", "LRN")
#: Operators that took all axes from one on as one, before version 13, which the reference forgets.
ONE_AXIS = ("Softmax", "LogSoftmax", "Hardmax")
#: Operators whose outputs can be far larger than what they are given.
GROWING = ("Expand", "Tile", "ConstantOfShape", "Range", "Resize", "Upsample", "Pad", "OneHot")

#: Numbers of a constant that may be sizes; others are weights, and say nothing about shapes.
MOST_SIZES = 1024


def evaluate(words: bytes, opset: int, inputs: Sequence[np.ndarray | None]) -> list[np.ndarray]:
    """Returns the outputs of one operator: by ONNX's reference, else by onnxruntime if it is there.

    Raises:
        Exception: whatever the reference says of what it does not know.
    """
    import onnx
    from onnx.reference import ReferenceEvaluator

    node = onnx.NodeProto.FromString(words)
    given = {n: a for n, a in zip(node.input, inputs, strict=True) if n and a is not None}
    faulty = node.op_type in FAULTY or (node.op_type in ONE_AXIS and opset < 13)
    try:
        if faulty:
            raise NotImplementedError(f"{node.op_type}, which the reference computes wrongly")
        return list(ReferenceEvaluator(_alone(node, opset, given)).run(None, given))
    except Exception:
        if (found := _by_runtime(_alone(node, opset, given), given)) is None:
            raise
        return found


def _alone(
    node: "onnx.NodeProto", opset: int, given: Mapping[str, np.ndarray]
) -> "onnx.ModelProto":
    """A model of one operator."""
    from onnx import helper

    graph = helper.make_graph(
        [node],
        "operator",
        [
            helper.make_tensor_value_info(
                name, helper.np_dtype_to_tensor_dtype(array.dtype), array.shape
            )
            for name, array in given.items()
        ],
        [helper.make_tensor_value_info(name, 0, None) for name in node.output if name],
    )
    opsets = [helper.make_opsetid("", opset)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8)


def _by_runtime(
    model: "onnx.ModelProto", given: Mapping[str, np.ndarray]
) -> list[np.ndarray] | None:
    """What onnxruntime computes; None where it is not installed or does not know either."""
    try:
        import onnxruntime  # type: ignore[import-untyped,unused-ignore]
    except ImportError:
        return None
    for each in model.graph.output:
        each.ClearField("type")  # whatever it is
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = 1
    try:
        session = onnxruntime.InferenceSession(
            model.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )
        return [np.asarray(each) for each in session.run(None, dict(given))]
    except Exception:  # its own classes; the reference's error says what is wrong
        return None


def has_runtime() -> bool:
    """Is onnxruntime installed?"""
    try:
        import onnxruntime  # type: ignore[import-untyped,unused-ignore]  # noqa: F401
    except ImportError:
        return False
    return True


def fold(b: Builder, node: Node) -> bool:
    """Computes an operator whose inputs are all constants; False where one is not.

    Raises:
        InputError: it is random, or nobody can compute it.
    """
    inputs = [b.constants.get(name) if name else None for name in node.inputs]
    if any(name and array is None for name, array in zip(node.inputs, inputs, strict=True)):
        return False
    refuse_unknown(node)
    expected_size(b, node, inputs)
    try:
        outputs = evaluate(node.proto.SerializeToString(), b.opset, inputs)
    except Exception as problem:
        raise node.misfit(problem) from problem
    for name, array in zip([each for each in node.outputs if each], outputs, strict=True):
        b.compute(node, np.asarray(array).nbytes)
        b.constants[name] = np.asarray(array)
    return True


def refuse_unknown(node: Node) -> None:
    """Raise InputError for an operator of which nobody can say what it computes."""
    if node.proto.domain not in ("", "ai.onnx"):
        raise node.refuse("operators of ONNX itself", f"domain {node.proto.domain}")
    if node.op in RANDOM:
        raise node.refuse("numbers that are the same each time", node.op)
    if any(each.type in (each.GRAPH, each.GRAPHS) for each in node.proto.attribute):
        raise node.refuse("an operator without a graph inside", node.op)


def expected_size(b: Builder, node: Node, inputs: Sequence[np.ndarray | None]) -> None:
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


def output_example(b: Builder, node: Node, name: str) -> Tensor:
    """Returns shape and type of an output, as the file has it, by ONNX's own inference.

    Raises:
        InputError: they depend on what is in the tensors.
    """
    if node.op in FAULTY:  # the inference counts windows as wrongly as the reference
        return torch.from_numpy(_of_zeros(b, node)[node.outputs.index(name)]).to("meta")
    known = _inferred_alone(b, node).get(name)
    if known is None or 0 in known.shape:
        raise node.refuse("a shape that is the same for all inputs", "one that may not be")
    return known


def _of_zeros(b: Builder, node: Node) -> list[np.ndarray]:
    value = b.value(node)
    kind = torch.empty(0, dtype=value.example.dtype).numpy().dtype
    try:
        return evaluate(node.proto.SerializeToString(), b.opset, [np.zeros(value.shape, kind)])
    except Exception as problem:
        raise node.refuse("a pool that onnxruntime runs", reason(problem)) from problem


def _inferred_alone(b: Builder, node: Node) -> dict[str, Tensor]:
    """What ONNX infers of one operator, with all that is known of its inputs.

    Of the whole graph its inference can be wrong, where a pool before is one of `FAULTY`.
    """
    import onnx
    from onnx import helper, numpy_helper

    types, data = {}, {}
    for each in node.inputs:
        if each in b.values:
            value = b.values[each]
            kind = torch.empty(0, dtype=value.example.dtype).numpy().dtype
            shape: tuple[int, ...] = value.shape
        elif each:
            array = b.constants[each]
            kind, shape = array.dtype, array.shape
            if array.size <= MOST_SIZES:
                data[each] = numpy_helper.from_array(array, each)
        else:
            continue
        code = helper.np_dtype_to_tensor_dtype(kind)
        types[each] = helper.make_tensor_type_proto(code, shape)
    try:
        schema = onnx.defs.get_schema(node.op, b.opset, "")
        found = onnx.shape_inference.infer_node_outputs(
            schema, node.proto, types, data, opset_imports=[helper.make_opsetid("", b.opset)]
        )
    except Exception as problem:
        raise node.refuse("an operator that ONNX knows", reason(problem)) from problem
    return {name: made for name, each in found.items() if (made := example_of(each)) is not None}


def example_of(found: Any) -> Tensor | None:
    """A type of ONNX's as a tensor without numbers, sizes 0 where they are open; None for others.

    Args:
        found: an onnx.TypeProto.
    """
    from onnx import helper

    if not found.HasField("tensor_type") or not found.tensor_type.HasField("shape"):
        return None
    dims = found.tensor_type.shape.dim
    sizes = [max(0, dim.dim_value) if dim.HasField("dim_value") else 0 for dim in dims]
    dtype = np.dtype(helper.tensor_dtype_to_np_dtype(found.tensor_type.elem_type))
    kind = getattr(torch, dtype.name, None)
    return None if kind is None else torch.empty(sizes, dtype=kind, device="meta")
