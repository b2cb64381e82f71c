"""What do all inactive units of one target cost, certified?  Seconds a vertex, warm-started."""

import argparse
import time
from collections import defaultdict
from statistics import median

from experiments.bench.layers import subject
from experiments.bench.report import Goal, Report, middle
from experiments.measure.case import Case
from experiments.run.progress import Progress
from polytope import LPResult, LPStatus, verify
from polytope.errors import InputError

#: Key of each measured time -> its line in the table.
LINES = {
    "certified": "certified vertex, witness included",
    "float": "  HiGHS (two chains of units in two threads)",
    "proof": "  proof (the same)",
    "cpu": "  CPU time of both threads, set-up shared by all included",
    "verify": "verify() of its certificate",
    "both": "certified and verified",
}


def add_options(parser: argparse.ArgumentParser) -> None:
    """Adds this benchmark's options."""
    parser.add_argument("--runs", type=int, default=3, help="times that everything is solved")
    parser.add_argument("--no-verify", action="store_true", help="leave out verify()")


def run(options: argparse.Namespace) -> Report:
    """Solves every inactive unit of one target, each from the last one's basis.

    Raises:
        InputError: `runs` is not positive.
    """
    if options.runs < 1:
        raise InputError(f"runs must be at least 1; got {options.runs}")
    progress = Progress(quiet=options.quiet)
    measured = subject(options)
    case = measured.case()
    means: dict[str, list[float]] = defaultdict(list)
    slowest: list[float] = []
    results: dict[int, LPResult] = {}
    for k in range(options.runs):
        progress.say(f"run {k + 1} of {options.runs}")
        results, seconds = _certify(case, means, progress)
        slowest.append(max(seconds))
        if not options.no_verify:
            _verify(results, means, progress)
    proved = [unit for unit, r in results.items() if r.status is not LPStatus.UNDECIDED]
    return Report(
        title=f"All {len(results)} inactive units of one target, certified, warm-started. "
        f"{measured.words}; runs: {options.runs}.",
        headings=["seconds a vertex (mean of a run)", "median run", "best", "worst"],
        rows=[[line, *_cells(means[key])] for key, line in LINES.items()],
        goals=[
            Goal("certified", middle(means["certified"]), 0.25, "at most", " s a vertex"),
        ],
        notes=[
            f"Proved: {len(proved)} of {len(results)} units; slowest vertex {median(slowest):.3f} "
            "s (median over the runs; the first one starts cold).",
            "All times but the CPU's are wall time; the two chains overlap.",
        ],
        data=measured.data,
        results={
            "units": len(results),
            "proved": len(proved),
            "vertices": sum(r.is_vertex for r in results.values()),
            "values": {unit: r.value for unit, r in results.items()},
        },
        timings={**{key: means[key] for key in LINES}, "slowest": slowest},
    )


def _certify(
    case: Case, means: dict[str, list[float]], progress: Progress
) -> tuple[dict[int, LPResult], list[float]]:
    """Solves every unit; its results, and the seconds of each."""
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
    whole = (last - began) / len(results)
    means["cpu"].append((time.process_time() - cpu) / len(results))
    parts = {
        key: sum(r.timings.get(key, 0.0) for r in results.values()) / len(results)
        for key in ("float", "proof")
    }
    for key, value in {"certified": whole, **parts}.items():
        means[key].append(value)
    return results, seconds


def _verify(
    results: dict[int, LPResult], means: dict[str, list[float]], progress: Progress
) -> None:
    certificates = [r.certificate for r in results.values() if r.certificate is not None]
    began = time.perf_counter()
    for certificate in progress.track(certificates, total=len(certificates), unit="certificates"):
        verify(certificate)
    means["verify"].append((time.perf_counter() - began) / len(results))
    means["both"].append(means["certified"][-1] + means["verify"][-1])


def _cells(values: list[float]) -> list[str]:
    if not values:
        return ["-", "-", "-"]
    return [f"{value:.4f}" for value in (median(values), min(values), max(values))]
