"""On which layer is it measured?  The trained MNIST network's first layer, or a tiny random one."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from experiments.bench.options import BenchRequest
from experiments.measure.case import Case
from polytope.errors import InputError

if TYPE_CHECKING:
    from torch import nn

DIGIT = 7


@dataclass(frozen=True, eq=False)
class Subject:
    """A network with targets to measure.

    Attributes:
        words: what it is, for the title.
        weight: (N, d) of the first layer.
        bias: (N,).
        targets: (T, d) float32 in [0, 1].
        data: name of each input -> SHA-256.
    """

    words: str
    weight: np.ndarray
    bias: np.ndarray
    targets: np.ndarray
    data: Mapping[str, str]

    def case(self, index: int = 0) -> Case:
        """Returns the layer with one of the targets."""
        return Case(self.weight, self.bias, self.targets[index])

    def network(self) -> "nn.Module":
        """Returns the layer, called "0", and its ReLU as a torch module."""
        import torch

        layer = torch.nn.Linear(self.weight.shape[1], self.weight.shape[0])
        layer.weight.data = torch.from_numpy(self.weight.copy())
        layer.bias.data = torch.from_numpy(self.bias.copy())
        return torch.nn.Sequential(layer, torch.nn.ReLU())


def subject(request: BenchRequest, *, targets: int = 1, digit: int | None = DIGIT) -> Subject:
    """Returns the MNIST subject, or with `--smoke` a random layer of 16 units on 20 inputs.

    Args:
        request: its `seed` chooses the trained network, or the random one.
        targets: how many, the first ones of the test set.
        digit: only test images of this class; None for any.

    Raises:
        InputError: there are not that many.
        DownloadError: MNIST is not in the cache and cannot be fetched.
    """
    if request.smoke:
        return _random(request.seed, targets)
    from experiments.datasets.mnist import load_mnist, pixels
    from experiments.models.train import trained_mlp

    data = load_mnist()
    net = trained_mlp(data, seed=request.seed)
    found = np.flatnonzero((data.test_labels == digit) | (digit is None))[:targets]
    if len(found) < targets:
        raise InputError(f"targets: expected at most {len(found)}, got {targets}")
    layer = net.model.hidden1
    kind = "test images" if digit is None else f"{digit}s of the test set"
    return Subject(
        f"MNIST network (seed {request.seed}, test accuracy {net.accuracy:.2%}), first layer, "
        f"pixels in [0, 1], the first {kind}: {targets}",
        layer.weight.detach().numpy(),
        layer.bias.detach().numpy(),
        pixels(data.test_images[found]),
        {**data.checksums, net.path.name: net.sha256},
    )


def _random(seed: int, targets: int) -> Subject:
    rng = np.random.default_rng(seed)
    units, inputs = 16, 20
    return Subject(
        f"random layer of {units} units on {inputs} inputs (seed {seed}), x in [0, 1]",
        rng.standard_normal((units, inputs), dtype=np.float32),
        np.full(units, -1, dtype=np.float32),  # so that enough units are inactive
        rng.random((targets, inputs), dtype=np.float32),
        {},
    )
