"""`collide mnist`: the paper's Tables 1 and 2, or the survey over many targets and networks."""

from collections.abc import Mapping
from typing import Any

from experiments.mnist.options import MnistOptions
from experiments.mnist.survey_options import SurveyOptions
from experiments.run.desk import Desk, LastingRun
from experiments.run.request import read_request, refuse

SUMMARY = "the paper's Tables 1 and 2 on MNIST, with the exact answers"
REQUESTS = (LastingRun, MnistOptions, SurveyOptions)


def request_of(given: Mapping[str, Any]) -> MnistOptions | SurveyOptions:
    """The survey, where `--targets` or `--seeds` is given."""
    if not given.keys() & {"targets", "seeds"}:
        return read_request(MnistOptions, given)
    where = "with --targets or --seeds, which survey many"
    refuse(given, MnistOptions, beside=SurveyOptions, where=where)
    return read_request(SurveyOptions, given)


def run(request: MnistOptions | SurveyOptions, desk: Desk) -> int:
    """The experiment or the survey, its tables and figures."""
    if isinstance(request, MnistOptions):
        return single(request, desk)
    with desk.running("survey", stages=3, device=request.device) as run:
        from experiments.mnist.output import finish_survey
        from experiments.mnist.survey import run_survey

        run_survey(request, run.folder, run.progress)
        finish_survey(run.folder, as_json=desk.json)
    return 0


def single(request: MnistOptions, desk: Desk, *, table: str = "all") -> int:
    """The experiment; prints one of its tables, or all of them."""
    with desk.running("mnist", stages=5, device=request.device) as run:
        from experiments.mnist.output import finish_mnist
        from experiments.mnist.run import run_mnist  # imports torch

        run_mnist(request, run.folder, run.progress)
        finish_mnist(run.folder, as_json=desk.json, table=table)
    return 0
