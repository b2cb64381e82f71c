"""How is the network of the small example trained?  One hidden ReLU layer, few units firing.

Training is deterministic for a seed on one machine; the layer that was trained is saved with the
run and identifies it, as the floats may differ between processors and versions of PyTorch.
"""

from collections import OrderedDict
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from experiments.datasets.small import SmallData
from experiments.models.train import one_thread

LAYER = "hidden"
EPOCHS, BATCH, RATE = 100, 64, 1e-2


@dataclass(frozen=True, eq=False)
class SmallNet:
    """A trained network d-hidden-classes.

    Attributes:
        model: `nn.Sequential` with layers `hidden`, `relu`, `output`, without gradients.
        accuracy: on the test points.
        weight: (hidden, d) float32.
        bias: (hidden,) float32.
    """

    model: nn.Sequential
    accuracy: float
    weight: NDArray[np.float32]
    bias: NDArray[np.float32]

    def classes(self, points: NDArray[np.floating]) -> NDArray[np.int64]:
        """Returns the class (n,) the network says of points (n, d), in float32."""
        with torch.no_grad():
            logits = self.model(torch.from_numpy(np.asarray(points, dtype=np.float32)))
        return np.asarray(logits.argmax(dim=1).numpy())


def train_small(data: SmallData, *, hidden: int, sparsity: float, seed: int) -> SmallNet:
    """Trains a network with Adam on cross-entropy plus `sparsity` times the mean activation.

    Args:
        data: its first points train.
        hidden: units of the layer.
        sparsity: weight of the L1 penalty on the hidden activations; 0 for none.
        seed: of the initial weights and the order of points.
    """
    with torch.random.fork_rng(devices=[]), one_thread():
        torch.manual_seed(seed)
        model = nn.Sequential(
            OrderedDict(
                [
                    (LAYER, nn.Linear(data.points.shape[1], hidden)),
                    ("relu", nn.ReLU()),
                    ("output", nn.Linear(hidden, data.n_classes)),
                ]
            )
        )
        _train(model, data, sparsity)
        model.eval().requires_grad_(False)
        state = model.state_dict()
        weight, bias = (state[f"{LAYER}.{name}"].numpy().copy() for name in ("weight", "bias"))
        net = SmallNet(model, 0.0, weight, bias)
        right = net.classes(data.test_points) == data.test_labels
        return SmallNet(model, float(right.mean()), weight, bias)


def _train(model: nn.Sequential, data: SmallData, sparsity: float) -> None:
    points = torch.from_numpy(data.points[: data.n_train])
    labels = torch.from_numpy(data.labels[: data.n_train])
    optimiser = torch.optim.Adam(model.parameters(), lr=RATE)
    for _ in range(EPOCHS):
        order = torch.randperm(len(points))
        for start in range(0, len(order), BATCH):
            chosen = order[start : start + BATCH]
            optimiser.zero_grad()
            features = model[:2](points[chosen])
            loss = nn.functional.cross_entropy(model[2](features), labels[chosen])
            (loss + sparsity * features.mean()).backward()
            optimiser.step()
