"""Which layers of an ONNX graph stand in front of a ReLU, and what does onnxruntime see there?

Written apart from the reader: a walk over names, back from every ReLU.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import prod

import numpy as np
import onnx
from onnx import helper, numpy_helper

#: The input that is the data, of operators that have weights.
WEIGHTED = ("Gemm", "MatMul", "Conv", "ConvTranspose")
#: Steps between a layer and its ReLU after which every unit is still one number.
ARITHMETIC = ("Add", "Sub", "Mul", "Div", "BatchNormalization")
LAYOUT = ("Reshape", "Flatten", "Squeeze", "Unsqueeze", "Identity", "Dropout")


@dataclass(frozen=True)
class Weighted:
    """A layer in front of a ReLU.

    Attributes:
        index: of its operator.
        tensors: what enters it, in front of zeros that a Pad puts around it, and what enters the
            ReLU, or the max-pool in front of that.
    """

    index: int
    tensors: tuple[str, str]


@dataclass(frozen=True, eq=False)
class Public:
    """An ONNX graph.

    Attributes:
        model: as the file has it.
        constants: names that do not depend on the input.
        weighted: the layers in front of a ReLU.
        sums: operators of the layers that a sum in front of a ReLU adds up -> what enters the ReLU.
    """

    model: onnx.ModelProto
    constants: frozenset[str]
    weighted: tuple[Weighted, ...]
    sums: Mapping[frozenset[int], str]

    @classmethod
    def of(cls, model: onnx.ModelProto) -> Public:
        """The graph of a file."""
        constants = {each.name for each in model.graph.initializer} | {""}
        for node in model.graph.node:
            if all(name in constants for name in node.input):
                constants.update(node.output)
        makers = {name: i for i, n in enumerate(model.graph.node) for name in n.output}
        found: dict[int, Weighted] = {}
        sums: dict[frozenset[int], str] = {}
        for node in model.graph.node:
            name = _rectified(node, model, constants)
            if name is not None:
                sums[frozenset(_added_up(name, model, constants, makers))] = name
                for each in _behind(name, model, constants, makers):
                    found[each.index] = each
        ordered = tuple(found[index] for index in sorted(found))
        return cls(model, frozenset(constants), ordered, sums)

    def at(self, index: int | None) -> Weighted | None:
        """The layer whose operator has a place."""
        return next((each for each in self.weighted if each.index == index), None)

    @property
    def entries(self) -> list[onnx.ValueInfoProto]:
        """The inputs that are no weights."""
        return [each for each in self.model.graph.input if each.name not in self.constants]

    def sizes(self, entry: onnx.ValueInfoProto) -> list[int]:
        """Of an input, 0 where they are open."""
        return [max(0, dim.dim_value) for dim in entry.type.tensor_type.shape.dim]

    @property
    def open(self) -> bool:
        """Whether the file leaves sizes open behind the first one."""
        return any(0 in self.sizes(each)[1:] for each in self.entries)

    def closed(self, size: int) -> tuple[int, ...] | None:
        """The shape of one input with a size for those left open."""
        return tuple(each or size for each in self.sizes(self.entries[0])[1:])

    def inputs(self, shape: tuple[int, ...], random: np.random.Generator) -> np.ndarray:
        """As many random inputs as the file's first axis counts: (n, *shape)."""
        whole = sum(prod(size or 1 for size in self.sizes(each)) for each in self.entries)
        return random.random((max(1, whole // prod(shape)), *shape)).astype(np.float32)

    def runner(self, names: Sequence[str]) -> Callable[[np.ndarray], dict[str, np.ndarray]]:
        """What onnxruntime, as the graph stands, gives for named tensors of it."""
        import onnxruntime

        wanted = list(dict.fromkeys(names))
        own = {each.name for each in self.entries}
        model = onnx.ModelProto()
        model.CopyFrom(self.model)
        known = {each.name for each in model.graph.output}
        model.graph.output.extend(
            onnx.ValueInfoProto(name=name) for name in wanted if name not in known | own
        )
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        options.log_severity_level = 4
        options.intra_op_num_threads = 1
        session = onnxruntime.InferenceSession(
            model.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )

        def run(batch: np.ndarray) -> dict[str, np.ndarray]:
            given = self._given(batch)
            asked = [name for name in wanted if name not in own]
            return given | dict(zip(asked, session.run(asked, given), strict=True))

        return run

    def _given(self, batch: np.ndarray) -> dict[str, np.ndarray]:
        """The file's inputs: several of them are one row of numbers, one behind the other."""
        given, first = {}, 0
        flat = batch.reshape(len(batch), -1)
        for each in self.entries:
            sizes = self.sizes(each)
            kind = helper.tensor_dtype_to_np_dtype(each.type.tensor_type.elem_type)
            if len(self.entries) == 1:
                shape = batch.shape if len(sizes) == batch.ndim else batch.shape[1:]
                given[each.name] = batch.reshape(shape).astype(kind)
                continue
            whole = [size or 1 for size in sizes]
            count = prod(whole) // len(batch)
            given[each.name] = flat[:, first : first + count].reshape(whole).astype(kind)
            first += count
        return given


def _rectified(node: onnx.NodeProto, model: onnx.ModelProto, constants: set[str]) -> str | None:
    """What a ReLU rectifies, in whatever way it is written."""
    if node.op_type == "Relu":
        return str(node.input[0])
    if node.op_type == "Max" and len(node.input) == 2:
        data = [name for name in node.input if name not in constants]
        zero = [_numbers(name, model) for name in node.input if name in constants]
        if len(data) == 1 and zero[0] is not None and not np.any(zero[0]):
            return data[0]
    if node.op_type == "Clip":
        ends = {each.name: helper.get_attribute_value(each) for each in node.attribute}
        least = ends.get("min")
        if least is None and len(node.input) > 1:
            least = _numbers(node.input[1], model)
        most = "max" in ends or (len(node.input) > 2 and node.input[2])
        if least is not None and not np.any(least) and not most:
            return str(node.input[0])
    return None


def _numbers(name: str, model: onnx.ModelProto) -> np.ndarray | None:
    for each in model.graph.initializer:
        if each.name == name:
            return np.asarray(numpy_helper.to_array(each))
    for node in model.graph.node:
        if node.op_type == "Constant" and name in node.output and node.attribute[0].name == "value":
            return np.asarray(numpy_helper.to_array(node.attribute[0].t))
    return None


def _behind(
    name: str, model: onnx.ModelProto, constants: set[str], makers: dict[str, int]
) -> Iterator[Weighted]:
    """The layer whose numbers, through steps of each of them alone, are those of `name`."""
    end, pooled = name, False
    while name in makers:
        index = makers[name]
        node = model.graph.node[index]
        data = [each for each in node.input if each not in constants]
        if node.op_type in WEIGHTED and len(data) == 1:
            source = data[0]
            while node.op_type == "Conv" and source in makers:
                before = model.graph.node[makers[source]]
                if not _is_border(before, model):
                    break
                source = before.input[0]
            yield Weighted(index, (source, end))
            return
        if node.op_type == "MaxPool":
            pooled = True
        elif node.op_type in ARITHMETIC and pooled:
            return  # a pool in the middle: no layer in front of a ReLU
        elif node.op_type not in ARITHMETIC + LAYOUT or len(data) != 1:
            return
        name = data[0]
        if node.op_type == "MaxPool":
            end = name


def _is_border(node: onnx.NodeProto, model: onnx.ModelProto) -> bool:
    """Does it put zeros around an image or the like, and nothing around channels?"""
    if node.op_type != "Pad":
        return False
    given = {each.name: helper.get_attribute_value(each) for each in node.attribute}
    pads = given.get("pads")
    if pads is None and len(node.input) > 1:
        pads = _numbers(node.input[1], model)
    fill = given.get("value", 0.0)
    if len(node.input) > 2 and node.input[2]:
        fill = _numbers(node.input[2], model)
    if pads is None or fill is None or given.get("mode", b"constant") != b"constant":
        return False
    sizes = np.asarray(pads).reshape(2, -1)
    return not np.any(fill) and not sizes[:, :2].any() and len(node.input) < 4


def _added_up(
    name: str, model: onnx.ModelProto, constants: set[str], makers: dict[str, int]
) -> Iterator[int]:
    """The operators of the layers that are summands of `name`, itself one where it is no sum.

    What is read in another place as well is a summand as it is.
    """
    if name not in makers:
        return
    node = model.graph.node[makers[name]]
    data = [each for each in node.input if each not in constants]
    if node.op_type in WEIGHTED and len(data) == 1:
        yield makers[name]
    elif node.op_type in ("Add", "Sub", "Sum") or (
        node.op_type in ARITHMETIC + LAYOUT and len(data) == 1
    ):
        for each in data:
            if sum(list(other.input).count(each) for other in model.graph.node) == 1:
                yield from _added_up(each, model, constants, makers)
