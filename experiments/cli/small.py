"""`collide small`: a small network, analysed completely."""

from experiments.run.desk import Desk, NewRun
from experiments.small.options import SmallOptions

SUMMARY = "a small network analysed completely, relaxed against exact"
REQUESTS = (SmallOptions, NewRun)


def run(request: SmallOptions, desk: Desk) -> int:
    """Trains, lists, compares, writes and prints."""
    with desk.running("small", stages=7, device=request.device) as run:
        from experiments.small.output import finish_small
        from experiments.small.run import run_small  # imports torch

        run_small(request, run.folder, run.progress)
        finish_small(run.folder, as_json=desk.json)
    return 0
