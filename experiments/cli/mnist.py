"""`collide mnist`: the paper's Tables 1 and 2, or the survey over many targets and networks."""

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from experiments.mnist.options import MnistOptions
from experiments.mnist.survey_options import SurveyOptions
from experiments.run.folder import announce, running
from experiments.run.pool import cores
from experiments.run.progress import Progress
from polytope.errors import InputError

DEFAULT_SEEDS = 5


def mnist(options: argparse.Namespace) -> int:
    """The experiment, or the survey where `--targets` or `--seeds` is given."""
    if options.targets is not None or options.seeds is not None:
        return survey(options)
    from experiments.mnist.output import finish_mnist

    with mnist_run(options) as folder:
        finish_mnist(folder, as_json=options.json)
    return 0


@contextmanager
def mnist_run(options: argparse.Namespace) -> Iterator[Path]:
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
        from experiments.mnist.run import run_mnist  # imports torch

        progress = Progress(quiet=options.quiet, stages=5)
        announce(options, folder, progress)
        run_mnist(settings, folder, progress)
        yield folder


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
        from experiments.mnist.output import finish_survey
        from experiments.mnist.survey import run_survey

        progress = Progress(quiet=options.quiet, stages=3)
        announce(options, folder, progress)
        run_survey(settings, folder, progress)
        finish_survey(folder, as_json=options.json)
    return 0
