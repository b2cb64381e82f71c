"""Which fully connected network?  784-256-256-10 with ReLU (Li, Zhang & Malik 2019, sec. 3.1)."""

from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from experiments.paper import HIDDEN


class MLP(nn.Module):
    """Two hidden ReLU layers and a linear output.

    The layers are named `hidden1`, `hidden2` and `output`; the paper's collisions are at `hidden1`.

    Args:
        inputs: number of pixels.
        hidden: units of each hidden layer.
        classes: number of outputs.
    """

    def __init__(self, inputs: int = 784, hidden: int = HIDDEN, classes: int = 10) -> None:
        super().__init__()
        self.hidden1 = nn.Linear(inputs, hidden, dtype=torch.float32)
        self.hidden2 = nn.Linear(hidden, hidden, dtype=torch.float32)
        self.output = nn.Linear(hidden, classes, dtype=torch.float32)

    def forward(self, x: Tensor) -> Tensor:
        """Returns the logits, shape (..., classes), of inputs of shape (..., inputs)."""
        x = torch.relu(self.hidden1(x))
        x = torch.relu(self.hidden2(x))
        logits: Tensor = self.output(x)
        return logits


def normal_mlp(deviation: float, *, hidden: int = HIDDEN) -> MLP:
    """Returns the network with every weight and bias drawn from N(0, deviation^2).

    With deviation 1 that is how the classic tutorials started it, at the time of the paper; the
    layers' outputs then grow twentyfold from layer to layer.
    """
    model = MLP(hidden=hidden)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(0, deviation)
    return model


def model_of(weights: Mapping[str, NDArray[np.float32]]) -> MLP:
    """Returns the network with these parameters, by name, in evaluation mode."""
    hidden, inputs = weights["hidden1.weight"].shape
    model = MLP(inputs, hidden, len(weights["output.bias"]))
    model.load_state_dict({name: torch.from_numpy(value) for name, value in weights.items()})
    return model.eval().requires_grad_(False)


def weights_of(model: nn.Module) -> dict[str, NDArray[np.float32]]:
    """Returns a network's parameters by name, to be sent to another process."""
    return {name: value.numpy() for name, value in model.state_dict().items()}
