"""`collide fetch`: data into the cache, and networks trained."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from experiments.run.checks import refused
from experiments.run.desk import Desk
from experiments.run.progress import Progress
from experiments.run.request import Request, option

SUMMARY = "bring data into the cache, and train the networks for MNIST"


@dataclass(frozen=True, kw_only=True)
class FetchRequest(Request):
    """Which data, from where."""

    data: Path | None = option("cache folder (or COLLIDE_DATA)", default=None, metavar="FOLDER")
    only: Literal["mnist", "images", "squeezenet", "all"] = option(
        "MNIST; the thousand ImageNet samples (110 MB); SqueezeNet's weights; all (mnist)",
        default="mnist",
    )
    source: Path | None = option(
        "copy the files from this folder instead; their checksums are checked all the same",
        default=None,
        flag="--from",
        metavar="FOLDER",
    )
    seeds: int | None = option(
        "networks to train on MNIST (1; 0 for none)", default=None, metavar="N", least=0
    )

    def __post_init__(self) -> None:
        """Networks are trained on MNIST."""
        if not self.wants("mnist") and self.seeds is not None:
            raise refused(
                f"seeds: expected none with --only {self.only}, which trains no network; "
                f"got {self.seeds}"
            )
        super().__post_init__()

    def wants(self, name: str) -> bool:
        """Whether a data set is asked for."""
        return self.only in (name, "all")


REQUESTS = (FetchRequest,)


def run(request: FetchRequest, desk: Desk) -> int:
    """MNIST with the networks trained, ImageNet samples, SqueezeNet: prints where they are."""
    progress = desk.progress()
    found: dict[str, Any] = {}
    lines: list[str] = []
    if request.wants("mnist"):
        lines += _fetch_mnist(request, progress, found=found)
    for name in ("images", "squeezenet"):
        if request.wants(name):
            from experiments.datasets import sources

            bring = {"images": sources.fetch_images, "squeezenet": sources.fetch_squeezenet}[name]
            place = bring(request.data, source=request.source, report=progress.say)
            found[name] = str(place)
            lines.append(f"{name}: {place}")
    print(json.dumps(found, indent=1) if desk.json else "\n".join(lines))
    return 0


def _fetch_mnist(request: FetchRequest, progress: Progress, *, found: dict[str, Any]) -> list[str]:
    """MNIST, and the networks; returns the lines to print."""
    from experiments.datasets.mnist import load_mnist

    if request.source is not None:
        from experiments.datasets.sources import copy_mnist

        copy_mnist(request.source, request.data, report=progress.say)
    data = load_mnist(request.data, report=progress.say)
    found |= {"files": dict(data.checksums), "networks": []}
    lines = [f"MNIST: {len(data.train_images)} training and {len(data.test_images)} test images"]
    for seed in range(1 if request.seeds is None else request.seeds):
        from experiments.models.train import trained_mlp

        net = trained_mlp(data, seed=seed, root=request.data, report=progress.say)
        entry = {"seed": seed, "accuracy": net.accuracy, "sha256": net.sha256}
        found["networks"].append(entry | {"file": net.path.name})
        words = f"test accuracy {net.accuracy:.2%}, {net.path.name}"
        lines.append(f"network of seed {seed}: {words}")
    return lines
