"""How good is the relaxed search?  Its vertices beside the exact optimum of the same units."""

import argparse
import time
from statistics import fmean, median
from typing import TYPE_CHECKING, Any

from experiments.bench.layers import Subject, subject
from experiments.bench.report import Goal, Report
from experiments.run.progress import Progress
from polytope import LPResult
from polytope.errors import InputError

if TYPE_CHECKING:
    from optimize import VertexComparison, VertexSearch

#: Line of the table -> which terms; the default optimiser of each.
FORMS = {"hinge": "hinge (constrained)", "absolute": "absolute (the paper's eq. 1)"}
_HEADINGS = ["relative gap max", "mean", "tolerance max", "converged", "steps max",
             "search s", "steps x vertices / s"]  # fmt: skip


def add_options(parser: argparse.ArgumentParser) -> None:
    """Adds this benchmark's options."""
    parser.add_argument("--targets", type=int, default=20, help="test images, the first ones")
    parser.add_argument("--units", type=int, default=5, help="units of each target")
    parser.add_argument("--max-steps", type=int, default=20_000, help="limit of the search")
    parser.add_argument("--device", default="cpu", help='"cpu", "cuda", or "auto"')


def run(options: argparse.Namespace) -> Report:
    """Searches with each penalty and compares with the exact optima, in exact arithmetic.

    Raises:
        InputError: a count is not positive, or the device is absent.
    """
    if options.units < 1:
        raise InputError(f"units must be at least 1; got {options.units}")
    progress = Progress(quiet=options.quiet)
    measured = subject(options, targets=options.targets, digit=None)
    exact: list[dict[int, LPResult]] = [{} for _ in measured.targets]
    rows: list[list[str]] = []
    results: dict[str, Any] = {}
    timings: dict[str, Any] = {}
    goals: list[Goal] = []
    for others, words in FORMS.items():
        progress.say(f"search: {words}")
        found = _search(others, measured, options)
        progress.say(f"exact optima beside it: {words}")
        compared = _compare(found, measured, exact, progress)
        rows.append([words, *_cells(found, compared)])
        results[others] = _entry(found, compared)
        timings[others] = {"search": found.seconds, "exact": sum(r[1] for r in compared)}
        if others == "hinge":
            goals = _goals(results[others])
    return Report(
        title=f"Relaxed vertices beside exact ones: {len(measured.targets)} targets x "
        f"{options.units} units, started at the target, default optimiser. {measured.words}.",
        headings=["penalty on the other units", *_HEADINGS],
        rows=rows,
        goals=goals,
        notes=[
            "Relative gap: |found - exact minimum| / |exact minimum| of the unit's pre-activation. "
            "Tolerance: the least at which the found point truly collides. Both computed exactly.",
            "Converged: within the method's duality gap, computed in float64.",
        ],
        data=measured.data,
        results=results,
        timings=timings,
    )


def _search(others: str, measured: Subject, options: argparse.Namespace) -> "VertexSearch":
    from optimize import Objective, Stopping, find_vertices

    return find_vertices(
        measured.network(),
        "0",
        measured.targets,
        units=options.units,
        objective=Objective(others="hinge" if others == "hinge" else "absolute"),
        stopping=Stopping(max_steps=options.max_steps),
        seed=options.seed,
        device=options.device,
        progress=not options.quiet,
    )


def _compare(
    found: "VertexSearch",
    measured: Subject,
    exact: list[dict[int, LPResult]],
    progress: Progress,
) -> list[tuple["VertexComparison", float]]:
    """Compares target by target, so that one polytope lives at a time; with seconds for each."""
    from optimize import compare

    out: list[tuple[VertexComparison, float]] = []
    targets = range(len(measured.targets))
    for index in progress.track(targets, total=len(targets), unit="targets"):
        began = time.perf_counter()
        polytope = measured.case(index).polytope()
        part = compare(
            polytope, found, exact=exact[index], distance=None, target=index, progress=False
        )
        exact[index].update({one.unit: one.exact for one in part})
        spent = time.perf_counter() - began
        out += [(one, spent / len(part)) for one in part]
    return out


def _entry(
    found: "VertexSearch", compared: list[tuple["VertexComparison", float]]
) -> dict[str, Any]:
    """Returns what the record keeps of one search."""
    gaps = [one.relative_gap for one, _ in compared if one.relative_gap is not None]
    return {
        "method": found.method,
        "vertices": len(compared),
        "proved": sum(one.exact_value is not None for one, _ in compared),
        "relative_gap_max": max(gaps),
        "relative_gap_mean": fmean(gaps),
        "relative_gap_median": median(gaps),
        "smallest_tolerance_max": max(float(one.smallest_tolerance) for one, _ in compared),
        "converged": int(found.converged.sum()),
        "steps_max": int(found.steps.max()),
        "per_vertex": [
            {
                "target": one.target,
                "unit": one.unit,
                "found": float(one.found_value),
                "exact": None if one.exact_value is None else float(one.exact_value),
                "relative_gap": one.relative_gap,
                "smallest_tolerance": float(one.smallest_tolerance),
            }
            for one, _ in compared
        ],
    }


def _cells(found: "VertexSearch", compared: list[tuple["VertexComparison", float]]) -> list[str]:
    entry = _entry(found, compared)
    return [
        f"{entry['relative_gap_max']:.2%}",
        f"{entry['relative_gap_mean']:.2%}",
        f"{entry['smallest_tolerance_max']:.1e}",
        f"{entry['converged']} of {entry['vertices']}",
        str(entry["steps_max"]),
        f"{found.seconds:.1f}",
        f"{float(found.steps.sum()) / found.seconds:,.0f}",
    ]


def _goals(entry: dict[str, Any]) -> list[Goal]:
    return [
        Goal("hinge: largest relative gap", entry["relative_gap_max"], 0.02, "at most"),
        Goal("hinge: largest smallest tolerance", entry["smallest_tolerance_max"], 1e-3, "at most"),
    ]
