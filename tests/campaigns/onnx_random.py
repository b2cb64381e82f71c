"""Does the ONNX reader compute what a runtime computes?  Random graphs against onnxruntime.

    python -m tests.campaigns.onnx_random --count 2000 --seed 0

Every graph is a chain of up to eight operators with branches that meet again, on one input or two,
a vector, a matrix, a series, an image or a volume, with and without a batch axis; all names that
stand for floats are outputs, so that a difference is seen where it arises.  With the last of them
as its only output the same graph is then asked for its layers: the exact matrix of each, times what
onnxruntime gives to it, must be what onnxruntime rectifies.  Prints how often each operator
occurred, how many graphs were refused and why, and each difference.  Exit code 0 if there is none.
"""

import argparse
import sys
import tempfile
import warnings
from collections import Counter
from pathlib import Path

import numpy as np
import onnx
import torch

from experiments.models.onnx.reader import read_onnx
from optimize import exact_layer
from optimize.model.opened import OpenedNetwork
from polytope.errors import CollisionError, InputError
from tests.campaigns.onnx_random_graphs import Graph, grown
from tests.campaigns.onnx_random_graphs import run as by_runtime
from tests.campaigns.public_network_child import tensors_of, torch_names
from tests.campaigns.public_network_graph import Public

BATCH = 2  # inputs that the module is given at once


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
    whole = np.prod(shape) != sum(
        map(np.prod, g.inputs.values())
    )  # the file's first axis counts inputs
    size = g.start[0] if whole else BATCH
    batch = np.random.default_rng([seed, 1]).standard_normal((size, *shape)).astype(np.float32)
    try:
        with torch.no_grad():
            found = net(torch.from_numpy(batch))
    except InputError as problem:  # the reference implementation's own fault
        tally[f"not run: {str(problem).partition('expected')[2][:60]}"] += 1
        return ""
    except Exception as problem:
        return f"{type(problem).__name__}: {problem}"[:200]
    found = found if isinstance(found, tuple) else (found,)
    for i, one in enumerate([batch] if whole else batch):
        theirs = by_runtime(g, names, place, one)
        assert theirs is not None
        for name, ours, other in zip(names, found, theirs, strict=True):
            if not whole and len(ours) != size:
                return f"{name} has {len(ours)} entries for {size} inputs"
            mine = ours.numpy().ravel() if whole else ours.numpy()[i].ravel()
            scale = 1 + float(np.abs(other[np.isfinite(other)]).max(initial=0))
            if mine.size != other.size or not np.allclose(
                mine, other.ravel(), rtol=1e-3, atol=1e-4 * scale, equal_nan=True
            ):
                op = next(node.op_type for node in g.nodes if name in node.output)
                return f"{name} ({op}) differs"
    tally["graphs compared"] += 1
    return "" if whole else layers_differ(g, names[-1], place, tally)


def layers_differ(g: Graph, last: str, place: Path, tally: Counter[str]) -> str:
    """Returns which layer of a graph with one output is not what its exact matrix says, or ""."""
    public = Public.of(g.model([last]))
    onnx.save(public.model, place)
    net, shape = read_onnx(place)
    opened = OpenedNetwork(net)
    names = torch_names(public)
    one = np.random.default_rng(len(names)).standard_normal(shape).astype(np.float32)
    for call in opened.calls:
        if call.reason:
            continue
        tally["layers"] += 1
        try:
            exact = exact_layer(opened, call.name, shape)
        except CollisionError as problem:
            tally[f"layer refused: {str(problem).partition('expected')[2][:60]}"] += 1
            continue
        tensors = tensors_of(call, public, names)
        theirs = public.runner(tensors)(one[None])
        if len(tensors) == 2:
            entered = theirs[tensors[0]].ravel()
        else:  # a sum: what enters several layers, or is added as it is
            parts = opened.traced.cut(list(call.sources))(torch.from_numpy(one[None]))
            entered = np.concatenate([each.numpy().ravel() for each in parts])
        wanted = theirs[tensors[-1]].astype(np.float64).ravel()
        weight = exact.weight if isinstance(exact.weight, np.ndarray) else exact.weight.approx
        bias = exact.bias.astype(np.float64)
        if entered.size != weight.shape[1]:
            return f"layer {call.name} has {weight.shape[1]} inputs, not {entered.size}"
        found = weight.astype(np.float64) @ entered.astype(np.float64) + bias
        scale = 1 + float(np.abs(wanted).max())
        if found.size != wanted.size or float(np.abs(found - wanted).max()) > 1e-4 * scale:
            return f"layer {call.name} differs"
        tally["sums compared" if len(tensors) == 1 else "layers compared"] += 1
    return ""


def run(count: int, seed: int = 0) -> tuple[Counter[str], list[str]]:
    """Returns what occurred, and every difference."""
    tally: Counter[str] = Counter()
    wrong = []
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # numpy's, in the reference: log of 0 and the like
        for i in range(count):
            number = seed * 1_000_000 + i
            difference = compared(number, Path(folder) / "net.onnx", tally)
            if difference:
                difference = f"graph {number}: {difference}"
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
