"""`collide squeezenet`: collisions of real images at two layers of SqueezeNet, exact at conv10."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from experiments.squeezenet.options import SqueezeNetOptions

SUMMARY = "the experiment of Tables 3 and 4 on SqueezeNet and real images, exact at conv10"
RECIPES = {"authors": ("authors",), "modern": ("modern",), "both": ("authors", "modern")}
POSITIONS = 169  # of conv10
#: What `--smoke` sets where nothing else is said: everything runs, nothing is worth reading.
SMOKE = {
    "units": 2,
    "samples": 4,
    "ball": 4,
    "steps": 2,
    "positions": "0",
    "facts": 0.0,
    "limit": 4,
}
USUAL = {
    "units": 5,
    "samples": 2000,
    "ball": 1000,
    "steps": 300,
    "positions": "24",
    "facts": 0.0,
    "limit": None,
}


def _names(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


_names.__name__ = "list of names"  # for argparse's errors


def add_options(parser: argparse.ArgumentParser) -> None:
    """Adds the options of the command."""
    group = parser.add_argument_group("network and images")
    group.add_argument(
        "--weights",
        metavar="FILE",
        type=Path,
        help="first release's .net or .npz, or torchvision's .pth (what `collide fetch` brought)",
    )
    group.add_argument(
        "--images",
        metavar="FOLDER",
        type=Path,
        help="folder of JPEG or PNG files (the thousand samples that `collide fetch` brought)",
    )
    group.add_argument(
        "--target",
        metavar="NAME",
        default="goldfish",
        help="image to collide with: number, or part of its file's name (goldfish)",
    )
    group.add_argument(
        "--start",
        metavar="NAME",
        default="Blenheim_spaniel",
        help="image to start from, likewise (Blenheim_spaniel)",
    )
    _experiment_options(parser)
    run_group = parser.add_argument_group("run")
    run_group.add_argument(
        "--out", metavar="FOLDER", type=Path, help="run folder (runs/squeezenet-NNN, a new one)"
    )
    run_group.add_argument("--resume", action="store_true", help="go on with the run in --out")
    run_group.add_argument("--seed", metavar="N", type=int, default=0, help="of combinations (0)")
    run_group.add_argument(
        "--device", metavar="NAME", default="auto", help="auto, cpu, cuda or cuda:N (auto)"
    )
    run_group.add_argument(
        "--workers", metavar="N", type=int, help="processes for exact work (cores, at most 8)"
    )
    run_group.add_argument("--data", metavar="FOLDER", type=Path, help="cache (or COLLIDE_DATA)")


def _experiment_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("the experiment")
    group.add_argument(
        "--layers",
        metavar="LIST",
        type=_names,
        default=("conv10", "fire9/expand3x3"),
        help="in the first release's names or torchvision's (conv10,fire9/expand3x3)",
    )
    group.add_argument(
        "--recipe",
        choices=tuple(RECIPES),
        help="of the search (both at conv10, modern elsewhere)",
    )
    group.add_argument("--from-target", action="store_true", help="also start from the target")
    group.add_argument("--units", metavar="N", type=int, help="vertices (5)")
    group.add_argument("--steps", metavar="N", type=int, help="a vertex, at most (300)")
    group.add_argument("--samples", metavar="N", type=int, help="convex combinations (2000)")
    group.add_argument("--ball", metavar="N", type=int, help="images of the ball control (1000)")
    group.add_argument(
        "--positions",
        metavar="N",
        help="of conv10 certified besides the units' own: a number, or all; 4 MB each (24)",
    )
    group.add_argument(
        "--facts",
        metavar="SECONDS",
        type=float,
        help="for exact facts of another layer than conv10, at most (0: left out)",
    )
    group.add_argument(
        "--no-exact", action="store_true", help="no exact residuals of layers other than conv10"
    )
    group.add_argument(
        "--limit", metavar="N", type=int, help="the first N images of the folder only (all)"
    )
    group.add_argument(
        "--smoke", action="store_true", help="everything tiny, to see that the command runs"
    )


def run(options: argparse.Namespace) -> int:
    """The experiment, its tables and figures."""
    from experiments.run.folder import announce, running, told
    from experiments.run.progress import Progress
    from experiments.squeezenet.output import finish_squeezenet

    settings = settings_of(options)
    with running(options, "squeezenet") as folder:
        from experiments.squeezenet.run import run_squeezenet

        progress = Progress(quiet=options.quiet)
        announce(options, folder, progress)
        run_squeezenet(settings, folder, progress)
        note = finish_squeezenet(folder, as_json=options.json)
    return told(note)


def settings_of(options: argparse.Namespace) -> "SqueezeNetOptions":
    """Returns the command's options, checked.

    Raises:
        InputError: one is out of range.
    """
    from experiments.images.options import ImageOptions
    from experiments.run.checks import check_device
    from experiments.run.pool import cores
    from experiments.squeezenet.options import SqueezeNetOptions
    from polytope.errors import InputError

    check_device(options.device)
    for name, usual in (SMOKE if options.smoke else USUAL).items():
        if getattr(options, name) is None:
            setattr(options, name, usual)
    positions = str(options.positions)
    if not (positions == "all" or (positions.isascii() and positions.isdigit())):
        raise InputError(f"positions: expected a number or all, got {positions!r}")
    return SqueezeNetOptions(
        weights=options.weights,
        images=options.images,
        target=options.target,
        start=options.start,
        from_target=options.from_target,
        layers=options.layers,
        positions=POSITIONS if positions == "all" else int(positions),
        limit=options.limit,
        recipes=None if options.recipe is None else RECIPES[options.recipe],
        workers=options.workers or cores(),
        data=options.data,
        image=ImageOptions(
            units=options.units,
            samples=options.samples,
            ball_samples=options.ball,
            max_steps=options.steps,
            exact=not (options.no_exact or options.smoke),
            facts_seconds=options.facts,
            seed=options.seed,
            device=options.device,
        ),
    )
