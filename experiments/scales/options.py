"""With which settings does `collide scales` run?"""

import math
from dataclasses import dataclass
from pathlib import Path

from experiments.paper import HIDDEN
from experiments.run.checks import cores, refused
from experiments.run.request import Request, option

#: Initial standard deviations of all weights and biases; the usual start (1/sqrt(d)) is one more.
DEVIATIONS = (0.05, 0.1, 0.2, 0.4, 0.7, 1.0)
_GROUP = "the experiment"


@dataclass(frozen=True, kw_only=True)
class ScalesOptions(Request):
    """Settings of `collide scales`; all of them are ours."""

    deviations: tuple[float, ...] = option(
        "initial standard deviations of weights and biases (0.05,0.1,0.2,0.4,0.7,1)",
        default=DEVIATIONS,
        metavar="LIST",
        group=_GROUP,
    )
    hidden: int = option(
        "units of each hidden layer (256)", default=HIDDEN, metavar="N", group=_GROUP, least=10
    )
    decay: float = option(
        "weight decay in training, decoupled (0)",
        default=0.0,
        metavar="NUMBER",
        group=_GROUP,
    )
    seeds: int = option("networks a deviation (3)", default=3, metavar="N", group=_GROUP, least=1)
    targets: int = option(
        "the first so many test images (20)", default=20, metavar="N", group=_GROUP, least=1
    )
    units: int = option(
        "vertices a target, the first inactive units (5)",
        default=5,
        metavar="N",
        group=_GROUP,
        least=2,
    )
    workers: int = option(
        "processes for exact work (cores, at most 8)",
        factory=cores,
        metavar="N",
        group="run",
        least=1,
        recorded=False,
    )
    data: Path | None = option(
        "cache of data and networks (or COLLIDE_DATA)",
        default=None,
        metavar="FOLDER",
        group="run",
        recorded=False,
    )

    def __post_init__(self) -> None:
        """Check what can be checked without data.

        Raises:
            InputError: a deviation is no positive number, or stands twice; a negative decay.
        """
        super().__post_init__()
        for value in self.deviations:
            if not (math.isfinite(value) and value > 0):
                raise refused(f"deviations: expected finite numbers > 0, got {value}")
            if self.deviations.count(value) > 1:
                raise refused(f"deviations: expected each once, got {value} twice")
        if not (math.isfinite(self.decay) and self.decay >= 0):
            raise refused(f"decay: expected a finite number >= 0, got {self.decay}")
