"""With which settings does `collide mnist` run?"""

import math
from dataclasses import dataclass
from pathlib import Path

from experiments.run.checks import TEST_IMAGES, at_least, check_device
from polytope.errors import InputError

TOLERANCES = (0.0, 0.01, 0.03, 0.1, 0.2, 0.3, 0.5, 0.7, 1.0, 1.5, 2.0, 3.0)


CLASSES = 10


@dataclass(frozen=True, kw_only=True)
class MnistOptions:
    """Settings of `collide mnist`.

    Attributes:
        target: index of the target among the test images; None for the first 7 (a 7: paper
            sec. 3.1; which one: ours, the paper does not say).
        other: index of the other digit's test image, the second start; None for the first 3 (ours).
        units: how many vertices, the first inactive units in index order (paper: i = 0..4).
        samples: random convex combinations a set of vertices (paper: 2,000).
        digits: digit classes whose nearest exact collision is computed.
        tolerances: the grid of the curve, in units of the pre-activation (ours).
        author_steps: limit of the run with the authors' own optimiser (ours; theirs was stopped by
            hand).
        seed: of the network's training and of the random combinations.
        device: of the relaxed search: "auto", "cpu", "cuda" or "cuda:N".
        workers: processes for the exact work.
        data: cache folder of data and networks; None for the default.
    """

    target: int | None = None
    other: int | None = None
    units: int = 5
    samples: int = 2000
    digits: tuple[int, ...] = tuple(range(CLASSES))
    tolerances: tuple[float, ...] = TOLERANCES
    author_steps: int = 20_000
    seed: int = 0
    device: str = "cpu"
    workers: int = 2
    data: Path | None = None

    def __post_init__(self) -> None:
        """Check what can be checked without data."""
        at_least(self, 2, "units")
        at_least(self, 1, "samples", "author_steps", "workers")
        at_least(self, 0, "seed")
        check_device(self.device)
        if self.seed >= 1 << 63:
            raise InputError(f"seed: expected at most 63 bits, got {self.seed}")
        for name in ("target", "other"):
            index = getattr(self, name)
            if index is not None and not 0 <= index < TEST_IMAGES:
                raise InputError(
                    f"{name}: expected the index of a test image, 0 to {TEST_IMAGES - 1}, "
                    f"got {index}"
                )
        if self.target is not None and self.target == self.other:
            raise InputError(f"other: expected another image than the target, got {self.other}")
        for digit in self.digits:
            if not 0 <= digit < CLASSES:
                raise InputError(f"digits: expected digits 0 to 9, got {digit}")
        for tolerance in self.tolerances:
            if not (math.isfinite(tolerance) and tolerance >= 0):
                raise InputError(f"tolerances: expected finite numbers >= 0, got {tolerance}")
        # A point of the curve is kept and drawn under this name.
        names = [f"{abs(tolerance):g}" for tolerance in self.tolerances]
        for name in names:
            if names.count(name) > 1:
                raise InputError(
                    f"tolerances: expected numbers that differ in six digits, got {name} twice"
                )
