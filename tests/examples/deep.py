"""Small networks with the layers of LeNet-5 and of the MLP, for runs of `collide lenet5`."""

from dataclasses import replace
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional

from experiments.lenet5 import case, own_region, pieces, sets, setting
from experiments.lenet5 import run as module
from experiments.models.architectures import LENET5, MLP_784
from experiments.models.mlp import MLP
from experiments.models.train import TrainedNet, accuracy
from experiments.run.limited import Limited
from tests.examples.small_runs import small_mnist


class Tiny(nn.Module):
    """LeNet-5's layers, some 20 units each at most."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 2, 6, stride=6)
        self.conv2 = nn.Conv2d(2, 3, 2, padding=1)
        self.fc1 = nn.Linear(3, 8)
        self.fc2 = nn.Linear(8, 6)
        self.output = nn.Linear(6, 10)

    def forward(self, x):
        """Logits (n, 10) of images (n, 1, 28, 28)."""
        x = functional.max_pool2d(torch.relu(self.conv1(x)), 2)
        x = functional.max_pool2d(torch.relu(self.conv2(x)), 2)
        x = torch.relu(self.fc1(torch.flatten(x, 1)))
        return self.output(torch.relu(self.fc2(x)))


def small_mlp():
    return MLP(784, 8, 10)


NETWORKS = {"lenet5": replace(LENET5, build=Tiny), "mlp": replace(MLP_784, build=small_mlp)}


def untrained(architecture, data, *, seed, root=None, report=None):
    """Stands in for `trained_net`."""
    small = NETWORKS[architecture.name]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = small.build().eval().requires_grad_(False)
    return TrainedNet(
        model=model,
        accuracy=accuracy(model, data.test_images, data.test_labels, shape=small.shape),
        validation_accuracy=0.0,
        steps=0,
        seed=seed,
        path=Path(f"{architecture.name}-{seed}.safetensors"),
        sha256=f"{seed:064x}",
        torch_version=torch.__version__,
        trained_now=False,
    )


def here(work, given, *, seconds):
    """Stands in for `in_time`, which a patched network would not reach."""
    return Limited(list(work(given)), "")


def install_deep(monkeypatch):
    """Makes the experiment use the small data and networks, in this process."""
    monkeypatch.setattr(case, "NETWORKS", NETWORKS)
    for each in (sets, pieces, own_region):
        monkeypatch.setattr(each, "in_time", here)
    monkeypatch.setattr(module, "load_mnist", lambda root, report=None: small_mnist())
    monkeypatch.setattr(setting, "trained_net", untrained)
