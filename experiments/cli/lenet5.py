"""`collide lenet5`: the experiment of `collide mnist` at LeNet-5's layers, exact in two spaces."""

from experiments.lenet5.options import Lenet5Options
from experiments.run.desk import Desk, LastingRun, told

SUMMARY = "the same at the layers of LeNet-5, exact in the layer's space and in pixels"
REQUESTS = (LastingRun, Lenet5Options)


def run(request: Lenet5Options, desk: Desk) -> int:
    """Runs, writes and prints; 4 where a limit ended exact work."""
    with desk.running("lenet5", stages=6, device=request.device) as run:
        from experiments.lenet5.output import finish_lenet5
        from experiments.lenet5.run import run_lenet5  # imports torch

        run_lenet5(request, run.folder, run.progress)
        note = finish_lenet5(run.folder, as_json=desk.json)
    return told(note)
