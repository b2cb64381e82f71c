"""What do dimension and kernel certificate of a layer of VGG-16's fc6 size cost?  Time and memory.

Seeded random float32 weights: no download, and no structure that a real network might add.
"""

import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

from experiments.bench import fc6_vertex
from experiments.bench.fc6_layer import Size, random_layer
from experiments.bench.fresh import Checked, Stages, checked, fresh
from experiments.bench.options import BenchRequest, count
from experiments.bench.report import Goal, Report, cell, middle
from experiments.run.progress import Progress
from experiments.run.request import option
from polytope import Free, Nonnegative
from polytope.answers.certificates import Certificate
from polytope.errors import InputError

Domain = Literal["free", "nonnegative"]
DOMAINS: dict[Domain, str] = {"free": "Free", "nonnegative": "Nonnegative, 80 % of the target zero"}


@dataclass(frozen=True, kw_only=True)
class Fc6Request(BenchRequest):
    """Options of `collide bench fc6`."""

    runs: int = count("processes for each domain", 3)
    domain: tuple[Domain, ...] = option("one of them only (both)", default=())
    verify: bool = option("also run the checker on the saved certificates", default=False)
    vertex: bool = option(
        "instead one certified vertex at x >= 0, time and memory of each stage, one run",
        default=False,
    )
    optimum: bool = option(
        "with --vertex: also the exact optimum of a unit on the face of the target's support",
        default=False,
    )
    units: int = count("N, of the random layer", 4096)
    inputs: int = count("d, of the random layer", 25088)
    active: int = count("N+, of the random layer", 1100)
    weights: Path | None = option(
        "VGG-16's weights, torchvision's or the Caffe port: its fc6 for --vertex",
        default=None,
        metavar="FILE",
    )

    def __post_init__(self) -> None:
        """Checks what fits together.

        Raises:
            InputError: the sizes are those of no layer, or an option wants --vertex.
        """
        super().__post_init__()
        most = min(self.units, self.inputs) - 1
        if not 1 <= self.active <= most and not self.smoke:
            raise InputError(
                f"active: expected 1 to {most}, below units and inputs, got {self.active} of "
                f"{self.units} x {self.inputs}"
            )
        for name in ("weights", "optimum"):
            if getattr(self, name) and not self.vertex:
                raise InputError(f"{name}: expected --vertex beside it, got none")

    @property
    def size(self) -> Size:
        """Of the random layer."""
        return Size(12, 30, 4) if self.smoke else Size(self.units, self.inputs, self.active)


REQUEST = Fc6Request


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What was proved in one domain; `claims` are the checker's, where it was asked."""

    n_positive: int
    dimension: int
    paper_bound: int
    kernel_holds: bool
    claims: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Fc6Results:
    """What does not depend on the machine: domain -> facts."""

    SCHEMA: ClassVar[str] = "collision-polytopes/bench-fc6/2"
    domains: dict[str, Facts]


@dataclass(frozen=True)
class Measured:
    """One measurement."""

    facts: Facts
    stages: Stages

    def seconds(self, stage: str) -> float | None:
        """Returns those of a stage; of "total", those of all that are ours."""
        if stage == "total":
            return sum(self.stages.seconds[name] for name in _STAGES)
        return self.stages.seconds.get(stage)

    def peak_gb(self, stage: str) -> float | None:
        """Returns the peak memory at the end of a stage."""
        return self.stages.peak_gb.get(stage)


@dataclass(frozen=True)
class Asked:
    """What one process measures."""

    domain: Domain
    size: Size
    seed: int
    verify: bool = False


def run(request: Fc6Request, progress: Progress) -> Report[Any]:
    """Runs each domain in fresh processes, so that peak memory is its own.

    Raises:
        CollisionError: a process failed.
    """
    size = request.size
    if request.vertex:
        asked = fc6_vertex.Asked(
            size, request.seed, request.verify, request.weights, request.optimum
        )
        return fc6_vertex.run(asked, progress)
    domains = request.domain or tuple(DOMAINS)
    found: dict[Domain, list[Measured]] = {domain: [] for domain in domains}
    for k in range(request.runs):
        for domain in domains:
            progress.say(f"run {k + 1} of {request.runs}: {DOMAINS[domain]}")
            one = Asked(domain, size, request.seed, request.verify)
            found[domain].append(fresh(measure, one, words=domain))
    return Report(
        title=f"Dimension and kernel certificate, witness included: {size.units:,} x "
        f"{size.inputs:,} float32 N(0, 1/inputs) (seed {request.seed}), biased so that "
        f"{size.active:,} units are active; runs: {request.runs}; {os.cpu_count()} cores.",
        headings=["domain", *_HEADINGS],
        rows=[_row(domain, runs) for domain, runs in found.items()],
        goals=[goal for domain, runs in found.items() for goal in _goals(domain, runs)],
        notes=[
            "Medians. Total: from the float32 arrays to both certificates with their witnesses. "
            "Peak: resident memory of the whole process, weights (0.41 GB at full size) and Python "
            "included.",
            *(
                f"Checker, {DOMAINS[domain]}: {claim}"
                for domain, runs in found.items()
                for claim in runs[0].facts.claims
            ),
        ],
        results=Fc6Results(domains={domain: runs[0].facts for domain, runs in found.items()}),
        timings={domain: [one.stages for one in runs] for domain, runs in found.items()},
    )


_STAGES = ("split", "dimension", "kernel", "witness")
_HEADINGS = ["dimension", "kernel", "split s", "dimension s", "kernel s", "witness s", "total s",
             "peak GB", "checker s", "checker GB"]  # fmt: skip


def _middle(values: Iterable[float | None]) -> float | None:
    return middle([value for value in values if value is not None])


def _row(domain: Domain, runs: list[Measured]) -> list[str]:
    facts = runs[0].facts
    seconds = {
        name: cell(_middle(one.seconds(name) for one in runs))
        for name in (*_STAGES, "total", "checker")
    }
    peak, checker = (
        cell(_middle(one.peak_gb(name) for one in runs)) for name in ("witness", "checker")
    )
    checked = [peak, seconds.pop("checker"), checker]
    holds = "holds" if facts.kernel_holds else "fails"
    return [DOMAINS[domain], str(facts.dimension), holds, *seconds.values(), *checked]


def _goals(domain: Domain, runs: list[Measured]) -> list[Goal]:
    total = _middle(one.seconds("total") for one in runs)
    peak = _middle(one.peak_gb("witness") for one in runs)
    return [
        Goal(f"{DOMAINS[domain]}: total", total, 60, "at most", " s"),
        Goal(f"{DOMAINS[domain]}: peak memory", peak, 6, "at most", " GB"),
    ]


# ---- In the process of its own -----------------------------------------------------------------


def measure(asked: Asked) -> Measured:
    """Measures dimension and kernel certificate once."""
    layer, stages = random_layer(asked.size, seed=asked.seed), Stages()
    with stages.measure("split"):
        polytope = layer.polytope(Free() if asked.domain == "free" else Nonnegative())
        n_positive = polytope.n_positive
    with stages.measure("dimension"):
        dimension = polytope.dimension()
    with stages.measure("kernel"):
        kernel = polytope.kernel_condition()
    if dimension.certificate is None or dimension.value is None:
        raise AssertionError(f"dimension: {dimension.reason}")
    certificates = [dimension.certificate, kernel.certificate]
    with stages.measure("witness"):
        for certificate in certificates:
            # The inverses modulo a prime are the part of it that is computed when it is read.
            _ = [minor.inverse for minor in _minors(certificate.witness)]
    del polytope, layer
    found = _checked(certificates) if asked.verify else []
    if found:
        stages.add("checker", sum(one.seconds for one in found), found[-1].peak_gb)
    facts = Facts(
        n_positive=n_positive,
        dimension=dimension.value,
        paper_bound=dimension.paper_bound,
        kernel_holds=kernel.holds,
        claims=tuple(one.claim for one in found),
    )
    return Measured(facts, stages)


def _minors(witness: Mapping[str, Any]) -> Iterator[Any]:
    for part in witness.values():
        values = part.values() if isinstance(part, dict) else [part]
        yield from (value for value in values if hasattr(value, "inverse"))


def _checked(certificates: list[Certificate]) -> list[Checked]:
    """Saves the certificates, and checks each as a stranger would."""
    with tempfile.TemporaryDirectory() as folder:
        return [
            checked(certificate.save(Path(folder) / f"{certificate.kind}.json"))
            for certificate in certificates
        ]
