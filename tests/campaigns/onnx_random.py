"""Does the ONNX reader compute what a runtime computes?  Random graphs against onnxruntime.

    python -m tests.campaigns.onnx_random --count 2000 --seed 0

Every graph is a chain of up to eight operators with branches that meet again, on a vector, a
matrix, a series or an image, with and without a batch axis; all names that stand for floats are
outputs, so that a difference is seen where it arises.  Prints how often each operator occurred,
how many graphs were refused and why, and each difference.  Exit code 0 if there is none.
"""

import argparse
import sys
import tempfile
import warnings
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import TensorProto, helper, numpy_helper

from experiments.models.onnx.reader import read_onnx
from polytope.errors import InputError

STARTS = ([1, 6], [6], [1, 3, 8], [1, 2, 6, 7], [2, 5], [1, 4, 1, 3], [3, 4, 4])
BATCH = 2  # inputs that the module is given at once


@dataclass
class Graph:
    """A graph that grows by one operator at a time; shapes are those that onnxruntime found."""

    random: np.random.Generator
    start: list[int]
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    weights: dict[str, np.ndarray] = field(default_factory=dict)
    shapes: dict[str, tuple[int, ...]] = field(default_factory=dict)

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
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, self.start)],
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
        factor = float(g.random.choice([1.0, 0.5, 0.3]))
        transposed = int(g.random.integers(2))
        size = (units, shape[-1]) if transposed else (shape[-1], units)
        return g.add(
            "Gemm", [x, g.numbers(*size), g.numbers(units)], transB=transposed, alpha=factor
        )
    if g.random.random() < 0.2 and len(shape) in (1, 2):
        return g.add("MatMul", [g.numbers(units, shape[0]), x])
    return g.add("MatMul", [x, g.numbers(shape[-1], units)])


def _convolution(g: Graph, x: str, shape: tuple[int, ...]) -> list[str]:
    axes = len(shape) - 2
    kernel = [int(g.random.integers(1, min(3, size) + 1)) for size in shape[2:]]
    pads = g.random.integers(0, 2, 2 * axes).tolist()
    strides = g.random.integers(1, 3, axes).tolist()
    channels = int(g.random.integers(1, 4))
    if g.random.random() < 0.25:
        weight = g.numbers(shape[1], channels, *kernel)
        return g.add("ConvTranspose", [x, weight], strides=strides)
    inputs = [x, g.numbers(channels, shape[1], *kernel)]
    inputs += [g.numbers(channels)] if g.random.random() < 0.5 else []
    return g.add("Conv", inputs, pads=pads, strides=strides)


def _pool(g: Graph, x: str, shape: tuple[int, ...]) -> list[str]:
    kernel = [int(g.random.integers(1, min(3, size) + 1)) for size in shape[2:]]
    given = {"kernel_shape": kernel, "strides": g.random.integers(1, 3, len(kernel)).tolist()}
    if g.random.random() < 0.5:
        given["pads"] = [int(g.random.integers(0, k)) for k in kernel * 2]
    if g.random.random() < 0.5:
        return g.add("MaxPool", [x], ceil_mode=int(g.random.integers(2)), **given)
    return g.add("AveragePool", [x], count_include_pad=int(g.random.integers(2)), **given)


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
    kinds += ["Abs", "Neg", "Sign", "Identity", "Softsign"]
    if g.random.random() < 0.2:
        ends = [g.constant(0, "float32")]
        ends += [g.constant(float(g.random.choice([6, 1])), "float32")][: g.random.integers(2)]
        return g.add("Clip", [x, *ends])
    if g.random.random() < 0.1:
        return g.add("Max", [x, g.constant(np.zeros(1), "float32")])
    return g.add(str(g.random.choice(kinds)), [x])


def _shape(g: Graph, x: str, shape: tuple[int, ...]) -> list[str]:
    kind = int(g.random.integers(8))
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
    pads = g.random.integers(0, 2, 2 * len(shape))
    pads[[0, len(shape)]] = 0
    return g.add("Pad", [x, g.constant(pads), g.constant(g.random.choice([0.0, 1.5]), "float32")])


def _join(g: Graph, x: str, shape: tuple[int, ...]) -> list[str]:
    axis = int(g.random.integers(len(shape)))
    same = [name for name, other in g.shapes.items() if other == shape]
    other = str(g.random.choice(same))
    if g.random.random() < 0.5:
        return g.add(str(g.random.choice(["Add", "Sum", "Sub", "Mul"])), [x, other])
    return g.add("Concat", [x, other], axis=axis)


def _reduce(g: Graph, x: str, shape: tuple[int, ...]) -> list[str]:
    axis = int(g.random.integers(len(shape)))
    keep = int(g.random.integers(2)) if len(shape) > 1 else 1
    kind = str(g.random.choice(["ReduceMean", "ReduceMax", "ReduceL1"]))
    return g.add(kind, [x], axes=[axis], keepdims=keep)


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
    found += [_split, _softmax]
    if len(shape) in (3, 4):
        found += [_convolution, _convolution, _pool]
    if len(shape) >= 2:
        found.append(_norm)
    return found


def grown(seed: int, place: Path) -> tuple[Graph, list[str]]:
    """Returns a random graph and the names that are its outputs."""
    random = np.random.default_rng(seed)
    start = list(STARTS[int(random.integers(len(STARTS)))])
    g = Graph(random, start, shapes={"x": tuple(start)})
    names: list[str] = []
    for _ in range(int(random.integers(2, 9))):
        x = str(random.choice(list(g.shapes)[-3:]))
        kinds = steps_for(g.shapes[x])
        nodes, weights = list(g.nodes), dict(g.weights)
        made = kinds[int(random.integers(len(kinds)))](g, x, g.shapes[x])
        found = _run(g, [*names, *made], place, np.zeros(start, np.float32)) if made else None
        if found is None or any(each.size > 5000 or not each.size for each in found):
            g.nodes, g.weights = nodes, weights
            continue
        names += made
        g.shapes |= {n: each.shape for n, each in zip(names, found, strict=True)}
        g.shapes = {n: s for n, s in g.shapes.items() if s}
    return g, names


def _run(g: Graph, names: list[str], place: Path, x: np.ndarray) -> list[np.ndarray] | None:
    """What onnxruntime computes; None where it takes no such graph."""
    try:
        onnx.save(g.model(names), place)
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4
        session = onnxruntime.InferenceSession(
            str(place), options, providers=["CPUExecutionProvider"]
        )
        return list(session.run(names, {"x": x}))
    except Exception:  # the runtime's own classes; the graph is not to be used
        return None


def compared(seed: int, place: Path, tally: Counter[str]) -> str:
    """Returns what differs in one graph, or "" where nothing does."""
    g, names = grown(seed, place)
    if not names:
        return ""
    onnx.save(g.model(names), place)
    tally.update(node.op_type for node in g.nodes)
    try:
        net, shape = read_onnx(place)
    except InputError as problem:
        tally[f"refused: {str(problem).partition('expected')[2][:60]}"] += 1
        return ""
    whole = np.prod(shape) != np.prod(g.start)  # the file's first axis counts inputs
    size = g.start[0] if whole else BATCH
    batch = np.random.default_rng([seed, 1]).standard_normal((size, *shape)).astype(np.float32)
    try:
        with torch.no_grad():
            found = net(torch.from_numpy(batch))
    except InputError as problem:  # the reference implementation's own fault
        tally[f"not run: {str(problem).partition('expected')[2][:60]}"] += 1
        return ""
    except Exception as problem:
        return f"graph {seed}: {type(problem).__name__}: {problem}"[:200]
    found = found if isinstance(found, tuple) else (found,)
    for i, one in enumerate([batch] if whole else batch):
        theirs = _run(g, names, place, one.reshape(g.start))
        assert theirs is not None
        for name, ours, other in zip(names, found, theirs, strict=True):
            if not whole and len(ours) != size:
                return f"graph {seed}: {name} has {len(ours)} entries for {size} inputs"
            mine = ours.numpy().ravel() if whole else ours.numpy()[i].ravel()
            scale = 1 + float(np.abs(other[np.isfinite(other)]).max(initial=0))
            if mine.size != other.size or not np.allclose(
                mine, other.ravel(), rtol=1e-3, atol=1e-4 * scale, equal_nan=True
            ):
                op = next(node.op_type for node in g.nodes if name in node.output)
                return f"graph {seed}: {name} ({op}) differs"
    tally["graphs compared"] += 1
    return ""


def run(count: int, seed: int = 0) -> tuple[Counter[str], list[str]]:
    """Returns what occurred, and every difference."""
    tally: Counter[str] = Counter()
    wrong = []
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # numpy's, in the reference: log of 0 and the like
        for i in range(count):
            difference = compared(seed * 1_000_000 + i, Path(folder) / "net.onnx", tally)
            if difference:
                wrong.append(difference)
                print(difference, flush=True)
    return tally, wrong


def main(argv: list[str] | None = None) -> int:
    """Runs the campaign."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(argv)
    tally, wrong = run(options.count, options.seed)
    for name, times in sorted(tally.items()):
        print(f"{times:8,}  {name}")
    print(f"{len(wrong)} differences in {tally['graphs compared'] + len(wrong):,} graphs")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
