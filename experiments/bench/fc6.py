"""What do dimension and kernel certificate of a layer of VGG-16's fc6 size cost?  Time and memory.

Seeded random float32 weights: no download, and no structure that a real network might add.
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from statistics import median
from typing import Any

from experiments.bench import fc6_vertex
from experiments.bench.report import Goal, Report
from experiments.run.progress import Progress
from polytope.errors import CollisionError, InputError

UNITS, INPUTS, ACTIVE = 4096, 25088, 1100
DOMAINS = {"free": "Free", "nonnegative": "Nonnegative, 80 % of the target zero"}


def add_options(parser: argparse.ArgumentParser) -> None:
    """Adds this benchmark's options."""
    parser.add_argument("--runs", type=int, default=3, help="processes for each domain")
    parser.add_argument("--domain", choices=list(DOMAINS), action="append", help="one of them only")
    parser.add_argument(
        "--verify", action="store_true", help="also run the checker on the saved certificates"
    )
    parser.add_argument(
        "--vertex",
        action="store_true",
        help="instead one certified vertex at x >= 0, time and memory of each stage, one run",
    )
    parser.add_argument(
        "--optimum",
        action="store_true",
        help="with --vertex: also the exact optimum of a unit on the face of the target's support",
    )
    parser.add_argument("--units", type=int, default=UNITS, help="N, of the random layer")
    parser.add_argument("--inputs", type=int, default=INPUTS, help="d, of the random layer")
    parser.add_argument("--active", type=int, default=ACTIVE, help="N+, of the random layer")
    parser.add_argument(
        "--weights",
        type=Path,
        help="VGG-16's weights, torchvision's or the Caffe port: its fc6 for --vertex",
    )


def run(options: argparse.Namespace) -> Report:
    """Runs each domain in fresh processes, so that peak memory is its own.

    Raises:
        InputError: `runs` is not positive, or the sizes are those of no layer.
        CollisionError: a process failed.
    """
    if options.runs < 1:
        raise InputError(f"runs must be at least 1; got {options.runs}")
    sizes = (12, 30, 4) if options.smoke else (options.units, options.inputs, options.active)
    if not 0 < sizes[2] < min(sizes[0], sizes[1]):
        raise InputError(
            f"active: must be positive and below units and inputs; got {sizes[2]} of "
            f"{sizes[0]} x {sizes[1]}"
        )
    if options.weights is not None and not options.vertex:
        raise InputError("weights: must go with --vertex; the other figures are of random layers")
    if options.optimum and not options.vertex:
        raise InputError("optimum: must go with --vertex")
    if options.vertex:
        return fc6_vertex.run(options, sizes)
    progress = Progress(quiet=options.quiet)
    domains = options.domain or list(DOMAINS)
    found: dict[str, list[dict[str, Any]]] = {domain: [] for domain in domains}
    for k in range(options.runs):
        for domain in domains:
            progress.say(f"run {k + 1} of {options.runs}: {DOMAINS[domain]}")
            found[domain].append(_one(domain, sizes, options))
    rows = [_row(domain, found[domain]) for domain in domains]
    return Report(
        title=f"Dimension and kernel certificate, witness included: {sizes[0]:,} x {sizes[1]:,} "
        f"float32 N(0, 1/inputs) (seed {options.seed}), biased so that {sizes[2]:,} units are "
        f"active; runs: {options.runs}; {os.cpu_count()} cores.",
        headings=["domain", *_HEADINGS],
        rows=rows,
        goals=[goal for domain in domains for goal in _goals(domain, found[domain])],
        notes=_notes(found),
        results={domain: runs[0]["results"] for domain, runs in found.items()},
        timings={domain: [run["timings"] for run in runs] for domain, runs in found.items()},
    )


_HEADINGS = ["dimension", "kernel", "split s", "dimension s", "kernel s", "witness s", "total s",
             "peak GB", "checker s", "checker GB"]  # fmt: skip


def _one(domain: str, sizes: tuple[int, int, int], options: argparse.Namespace) -> dict[str, Any]:
    arguments = [domain, *map(str, sizes), str(options.seed), *["--verify"] * options.verify]
    done = subprocess.run(
        [sys.executable, "-m", "experiments.bench.fc6_worker", *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        reason = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise CollisionError(f"the process for {domain} ended with {done.returncode}: {reason}")
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def _middle(runs: list[dict[str, Any]], key: str) -> float | None:
    values = [run["timings"][key] for run in runs if run["timings"][key] is not None]
    return median(values) if values else None


def _row(domain: str, runs: list[dict[str, Any]]) -> list[str]:
    results = runs[0]["results"]
    cells = [str(results["dimension"]), "holds" if results["kernel_holds"] else "fails"]
    keys = ("split", "dimension", "kernel", "witness", "total", "peak_gb", "checker", "checker_gb")
    values = [_middle(runs, key) for key in keys]
    return [DOMAINS[domain], *cells, *["-" if v is None else f"{v:.2f}" for v in values]]


def _goals(domain: str, runs: list[dict[str, Any]]) -> list[Goal]:
    return [
        Goal(f"{DOMAINS[domain]}: total", _middle(runs, "total"), 60, "at most", " s"),
        Goal(f"{DOMAINS[domain]}: peak memory", _middle(runs, "peak_gb"), 6, "at most", " GB"),
    ]


def _notes(found: dict[str, list[dict[str, Any]]]) -> list[str]:
    notes = [
        "Medians. Total: from the float32 arrays to both certificates with their witnesses. Peak: "
        "resident memory of the whole process, weights (0.41 GB at full size) and Python included."
    ]
    for domain, runs in found.items():
        words = [claim for claim in runs[0]["results"]["checker"] if claim]
        notes += [f"Checker, {DOMAINS[domain]}: {claim}" for claim in words]
    return notes
