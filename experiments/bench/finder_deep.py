"""What does one batch gain in a deep network, and what is the device's limit?

Random inputs in [0, 1] and, unless weights are given, seeded random weights: speed does not depend
on either.
"""

import argparse
from collections.abc import Mapping
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from experiments.bench.limits import device_limits
from experiments.bench.report import Report, ratio
from experiments.run.progress import Progress
from polytope.errors import InputError

if TYPE_CHECKING:
    from optimize import Throughput

#: Line of the table -> terms, optimiser, precision of the steps.
FORMS = {
    "Adam, absolute (eq. 1), default": ("absolute", "adam", "float32"),
    "Adam, mixed precision": ("absolute", "adam", "mixed"),
    "augmented Lagrangian, hinge, default": ("hinge", "augmented", "float32"),
    "authors' momentum, absolute (eq. 1)": ("absolute", "authors", "float32"),
}
#: Layer searched where none is asked for.
LAYERS = {"lenet5": "conv2", "vgg16": "classifier.0", "squeezenet": "classifier.1"}


def add_model_options(parser: argparse.ArgumentParser) -> None:
    """Adds the options that choose a deep network."""
    parser.add_argument(
        "--model",
        default="mlp",
        help="mlp (the MNIST network's first layer), lenet5, vgg16, squeezenet, FILE.py:FACTORY, "
        "PACKAGE.MODULE:FACTORY or FILE.onnx",
    )
    parser.add_argument("--layer", help="layer of a deep model (default: by model)")
    parser.add_argument("--weights", type=Path, help="of a deep model (default: random)")
    parser.add_argument("--image-size", type=int, help="side of the images of a deep model")
    parser.add_argument("--at-once", type=int, help="vertices a pass (default: what fits)")
    parser.add_argument("--compiled", action="store_true", help="use torch.compile")


def run_deep(options: argparse.Namespace) -> Report:
    """Measures each method batched and one at a time, in turns, and the device's limits.

    Raises:
        InputError: the model, its layer or an option does not exist, or the device is absent.
    """
    from optimize.search.setup import read_device

    device = read_device(options.device)
    cuda = device.type == "cuda"
    targets = options.targets
    if targets is None:
        targets = 100 if cuda else 2
    if targets < 1:
        raise InputError(f"targets must be at least 1; got {targets}")
    if options.steps is None:
        options.steps = 20 if cuda else 3
    progress = Progress(quiet=options.quiet)
    progress.say(f"loading {options.model}")
    model, shape, words, files = _load(options)
    layer = options.layer or LAYERS.get(options.model)
    if layer is None:
        raise InputError(f"layer: expected the name of a layer of {options.model}, got none")
    inputs = _inputs(targets, shape, options.seed)
    found: dict[str, list[Throughput]] = {name: [] for name in FORMS}
    for k in range(options.runs):
        for name in FORMS:
            progress.say(f"run {k + 1} of {options.runs}: {name}")
            found[name].append(_measure((model, layer, inputs), FORMS[name], options))
    progress.say("limits of the device")
    limits = device_limits(device)
    runs = found[next(iter(FORMS))]
    return Report(
        title=f"Relaxed search on {_device_words(device)}: {runs[0].vertices} vertices in one "
        f"batch ({targets} targets x {options.units} units) beside one at a time. {words}, layer "
        f"{layer}, inputs {' x '.join(map(str, shape))}; {options.steps} steps; runs: "
        f"{options.runs}; compiled: {'yes' if options.compiled else 'no'}.",
        headings=[
            "vertex-steps a second (medians)",
            "batched",
            "one at a time",
            "ratio",
            "at once",
            "GFLOP/s batched",
            "share of the limit",
        ],
        rows=[_row(name, runs, limits) for name, runs in found.items()],
        notes=_notes([one for each in found.values() for one in each], limits, cuda),
        data=files,
        results={"vertices": runs[0].vertices, "steps": options.steps, "flops": runs[0].flops},
        timings={
            "limits": dict(limits),
            **{name: [_times(one) for one in runs] for name, runs in found.items()},
        },
    )


def _times(one: "Throughput") -> dict[str, Any]:
    names = ("batched", "one_at_a_time", "at_once", "peak_bytes")
    return {name: getattr(one, name) for name in names}


def _load(options: argparse.Namespace) -> tuple[Any, tuple[int, ...], str, Mapping[str, str]]:
    """Returns the model, the shape of one input, words for the title, and the files read."""
    from experiments.models.registry import load_model

    loaded = load_model(options.model, options.weights, seed=options.seed)
    shape = loaded.input_shape
    if shape is None:
        raise InputError(f"model: expected one that names its input_shape, got {options.model}")
    if options.image_size is not None:
        if len(shape) != 3 or options.image_size < 1:
            raise InputError(
                f"image-size: expected a positive side for a model of images, got "
                f"{options.image_size} for inputs of shape {shape}"
            )
        shape = (shape[0], options.image_size, options.image_size)
    return loaded.module, shape, f"{options.model} ({loaded.source})", loaded.files


def _inputs(count: int, shape: tuple[int, ...], seed: int) -> Any:
    import torch

    return torch.rand((count, *shape), generator=torch.Generator().manual_seed(seed))


def _measure(
    subject: tuple[Any, str, Any], form: tuple[str, str, str], options: argparse.Namespace
) -> "Throughput":
    from optimize import Execution, Objective, measure_throughput

    model, layer, inputs = subject
    others, optimizer, precision = form
    return measure_throughput(
        model,
        layer,
        inputs,
        units=options.units,
        objective=Objective(others="hinge" if others == "hinge" else "absolute"),
        optimizer=optimizer,
        steps=options.steps,
        singles=options.singles,
        device=options.device,
        execution=Execution(
            precision="mixed" if precision == "mixed" else "float32",
            compiled=options.compiled,
            vertices_at_once=options.at_once,
        ),
    )


def _row(name: str, runs: "list[Throughput]", limits: Mapping[str, float]) -> list[str]:
    batched, alone = [r.batched for r in runs], [r.one_at_a_time for r in runs]
    words = "bfloat16" if FORMS[name][2] == "mixed" else "float32"
    most = max(value for key, value in limits.items() if key.endswith(words))
    flops = runs[0].flops
    rate = None if flops is None else median(batched) * flops
    return [
        name,
        f"{median(batched):,.2f}",
        f"{median(alone):,.2f}",
        f"{ratio(batched, alone) or 0.0:.1f}",
        str(runs[0].at_once),
        "-" if rate is None else f"{rate / 1e9:,.0f}",
        "-" if rate is None else f"{rate / most:.0%}",
    ]


def _device_words(device: Any) -> str:
    import torch

    if device.type == "cuda":
        return f"{torch.cuda.get_device_name(device)} (CUDA)"
    return f"{device.type}, threads: {torch.get_num_threads()}"


def _notes(runs: "list[Throughput]", limits: Mapping[str, float], cuda: bool) -> list[str]:
    rates = "; ".join(f"{name} {value / 1e9:,.0f} GFLOP/s" for name, value in limits.items())
    flops = runs[0].flops  # of the model, which is the same in every form
    counted = "not counted" if flops is None else f"{flops / 1e9:.3g} GFLOP"
    notes = [
        f"One step of one vertex: {counted} in products and convolutions.",
        f"Limits measured in this run: {rates}. The share is of the larger one of its precision.",
    ]
    peaks = [one.peak_bytes for one in runs if one.peak_bytes is not None]
    if cuda and peaks:
        notes.append(f"Most memory allocated, over all forms: {max(peaks) / 2**30:.1f} GiB.")
    if not cuda:
        notes.append(
            "Not measured on a GPU here. Where there is one: collide bench finder --model vgg16 "
            "--device cuda --image-size 224 (and --model squeezenet, --compiled)."
        )
    return notes
