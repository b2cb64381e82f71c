"""A small data set and a small network, on which every experiment takes seconds."""

from pathlib import Path

import numpy as np
import torch

from experiments.datasets.mnist import Mnist
from experiments.models.mlp import MLP
from experiments.models.train import TrainedNet, accuracy

HIDDEN = 24


def small_mnist(seed=5):
    """Ten blurred prototypes with noise; the frame of 100 or more pixels is never lit."""
    rng = np.random.default_rng(seed)
    prototypes = np.zeros((10, 28, 28))
    prototypes[:, 5:23, 5:23] = rng.random((10, 18, 18)) > 0.7

    def draw(count):
        labels = np.arange(count, dtype=np.uint8) % 10
        noise = rng.random((count, 28, 28)) * (prototypes[labels] > 0)
        return (255 * noise).astype(np.uint8).reshape(count, 784), labels

    train, train_labels = draw(200)
    train[0, 3 * 28 + 3] = 9  # lit once in 200 images: under 1 %, and not never
    test, test_labels = draw(30)
    return Mnist(train, train_labels, test, test_labels, {"made up": "0" * 64})


def small_net(data, *, seed, network="default", root=None, report=None):
    """Stands in for `trained_mlp`; the weights are random, which no experiment minds."""
    torch.manual_seed(seed)
    model = MLP(784, HIDDEN, 10).eval().requires_grad_(False)
    if network == "wide":
        for parameter in model.parameters():
            parameter.normal_()
    return TrainedNet(
        model=model,
        accuracy=accuracy(model, data.test_images, data.test_labels),
        validation_accuracy=0.0,
        steps=0,
        seed=seed,
        path=Path(f"small-{'' if network == 'default' else network}{seed}.safetensors"),
        sha256=f"{seed + 100 * (network != 'default'):064x}",
        torch_version=torch.__version__,
        trained_now=False,
    )


def install(monkeypatch, module):
    """Makes an experiment use the small data and network."""
    monkeypatch.setattr(module, "load_mnist", lambda root, report=None: small_mnist())
    monkeypatch.setattr(module, "trained_mlp", small_net)
