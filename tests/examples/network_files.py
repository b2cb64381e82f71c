"""Small networks of a user's own, written to a folder as a user would: factory, weights, inputs."""

import numpy as np
import torch
from safetensors.torch import save_file
from torch import nn

SOURCE = """
import torch
from torch import nn

class Net(nn.Module):
    input_shape = (1, 6, 6)

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 3, 3, stride=1, padding=1)
        self.bn = nn.BatchNorm2d(3)
        self.pool = nn.MaxPool2d(2)
        self.fc1 = nn.Linear(27, 8)
        self.fc2 = nn.Linear(8, 3)

    def forward(self, x):
        x = self.pool(torch.relu(self.bn(self.conv(x))))
        return self.fc2(torch.relu(self.fc1(x.flatten(1))))

class Flat(nn.Sequential):
    input_shape = (6,)

    def __init__(self):
        super().__init__(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 5), nn.ReLU(), nn.Linear(5, 2))
"""


def write_network(folder):
    """Writes nets.py, weights for Net with a BatchNorm that does something, and inputs."""
    (folder / "nets.py").write_text(SOURCE)
    names: dict[str, type[nn.Module]] = {}
    exec(SOURCE, names)
    torch.manual_seed(7)
    net = names["Net"]()
    net.bn.running_mean.normal_()
    net.bn.running_var.uniform_(0.5, 2)
    net.bn.weight.data.uniform_(0.5, 2)
    save_file(dict(net.state_dict()), folder / "net.safetensors")
    rng = np.random.default_rng(3)
    np.save(folder / "image.npy", rng.random((1, 6, 6), dtype=np.float32))
    np.save(folder / "other.npy", rng.random((1, 1, 6, 6), dtype=np.float32))
    np.save(folder / "flat.npy", rng.random(6, dtype=np.float32))
    return net
