"""What does a certified vertex at the size of VGG-16's fc6 cost?  Time and memory by stage."""

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from experiments.bench.report import Goal, Report
from experiments.run.progress import Progress
from polytope.errors import CollisionError

#: Stage -> what it does, in order; the worker names its timings so.
STAGES = {
    "split": "active units, exact signs",
    "right-hand sides": "exact pre-activations of all units",
    "dimension": "with its certificate",
    "kernel": "kernel condition, with its certificate",
    "lineality": "with its certificate",
    "start": "what is tight at the target",
    "push": "float pushes to a vertex of its face",
    "solve": "exact solve of the tight system",
    "substitute": "exact signs of all other rows",
    "rank": "invertible minor of the tight system",
    "residuals": "exact residuals and signs of the vertex rounded to float32",
    "contains": "the exact vertex substituted once more, into all rows",
    "save": "the certificate written, its minor inverted",
    "checker": "by the stand-alone checker, a process of its own",
    "optimum": "least pre-activation of a unit over the target's support, in a box",
    "optimum checker": "by the stand-alone checker",
}


def run(options: argparse.Namespace, sizes: tuple[int, int, int]) -> Report:
    """Runs all stages once, in a fresh process.

    Raises:
        CollisionError: the process failed.
    """
    progress = Progress(quiet=options.quiet)
    progress.say("one certified vertex, all stages: minutes at full size")
    found = _worker(options, sizes)
    results, timings = found["results"], found["timings"]
    rows = [
        [stage, STAGES[stage], f"{seconds:.2f}", f"{timings['peak_gb'][stage]:.2f}"]
        for stage, seconds in timings["seconds"].items()
    ]
    vertex = sum(timings["seconds"].get(stage, 0.0) for stage in _VERTEX_STAGES)
    return Report(
        title=_title(options, results),
        headings=["stage", "what", "s", "peak GB so far"],
        rows=rows,
        goals=[
            Goal("from the float32 arrays to the certified vertex", vertex, 600, "at most", " s"),
            Goal("peak memory", max(timings["peak_gb"].values()), 8, "at most", " GB"),
        ],
        notes=_notes(results),
        results=results,
        timings=timings,
    )


_VERTEX_STAGES = ("split", "right-hand sides", "start", "push", "solve", "substitute", "rank")


def _worker(options: argparse.Namespace, sizes: tuple[int, int, int]) -> dict[str, Any]:
    asked = {"sizes": sizes, "seed": options.seed, "verify": options.verify}
    asked["optimum"] = options.optimum
    asked["weights"] = None if options.weights is None else str(Path(options.weights).resolve())
    done = subprocess.run(
        [sys.executable, "-m", "experiments.bench.fc6_vertex_worker", json.dumps(asked)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        reason = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise CollisionError(f"the process for the vertex ended with {done.returncode}: {reason}")
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def _title(options: argparse.Namespace, results: dict[str, Any]) -> str:
    shape = f"{results['n_units']:,} x {results['n_inputs']:,}"
    if options.weights is None:
        layer = f"{shape} float32 N(0, 1/inputs) (seed {options.seed}), one bias for all units"
    else:
        layer = f"VGG-16's fc6 ({shape}) from {Path(options.weights).name}"
    return (
        f"One certified vertex at x >= 0: {layer}; target |N(0, 1)| on a fifth of the inputs and 0 "
        f"elsewhere (seed {options.seed}): {results['n_positive']:,} active units."
    )


def _notes(results: dict[str, Any]) -> list[str]:
    if results["status"] != "VERTEX":
        return [f"no vertex: {results['status']}: {results['reason']}"]
    return [
        f"Dimension {results['dimension']:,}, lineality {results['lineality']}, kernel condition "
        f"{'holds' if results['kernel_holds'] else 'fails'}.",
        f"Vertex: {results['moves']:,} pushes; {results['tight']:,} rows of the layer are tight "
        f"({results['n_positive']:,} active units and {results['tight_inactive']:,} of "
        f"{results['n_units'] - results['n_positive']:,} others), {results['support']:,} of "
        f"{results['target_support']:,} coordinates are left; common denominator of "
        f"{results['denominator_bits']:,} bits.",
        f"Rounded to float32 it misses by {results['rounded_tolerance']:.2e} at most (exact "
        f"residual), with {results['rounded_sign_changes']} units on the wrong side of zero.",
        f"Certificate: {results['certificate_mb']:.1f} MB, weights apart.",
        *[f"Checker: {claim}" for claim in [results["checker"]] if claim],
        *(_optimum_notes(results["optimum"]) if "optimum" in results else []),
    ]


def _optimum_notes(found: dict[str, Any]) -> list[str]:
    if found["value"] is None:
        return [f"no optimum: {found['status']}: {found['reason']}"]
    parts = ", ".join(f"{name} {value:.1f} s" for name, value in found["seconds_by_part"].items())
    return [
        f"Optimum: unit {found['unit']} is at least {found['value']:.6g} for all inputs of "
        f"[0, {found['upper']}] that collide and are 0 where the target is, and attains it at a "
        f"{'vertex' if found['is_vertex'] else 'point'} ({parts}).",
        *[f"Checker: {claim}" for claim in [found["checker"]] if claim],
    ]
