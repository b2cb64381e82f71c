"""With which settings does `collide small` run?"""

import math
from dataclasses import dataclass

from experiments.run.checks import at_least, check_device
from polytope.errors import InputError


@dataclass(frozen=True, kw_only=True)
class SmallOptions:
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

    data_set: str = "digits"
    dimension: int | None = None
    hidden: int | None = None
    sparsity: float = 0.1
    target: int | None = None
    seed: int = 0
    device: str = "cpu"

    def __post_init__(self) -> None:
        """Fill in what depends on the data set, and check what can be checked without it."""
        if self.data_set not in SMALL:
            raise InputError(f"set: expected one of {', '.join(SMALL)}, got {self.data_set!r}")
        for name, usual in SMALL[self.data_set].items():
            if getattr(self, name) is None:
                object.__setattr__(self, name, usual)
        at_least(self, 1, "dimension", "hidden")
        at_least(self, 0, "seed")
        if not (math.isfinite(self.sparsity) and self.sparsity >= 0):
            raise InputError(f"sparsity: expected a finite number >= 0, got {self.sparsity}")
        if self.target is not None and self.target < 0:
            raise InputError(f"target: expected at least 0, got {self.target}")
        check_device(self.device)


#: Data set of `collide small` -> what is left to it.
SMALL = {
    "digits": {"dimension": 10, "hidden": 24},
    "moons": {"dimension": 2, "hidden": 12},
}
