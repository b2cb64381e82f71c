"""`collide lenet5`: the experiment of `collide mnist` at LeNet-5's layers, exact in two spaces."""

import argparse
from pathlib import Path

SUMMARY = "the same at the layers of LeNet-5, exact in the layer's space and in pixels"


def _names(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


_names.__name__ = "list of names"  # for argparse's errors


def add_options(parser: argparse.ArgumentParser) -> None:
    """Adds the options of the command."""
    run = parser.add_argument_group("run")
    run.add_argument(
        "--out", metavar="FOLDER", type=Path, help="run folder (default: runs/lenet5-NNN, new)"
    )
    run.add_argument("--resume", action="store_true", help="go on with the run in --out")
    run.add_argument("--seed", metavar="N", type=int, help="of training and of random weights (0)")
    run.add_argument("--device", metavar="NAME", help="of the relaxed searches (cpu)")
    run.add_argument("--workers", metavar="N", type=int, help="processes (cores, at most 8)")
    run.add_argument(
        "--data", metavar="FOLDER", type=Path, help="cache of data and networks (or COLLIDE_DATA)"
    )
    what = parser.add_argument_group("the experiment")
    what.add_argument("--target", metavar="INDEX", type=int, help="test image (the first 7)")
    what.add_argument("--other", metavar="INDEX", type=int, help="other digit (the first 3)")
    what.add_argument(
        "--layers",
        metavar="LIST",
        type=_names,
        help="conv1,conv2,fc1,fc2 and hidden2, of the 784-256-256-10 network (all)",
    )
    what.add_argument("--units", metavar="N", type=int, help="vertices a set (5)")
    what.add_argument("--samples", metavar="N", type=int, help="convex combinations (2000)")
    what.add_argument("--max-steps", metavar="N", type=int, help="of a relaxed search (20000)")
    what.add_argument(
        "--pieces", metavar="N", type=int, help="linear regions entered a unit; 0 for none (5)"
    )
    what.add_argument(
        "--seconds", metavar="X", type=float, help="limit of each piece of exact work (600)"
    )


def run(options: argparse.Namespace) -> int:
    """Runs, writes and prints; 4 where a limit ended exact work."""
    from experiments.lenet5.options import Lenet5Options
    from experiments.run.folder import announce, running, told
    from experiments.run.pool import cores
    from experiments.run.progress import Progress

    names = (
        *("target", "other", "layers", "units", "samples", "max_steps", "pieces", "seconds"),
        *("seed", "device", "workers", "data"),
    )
    given = {name: getattr(options, name) for name in names}
    wanted = {name: value for name, value in given.items() if value is not None}
    settings = Lenet5Options(**({"workers": cores()} | wanted))
    with running(options, "lenet5") as folder:
        from experiments.lenet5.output import finish_lenet5
        from experiments.lenet5.run import run_lenet5  # imports torch

        progress = Progress(quiet=options.quiet, stages=6)
        announce(options, folder, progress)
        run_lenet5(settings, folder, progress)
        note = finish_lenet5(folder, as_json=options.json)
    return told(note)
