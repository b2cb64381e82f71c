"""How long does the stand-alone checker take?  Python alone, one core, a certificate of each kind.

Each certificate is made here, saved, and checked as a stranger would: `python -I -S checker.py`, in
a process of its own, reading included.
"""

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from experiments.bench.fresh import checked
from experiments.bench.layers import DIGIT, subject
from experiments.bench.options import BenchRequest, count
from experiments.bench.report import Goal, Report, middle, spread
from experiments.run.progress import Progress
from polytope import Box, Certificate, CollisionPolytope, checker
from polytope.errors import CollisionError
from polytope.sets.layer import relu_layer

#: Rows and inputs of the rank: as many active units as a VGG-16 fc6 target has, and all its inputs.
_RANK = (1113, 25088)
_SMOKE_RANK = (60, 200)
#: Half-spaces and inputs of a layer whose list has some 1,000 vertices.
_LIST = (24, 8)
_SMOKE_LIST = (8, 3)


@dataclass(frozen=True, eq=False)
class Job:
    """A certificate to be made and checked.

    Attributes:
        words: the claim.
        reach: seconds; None where nothing was set.
        make: makes it.
    """

    words: str
    reach: float | None
    make: Callable[[], Certificate | None]


@dataclass(frozen=True, kw_only=True)
class CheckerRequest(BenchRequest):
    """Options of `collide bench checker`."""

    runs: int = count("checks of each certificate", 3)


REQUEST = CheckerRequest


@dataclass(frozen=True, kw_only=True)
class CheckerResults:
    """What does not depend on the machine: claim -> megabytes that the checker reads."""

    SCHEMA: ClassVar[str] = "collision-polytopes/bench-checker/2"
    megabytes: dict[str, float]


def run(request: CheckerRequest, progress: Progress) -> Report[CheckerResults]:
    """Makes the certificates, and checks each `runs` times.

    Raises:
        DownloadError: MNIST is not in the cache and cannot be fetched.
    """
    given = subject(request)
    seconds: dict[str, list[float]] = {}
    megabytes: dict[str, float] = {}
    goals: list[Goal] = []
    peak = 0.0
    with tempfile.TemporaryDirectory() as folder:
        for number, job in enumerate(_jobs(given.case().polytope(), small=request.smoke)):
            progress.say(job.words)
            certificate = job.make()
            if certificate is None:
                raise CollisionError(f"{job.words}: expected a certificate, got none")
            path = certificate.save(Path(folder) / f"{number}.json")
            megabytes[job.words] = sum(each.stat().st_size for each in _files(path)) / 1e6
            found = [checked(path) for _ in range(request.runs)]
            seconds[job.words] = [one.seconds for one in found]
            peak = max(peak, *(one.peak_gb for one in found))
            if job.reach is not None:
                value = middle(seconds[job.words])
                goals.append(Goal(job.words, value, job.reach, "at most", " s"))
    lines = Path(checker.__file__).read_text().count("\n")
    return Report(
        title=f"the checker alone, on {given.words}",
        headings=["certificate", "median s", "least", "most", "MB read"],
        rows=[
            [words, *spread(times), f"{megabytes[words]:.1f}"] for words, times in seconds.items()
        ],
        goals=[*goals, Goal("lines of the checker", lines, 2000, "at most")],
        notes=[f"largest peak memory of a check: {peak:.2f} GB"],
        data=given.data,
        results=CheckerResults(megabytes=megabytes),
        timings={"seconds": seconds, "peak_gb": peak},
    )


def _jobs(polytope: CollisionPolytope, *, small: bool) -> Iterator[Job]:
    unit = polytope.inactive_units[0]
    yield Job("optimum at a vertex, MNIST size", 10, lambda: polytope.unit_vertex(unit).certificate)
    yield Job("dimension, MNIST size", None, lambda: polytope.dimension().certificate)
    yield Job("nearest point in linf, MNIST size", None, lambda: _nearest(polytope))
    yield Job("emptiness, MNIST size", 1, lambda: _empty(polytope))
    rows, inputs = _SMOKE_RANK if small else _RANK
    words = f"rank of {rows:,} rows, {inputs:,} inputs"
    yield Job(words, 15, lambda: _rank(rows, inputs))
    units, width = _SMOKE_LIST if small else _LIST
    found = _polytope(units, width).vertices()
    words = f"complete list of {len(found.vertices):,} vertices, {width} inputs"
    yield Job(words, 30, lambda: found.certificate)


def _nearest(polytope: CollisionPolytope) -> Certificate | None:
    return polytope.nearest(np.full(polytope.n_inputs, 0.5), norm="linf").certificate


def _empty(polytope: CollisionPolytope) -> Certificate | None:
    """A wanted activation far above what any input of the box can give."""
    layer = relu_layer(polytope.layer)
    wanted = [10 * y + 100 * (y > 0) for y in layer.post_activation]
    return (
        CollisionPolytope.from_activation(
            layer.weight.data, layer.bias.data, wanted, domain=Box(0, 1)
        )
        .feasibility()
        .certificate
    )


def _rank(rows: int, inputs: int) -> Certificate:
    rng = np.random.default_rng(DIGIT)
    weight = rng.normal(size=(rows, inputs)).astype(np.float32)
    target = np.zeros(inputs, np.float32)
    bias = np.ones(rows, np.float32)  # every unit is active
    return CollisionPolytope.from_layer(weight, bias, target).rank_positive().certificate


def _polytope(units: int, inputs: int) -> CollisionPolytope:
    rng = np.random.default_rng(DIGIT)
    weight = rng.normal(size=(units, inputs)).astype(np.float32)
    bias = np.full(units, -1, np.float32)
    return CollisionPolytope.from_layer(weight, bias, np.zeros(inputs), domain=Box(-2, 2))


def _files(path: Path) -> list[Path]:
    """The certificate, and the files it names."""
    text = path.read_text()
    beside = [each for each in path.parent.glob("*.safetensors") if each.name in text]
    return [path, *beside]
