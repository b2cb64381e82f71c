"""Which LeNet-5?  LeCun, Bottou, Bengio & Haffner (1998), sec. II.B, with ReLU and max-pooling.

The sizes are those of the paper: 28 x 28 pixels padded to 32 x 32, C1 with 6 and C3 with 16 maps of
5 x 5 filters, C5 with 120, F6 with 84 units and 10 outputs.  What differs, as in most of today's
uses of the name: ReLU in place of a scaled tanh; 2 x 2 max-pooling in place of an average with a
trainable factor, bias and squashing; C3 sees all six maps, not the paper's table of connections;
the output is linear under a softmax, not radial basis functions; pixels lie in [0, 1].
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

#: One image: channel, height, width.
INPUT_SHAPE = (1, 28, 28)


class LeNet5(nn.Module):
    """61,706 parameters; hidden layers `conv1`, `conv2`, `fc1`, `fc2`, each followed by a ReLU.

    `conv1` is the paper's C1, `conv2` its C3, `fc1` its C5 and `fc2` its F6; behind the ReLU of a
    convolution stands a 2 x 2 max-pool (S2, S4).
    """

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 6, 5, padding=2, dtype=torch.float32)
        self.conv2 = nn.Conv2d(6, 16, 5, dtype=torch.float32)
        self.fc1 = nn.Linear(16 * 5 * 5, 120, dtype=torch.float32)
        self.fc2 = nn.Linear(120, 84, dtype=torch.float32)
        self.output = nn.Linear(84, 10, dtype=torch.float32)

    def forward(self, x: Tensor) -> Tensor:
        """Returns the logits (n, 10) of images (n, 1, 28, 28)."""
        x = functional.max_pool2d(torch.relu(self.conv1(x)), 2)
        x = functional.max_pool2d(torch.relu(self.conv2(x)), 2)
        x = torch.relu(self.fc1(torch.flatten(x, 1)))
        x = torch.relu(self.fc2(x))
        logits: Tensor = self.output(x)
        return logits
