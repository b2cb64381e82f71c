"""`collide small`: a small network, analysed completely."""

import argparse

from experiments.run.folder import announce, running
from experiments.run.progress import Progress
from experiments.small.options import SmallOptions


def small(options: argparse.Namespace) -> int:
    """A small network, analysed completely."""
    wanted = {
        name: getattr(options, name)
        for name in ("dimension", "hidden", "sparsity", "target", "seed", "device")
        if getattr(options, name) is not None
    }
    settings = SmallOptions(data_set=options.data_set, **wanted)
    with running(options, "small") as folder:
        from experiments.small.output import finish_small
        from experiments.small.run import run_small  # imports torch

        progress = Progress(quiet=options.quiet, stages=7)
        announce(options, folder, progress)
        run_small(settings, folder, progress)
        finish_small(folder, as_json=options.json)
    return 0
