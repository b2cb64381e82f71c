"""With which settings does `collide small` run?"""

from dataclasses import dataclass
from typing import Literal

from experiments.run.checks import check_device, refused
from experiments.run.request import Request, option

#: Data set of `collide small` -> what is left to it.
SMALL = {
    "digits": {"dimension": 10, "hidden": 24},
    "moons": {"dimension": 2, "hidden": 12},
}


@dataclass(frozen=True, kw_only=True)
class SmallOptions(Request):
    """Settings of `collide small`; all of them are ours.

    Attributes:
        data_set: "digits" or "moons".
        dimension: inputs; None for 10 components of the digits, 2 for the moons.
        hidden: units of the layer; None for 24 (digits) or 12 (moons).
        sparsity: weight of the penalty on the mean activation, which makes few units fire: with 0
            nearly every test point pins all its inputs, and has no collision but itself.
        target: index of the target among the test points; None for the first of those with the
            fewest active units.
        seed: of training, of the moons and of the random directions.
        device: of the relaxed search.
    """

    data_set: Literal["digits", "moons"] = option(
        "scikit-learn's digits on their leading components, or two moons (digits)",
        default="digits",
        flag="--set",
    )
    dimension: int | None = option(
        "components of the digits, at most 10 (10)", default=None, metavar="N", least=1
    )
    hidden: int | None = option("units (24; 12 for the moons)", default=None, metavar="N", least=1)
    sparsity: float = option(
        "training's penalty on the activations (0.1)", default=0.1, metavar="X", least=0
    )
    target: int | None = option(
        "index of the test point (the first with the fewest active units)",
        default=None,
        metavar="INDEX",
        least=0,
    )
    seed: int = option("of training and directions (0)", default=0, metavar="N", least=0)
    device: str = option(
        "of the relaxed search: auto, cpu, cuda (cpu)",
        default="cpu",
        metavar="NAME",
        check=check_device,
    )

    def __post_init__(self) -> None:
        """Fill in what depends on the data set, and check what can be checked without it."""
        if self.data_set not in SMALL:
            raise refused(f"set: expected one of {', '.join(SMALL)}, got {self.data_set!r}")
        for name, usual in SMALL[self.data_set].items():
            if getattr(self, name) is None:
                object.__setattr__(self, name, usual)
        super().__post_init__()
