"""What does an exact answer through the layers before cost?  Build, vertex, proof, check."""

import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from math import inf
from statistics import median
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from experiments.bench.networks import Measured
from experiments.bench.options import BenchRequest, count
from experiments.bench.report import Goal, Report, cell, middle
from experiments.lenet5.options import DEEP_LAYERS
from experiments.run.progress import Progress
from experiments.run.request import option
from polytope import Box, LPStatus, verify
from polytope.errors import InputError

if TYPE_CHECKING:
    from polytope.network.region_polytope import RegionPolytope

#: Layers with others before them.
LAYERS = tuple(layer for layer in DEEP_LAYERS if layer != "conv1")
GOAL = "MLP hidden2"


@dataclass(frozen=True, kw_only=True)
class DeepRequest(BenchRequest):
    """Options of `collide bench deep`."""

    targets: int = count("the first so many test images", 3)
    units: int = count("vertices a target, each cold", 2)
    layers: tuple[str, ...] = option(
        f"some of the default ({','.join(LAYERS)})", default=LAYERS, metavar="LIST"
    )
    verify: bool = option("leave out verify()", default=True)

    def __post_init__(self) -> None:
        """Checks the layers' names, and the ranges.

        Raises:
            InputError: a layer that is not there.
        """
        super().__post_init__()
        for layer in self.layers:
            if layer not in LAYERS:
                raise InputError(f"layers: expected some of {', '.join(LAYERS)}, got {layer!r}")


REQUEST = DeepRequest


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """The set of one target: units, active ones, rows of the region, those tied at the target."""

    units: int
    active: int
    region_rows: int
    tied: int


@dataclass(frozen=True, kw_only=True)
class DeepResults:
    """What does not depend on the machine: layer -> sizes, a target each."""

    SCHEMA: ClassVar[str] = "collision-polytopes/bench-deep/2"
    layers: dict[str, tuple[Sizes, ...]]


@dataclass(frozen=True)
class _Seen:
    """Seconds by what they were spent on, sizes by target, and how many units were proved."""

    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    sizes: list[Sizes] = field(default_factory=list)

    @property
    def proved(self) -> str:
        proved, unproved = len(self.seconds["vertex"]), len(self.seconds["unproved"])
        return f"{proved} of {proved + unproved}"


def run(request: DeepRequest, progress: Progress) -> Report[DeepResults]:
    """Builds the set in pixel space for each target and layer, and solves some units.

    Raises:
        InputError: there are fewer test images.
    """
    found: dict[str, _Seen] = {}
    data: dict[str, str] = {}
    for subject in _subjects(request, progress):
        progress.say(subject.words)
        found[subject.words] = _measure(subject, request, progress)
        data |= subject.data
    # What was not proved took for ever, as far as the goal is concerned.
    seconds = found[GOAL].seconds if GOAL in found else {"vertex": [], "unproved": []}
    vertex = seconds["vertex"] + [inf] * len(seconds["unproved"])
    return Report(
        title="Exact through the layers before: the set of colliding images in the target's "
        f"linear region, pixels in [0, 1]; targets: {request.targets}, units: {request.units}.",
        headings=[
            *("layer", "N", "N+", "region rows", "tied at the target"),
            *("build, s", "vertex, s", "worst", "of it HiGHS", "proof", "verify, s", "proved"),
        ],
        rows=[_row(words, one) for words, one in found.items()],
        goals=[Goal(f"{GOAL}, certified vertex", middle(vertex), 5, "at most", " s")],
        notes=[
            "Medians over the targets and units. Build: the composed affine map and the region's "
            "rows, exact. Vertex: minimum of one unit's pre-activation, from a cold start, with "
            "its witness, of those proved; verify: the checker on it, in memory.",
            "Rows tied at the target: it lies on their facet (a flat background makes the entries "
            "of a max-pool's window equal).",
        ],
        data=data,
        results=DeepResults(layers={words: tuple(one.sizes) for words, one in found.items()}),
        timings={words: one.seconds for words, one in found.items()},
    )


def _subjects(request: DeepRequest, progress: Progress) -> Iterator[Measured]:
    """The layers asked for; with `--smoke` a small random network."""
    if request.smoke:
        yield _random(request)
        return
    from experiments.datasets.mnist import load_mnist, pixels
    from experiments.models.architectures import LENET5, MLP_784, Architecture
    from experiments.models.train import trained_net

    mnist = load_mnist()
    if request.targets > len(mnist.test_images):
        raise InputError(
            f"targets: expected at most {len(mnist.test_images)}, got {request.targets}"
        )
    images = pixels(mnist.test_images[: request.targets])
    for layer in request.layers:
        architecture: Architecture[Any] = MLP_784 if layer == "hidden2" else LENET5
        net = trained_net(architecture, mnist, seed=request.seed, report=progress.say)
        yield Measured(
            f"{'MLP' if layer == 'hidden2' else 'LeNet-5'} {layer}",
            net.model,
            layer,
            images.reshape(-1, *architecture.shape),
            {**mnist.checksums, net.path.name: net.sha256},
        )


def _random(request: DeepRequest) -> Measured:
    import torch

    from experiments.models.mlp import MLP

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(request.seed)
        model = MLP(20, 16, 4).eval().requires_grad_(False)
    images = np.random.default_rng(request.seed).random((request.targets, 20), dtype=np.float32)
    return Measured(
        f"random 20-16-16-4 network (seed {request.seed})", model, "hidden2", images, {}
    )


def _measure(subject: Measured, request: DeepRequest, progress: Progress) -> _Seen:
    from optimize import input_polytope

    found = _Seen()
    for number, image in enumerate(subject.inputs):
        began = time.perf_counter()
        polytope = input_polytope(subject.model, subject.layer, image, domain=Box(0, 1))
        inactive = polytope.inactive_units
        found.seconds["build"].append(time.perf_counter() - began)
        sizes = Sizes(
            units=polytope.n_units,
            active=polytope.n_positive,
            region_rows=len(polytope.region.crossings),
            tied=len(polytope.region_ties),
        )
        found.sizes.append(sizes)
        for unit in inactive[: request.units]:
            words = _vertex(polytope, unit, found.seconds, verified=request.verify)
            progress.say(f"    target {number}, unit {unit}: {words}")
    return found


def _vertex(
    polytope: "RegionPolytope", unit: int, seconds: dict[str, list[float]], *, verified: bool
) -> str:
    """Solves one unit from a cold start, notes the seconds, and says how it went."""
    began = time.perf_counter()
    found = polytope.unit_vertex(unit)
    if found.certificate is not None:
        _ = found.certificate.witness
    taken = time.perf_counter() - began
    certified = found.status is LPStatus.OPTIMAL and bool(found.is_vertex)
    seconds["vertex" if certified else "unproved"].append(taken)
    for part in ("float", "proof"):
        seconds[part].append(found.timings.get(part, 0.0))
    if found.certificate is not None and verified:
        began = time.perf_counter()
        verify(found.certificate)
        seconds["verify"].append(time.perf_counter() - began)
    return f"{taken:.1f} s, {found.status.name.lower()}"


def _row(words: str, found: _Seen) -> list[str]:
    sizes = [
        f"{median(getattr(each, name) for each in found.sizes):g}"
        for name in ("units", "active", "region_rows", "tied")
    ]
    build, vertex, *rest = (
        cell(middle(found.seconds[name]))
        for name in ("build", "vertex", "float", "proof", "verify")
    )
    worst = cell(max(found.seconds["vertex"], default=None))
    return [words, *sizes, build, vertex, worst, *rest, found.proved]
