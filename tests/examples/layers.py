"""Small layers whose polytopes and minima of eq. 1 are known by hand or by a reference solver."""

import torch
from torch import Tensor, nn

# Over [0, 1]^2: unit 0 active holds x + y = 1 for the target (1/2, 1/2), units 1 and 2 keep
# x >= 1/4 and y >= 1/4.  The polytope is the segment from (1/4, 3/4) to (3/4, 1/4).  Unit 1 is
# lowest at (3/4, 1/4), at -1/4; unit 2 at (1/4, 3/4), at -1/2.
SEGMENT_WEIGHT = [[1.0, 1.0], [-0.5, 0.0], [0.0, -1.0]]
SEGMENT_BIAS = [-0.5, 0.125, 0.25]
SEGMENT_TARGET = [0.5, 0.5]
SEGMENT_VERTICES = {1: [0.75, 0.25], 2: [0.25, 0.75]}
SEGMENT_VALUES = {1: -0.25, 2: -0.5}
# Eq. 1 with alpha = 10 and unit 1: slope -1/2 in x balances 10 (x + y - 1), so x + y = 1.05; the
# kink of |1/4 - y| holds y: (0.8, 0.25), value 0.0125 - 0.275.  It misses the activation by 0.05.
SEGMENT_PENALTY_POINT = [0.8, 0.25]
SEGMENT_PENALTY_VALUE = -0.2625
SEGMENT_PENALTY_RESIDUAL = 0.05


def network(weight: Tensor, bias: Tensor) -> nn.Sequential:
    """A model whose first layer "0" has these numbers, with a ReLU and a second Linear behind."""
    first = nn.Linear(weight.shape[1], weight.shape[0]).to(weight.dtype)
    first.weight.data.copy_(weight)
    first.bias.data.copy_(bias)
    generator = torch.Generator().manual_seed(1)
    second = nn.Linear(weight.shape[0], 3).to(weight.dtype)
    second.weight.data.copy_(torch.randn(second.weight.shape, generator=generator))
    second.bias.data.zero_()
    return nn.Sequential(first, nn.ReLU(), second)


def segment() -> nn.Sequential:
    """The layer described above."""
    return network(torch.tensor(SEGMENT_WEIGHT), torch.tensor(SEGMENT_BIAS))


def random_network(inputs: int, units: int, *, seed: int) -> nn.Sequential:
    """A seeded first layer with rows of length about 1."""
    generator = torch.Generator().manual_seed(seed)
    weight = torch.randn(units, inputs, generator=generator) / inputs**0.5
    return network(weight, 0.1 * torch.randn(units, generator=generator))


def random_inputs(count: int, inputs: int, *, seed: int) -> Tensor:
    """Seeded points of the unit box, a third of their numbers 0, as in an image."""
    generator = torch.Generator().manual_seed(seed)
    points = torch.rand(count, inputs, generator=generator)
    return torch.where(torch.rand(count, inputs, generator=generator) < 1 / 3, 0.0, points)


def convolutional(*, seed: int) -> nn.Sequential:
    """Conv2d(1, 3, 3) on 6 x 6 inputs, ReLU, Flatten, Linear(48, 10)."""
    torch.manual_seed(seed)
    return nn.Sequential(nn.Conv2d(1, 3, 3), nn.ReLU(), nn.Flatten(), nn.Linear(48, 10))
