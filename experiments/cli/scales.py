"""`collide scales`: what exact collisions look like, by the scale of the initial weights."""

from experiments.run.desk import Desk, LastingRun
from experiments.scales.options import ScalesOptions

SUMMARY = "what the nearest exact collisions look like, by the scale of the initial weights"
REQUESTS = (LastingRun, ScalesOptions)


def run(request: ScalesOptions, desk: Desk) -> int:
    """Trains, proves, looks, writes and prints."""
    with desk.running("scales", stages=3) as run:
        from experiments.scales.output import finish_scales
        from experiments.scales.run import run_scales  # imports torch

        run_scales(request, run.folder, run.progress)
        finish_scales(run.folder, as_json=desk.json)
    return 0
