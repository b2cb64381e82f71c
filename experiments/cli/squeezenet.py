"""`collide squeezenet`: collisions of real images at two layers of SqueezeNet, exact at conv10."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from experiments.run.desk import Desk, LastingRun, told
from experiments.run.request import Request, option, read_request
from experiments.squeezenet.options import SqueezeNetOptions

SUMMARY = "the experiment of Tables 3 and 4 on SqueezeNet and real images, exact at conv10"
#: What `--smoke` sets where nothing else is said: everything runs, nothing is worth reading.
SMOKE = {
    "units": 2,
    "samples": 4,
    "ball": 4,
    "steps": 2,
    "positions": 0,
    "facts": 0.0,
    "limit": 4,
    "no_exact": False,  # of `exact`
}


@dataclass(frozen=True, kw_only=True)
class Smoke(Request):
    """Whether the command is only tried."""

    smoke: bool = option(
        "everything tiny, to see that the command runs",
        default=False,
        group="the experiment on images",
    )


REQUESTS = (SqueezeNetOptions, Smoke, LastingRun)


def request_of(given: Mapping[str, Any]) -> SqueezeNetOptions:
    """What is asked for, over what `--smoke` sets."""
    return read_request(SqueezeNetOptions, {**(SMOKE if "smoke" in given else {}), **given})


def run(request: SqueezeNetOptions, desk: Desk) -> int:
    """The experiment, its tables and figures."""
    with desk.running("squeezenet", device=request.image.device) as run:
        from experiments.squeezenet.output import finish_squeezenet
        from experiments.squeezenet.run import run_squeezenet

        run_squeezenet(request, run.folder, run.progress)
        note = finish_squeezenet(run.folder, as_json=desk.json)
    return told(note)
