"""What do all inactive units of one target cost, certified?  Seconds a vertex, warm-started."""

import time
from collections import defaultdict
from dataclasses import dataclass
from fractions import Fraction
from statistics import median
from typing import ClassVar

from experiments.bench.layers import subject
from experiments.bench.options import BenchRequest, count
from experiments.bench.report import Goal, Report, middle, spread
from experiments.measure.case import Case
from experiments.run.progress import Progress
from experiments.run.request import option
from polytope import LPResult, LPStatus, verify

#: Key of each measured time -> its line in the table.
LINES = {
    "certified": "certified vertex, witness included",
    "float": "  HiGHS (two chains of units in two threads)",
    "proof": "  proof (the same)",
    "cpu": "  CPU time of both threads, set-up shared by all included",
    "verify": "verify() of its certificate",
    "both": "certified and verified",
}


@dataclass(frozen=True, kw_only=True)
class UnitsRequest(BenchRequest):
    """Options of `collide bench units`."""

    runs: int = count("times that everything is solved", 3)
    verify: bool = option("leave out verify()", default=True)


REQUEST = UnitsRequest


@dataclass(frozen=True, kw_only=True)
class UnitsResults:
    """What does not depend on the machine.

    Attributes:
        units: inactive ones.
        proved: of these.
        vertices: whose optimum is a vertex.
        values: unit -> its least pre-activation, exact; None where nothing was proved.
    """

    SCHEMA: ClassVar[str] = "collision-polytopes/bench-units/2"
    units: int
    proved: int
    vertices: int
    values: dict[int, Fraction | None]


def run(request: UnitsRequest, progress: Progress) -> Report[UnitsResults]:
    """Solves every inactive unit of one target, each from the last one's basis."""
    measured = subject(request)
    means: dict[str, list[float]] = defaultdict(list)
    slowest: list[float] = []
    results: dict[int, LPResult] = {}
    for k in range(request.runs):
        progress.say(f"run {k + 1} of {request.runs}")
        results = _certify(measured.case(), means, slowest, progress)
        if request.verify:
            _verify(results, means, progress)
    proved = [unit for unit, r in results.items() if r.status is not LPStatus.UNDECIDED]
    return Report(
        title=f"All {len(results)} inactive units of one target, certified, warm-started. "
        f"{measured.words}; runs: {request.runs}.",
        headings=["seconds a vertex (mean of a run)", "median run", "best", "worst"],
        rows=[[line, *spread(means[key], digits=4)] for key, line in LINES.items()],
        goals=[Goal("certified", middle(means["certified"]), 0.25, "at most", " s a vertex")],
        notes=[
            f"Proved: {len(proved)} of {len(results)} units; slowest vertex {median(slowest):.3f} "
            "s (median over the runs; the first one starts cold).",
            "All times but the CPU's are wall time; the two chains overlap.",
        ],
        data=measured.data,
        results=UnitsResults(
            units=len(results),
            proved=len(proved),
            vertices=sum(bool(r.is_vertex) for r in results.values()),
            values={unit: r.value for unit, r in results.items()},
        ),
        timings={**{key: means[key] for key in LINES}, "slowest": slowest},
    )


def _certify(
    case: Case, means: dict[str, list[float]], slowest: list[float], progress: Progress
) -> dict[int, LPResult]:
    """Solves every unit, and notes the seconds."""
    began = last = time.perf_counter()
    cpu = time.process_time()
    polytope = case.polytope()
    results: dict[int, LPResult] = {}
    seconds: list[float] = []
    total, name = len(polytope.inactive_units), "vertices"
    for unit, result in progress.track(polytope.iter_unit_vertices(), total=total, unit=name):
        if result.certificate is not None:
            _ = result.certificate.witness
        results[unit] = result
        now = time.perf_counter()
        seconds.append(now - last)
        last = now
    means["certified"].append((last - began) / len(results))
    means["cpu"].append((time.process_time() - cpu) / len(results))
    for key in ("float", "proof"):
        spent = sum(r.timings.get(key, 0.0) for r in results.values())
        means[key].append(spent / len(results))
    slowest.append(max(seconds))
    return results


def _verify(
    results: dict[int, LPResult], means: dict[str, list[float]], progress: Progress
) -> None:
    certificates = [r.certificate for r in results.values() if r.certificate is not None]
    began = time.perf_counter()
    for certificate in progress.track(certificates, total=len(certificates), unit="certificates"):
        verify(certificate)
    means["verify"].append((time.perf_counter() - began) / len(results))
    means["both"].append(means["certified"][-1] + means["verify"][-1])
