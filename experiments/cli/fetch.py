"""`collide fetch`: data into the cache, and networks trained."""

import argparse
import json
from typing import Any

from experiments.run.progress import Progress
from polytope.errors import InputError


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
        from experiments.models.train import trained_mlp

        for seed in range(seeds):
            net = trained_mlp(data, seed=seed, root=options.data, report=progress.say)
            entry = {"seed": seed, "accuracy": net.accuracy, "sha256": net.sha256}
            found["networks"].append(entry | {"file": net.path.name})
            words = f"test accuracy {net.accuracy:.2%}, {net.path.name}"
            lines.append(f"network of seed {seed}: {words}")
    return lines
