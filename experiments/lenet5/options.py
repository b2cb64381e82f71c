"""With which settings does `collide lenet5` run?"""

from dataclasses import dataclass
from pathlib import Path

from experiments.run.checks import TEST_IMAGES, at_least, check_device
from polytope.errors import InputError

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
        at_least(self, 2, "units")
        at_least(self, 1, "samples", "max_steps", "workers", "seconds")
        at_least(self, 0, "seed", "pieces")
        check_device(self.device)
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
