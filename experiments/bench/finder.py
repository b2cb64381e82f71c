"""What does one batch gain?  Vertex-steps a second, all vertices at once and one at a time.

In a deep network also: what share of the device's limit is reached?  There inputs are random in
[0, 1] and, unless weights are given, so are the weights: speed does not depend on either.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, ClassVar, Literal

from experiments.bench.layers import subject
from experiments.bench.limits import device_limits
from experiments.bench.networks import Measured
from experiments.bench.options import BenchRequest, count
from experiments.bench.report import Goal, Report, cell, ratio
from experiments.run.progress import Progress
from experiments.run.request import option
from polytope.errors import InputError

if TYPE_CHECKING:
    import torch

    from optimize import Throughput


@dataclass(frozen=True)
class Form:
    """A method that is measured: terms, optimiser, and the precision of its steps."""

    others: Literal["hinge", "absolute"]
    optimizer: str
    precision: Literal["float32", "mixed"] = "float32"


#: Line of the table -> method, at a first layer.
FORMS = {
    "splitting, hinge (constrained), default": Form("hinge", "auto"),
    "splitting, absolute (eq. 1), default": Form("absolute", "auto"),
    "Adam, absolute (eq. 1)": Form("absolute", "adam"),
    "authors' momentum, absolute (eq. 1)": Form("absolute", "authors"),
}
#: The same, in a deep network.
DEEP_FORMS = {
    "Adam, absolute (eq. 1), default": Form("absolute", "adam"),
    "Adam, mixed precision": Form("absolute", "adam", "mixed"),
    "augmented Lagrangian, hinge, default": Form("hinge", "augmented"),
    "authors' momentum, absolute (eq. 1)": Form("absolute", "authors"),
}
#: Layer searched where none is asked for.
LAYERS = {"lenet5": "conv2", "vgg16": "classifier.0", "squeezenet": "classifier.1"}


@dataclass(frozen=True, kw_only=True)
class FinderRequest(BenchRequest):
    """Options of `collide bench finder`."""

    targets: int | None = option(
        "targets in the batch (100; deep models on a CPU: 2)", default=None, metavar="N", least=1
    )
    units: int = count("units of each target", 5)
    steps: int | None = option(
        "steps timed (100; deep models: 20 on CUDA, else 3)", default=None, metavar="N", least=1
    )
    singles: int = count("vertices searched one at a time", 5)
    runs: int = count("measurements of each method", 3)
    device: str = option('"cpu", "cuda", or "auto" (cpu)', default="cpu")
    model: str = option(
        "mlp (the MNIST network's first layer), lenet5, vgg16, squeezenet, FILE.py:FACTORY, "
        "PACKAGE.MODULE:FACTORY or FILE.onnx (mlp)",
        default="mlp",
    )
    layer: str | None = option("layer of a deep model (by model)", default=None)
    weights: Path | None = option("of a deep model (random)", default=None, metavar="FILE")
    image_size: int | None = option(
        "side of the images of a deep model (by model)", default=None, metavar="N"
    )
    at_once: int | None = option("vertices a pass (what fits)", default=None, metavar="N")
    compiled: bool = option("use torch.compile", default=False)

    @property
    def deep(self) -> bool:
        """Whether the layer is one of a deep network."""
        return self.model != "mlp"

    def counts(self, *, cuda: bool) -> "FinderRequest":
        """Returns the request with targets and steps, where none are asked for."""
        targets, steps = (100, 100) if not self.deep else (100, 20) if cuda else (2, 3)
        return replace(
            self,
            targets=targets if self.targets is None else self.targets,
            steps=steps if self.steps is None else self.steps,
        )


REQUEST = FinderRequest


@dataclass(frozen=True, kw_only=True)
class FinderResults:
    """What does not depend on the machine.

    Attributes:
        vertices: searched in one batch.
        steps: that were timed.
        flops: of one step of one vertex, products and convolutions; None at a first layer.
    """

    SCHEMA: ClassVar[str] = "collision-polytopes/bench-finder/2"
    vertices: int
    steps: int
    flops: int | None


def run(request: FinderRequest, progress: Progress) -> Report[FinderResults]:
    """Measures each method batched and one at a time, in turns.

    Raises:
        InputError: the model, its layer or an option does not exist, or the device is absent.
    """
    from optimize.search.setup import read_device

    device = read_device(request.device)
    request = request.counts(cuda=device.type == "cuda")
    assert request.targets is not None
    forms = DEEP_FORMS if request.deep else FORMS
    if request.deep:
        progress.say(f"loading {request.model}")
    searched = _deep(request) if request.deep else _first_layer(request)
    found: dict[str, list[Throughput]] = {name: [] for name in forms}
    for k in range(request.runs):
        for name, form in forms.items():
            progress.say(f"run {k + 1} of {request.runs}: {name}")
            found[name].append(_measure(searched, form, request))
    some = next(iter(found.values()))[0]
    head = (
        f"Relaxed search on {_device_words(device, request)}: {some.vertices} vertices in one "
        f"batch ({request.targets} targets x {request.units} units) beside one at a time. "
        f"{searched.words}; {request.steps} steps; runs: {request.runs}"
    )
    if request.deep:
        progress.say("limits of the device")
    limits = device_limits(device) if request.deep else {}
    compiled = f"compiled: {'yes' if request.compiled else 'no'}"
    return Report(
        title=f"{head}; {compiled if request.deep else f'threads: {_threads()}'}.",
        headings=[*_HEADINGS, *(_DEEP_HEADINGS if request.deep else ())],
        rows=[[name, *_row(runs, forms[name], limits)] for name, runs in found.items()],
        goals=[
            Goal(f"batched / one at a time, {name}", _gain(runs), 10, "at least", " x")
            for name, runs in found.items()
            if not request.deep
        ],
        notes=_notes([one for runs in found.values() for one in runs], limits, device),
        data=searched.data,
        results=FinderResults(vertices=some.vertices, steps=some.steps, flops=some.flops),
        timings={
            "limits": limits,
            **{name: [_times(one) for one in runs] for name, runs in found.items()},
        },
    )


_HEADINGS = ("vertex-steps a second (medians)", "batched", "one at a time", "ratio")
_DEEP_HEADINGS = ("at once", "GFLOP/s batched", "share of the limit")


def _first_layer(request: FinderRequest) -> Measured:
    assert request.targets is not None
    found = subject(request, targets=request.targets, digit=None)
    return Measured(found.words, found.network(), "0", found.targets, found.data)


def _deep(request: FinderRequest) -> Measured:
    """A deep network, with random inputs of its shape."""
    import torch

    from experiments.models.registry import load_model

    loaded = load_model(request.model, request.weights, seed=request.seed)
    shape = loaded.input_shape
    if shape is None:
        raise InputError(f"model: expected one that names its input_shape, got {request.model}")
    if request.image_size is not None:
        if len(shape) != 3 or request.image_size < 1:
            raise InputError(
                f"image-size: expected a positive side for a model of images, got "
                f"{request.image_size} for inputs of shape {shape}"
            )
        shape = (shape[0], request.image_size, request.image_size)
    layer = request.layer or LAYERS.get(request.model)
    if layer is None:
        raise InputError(f"layer: expected the name of a layer of {request.model}, got none")
    assert request.targets is not None
    generator = torch.Generator().manual_seed(request.seed)
    inputs = torch.rand((request.targets, *shape), generator=generator)
    words = (
        f"{request.model} ({loaded.source}), layer {layer}, inputs {' x '.join(map(str, shape))}"
    )
    return Measured(words, loaded.module, layer, inputs, loaded.files)


def _measure(searched: Measured, form: Form, request: FinderRequest) -> "Throughput":
    from optimize import Execution, Objective, measure_throughput

    assert request.steps is not None
    return measure_throughput(
        searched.model,
        searched.layer,
        searched.inputs,
        units=request.units,
        objective=Objective(others=form.others),
        optimizer=form.optimizer,
        steps=request.steps,
        singles=request.singles,
        device=request.device,
        execution=Execution(
            precision=form.precision, compiled=request.compiled, vertices_at_once=request.at_once
        ),
    )


def _times(one: "Throughput") -> dict[str, float | None]:
    names = ("batched", "one_at_a_time", "at_once", "peak_bytes")
    return {name: getattr(one, name) for name in names}


def _gain(runs: "list[Throughput]") -> float | None:
    return ratio([r.batched for r in runs], [r.one_at_a_time for r in runs])


def _row(runs: "list[Throughput]", form: Form, limits: Mapping[str, float]) -> list[str]:
    """Rates and their ratio; in a deep network vertices a pass and the share of the limit too."""
    rates = [median(r.batched for r in runs), median(r.one_at_a_time for r in runs)]
    digits = 2 if limits else 0
    cells = [*(f"{rate:,.{digits}f}" for rate in rates), f"{_gain(runs) or 0.0:.1f}"]
    if not limits:
        return cells
    words = "bfloat16" if form.precision == "mixed" else "float32"
    most = max(value for key, value in limits.items() if key.endswith(words))
    flops = runs[0].flops
    reached = None if flops is None else rates[0] * flops
    return [
        *cells,
        str(runs[0].at_once),
        cell(None if reached is None else reached / 1e9, ",.0f"),
        cell(None if reached is None else reached / most, ".0%"),
    ]


def _threads() -> int:
    import torch

    return torch.get_num_threads()


def _device_words(device: "torch.device", request: FinderRequest) -> str:
    import torch

    if not request.deep:
        return request.device
    if device.type == "cuda":
        return f"{torch.cuda.get_device_name(device)} (CUDA)"
    return f"{device.type}, threads: {_threads()}"


def _notes(
    runs: "list[Throughput]", limits: Mapping[str, float], device: "torch.device"
) -> list[str]:
    if not limits:
        return []
    rates = "; ".join(f"{name} {value / 1e9:,.0f} GFLOP/s" for name, value in limits.items())
    flops = runs[0].flops  # of the model, which is the same in every form
    counted = "not counted" if flops is None else f"{flops / 1e9:.3g} GFLOP"
    notes = [
        f"One step of one vertex: {counted} in products and convolutions.",
        f"Limits measured in this run: {rates}. The share is of the larger one of its precision.",
    ]
    peaks = [one.peak_bytes for one in runs if one.peak_bytes is not None]
    if device.type == "cuda" and peaks:
        notes.append(f"Most memory allocated, over all forms: {max(peaks) / 2**30:.1f} GiB.")
    if device.type != "cuda":
        notes.append(
            "Not measured on a GPU here. Where there is one: collide bench finder --model vgg16 "
            "--device cuda --image-size 224 (and --model squeezenet, --compiled)."
        )
    return notes
