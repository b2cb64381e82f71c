"""`collide vgg16`: collisions of images at fc6 of VGG-16, the paper's Tables 3 and 4."""

import argparse
import json
from pathlib import Path
from typing import Any

SUMMARY = "the paper's Tables 3 and 4: collisions of images at fc6 of VGG-16"
RECIPES = {"authors": ("authors",), "modern": ("modern",), "both": ("authors", "modern")}


def add_options(parser: argparse.ArgumentParser) -> None:
    """Adds the options of the command."""
    network_options(parser)
    pair = parser.add_argument_group("the pair of images")
    pair.add_argument(
        "--target", metavar="NAME", help="image to collide with: number, or part of its file's name"
    )
    pair.add_argument("--start", metavar="NAME", help="image to start from, likewise")
    experiment_options(parser)
    run = parser.add_argument_group("run")
    run.add_argument(
        "--out", metavar="FOLDER", type=Path, help="run folder (default: runs/vgg16-NNN, a new one)"
    )
    run.add_argument(
        "--units", metavar="N", type=int, default=5, help="vertices, first inactive units (5)"
    )
    run.add_argument("--samples", metavar="N", type=int, help="convex combinations (2000)")
    run.add_argument("--resume", action="store_true", help="go on with the run in --out")
    run.add_argument("--seed", metavar="N", type=int, default=0, help="of random combinations (0)")
    run.add_argument(
        "--device", metavar="NAME", default="auto", help="auto, cpu, cuda or cuda:N (auto)"
    )
    run.add_argument("--data", metavar="FOLDER", type=Path, help="cache (or COLLIDE_DATA)")
    parser.add_argument(
        "--targets",
        metavar="FILE",
        type=Path,
        help="instead: counts of stored fc6 pre-activations (.npz), such as the authors' own",
    )


def network_options(parser: argparse.ArgumentParser) -> None:
    """Options that say which weights and which images."""
    group = parser.add_argument_group("network and images")
    group.add_argument(
        "--weights",
        metavar="FILE",
        default="torchvision",
        help="torchvision's .pth, the TF port's .npz, or the word torchvision or caffe to download",
    )
    group.add_argument("--sha256", metavar="HEX", help="that the weights' file must have")
    group.add_argument(
        "--random-weights",
        metavar="SEED",
        type=int,
        help="an untrained network, to try the command (quick with --no-exact --facts 0)",
    )
    group.add_argument("--images", metavar="FOLDER", type=Path, help="folder of JPEG or PNG files")
    group.add_argument(
        "--image-size",
        metavar="N",
        type=int,
        default=224,
        help="side of the images; fc6 has its 4,096 x 25,088 weights at any (224)",
    )
    group.add_argument(
        "--resize",
        choices=("squash", "crop"),
        help="how images come to that size (squash with the TF port, else crop)",
    )


def experiment_options(parser: argparse.ArgumentParser) -> None:
    """Options of searches and measurements."""
    group = parser.add_argument_group("the experiment")
    group.add_argument(
        "--recipe", choices=tuple(RECIPES), default="both", help="of the search (both)"
    )
    group.add_argument("--from-target", action="store_true", help="also start from the target")
    group.add_argument(
        "--accuracy", action="store_true", help="also of the network, on labelled images"
    )
    group.add_argument("--steps", metavar="N", type=int, help="a vertex, at most (recipe's own)")
    group.add_argument("--max-seconds", metavar="X", type=float, help="a search, at most")
    group.add_argument("--ball", metavar="N", type=int, help="images of the ball control (20000)")
    group.add_argument(
        "--batch", metavar="N", type=int, help="images run at a time, where memory ends (32)"
    )
    group.add_argument(
        "--no-exact", action="store_true", help="leave out exact residuals (5 GB, minutes)"
    )
    group.add_argument(
        "--facts",
        metavar="SECONDS",
        type=float,
        help="most time for rank, kernel, dimension, lineality (600; 0 leaves them out)",
    )


def add_reproduce_options(parser: argparse.ArgumentParser) -> None:
    """Adds to `collide reproduce` what its Tables 3 and 4 need besides."""
    network_options(parser)
    pair = parser.add_argument_group("the pair of images (Tables 3 and 4)")
    pair.add_argument("--target-image", metavar="NAME", help="as --target of `collide vgg16`")
    pair.add_argument("--start-image", metavar="NAME", help="as --start of `collide vgg16`")
    experiment_options(parser)


def reproduce(options: argparse.Namespace) -> int:
    """The experiment behind Tables 3 and 4, then Table 4 and the place of the images."""
    from polytope.errors import InputError

    for name in ("target", "other", "digits", "tolerances", "author_steps"):
        if getattr(options, name) is not None:
            raise InputError(
                f"{name.replace('_', '-')}: expected none with Table {options.table}, which is not "
                "on MNIST (see --target-image, --start-image, --steps)"
            )
    options.seed = 0 if options.seed is None else options.seed
    return _run(options, options.target_image, options.start_image, table="table4")


def run(options: argparse.Namespace) -> int:
    """The experiment, or the counts of stored targets."""
    if options.targets is not None:
        return _targets(options)
    return _run(options, options.target, options.start)


def _run(
    options: argparse.Namespace, target: str | None, start: str | None, *, table: str | None = None
) -> int:
    from experiments.run.folder import announce, running, told

    settings = settings_of(options, target, start)
    with running(options, "vgg16") as folder:
        from experiments.images.output import finish_images
        from experiments.images.pair import run_images
        from experiments.run.progress import Progress
        from experiments.vgg16.run import vgg16_setting

        progress = Progress(quiet=options.quiet)
        announce(options, folder, progress)
        run_images(vgg16_setting(settings, progress), folder, progress)
        note = finish_images(folder, as_json=options.json, table=table)
    return told(note)


def settings_of(options: argparse.Namespace, target: str | None, start: str | None) -> Any:
    """Returns the command's options, checked.

    Raises:
        InputError: one is missing or out of range.
    """
    from experiments.images.options import ImageOptions
    from experiments.run.checks import check_device
    from experiments.vgg16.options import Vgg16Options
    from polytope.errors import InputError

    for name, value in (("images", options.images), ("target", target), ("start", start)):
        if value is None:
            more = "; `collide fetch --only images` brings a thousand" if name == "images" else ""
            raise InputError(f"{name}: expected --{name}, got none{more}")
    assert target is not None
    assert start is not None
    check_device(options.device)
    given = {
        "samples": options.samples,
        "ball_samples": options.ball,
        "batch": options.batch,
        "facts_seconds": options.facts,
        "seed": options.seed,
    }
    return Vgg16Options(
        weights=options.weights,
        sha256=options.sha256,
        random_weights=options.random_weights,
        images=options.images,
        target=target,
        start=start,
        from_target=options.from_target,
        side=options.image_size,
        resize=options.resize,
        data=options.data,
        image=ImageOptions(
            units=options.units,
            recipes=RECIPES[options.recipe],
            max_steps=options.steps,
            max_seconds=options.max_seconds,
            exact=not options.no_exact,
            accuracy=options.accuracy,
            device=options.device,
            **{name: value for name, value in given.items() if value is not None},
        ),
    )


def _targets(options: argparse.Namespace) -> int:
    from experiments.vgg16.fc6_targets import targets_results, targets_table

    results = targets_results(options.targets)
    if options.json:
        print(json.dumps(results, indent=1))
    else:
        print(targets_table(results).markdown())
    return 0
