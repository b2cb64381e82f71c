"""With which settings does `collide lenet5` run?"""

from dataclasses import dataclass

from experiments.run.checks import refused
from experiments.run.request import option
from experiments.run.trained import EXPERIMENT, TrainedOptions

#: Layers of `collide lenet5`: LeNet-5's, and the second hidden layer of the 784-256-256-10 network.
DEEP_LAYERS = ("conv1", "conv2", "fc1", "fc2", "hidden2")


@dataclass(frozen=True, kw_only=True)
class Lenet5Options(TrainedOptions):
    """Settings of `collide lenet5`; what the paper says of LeNet-5 is in its appendix only.

    Attributes, beside the shared ones:
        layers: of `DEEP_LAYERS`.
        units: how many vertices, the first inactive units in index order.
        samples: random convex combinations a set of vertices.
        max_steps: limit of every relaxed search (ours).
        pieces: neighbouring linear regions entered a unit, the target's own included; 0 for none.
        seconds: after which a piece of exact work is given up, a job each (ours).
    """

    layers: tuple[str, ...] = option(
        "conv1,conv2,fc1,fc2 and hidden2, of the 784-256-256-10 network (all)",
        default=DEEP_LAYERS,
        metavar="LIST",
        group=EXPERIMENT,
    )
    units: int = option("vertices a set (5)", default=5, metavar="N", group=EXPERIMENT, least=2)
    samples: int = option(
        "convex combinations (2000)", default=2000, metavar="N", group=EXPERIMENT, least=1
    )
    max_steps: int = option(
        "of a relaxed search (20000)", default=20_000, metavar="N", group=EXPERIMENT, least=1
    )
    pieces: int = option(
        "linear regions entered a unit; 0 for none (5)",
        default=5,
        metavar="N",
        group=EXPERIMENT,
        least=0,
    )
    seconds: float = option(
        "limit of each piece of exact work (600)",
        default=600.0,
        metavar="X",
        group=EXPERIMENT,
        least=1,
    )

    def __post_init__(self) -> None:
        """Check what can be checked without data."""
        super().__post_init__()
        for layer in self.layers:
            if layer not in DEEP_LAYERS or self.layers.count(layer) > 1:
                raise refused(
                    f"layers: expected some of {', '.join(DEEP_LAYERS)}, each once, got {layer!r}"
                )
        if not self.layers:
            raise refused("layers: expected at least one, got none")
