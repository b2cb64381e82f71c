"""Is one ONNX file read as it is?  One process that takes file after file, its memory bounded.

For each line of JSON on standard input (`path`) it answers one line: whether the file holds a
ReLU fed by a weighted layer, whether our reader takes it, which layers it offers, and how far
what enters and leaves each of them is from what onnxruntime computes there.  Which layers stand in
front of a ReLU, and which tensors are theirs, is found here from the file itself.
"""

from __future__ import annotations

import errno
import gc
import gzip
import json
import resource
import sys
import tempfile
import warnings
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch

from experiments.models.onnx.nodes import module_name
from experiments.models.registry import load_model
from optimize import other_layers, relu_layers
from optimize.model.graph import LayerCall
from optimize.model.opened import OpenedNetwork
from polytope.errors import CollisionError
from tests.campaigns.public_network_graph import Public

SEED = 5
#: Tried for sizes that a file leaves open.
OPEN_SIZES = (32, 224, 8)
POINTER = b"version https://git-lfs"


@dataclass(kw_only=True)
class Answer:
    """What is said of one file.

    Attributes:
        path: of it.
        verdict: "read", "no layer" and so on.
        reason: why it is not read.
        weighted: layers in front of a ReLU in the file.
        offered: layers that the reader offers, sums among them.
        sums: of these, sums of branches.
        others: layers that it lists with a reason.
        refused: of those in front of a ReLU, the ones that are not offered.
        difference, place: the largest difference at a layer, relative, and where.
        outputs: the same of the network's outputs.
        not_compared: why they, or the layers, are not compared.
    """

    path: str
    verdict: str = "no layer"
    reason: str = ""
    weighted: int = 0
    offered: int = 0
    sums: int = 0
    others: dict[str, str] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)
    difference: float = 0.0
    place: str = ""
    outputs: float | None = None
    not_compared: str = ""


def examined(path: Path) -> Answer:
    """Reads one file and holds it against onnxruntime."""
    answer = Answer(path=str(path))
    data = path.read_bytes()
    if not data or data.startswith(POINTER):
        words = "a pointer to a file that is kept elsewhere" if data else "an empty file"
        answer.verdict, answer.reason = "not had", words
        return answer
    if path.suffix == ".gz":
        data = gzip.decompress(data)
    try:
        public = Public.of(onnx.load_model_from_string(data))
    except Exception as problem:  # whatever protobuf says of a damaged file
        answer.verdict, answer.reason = "damaged", f"onnx: {problem}"
        return answer
    answer.weighted = len(public.weighted)
    with tempfile.TemporaryDirectory() as folder:
        own = Path(folder) / "net.onnx"
        own.write_bytes(data)
        try:
            _read(own, public, answer)
        except CollisionError as problem:  # where memory runs out, the process ends
            answer.verdict = "refused"
            answer.reason = str(problem).replace(f"{own}", "the file")
    return answer


def _read(path: Path, public: Public, answer: Answer) -> None:
    shapes = [None, *(public.closed(size) for size in OPEN_SIZES)] if public.open else [None]
    for shape in shapes:
        try:
            loaded = load_model(str(path), input_shape=shape)
            break
        except CollisionError as problem:
            if shape is shapes[-1] or (shape is None and "input-shape" not in str(problem)):
                raise
    assert loaded.input_shape is not None
    opened = OpenedNetwork(loaded.module)
    names = [each.name for each in relu_layers(opened, loaded.input_shape)]
    answer.others = {each.name: each.reason for each in other_layers(opened, loaded.input_shape)}
    answer.verdict, answer.offered = "read", len(names)
    answer.sums = sum(len(each.parts) > 1 for each in opened.calls if not each.reason)
    called = torch_names(public)
    wanted = [called[each.index] for each in public.weighted]
    answer.refused = [name for name in wanted if name not in names]
    try:
        if names:
            _compare(opened, loaded.input_shape, public, answer)
        _compare_outputs(loaded.module, loaded.input_shape, public, answer)
    except (CollisionError, *_runtime_errors()) as problem:
        answer.not_compared = str(problem).strip().partition("\n")[0]


def _runtime_errors() -> tuple[type[Exception], ...]:
    """What onnxruntime raises of a file that it does not take."""
    from onnxruntime.capi import onnxruntime_pybind11_state as state

    names = ("Fail", "InvalidArgument", "InvalidGraph", "NotImplemented", "RuntimeException")
    return tuple(getattr(state, name) for name in names)


def _compare_outputs(
    module: torch.nn.Module, shape: tuple[int, ...], public: Public, answer: Answer
) -> None:
    """Holds what the network gives against onnxruntime; a sign decided by rounding can differ."""
    names = [each.name for each in public.model.graph.output]
    batch = public.inputs(shape, np.random.default_rng(SEED))
    theirs = public.runner(names)(batch)
    kind = next((p.dtype for p in module.parameters() if p.is_floating_point()), torch.float32)
    with torch.no_grad():
        found = module(torch.from_numpy(batch).to(kind))
    ours = found if isinstance(found, tuple) else (found,)
    distances = [
        _distance(one.numpy(), theirs[name])
        for one, name in zip(ours, names, strict=True)
        if isinstance(theirs[name], np.ndarray)
    ]
    answer.outputs = max(distances, default=None)


def torch_names(public: Public) -> dict[int, str]:
    """What the reader calls the operators, by their places."""
    taken: set[str] = set()
    return {
        i: module_name(each.name, each.op_type, i, taken=taken)
        for i, each in enumerate(public.model.graph.node)
    }


def tensors_of(call: LayerCall, public: Public, names: Mapping[int, str]) -> tuple[str, ...]:
    """The file's names of what enters a layer, of a sum not, and of what the ReLU is given.

    Raises:
        AssertionError: no such layer stands in front of a ReLU in the file.
    """
    places = {name: index for index, name in names.items()}
    parts = [each.weighted.name for each in call.parts if each.weighted is not None]
    if len(call.parts) == 1:
        found = public.at(places.get(call.name.partition("#")[0]))
        if found is not None:
            return found.tensors
    elif (end := public.sums.get(frozenset(places.get(each, -1) for each in parts))) is not None:
        return (end,)
    raise AssertionError(f"{call.name}: offered, and none in front of a ReLU in the file")


def _compare(opened: OpenedNetwork, shape: tuple[int, ...], public: Public, answer: Answer) -> None:
    """Holds input and pre-activation of every offered layer against onnxruntime."""
    calls = [each for each in opened.calls if not each.reason]
    names = torch_names(public)
    tensors = [tensors_of(each, public, names) for each in calls]
    theirs_of = public.runner([name for each in tensors for name in each])
    kind = next((p.dtype for p in opened.traced.root.parameters()), torch.float32)
    cut = opened.traced.cut([step for each in calls for step in (each.source, each.pre_activation)])
    batch = public.inputs(shape, np.random.default_rng(SEED))
    with torch.no_grad():
        found = cut(torch.from_numpy(batch).to(kind))
    theirs = theirs_of(batch)
    for i, (call, layer) in enumerate(zip(calls, tensors, strict=True)):
        for ours, name in zip(found[2 * i : 2 * i + 2][-len(layer) :], layer, strict=True):
            far = _distance(ours.numpy(), theirs[name])
            if far > answer.difference:
                answer.difference, answer.place = far, call.name


def _distance(ours: np.ndarray, theirs: np.ndarray) -> float:
    """Largest difference, relative to the largest number; infinite where the sizes differ."""
    one, other = ours.astype(np.float64).ravel(), theirs.astype(np.float64).ravel()
    if one.size != other.size or not np.array_equal(np.isfinite(one), np.isfinite(other)):
        return float("inf")
    one, other = one[np.isfinite(one)], other[np.isfinite(other)]
    if not one.size:
        return 0.0
    return float(np.abs(one - other).max() / max(float(np.abs(other).max()), 1e-30))


def main() -> int:
    """Answers until the input or the memory ends."""
    most = int(sys.argv[1])
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    if pages * resource.getpagesize() > most:  # any request from here on would fail, somewhere
        return 1
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    for line in sys.stdin:
        path = Path(json.loads(line)["path"])
        try:
            answer: dict[str, Any] = asdict(examined(path))
        except Exception as problem:
            if isinstance(problem, MemoryError) or getattr(problem, "errno", 0) == errno.ENOMEM:
                return 1
            words = f"{type(problem).__name__}: {problem}"
            answer = asdict(Answer(path=str(path), verdict="fault", reason=words))
        if answer["verdict"] not in ("not had", "damaged"):
            gc.collect()  # modules of torch.fx refer to themselves
        print(json.dumps(answer), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
