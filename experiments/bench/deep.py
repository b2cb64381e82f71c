"""What does an exact answer through the layers before cost?  Build, vertex, proof, check."""

import argparse
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from math import inf
from statistics import median
from typing import TYPE_CHECKING, Any

import numpy as np

from experiments.bench.report import Goal, Report, middle
from experiments.lenet5.options import DEEP_LAYERS
from experiments.run.progress import Progress
from polytope import Box, LPStatus, verify
from polytope.errors import InputError

if TYPE_CHECKING:
    from torch import nn

#: Layers with others before them.
LAYERS = tuple(layer for layer in DEEP_LAYERS if layer != "conv1")
GOAL = "MLP hidden2"

Seconds = dict[str, list[float]]


@dataclass(frozen=True, eq=False)
class Subject:
    """One layer of one network, and targets.

    Attributes:
        words: what it is.
        model: the network.
        layer: the layer's name.
        images: (T, *input) float32 in [0, 1].
        data: name of each input -> SHA-256.
    """

    words: str
    model: "nn.Module"
    layer: str
    images: np.ndarray
    data: dict[str, str]


def add_options(parser: argparse.ArgumentParser) -> None:
    """Adds this benchmark's options."""
    parser.add_argument("--targets", type=int, default=3, help="the first so many test images")
    parser.add_argument("--units", type=int, default=2, help="vertices a target, each cold")
    parser.add_argument("--layers", default=",".join(LAYERS), help="some of the default")
    parser.add_argument("--no-verify", action="store_true", help="leave out verify()")


def run(options: argparse.Namespace) -> Report:
    """Builds the set in pixel space for each target and layer, and solves some units.

    Raises:
        InputError: an option is out of range.
    """
    for name in ("targets", "units"):
        if getattr(options, name) < 1:
            raise InputError(f"{name} must be at least 1; got {getattr(options, name)}")
    progress = Progress(quiet=options.quiet)
    rows, timings, results, data = [], {}, {}, dict[str, str]()
    vertex: dict[str, list[float]] = {}
    for subject in _subjects(options, progress):
        progress.say(subject.words)
        seconds, sizes, proved = _measure(subject, options, progress)
        # What was not proved took for ever, as far as the goal is concerned.
        vertex[subject.words] = seconds["vertex"] + [inf] * len(seconds["unproved"])
        rows.append([subject.words, *_sizes(sizes), *_cells(seconds), proved])
        timings[subject.words] = seconds
        results[subject.words] = sizes
        data |= subject.data
    return Report(
        title="Exact through the layers before: the set of colliding images in the target's "
        f"linear region, pixels in [0, 1]; targets: {options.targets}, units: {options.units}.",
        headings=[
            *("layer", "N", "N+", "region rows", "tied at the target"),
            *("build, s", "vertex, s", "worst", "of it HiGHS", "proof", "verify, s", "proved"),
        ],
        rows=rows,
        goals=[Goal(f"{GOAL}, certified vertex", middle(vertex.get(GOAL, [])), 5, "at most", " s")],
        notes=[
            "Medians over the targets and units. Build: the composed affine map and the region's "
            "rows, exact. Vertex: minimum of one unit's pre-activation, from a cold start, with "
            "its witness, of those proved; verify: the checker on it, in memory.",
            "Rows tied at the target: it lies on their facet (a flat background makes the entries "
            "of a max-pool's window equal).",
        ],
        data=data,
        results=results,
        timings=timings,
    )


def _subjects(options: argparse.Namespace, progress: Progress) -> Iterator[Subject]:
    """The layers asked for; with `--smoke` a small random network."""
    if options.smoke:
        yield _random(options)
        return
    from experiments.datasets.mnist import load_mnist, pixels
    from experiments.models.train import LENET5, MLP_784, Architecture, trained_net

    wanted = [part.strip() for part in options.layers.split(",") if part.strip()]
    for layer in wanted:
        if layer not in LAYERS:
            raise InputError(f"layers: expected some of {', '.join(LAYERS)}, got {layer!r}")
    mnist = load_mnist()
    if options.targets > len(mnist.test_images):
        raise InputError(f"targets must be at most {len(mnist.test_images)}; got {options.targets}")
    images = pixels(mnist.test_images[: options.targets])
    for layer in wanted:
        architecture: Architecture[Any] = MLP_784 if layer == "hidden2" else LENET5
        net = trained_net(architecture, mnist, seed=options.seed, report=progress.say)
        yield Subject(
            f"{'MLP' if layer == 'hidden2' else 'LeNet-5'} {layer}",
            net.model,
            layer,
            images.reshape(-1, *architecture.shape),
            {**mnist.checksums, net.path.name: net.sha256},
        )


def _random(options: argparse.Namespace) -> Subject:
    import torch

    from experiments.models.mlp import MLP

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(options.seed)
        model = MLP(20, 16, 4).eval().requires_grad_(False)
    images = np.random.default_rng(options.seed).random((options.targets, 20), dtype=np.float32)
    return Subject(f"random 20-16-16-4 network (seed {options.seed})", model, "hidden2", images, {})


def _measure(
    subject: Subject, options: argparse.Namespace, progress: Progress
) -> tuple[Seconds, list[dict[str, Any]], str]:
    from optimize import input_polytope

    seconds: Seconds = defaultdict(list)
    sizes: list[dict[str, Any]] = []
    proved = asked = 0
    for number, image in enumerate(subject.images):
        began = time.perf_counter()
        polytope = input_polytope(subject.model, subject.layer, image, domain=Box(0, 1))
        inactive = polytope.inactive_units
        seconds["build"].append(time.perf_counter() - began)
        sizes.append(
            {
                "units": polytope.n_units,
                "active": polytope.n_positive,
                "region_rows": len(polytope.region.crossings),
                "tied": len(polytope.region_ties),
            }
        )
        for unit in inactive[: options.units]:
            began = time.perf_counter()
            found = polytope.unit_vertex(unit)
            if found.certificate is not None:
                _ = found.certificate.witness
            taken = time.perf_counter() - began
            certified = found.status is LPStatus.OPTIMAL and bool(found.is_vertex)
            seconds["vertex" if certified else "unproved"].append(taken)
            for part in ("float", "proof"):
                seconds[part].append(found.timings.get(part, 0.0))
            asked += 1
            proved += certified
            if found.certificate is not None and not options.no_verify:
                began = time.perf_counter()
                verify(found.certificate)
                seconds["verify"].append(time.perf_counter() - began)
            progress.say(
                f"    target {number}, unit {unit}: {taken:.1f} s, {found.status.name.lower()}"
            )
    return seconds, sizes, f"{proved} of {asked}"


def _sizes(sizes: list[dict[str, Any]]) -> list[str]:
    return [
        f"{median(each[name] for each in sizes):g}"
        for name in ("units", "active", "region_rows", "tied")
    ]


def _cells(seconds: Seconds) -> list[str]:
    def cell(name: str) -> str:
        return f"{median(seconds[name]):.2f}" if seconds[name] else "-"

    worst = f"{max(seconds['vertex']):.2f}" if seconds["vertex"] else "-"
    rest = [cell(name) for name in ("float", "proof", "verify")]
    return [cell("build"), cell("vertex"), worst, *rest]
