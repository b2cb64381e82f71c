"""With which settings?  One frozen dataclass an experiment; each default says where it is from."""

import math
import re
from dataclasses import dataclass
from pathlib import Path

from polytope.errors import InputError

TOLERANCES = (0.0, 0.01, 0.03, 0.1, 0.2, 0.3, 0.5, 0.7, 1.0, 1.5, 2.0, 3.0)
CLASSES = 10
TEST_IMAGES = 10_000


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
        _at_least(self, 2, "units")
        _at_least(self, 1, "samples", "author_steps", "workers")
        _at_least(self, 0, "seed")
        _check_device(self.device)
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


@dataclass(frozen=True, kw_only=True)
class SurveyOptions:
    """Settings of `collide mnist --targets N --seeds M`.

    Attributes:
        targets: the first so many test images, whatever their class.
        seeds: networks trained with seeds 0, 1, ...
        units: vertices a target.
        device: of the relaxed searches.
        workers: processes for the exact work.
        data: cache folder; None for the default.
    """

    targets: int = 100
    seeds: int = 5
    units: int = 5
    device: str = "cpu"
    workers: int = 2
    data: Path | None = None

    def __post_init__(self) -> None:
        """Check what can be checked without data."""
        _at_least(self, 2, "units")
        _at_least(self, 1, "targets", "seeds", "workers")
        _check_device(self.device)
        if self.targets > TEST_IMAGES:
            raise InputError(
                f"targets: expected at most {TEST_IMAGES}, the test images, got {self.targets}"
            )


#: Layers of `collide lenet5`: LeNet-5's, and the second hidden layer of the 784-256-256-10 network.
DEEP_LAYERS = ("conv1", "conv2", "fc1", "fc2", "hidden2")


@dataclass(frozen=True, kw_only=True)
class Lenet5Options:
    """Settings of `collide lenet5`; what the paper says of LeNet-5 is in its appendix only.

    Attributes:
        target: index of the target among the test images; None for the first 7 (as in `mnist`).
        other: index of the other digit's test image; None for the first 3.
        layers: of `DEEP_LAYERS`.
        units: how many vertices, the first inactive units in index order.
        samples: random convex combinations a set of vertices.
        max_steps: limit of every relaxed search (ours).
        pieces: neighbouring linear regions entered a unit, the target's own included; 0 for none.
        seconds: after which a piece of exact work is given up, a job each (ours).
        seed: of training and of the random combinations.
        device: of the relaxed searches.
        workers: processes.
        data: cache folder of data and networks; None for the default.
    """

    target: int | None = None
    other: int | None = None
    layers: tuple[str, ...] = DEEP_LAYERS
    units: int = 5
    samples: int = 2000
    max_steps: int = 20_000
    pieces: int = 5
    seconds: float = 600.0
    seed: int = 0
    device: str = "cpu"
    workers: int = 2
    data: Path | None = None

    def __post_init__(self) -> None:
        """Check what can be checked without data."""
        _at_least(self, 2, "units")
        _at_least(self, 1, "samples", "max_steps", "workers", "seconds")
        _at_least(self, 0, "seed", "pieces")
        _check_device(self.device)
        for layer in self.layers:
            if layer not in DEEP_LAYERS or self.layers.count(layer) > 1:
                raise InputError(
                    f"layers: expected some of {', '.join(DEEP_LAYERS)}, each once, got {layer!r}"
                )
        if not self.layers:
            raise InputError("layers: expected at least one, got none")
        for name in ("target", "other"):
            index = getattr(self, name)
            if index is not None and not 0 <= index < TEST_IMAGES:
                raise InputError(
                    f"{name}: expected the index of a test image, 0 to {TEST_IMAGES - 1}, "
                    f"got {index}"
                )


def _check_device(name: str) -> None:
    """Refuse what is no device, or none of this machine, before hours of work."""
    if re.fullmatch(r"auto|cpu|cuda(:[0-9]{1,3})?", name, re.ASCII) is None:
        raise InputError(f"device: expected auto, cpu, cuda or cuda:N, got {name!r}")
    if name.startswith("cuda"):
        import torch  # takes seconds, and only this answer needs it

        count = torch.cuda.device_count() if torch.cuda.is_available() else 0
        if int(name.partition(":")[2] or 0) >= count:
            raise InputError(
                f"device: expected a device of this machine, got {name!r} with {count} CUDA devices"
            )


def _at_least(options: object, least: int, *names: str) -> None:
    for name in names:
        value = getattr(options, name)
        if value < least:
            raise InputError(f"{name}: expected at least {least}, got {value}")


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
        _at_least(self, 1, "dimension", "hidden")
        _at_least(self, 0, "seed")
        if not (math.isfinite(self.sparsity) and self.sparsity >= 0):
            raise InputError(f"sparsity: expected a finite number >= 0, got {self.sparsity}")
        if self.target is not None and self.target < 0:
            raise InputError(f"target: expected at least 0, got {self.target}")
        _check_device(self.device)


#: Data set of `collide small` -> what is left to it.
SMALL = {
    "digits": {"dimension": 10, "hidden": 24},
    "moons": {"dimension": 2, "hidden": 12},
}
