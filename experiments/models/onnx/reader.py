"""Which network does an ONNX file hold?  Read by `onnx`, checked, and rebuilt as a torch module.

What a network of ReLU layers needs becomes torch's own (`OPERATORS`); any other operator is a step
that ONNX's reference implementation runs.  Nothing is executed from the file, and no file beside it
is opened unless asked for.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from torch import fx

from experiments.models.onnx import elementwise, linear, pools, shapes  # noqa: F401 - they register
from experiments.models.onnx.beyond import take_as_unknown
from experiments.models.onnx.build import Builder
from experiments.models.onnx.inputs import batch_readings, inferred, read_inputs
from experiments.models.onnx.nodes import Node, TooLargeError, Value, captured, module_name
from experiments.models.onnx.opaque import take_as_it_is
from experiments.models.onnx.ops import OPERATORS
from experiments.models.onnx.running import fold
from experiments.readers.foreign_files import check_version, reason, refuse_foreign
from polytope.errors import CollisionError, FileFormatError, InputError

if TYPE_CHECKING:
    import onnx

#: Older ones read external data out of other folders and through links.
OLDEST = (1, 21)
OLDEST_OPSET = 7  # before it, Add had an attribute that said how to broadcast
LARGEST_FILE = 2 << 30  # bytes that a protocol buffer may have


def read_onnx(
    path: Path, *, input_shape: tuple[int, ...] | None = None, external_data: bool = False
) -> tuple[fx.GraphModule, tuple[int, ...]]:
    """Returns the network of an ONNX file, in evaluation mode, and the shape of one input.

    Its modules are named after the nodes of the file ("/fc1/Gemm" becomes `fc1_Gemm`; a node
    without a name is `gemm_3`, by its place).  The first axis of the input is the batch, whatever
    size the file gives it.

    Args:
        path: the file.
        input_shape: of one input, where the file leaves sizes open.
        external_data: whether tensors may be kept in files beside it, of its own folder.

    Raises:
        InputError: the package onnx is absent, or the file uses what is not supported.
        FileFormatError: it is no valid ONNX file.
    """
    try:
        return _read(Path(path), input_shape, external_data)
    except (CollisionError, MemoryError):
        raise
    except Exception as problem:  # libraries raise nearly anything on damaged files
        raise FileFormatError(f"{path} must be a valid ONNX model: {reason(problem)}") from problem


def _read(
    path: Path, input_shape: tuple[int, ...] | None, external_data: bool
) -> tuple[fx.GraphModule, tuple[int, ...]]:
    """Reads a file in the first way in which all is known, else in the likeliest of all."""
    model = _load(path, external_data)
    made, problems = [], []
    for batched in batch_readings(model.graph):
        try:
            found = _as_module(model, path, input_shape, batched=batched)
        except (TooLargeError, FileFormatError):
            raise
        except InputError as problem:
            problems.append(problem)
            continue
        if found.whole:
            return found.module, found.shape
        made.append(found)
    if not made:
        raise problems[0]
    return made[0].module, made[0].shape


@dataclass(frozen=True, eq=False)
class _Reading:
    """A module and the shape of one input; `whole`: whether all of its steps are known."""

    module: fx.GraphModule
    shape: tuple[int, ...]
    whole: bool


def _as_module(
    model: "onnx.ModelProto", path: Path, input_shape: tuple[int, ...] | None, *, batched: bool
) -> _Reading:
    constants = {each.name: _array(each, path) for each in model.graph.initializer}
    inputs = read_inputs(model.graph, constants, input_shape, path, batched=batched)
    nodes = _nodes(model.graph)
    users: dict[str, list[Node]] = defaultdict(list)
    for node in nodes:
        for each in node.reads:
            users[each].append(node)
    outputs = [each.name for each in model.graph.output]
    if not outputs:
        raise FileFormatError(f"{path}: expected a network with outputs, got one without")
    builder = Builder(
        opset=_opset(model, path),
        batch=inputs.batch,
        constants=constants,
        known=inferred(model, inputs),
        uses=Counter([each for node in nodes for each in node.reads] + outputs),
        users={each: tuple(found) for each, found in users.items()},
    )
    inputs.start(builder)
    for node in nodes:
        _add(builder, node)
    if loose := [each for each in outputs if each not in builder.values | builder.beyond]:
        raise InputError(f"{path}: expected outputs that depend on the input, got {loose}")
    return _Reading(builder.finish(outputs).eval(), inputs.shape, not builder.beyond)


def _add(builder: Builder, node: Node) -> None:
    """Adds one operator; what it needs is there, since a valid graph is in order."""
    if node.place in builder.done:
        return
    unknown = [builder.beyond[name] for name in node.reads if name in builder.beyond]
    if unknown:
        take_as_unknown(builder, node, unknown[0].reason)
        return
    try:
        if fold(builder, node):
            return
        builder.values |= _made(builder, node)
    except (TooLargeError, FileFormatError):
        raise
    except InputError as problem:
        take_as_unknown(builder, node, str(problem))
    except Exception as problem:  # numpy and torch raise nearly anything on odd attributes
        raise node.misfit(problem) from problem


def _made(builder: Builder, node: Node) -> dict[str, Value]:
    """The outputs of an operator by name; what is not known, or not so, is taken as it is."""
    handler = None if node.proto.domain not in ("", "ai.onnx") else OPERATORS.get(node.op)
    others = [name for name in node.outputs[1:] if builder.uses[name]]
    before, why = set(builder.graph.nodes), ""
    if handler is not None and (not others or node.op == "Split"):
        try:
            made = handler(builder, node)
        except (TooLargeError, FileFormatError):
            raise
        except (InputError, KeyError, IndexError, NotImplementedError) as problem:
            why = str(problem) if isinstance(problem, InputError) else ""
            for step in [each for each in reversed(builder.graph.nodes) if each not in before]:
                builder.graph.erase_node(step)
        else:
            return made if isinstance(made, dict) else {node.outputs[0]: made}
    take_as_it_is(builder, node, why)
    return {}


def _load(path: Path, external_data: bool) -> "onnx.ModelProto":
    try:
        import onnx
        import onnx.inliner
        from google.protobuf.message import DecodeError
    except ImportError as problem:
        raise InputError(
            f"{path}: expected the package onnx, which reads such files, to be installed; "
            "install the extra `onnx`: pip install 'collision-polytopes[onnx]'"
        ) from problem
    check_version("onnx", onnx.__version__, OLDEST, path=path)
    try:
        refuse_foreign(path)
        size = path.stat().st_size
        if not 0 < size <= LARGEST_FILE:
            raise FileFormatError(f"{path}: expected 1 to {LARGEST_FILE:,} bytes, got {size:,}")
        data = path.read_bytes()
    except OSError as problem:
        raise FileFormatError(f"{path} cannot be read: {problem.strerror}") from problem
    try:
        model = onnx.load_model_from_string(data)
    except (DecodeError, ValueError, RuntimeError) as problem:
        raise FileFormatError(
            f"{path} must be an ONNX file ({size:,} bytes): {reason(problem)}"
        ) from problem
    if not model.graph.node:
        raise FileFormatError(f"{path}: expected a network, got an ONNX file without any operator")
    _external(model, path, external_data)
    del model.graph.value_info[:]  # hints, which can be wrong
    try:
        if not all(each.HasField("type") for each in model.graph.output):
            model = onnx.shape_inference.infer_shapes(model)
        onnx.checker.check_model(model, full_check=True)
        model = onnx.inliner.inline_local_functions(model) if model.functions else model
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as problem:
        raise FileFormatError(f"{path} must be a valid ONNX model: {reason(problem)}") from problem
    return _newer(model, path)


def _newer(model: "onnx.ModelProto", path: Path) -> "onnx.ModelProto":
    """A model of an old version as one of `OLDEST_OPSET`, by ONNX's own converter."""
    import onnx

    if _opset(model, path) >= OLDEST_OPSET:
        return model
    for node in model.graph.node:
        # ONNX's converter is wrong about these: it counts the axes behind from the wrong end.
        if {"broadcast", "axis"} <= {each.name for each in node.attribute}:
            raise InputError(
                f"{path}: expected operators of version {OLDEST_OPSET} or newer (opset), or older "
                f"ones without an axis along which they broadcast, got {node.op_type}"
            )
    try:
        import onnx.version_converter

        found = onnx.version_converter.convert_version(model, OLDEST_OPSET)
        onnx.checker.check_model(found, full_check=True)
        return found
    except Exception as problem:  # its own classes
        raise InputError(
            f"{path}: expected operators of version {OLDEST_OPSET} or newer (opset), or such as "
            f"ONNX converts, got {_opset(model, path)}: {reason(problem)}"
        ) from problem


def _external(model: "onnx.ModelProto", path: Path, wanted: bool) -> None:
    """Refuses, or reads, tensors that are kept in other files."""
    import onnx
    from onnx.external_data_helper import load_external_data_for_model, uses_external_data

    names = [each.name for each in model.graph.initializer if uses_external_data(each)]
    held = [node for node in model.graph.node if any(map(_external_attribute, node.attribute))]
    if held:
        raise InputError(f"{path}: expected constants in the file, got {held[0].name!r} elsewhere")
    if not names:
        return
    if not wanted:
        raise InputError(
            f"{path}: expected its tensors in the file, got {len(names)} ({names[0]!r}, ...) in "
            "files beside it; allow that with --external-data"
        )
    try:
        # It refuses other folders, links and absolute paths.
        load_external_data_for_model(model, str(path.resolve().parent))
    except (onnx.checker.ValidationError, OSError, ValueError, RuntimeError) as problem:
        raise FileFormatError(
            f"{path}: its external data cannot be read: {reason(problem)}"
        ) from problem


def _external_attribute(attribute: "onnx.AttributeProto") -> bool:
    from onnx.external_data_helper import uses_external_data

    return attribute.HasField("t") and uses_external_data(attribute.t)


def _opset(model: "onnx.ModelProto", path: Path) -> int:
    import onnx

    for each in model.opset_import:
        if each.domain in ("", "ai.onnx"):
            newest = onnx.defs.onnx_opset_version()
            if not 1 <= each.version <= newest:
                raise InputError(
                    f"{path}: expected operators of version 1 to {newest} (opset), "
                    f"got {each.version}"
                )
            return int(each.version)
    raise FileFormatError(f"{path}: expected an opset of ONNX's own operators, got none")


def _array(found: "onnx.TensorProto", path: Path) -> np.ndarray:
    from onnx import numpy_helper

    try:
        return np.asarray(numpy_helper.to_array(found))
    except (ValueError, TypeError, KeyError) as problem:
        raise FileFormatError(f"{path}: tensor {found.name!r}: {reason(problem)}") from problem


def _nodes(graph: "onnx.GraphProto") -> list[Node]:
    """The operators, in order."""
    from onnx import numpy_helper

    def value(attribute: "onnx.AttributeProto") -> Any:
        import onnx

        found = onnx.helper.get_attribute_value(attribute)
        return numpy_helper.to_array(found) if isinstance(found, onnx.TensorProto) else found

    nodes, taken = [], set[str]()
    for index, each in enumerate(graph.node):
        called = f" {each.name!r}" if each.name else ""
        place = f"node {index}{called} ({each.op_type})"
        nodes.append(
            Node(
                op=each.op_type,
                name=module_name(each.name, each.op_type, index, taken=taken),
                place=place,
                inputs=tuple(each.input),
                outputs=tuple(each.output),
                attributes={a.name: value(a) for a in each.attribute},
                proto=each,
                captured=tuple(captured(each)),
            )
        )
    return nodes
