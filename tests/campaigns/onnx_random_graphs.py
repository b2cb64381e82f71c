"""Random ONNX graphs: a chain of up to eight operators with branches that meet again.

A step proposes one operator for a tensor of some shape; what onnxruntime does not take is dropped.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

STARTS = ([1, 6], [6], [1, 3, 8], [1, 2, 6, 7], [2, 5], [1, 4, 1, 3], [3, 4, 4], [1, 2, 3, 4, 3])


@dataclass
class Graph:
    """A graph that grows by one operator at a time; shapes are those that onnxruntime found."""

    random: np.random.Generator
    start: list[int]
    second: list[int] = field(default_factory=list)
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    weights: dict[str, np.ndarray] = field(default_factory=dict)
    shapes: dict[str, tuple[int, ...]] = field(default_factory=dict)

    @property
    def inputs(self) -> dict[str, list[int]]:
        """Its inputs, mostly one."""
        return {"x": self.start, "s": self.second} if self.second else {"x": self.start}

    def given(self, one: np.ndarray) -> dict[str, np.ndarray]:
        """An input of the module as the file's: a row of numbers where there are several.

        Args:
            one: (*input), or (n, *input) where the file's first axis counts inputs.
        """
        if not self.second:
            return {"x": one.reshape(self.start)}
        rows = one.reshape(-1, one.shape[-1])
        first = int(np.prod(self.start)) // len(rows)
        parts = rows[:, :first], rows[:, first:]
        return {"x": parts[0].reshape(self.start), "s": parts[1].reshape(self.second)}

    def numbers(self, *shape: int) -> str:
        """Adds random weights and returns their name."""
        name = f"w{len(self.weights)}"
        self.weights[name] = self.random.standard_normal(shape).astype(np.float32)
        return name

    def constant(self, values: Any, kind: str = "int64") -> str:
        """Adds given numbers and returns their name."""
        name = f"w{len(self.weights)}"
        self.weights[name] = np.asarray(values, dtype=kind)
        return name

    def add(self, op: str, inputs: list[str], outputs: int = 1, **given: Any) -> list[str]:
        """Adds an operator and returns its outputs' names."""
        names = [f"n{len(self.nodes)}_{i}" for i in range(outputs)]
        self.nodes.append(helper.make_node(op, inputs, names, **given))
        return names

    def model(self, outputs: list[str]) -> onnx.ModelProto:
        """The graph with these outputs."""
        graph = helper.make_graph(
            self.nodes,
            "random",
            [
                helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
                for name, shape in self.inputs.items()
            ],
            [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs],
            [numpy_helper.from_array(value, name) for name, value in self.weights.items()],
        )
        opsets = [helper.make_opsetid("", 17)]
        made = helper.make_model(graph, opset_imports=opsets, ir_version=8)
        return onnx.shape_inference.infer_shapes(made)


Step = Callable[[Graph, str, tuple[int, ...]], list[str]]


def _linear(g: Graph, x: str, shape: tuple[int, ...]) -> list[str]:
    units = int(g.random.integers(1, 6))
    if g.random.random() < 0.3 and len(shape) == 2:
        factor, turned = float(g.random.choice([1.0, 0.5, 0.3])), int(g.random.random() < 0.2)
        transposed, inputs = int(g.random.integers(2)), shape[0] if turned else shape[1]
        size = (units, inputs) if transposed else (inputs, units)
        given = {"transA": turned, "transB": transposed, "alpha": factor}
        beta = float(g.random.choice([1.0, 2.0]))
        return g.add("Gemm", [x, g.numbers(*size), g.numbers(units)], beta=beta, **given)
    if g.random.random() < 0.2:
        return g.add("MatMul", [g.numbers(units, shape[max(0, len(shape) - 2)]), x])
    return g.add("MatMul", [x, g.numbers(shape[-1], units)])


def _convolution(g: Graph, x: str, shape: tuple[int, ...]) -> list[str]:
    axes = len(shape) - 2
    kernel = [int(g.random.integers(1, min(3, size) + 1)) for size in shape[2:]]
    strides = g.random.integers(1, 3, axes).tolist()
    channels = int(g.random.integers(1, 4))
    groups = shape[1] if g.random.random() < 0.2 else 1
    pads = g.random.integers(0, 2, 2 * axes).tolist()
    given: dict[str, Any] = {"pads": pads, "strides": strides, "group": groups}
    if g.random.random() < 0.2:
        given["dilations"] = [2] * axes
    elif g.random.random() < 0.2:
        del given["pads"]
        given["auto_pad"] = str(g.random.choice(["SAME_UPPER", "SAME_LOWER", "VALID"]))
    if g.random.random() < 0.25:
        weight = g.numbers(shape[1], channels, *kernel)
        given = {"strides": strides, "group": groups}
        if g.random.random() < 0.3:
            given["output_padding"] = [size - 1 for size in strides]
        return g.add("ConvTranspose", [x, weight], **given)
    inputs = [x, g.numbers(channels * groups, shape[1] // groups, *kernel)]
    inputs += [g.numbers(channels * groups)] if g.random.random() < 0.5 else []
    return g.add("Conv", inputs, **given)


def _pool(g: Graph, x: str, shape: tuple[int, ...]) -> list[str]:
    kernel = [int(g.random.integers(1, min(3, size) + 1)) for size in shape[2:]]
    given = {"kernel_shape": kernel, "strides": g.random.integers(1, 3, len(kernel)).tolist()}
    if g.random.random() < 0.5:
        given["pads"] = [int(g.random.integers(0, k)) for k in kernel * 2]
    if g.random.random() < 0.5:
        return g.add("MaxPool", [x], ceil_mode=int(g.random.integers(2)), **given)
    return g.add("AveragePool", [x], count_include_pad=int(g.random.integers(2)), **given)


def _global(g: Graph, x: str, shape: tuple[int, ...]) -> list[str]:
    if g.random.random() < 0.3:
        return g.add("LRN", [x], size=int(g.random.choice([1, 2, 3])), alpha=0.1, bias=2.0)
    return g.add(str(g.random.choice(["GlobalAveragePool", "GlobalMaxPool"])), [x])


def _arithmetic(g: Graph, x: str, shape: tuple[int, ...]) -> list[str]:
    op = str(g.random.choice(["Add", "Sub", "Mul", "Div"]))
    own = [size if g.random.random() < 0.6 else 1 for size in shape]
    own = own[int(g.random.integers(len(own) + 1)) :]
    if g.random.random() < 0.1:
        own = [int(g.random.integers(1, 3)), *[1] * (len(shape) - len(own)), *own]
    weight = g.numbers(*own)
    if op == "Div":
        g.weights[weight] = np.abs(g.weights[weight]) + np.float32(0.5)
    sides = [x, weight] if op == "Div" or g.random.random() < 0.7 else [weight, x]
    return g.add(op, sides)


def _activation(g: Graph, x: str, shape: tuple[int, ...]) -> list[str]:
    kinds = ["Relu", "Relu", "Sigmoid", "Tanh", "LeakyRelu", "Elu", "Softplus", "HardSigmoid"]
    kinds += ["Abs", "Neg", "Sign", "Identity", "Softsign", "Exp", "Erf", "Sin", "Cos", "Dropout"]
    kinds += ["HardSwish", "Selu", "ThresholdedRelu", "Floor", "Mish", "Celu", "Round"]
    if g.random.random() < 0.2:
        ends = [g.constant(0, "float32")]
        ends += [g.constant(float(g.random.choice([6, 1])), "float32")][: g.random.integers(2)]
        return g.add("Clip", [x, *ends])
    if g.random.random() < 0.1:
        return g.add("Max", [x, g.constant(np.zeros(1), "float32")])
    return g.add(str(g.random.choice(kinds)), [x])


def _shape(g: Graph, x: str, shape: tuple[int, ...]) -> list[str]:
    kind = int(g.random.integers(10))
    axis = int(g.random.integers(len(shape)))
    size = int(np.prod(shape))
    if kind == 0:
        return g.add("Flatten", [x], axis=int(g.random.integers(len(shape) + 1)))
    if kind == 1:
        wanted = [[1, -1], [-1], [size, 1], [1, size, 1], [1, 1, -1]]
        return g.add("Reshape", [x, g.constant(wanted[int(g.random.integers(5))])])
    if kind == 2:
        return g.add("Transpose", [x], perm=g.random.permutation(len(shape)).tolist())
    if kind == 3:
        first = int(g.random.integers(shape[axis]))
        last = int(g.random.integers(first, shape[axis])) + 1
        step = int(g.random.integers(1, 3))
        parts = [g.constant([v]) for v in (first, last, axis, step)]
        return g.add("Slice", [x, *parts])
    if kind == 4:
        places = g.random.integers(-shape[axis], shape[axis], int(g.random.integers(1, 4)))
        index = places if g.random.random() < 0.7 else places[0]
        return g.add("Gather", [x, g.constant(index)], axis=axis)
    if kind == 5 and len(shape) < 4:
        return g.add("Unsqueeze", [x, g.constant([axis])])
    if kind == 6:
        return g.add("Squeeze", [x]) if 1 in shape and len(shape) > 1 else []
    if kind == 8:
        wider = [int(g.random.integers(1, 4)) if size == 1 else size for size in shape]
        return g.add("Expand", [x, g.constant(wider if g.random.random() < 0.8 else [2, *wider])])
    pads = g.random.integers(0, 2, 2 * len(shape))
    pads[[0, len(shape)]] = 0
    return g.add("Pad", [x, g.constant(pads), g.constant(g.random.choice([0.0, 1.5]), "float32")])


def _join(g: Graph, x: str, shape: tuple[int, ...]) -> list[str]:
    axis = int(g.random.integers(len(shape)))
    same = [name for name, other in g.shapes.items() if other == shape]
    other = str(g.random.choice(same))
    if g.random.random() < 0.5:
        return g.add(str(g.random.choice(["Add", "Sum", "Sub", "Mul", "Max", "Min"])), [x, other])
    if g.random.random() < 0.2:
        (same_sign,) = g.add("Greater", [x, other])
        return g.add("Where", [same_sign, x, other])
    return g.add("Concat", [x, other], axis=axis)


def _reduce(g: Graph, x: str, shape: tuple[int, ...]) -> list[str]:
    axis = int(g.random.integers(len(shape)))
    keep = int(g.random.integers(2)) if len(shape) > 1 else 1
    kinds = ["ReduceMean", "ReduceMax", "ReduceMin", "ReduceL1", "ReduceL2", "ReduceSum"]
    kind = str(g.random.choice(kinds))
    if kind == "ReduceSum":
        return g.add(kind, [x, g.constant([axis])], keepdims=keep)
    return g.add(kind, [x], axes=[axis], keepdims=keep)


def _others(g: Graph, x: str, shape: tuple[int, ...]) -> list[str]:
    """Operators that torch is not asked for."""
    axis, kind = int(g.random.integers(len(shape))), int(g.random.integers(6))
    if kind == 0:
        return g.add("CumSum", [x, g.constant(axis)])
    if kind == 1:
        (sorted_, _) = g.add("TopK", [x, g.constant([1])], outputs=2, axis=axis)
        return [sorted_]
    if kind == 2:
        repeats = [int(g.random.integers(1, 3)) if i else 1 for i in range(len(shape))]
        return g.add("Tile", [x, g.constant(repeats)])
    if kind == 3:
        (doubled,) = g.add("Cast", [x], to=TensorProto.DOUBLE)
        return g.add("Cast", [doubled], to=TensorProto.FLOAT)
    if kind == 4:
        (places,) = g.add("ArgMax", [x], axis=axis)
        return g.add("Cast", [places], to=TensorProto.FLOAT)
    (sizes,) = g.add("Shape", [x])
    return g.add("Reshape", [x, sizes])


def _split(g: Graph, x: str, shape: tuple[int, ...]) -> list[str]:
    axis = int(g.random.integers(len(shape)))
    if shape[axis] < 2:
        return []
    first = int(g.random.integers(1, shape[axis]))
    return g.add("Split", [x, g.constant([first, shape[axis] - first])], outputs=2, axis=axis)


def _norm(g: Graph, x: str, shape: tuple[int, ...]) -> list[str]:
    channels = shape[1]
    numbers = [g.numbers(channels) for _ in range(4)]
    g.weights[numbers[3]] = np.abs(g.weights[numbers[3]]) + np.float32(0.1)
    return g.add("BatchNormalization", [x, *numbers])


def _softmax(g: Graph, x: str, shape: tuple[int, ...]) -> list[str]:
    return g.add("Softmax", [x], axis=int(g.random.integers(len(shape))))


def steps_for(shape: tuple[int, ...]) -> list[Step]:
    """Operators that a tensor of this shape can enter."""
    found: list[Step] = [_linear, _arithmetic, _activation, _activation, _shape, _join, _reduce]
    found += [_split, _softmax, _others]
    if len(shape) in (3, 4, 5):
        found += [_convolution, _convolution, _pool, _global]
    if len(shape) >= 2:
        found.append(_norm)
    return found


def grown(seed: int, place: Path) -> tuple[Graph, list[str]]:
    """Returns a random graph and the names that are its outputs."""
    random = np.random.default_rng(seed)
    start = list(STARTS[int(random.integers(len(STARTS)))])
    second = list(start) if random.random() < 0.15 else []
    g = Graph(random, start, second)
    g.shapes |= {name: tuple(shape) for name, shape in g.inputs.items()}
    names: list[str] = []
    for _ in range(int(random.integers(2, 9))):
        x = str(random.choice(list(g.shapes)[-3:]))
        kinds = steps_for(g.shapes[x])
        nodes, weights = list(g.nodes), dict(g.weights)
        kind = kinds[int(random.integers(len(kinds)))]
        made = kind(g, x, g.shapes[x])
        zeros = np.zeros(sum(int(np.prod(shape)) for shape in g.inputs.values()), np.float32)
        found = run(g, [*names, *made], place, zeros) if made else None
        if found is None or any(each.size > 5000 or not each.size for each in found):
            g.nodes, g.weights = nodes, weights
            continue
        names += made
        rectify = kind in (_linear, _convolution) and random.random() < 0.5
        if rectify and (after := run(g, [*names, *g.add("Relu", made)], place, zeros)):
            names.append(g.nodes[-1].output[0])
            found = after
        g.shapes |= {n: each.shape for n, each in zip(names, found, strict=True)}
        g.shapes = {n: s for n, s in g.shapes.items() if s}
    return g, names


def run(g: Graph, names: list[str], place: Path, x: np.ndarray) -> list[np.ndarray] | None:
    """What onnxruntime computes of one input; None where it takes no such graph."""
    try:
        onnx.save(g.model(names), place)
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4
        session = onnxruntime.InferenceSession(
            str(place), options, providers=["CPUExecutionProvider"]
        )
        return list(session.run(names, g.given(x)))
    except Exception:  # the runtime's own classes; the graph is not to be used
        return None
