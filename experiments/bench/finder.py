"""What does one batch gain?  Vertex-steps a second, all vertices at once and one at a time."""

import argparse
from statistics import median
from typing import TYPE_CHECKING

from experiments.bench.finder_deep import add_model_options, run_deep
from experiments.bench.layers import Subject, subject
from experiments.bench.report import Goal, Report, ratio
from experiments.run.progress import Progress
from polytope.errors import InputError

if TYPE_CHECKING:
    from optimize import Throughput

#: Line of the table -> the terms and the optimiser.
FORMS = {
    "splitting, hinge (constrained), default": ("hinge", "auto"),
    "splitting, absolute (eq. 1), default": ("absolute", "auto"),
    "Adam, absolute (eq. 1)": ("absolute", "adam"),
    "authors' momentum, absolute (eq. 1)": ("absolute", "authors"),
}


def add_options(parser: argparse.ArgumentParser) -> None:
    """Adds this benchmark's options."""
    parser.add_argument(
        "--targets", type=int, help="targets in the batch (default: 100; deep models on a CPU: 2)"
    )
    parser.add_argument("--units", type=int, default=5, help="units of each target")
    parser.add_argument(
        "--steps", type=int, help="steps timed (default: 100; deep models: 20 on CUDA, else 3)"
    )
    parser.add_argument("--singles", type=int, default=5, help="vertices searched one at a time")
    parser.add_argument("--runs", type=int, default=3, help="measurements of each method")
    parser.add_argument("--device", default="cpu", help='"cpu", "cuda", or "auto"')
    add_model_options(parser)


def run(options: argparse.Namespace) -> Report:
    """Measures each method batched and one at a time, in turns.

    Raises:
        InputError: a count is not positive, or the device is absent.
    """
    if options.runs < 1:
        raise InputError(f"runs must be at least 1; got {options.runs}")
    if options.model != "mlp":
        return run_deep(options)
    import torch

    options.targets = 100 if options.targets is None else options.targets
    options.steps = 100 if options.steps is None else options.steps
    progress = Progress(quiet=options.quiet)
    measured = subject(options, targets=options.targets, digit=None)
    found: dict[str, list[Throughput]] = {name: [] for name in FORMS}
    for k in range(options.runs):
        progress.say(f"run {k + 1} of {options.runs}")
        for name in FORMS:
            found[name].append(_measure(name, measured, options))
    default = next(iter(FORMS))
    runs = found[default]
    return Report(
        title=f"Relaxed search on {options.device}: {runs[0].vertices} vertices in one batch "
        f"({len(measured.targets)} targets x {options.units} units) beside one at a time. "
        f"{measured.words}; {options.steps} steps; runs: {options.runs}; "
        f"threads: {torch.get_num_threads()}.",
        headings=["vertex-steps a second (medians)", "batched", "one at a time", "ratio"],
        rows=[_row(name, runs) for name, runs in found.items()],
        goals=[
            Goal(
                f"batched / one at a time, {name}",
                ratio([r.batched for r in runs], [r.one_at_a_time for r in runs]),
                10,
                "at least",
                " x",
            )
            for name, runs in found.items()
        ],
        data=measured.data,
        results={"vertices": runs[0].vertices, "steps": options.steps},
        timings={
            name: [{"batched": r.batched, "one_at_a_time": r.one_at_a_time} for r in runs]
            for name, runs in found.items()
        },
    )


def _measure(name: str, measured: Subject, options: argparse.Namespace) -> "Throughput":
    from optimize import Objective, measure_throughput

    others, optimizer = FORMS[name]
    return measure_throughput(
        measured.network(),
        "0",
        measured.targets,
        units=options.units,
        objective=Objective(others="hinge" if others == "hinge" else "absolute"),
        optimizer=optimizer,
        steps=options.steps,
        singles=options.singles,
        device=options.device,
    )


def _row(name: str, runs: "list[Throughput]") -> list[str]:
    batched, alone = [r.batched for r in runs], [r.one_at_a_time for r in runs]
    gain = ratio(batched, alone) or 0.0
    return [name, f"{median(batched):,.0f}", f"{median(alone):,.0f}", f"{gain:.1f}"]
