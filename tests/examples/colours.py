"""A network that sees how red and how green an image is."""

import torch
from torch import nn


class Bright(nn.Module):
    """Two units, how red and how green an image is in the mean; classes 0 and 1 likewise."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(3, 2)
        self.layer.weight.data = torch.tensor([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]) / 255
        self.layer.bias.data = torch.tensor([-0.5, -0.5])
        self.last = nn.Linear(2, 2, bias=False)
        self.last.weight.data = 4 * torch.eye(2)

    def forward(self, x):
        return self.last(torch.relu(self.layer(x.mean((2, 3)))))


def colour(red, green):
    image = torch.zeros(3, 2, 2)
    image[0], image[1] = red, green
    return image


RED = colour(255, 0)
