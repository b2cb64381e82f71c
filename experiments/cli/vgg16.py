"""`collide vgg16`: collisions of images at fc6 of VGG-16, the paper's Tables 3 and 4."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from experiments.run.desk import Desk, LastingRun, told
from experiments.run.request import Request, option, read_request
from experiments.vgg16.options import Vgg16Options

SUMMARY = "the paper's Tables 3 and 4: collisions of images at fc6 of VGG-16"


@dataclass(frozen=True, kw_only=True)
class Targets(Request):
    """What is counted in place of an experiment."""

    targets: Path = option(
        "instead: counts of stored fc6 pre-activations (.npz), such as the authors' own",
        metavar="FILE",
        missing="",
    )


REQUESTS = (Vgg16Options, LastingRun, Targets)


def request_of(given: Mapping[str, Any]) -> Vgg16Options | Targets:
    """Stored targets, where there are some."""
    if "targets" in given:
        return read_request(Targets, given)
    return read_request(Vgg16Options, given)


def run(request: Vgg16Options | Targets, desk: Desk) -> int:
    """The experiment, or the counts of stored targets."""
    return single(request, desk) if isinstance(request, Vgg16Options) else _count(request, desk)


def single(request: Vgg16Options, desk: Desk, *, table: str | None = None) -> int:
    """The experiment; prints one of its tables, or all of them."""
    with desk.running("vgg16", device=request.image.device) as run:
        from experiments.images.output import finish_images
        from experiments.images.pair import run_images
        from experiments.vgg16.run import vgg16_setting

        run_images(vgg16_setting(request, run.progress), run.folder, run.progress)
        note = finish_images(run.folder, as_json=desk.json, table=table)
    return told(note)


def _count(request: Targets, desk: Desk) -> int:
    from experiments.run.documents import jsonable
    from experiments.vgg16.fc6_targets import targets_results, targets_table

    results = targets_results(request.targets)
    if desk.json:
        print(json.dumps(jsonable(results), indent=1))
    else:
        print(targets_table(results).markdown())
    return 0
