"""What does each command of `collide` do?  One function a command; called by experiments/cli.py."""

import argparse
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from experiments.config import MnistOptions, SmallOptions, SurveyOptions
from experiments.progress import Progress
from experiments.run_folder import announce, running
from experiments.verbs import VERBS, module_of
from polytope.errors import InputError

DEFAULT_SEEDS = 5
MAX_WORKERS = 8
UNFINISHED = 4  # exit code: a limit was hit


def run(options: argparse.Namespace) -> int:
    """Runs the command named by `options.verb` and returns its exit code."""
    if options.verb in VERBS:
        code: int = module_of(options.verb).run(options)
        return code
    commands = {
        "mnist": mnist,
        "reproduce": reproduce,
        "small": small,
        "fetch": fetch,
        "verify": verify,
        "certify": certify,
        "vertices": vertices,
        "doctor": doctor,
        "bench": bench,
    }
    return commands[options.verb](options)


def mnist(options: argparse.Namespace) -> int:
    """The experiment, or the survey where `--targets` or `--seeds` is given."""
    if options.targets is not None or options.seeds is not None:
        return survey(options)
    from experiments.output import finish_mnist

    with _mnist_run(options) as folder:
        finish_mnist(folder, as_json=options.json)
    return 0


def reproduce(options: argparse.Namespace) -> int:
    """The experiment behind a table, then that table."""
    if options.targets is not None or options.seeds is not None:
        raise InputError("targets, seeds: expected none with `reproduce`; use `collide mnist`")
    if options.table in ("3", "4"):  # what they need is told by --target-image and so on
        vgg16 = module_of("vgg16")
        code: int = vgg16.reproduce(options)
        return code
    from experiments.output import finish_mnist

    with _mnist_run(options) as folder:
        finish_mnist(folder, as_json=options.json, table=options.table)
    return 0


@contextmanager
def _mnist_run(options: argparse.Namespace) -> Iterator[Path]:
    """Yields the folder of a finished run, still held."""
    wanted = {
        name: getattr(options, name)
        for name in (
            *("target", "other", "units", "samples", "digits", "tolerances", "author_steps"),
            *("seed", "device", "workers", "data"),
        )
        if getattr(options, name) is not None
    }
    settings = MnistOptions(**({"workers": cores()} | wanted))
    with running(options, "mnist") as folder:
        from experiments.mnist import run_mnist  # imports torch

        progress = Progress(quiet=options.quiet, stages=5)
        announce(options, folder, progress)
        run_mnist(settings, folder, progress)
        yield folder


def small(options: argparse.Namespace) -> int:
    """A small network, analysed completely."""
    wanted = {
        name: getattr(options, name)
        for name in ("dimension", "hidden", "sparsity", "target", "seed", "device")
        if getattr(options, name) is not None
    }
    settings = SmallOptions(data_set=options.data_set, **wanted)
    with running(options, "small") as folder:
        from experiments.output import finish_small
        from experiments.small import run_small  # imports torch

        progress = Progress(quiet=options.quiet, stages=7)
        announce(options, folder, progress)
        run_small(settings, folder, progress)
        finish_small(folder, as_json=options.json)
    return 0


def survey(options: argparse.Namespace) -> int:
    """The headline over many targets and training seeds."""
    for name in ("seed", "samples", "target", "other", "digits", "tolerances", "author_steps"):
        if getattr(options, name) is not None:
            raise InputError(
                f"{name.replace('_', '-')}: expected none with --targets or --seeds, which survey "
                f"many; got {getattr(options, name)}"
            )
    wanted = {
        "targets": 100 if options.targets is None else options.targets,
        "seeds": DEFAULT_SEEDS if options.seeds is None else options.seeds,
        "units": options.units,
        "device": options.device,
        "workers": options.workers or cores(),
        "data": options.data,
    }
    settings = SurveyOptions(**wanted)
    with running(options, "survey") as folder:
        from experiments.output import finish_survey
        from experiments.survey import run_survey

        progress = Progress(quiet=options.quiet, stages=3)
        announce(options, folder, progress)
        run_survey(settings, folder, progress)
        finish_survey(folder, as_json=options.json)
    return 0


def cores() -> int:
    """How many processes a run takes where nobody says: one a core, at most `MAX_WORKERS`."""
    return min(len(os.sched_getaffinity(0)), MAX_WORKERS)


def fetch(options: argparse.Namespace) -> int:
    """Data into the cache: MNIST with the networks trained, ImageNet samples, SqueezeNet."""
    if options.only not in ("mnist", "all") and options.seeds is not None:
        raise InputError(
            f"seeds: expected none with --only {options.only}, which trains no network; "
            f"got {options.seeds}"
        )
    seeds = 1 if options.seeds is None else options.seeds
    if seeds < 0:
        raise InputError(f"seeds: expected at least 0, got {seeds}")
    progress = Progress(quiet=options.quiet)
    found: dict[str, Any] = {}
    lines: list[str] = []
    if options.only in ("mnist", "all"):
        lines += _fetch_mnist(options, seeds, progress, found=found)
    for name in ("images", "squeezenet"):
        if options.only in (name, "all"):
            from experiments.datasets import sources

            bring = {"images": sources.fetch_images, "squeezenet": sources.fetch_squeezenet}[name]
            place = bring(options.data, source=options.source, report=progress.say)
            found[name] = str(place)
            lines.append(f"{name}: {place}")
    if options.json:
        print(json.dumps(found, indent=1))
    else:
        print("\n".join(lines))
    return 0


def _fetch_mnist(
    options: argparse.Namespace, seeds: int, progress: Progress, *, found: dict[str, Any]
) -> list[str]:
    """MNIST, and the networks; returns the lines to print."""
    from experiments.datasets.mnist import load_mnist

    if options.source is not None:
        from experiments.datasets.sources import copy_mnist

        copy_mnist(options.source, options.data, report=progress.say)
    data = load_mnist(options.data, report=progress.say)
    found |= {"files": dict(data.checksums), "networks": []}
    lines = [f"MNIST: {len(data.train_images)} training and {len(data.test_images)} test images"]
    if seeds:
        from experiments.train import trained_mlp

        for seed in range(seeds):
            net = trained_mlp(data, seed=seed, root=options.data, report=progress.say)
            entry = {"seed": seed, "accuracy": net.accuracy, "sha256": net.sha256}
            found["networks"].append(entry | {"file": net.path.name})
            words = f"test accuracy {net.accuracy:.2%}, {net.path.name}"
            lines.append(f"network of seed {seed}: {words}")
    return lines


def verify(options: argparse.Namespace) -> int:
    """The checker's verdict on each file; its exit code is the command's."""
    files = _certificates(options.files)
    if not options.json:
        from polytope import checker

        return checker.main([str(path) for path in files])
    return _verify_json(files)


def _certificates(paths: list[Path]) -> list[Path]:
    """The files named, and all certificates of a folder named, or of the run in it."""
    from experiments.proofs import FOLDER

    found: list[Path] = []
    for path in paths:
        inside = [path]
        if path.is_dir():
            place = path / FOLDER if (path / FOLDER).is_dir() else path
            inside = sorted(place.glob("*.json"))
        if not inside:
            raise InputError(f"files: expected certificates, or a folder of some; {path} has none")
        found += inside
    return found


def _verify_json(files: list[Path]) -> int:
    """The same verdicts and exit code, as JSON."""
    from polytope import checker

    entries: list[dict[str, Any]] = []
    codes = {0}
    for path in files:
        try:
            entries.append({"file": str(path), "proved": True, "claim": checker.check_file(path)})
        except (checker.CheckError, MemoryError) as problem:
            codes.add(getattr(problem, "code", checker.LIMIT))
            reason = str(problem) or "out of memory"
            entries.append({"file": str(path), "proved": False, "reason": reason})
    print(json.dumps(entries, indent=1))
    order = (checker.REFUSED, checker.MALFORMED, checker.LIMIT, 0)
    return next(code for code in order if code in codes)


def certify(options: argparse.Namespace) -> int:
    """Facts and certificates of a layer from a file."""
    from experiments.own_layer import certify_layer

    found = certify_layer(options, Progress(quiet=options.quiet))
    made = len(found["vertices"])
    if made < options.vertices:
        text = f"note: --vertices {options.vertices} asks for more than the {made} inactive units"
        print(text, file=sys.stderr)
    if options.json:
        print(json.dumps(found, indent=1))
        return 0
    for name, value in found["facts"].items():
        if name != "certificates":
            print(f"{name:20} {value}")
    print(f"{'unique':20} {found['uniqueness']['sentence']}")
    for each in found["vertices"]:
        value = "" if each["value"] is None else each["approx"]
        shown = "beyond the range of floats" if value is None else value
        proof = each["certificate"]
        print(
            f"unit {each['unit']:<6} {each['status']:10} {shown}  {proof['file'] if proof else ''}"
        )
    for each in found["claims"]:
        proof = each["certificate"]
        print(f"{each['claim']:34} {proof['file'] if proof else each['reason']}")
    print(f"written to {found['folder']}: certificates, checker.py, record.json")
    return 0


def vertices(options: argparse.Namespace) -> int:
    """All vertices, rays and lines of a set from a file; 4 where a limit cut the list short."""
    from experiments.own_vertices import list_vertices, print_vertices

    found = list_vertices(options, Progress(quiet=options.quiet))
    if options.json:
        print(json.dumps(found, indent=1))
    else:
        print_vertices(found, every=options.all)
    return UNFINISHED if found["status"] in ("partial", "undecided") else 0


def doctor(options: argparse.Namespace) -> int:
    """What is installed, found and missing."""
    from experiments.doctor import examine

    found = examine()
    if options.json:
        print(json.dumps(found, indent=1))
        return 0
    for section, entries in found.items():
        print(section)
        for name, value in entries.items():
            print(f"  {name:22} {value}")
    return 0


def bench(options: argparse.Namespace) -> int:
    """Benchmarks beside peers."""
    from experiments.bench import main

    sys.argv[0] = "collide bench"
    return int(main(options.rest))
