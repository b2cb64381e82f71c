"""With which settings does `collide mnist` run?"""

from dataclasses import dataclass

from experiments.models.presets import PRESETS, check_preset
from experiments.run.checks import refused
from experiments.run.request import option
from experiments.run.trained import EXPERIMENT, TrainedOptions

#: The largest ones are of the size of the wide network's pre-activations.
TOLERANCES = (
    *(0.0, 0.01, 0.03, 0.1, 0.2, 0.3, 0.5, 0.7, 1.0, 1.5, 2.0, 3.0, 5.0),
    *(10.0, 15.0, 20.0, 30.0),
)
CLASSES = 10


@dataclass(frozen=True, kw_only=True)
class MnistOptions(TrainedOptions):
    """Settings of `collide mnist`.

    Attributes, beside the shared ones:
        network: the one network of `PRESETS`; None for all of them.
        units: how many vertices, the first inactive units in index order (paper: i = 0..4).
        samples: random convex combinations a set of vertices (paper: 2,000).
        digits: digit classes whose nearest exact collision is computed.
        tolerances: the grid of the curve, in units of the pre-activation (ours).
        author_steps: limit of the run with the authors' own optimiser (ours; theirs was stopped by
            hand).
    """

    network: str | None = option(
        "wide (weights from N(0, 1)) or default (PyTorch's) (both; of a survey: default)",
        default=None,
        metavar="NAME",
        group=EXPERIMENT,
        check=check_preset,
    )
    units: int = option(
        "vertices, first inactive units (5)", default=5, metavar="N", group=EXPERIMENT, least=2
    )
    samples: int = option(
        "convex combinations (2000)", default=2000, metavar="N", group=EXPERIMENT, least=1
    )
    digits: tuple[int, ...] = option(
        "digits whose nearest collision is computed",
        default=tuple(range(CLASSES)),
        metavar="LIST",
        group=EXPERIMENT,
    )
    tolerances: tuple[float, ...] = option(
        "grid of the curve, e.g. 0,0.1,1", default=TOLERANCES, metavar="LIST", group=EXPERIMENT
    )
    author_steps: int = option(
        "limit of the authors' optimiser (20000)",
        default=20_000,
        metavar="N",
        group=EXPERIMENT,
        least=1,
    )

    @property
    def networks(self) -> tuple[str, ...]:
        """The networks of the run, by name."""
        return PRESETS if self.network is None else (self.network,)

    def __post_init__(self) -> None:
        """Check what can be checked without data."""
        super().__post_init__()
        if self.seed >= 1 << 63:
            raise refused(f"seed: expected at most 63 bits, got {self.seed}")
        if self.target is not None and self.target == self.other:
            raise refused(f"other: expected another image than the target, got {self.other}")
        for digit in self.digits:
            if not 0 <= digit < CLASSES:
                raise refused(f"digits: expected digits 0 to 9, got {digit}")
        for tolerance in self.tolerances:
            if not 0 <= tolerance < float("inf"):
                raise refused(f"tolerances: expected finite numbers >= 0, got {tolerance}")
        # A point of the curve is kept and drawn under this name.
        names = [f"{abs(tolerance):g}" for tolerance in self.tolerances]
        for name in names:
            if names.count(name) > 1:
                raise refused(
                    f"tolerances: expected numbers that differ in six digits, got {name} twice"
                )
