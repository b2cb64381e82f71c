"""Small networks of every structure the graph reader knows, and float forms to compare with."""

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from polytope.exact.sparse import SparseMatrix


def randomised(model, *, seed=0):
    """The model in float64, evaluation mode, every number random (variances positive)."""
    generator = torch.Generator().manual_seed(seed)
    model = model.double().eval()
    for name, tensor in model.state_dict().items():
        if tensor.is_floating_point():
            drawn = torch.randn(tensor.shape, generator=generator, dtype=torch.float64)
            tensor.copy_(drawn.abs() + 0.1 if name.endswith("running_var") else 0.5 * drawn)
    return model


def matrix(weight):
    """A weight in float64, sparse or dense."""
    if isinstance(weight, SparseMatrix):
        return weight.float_form()
    data = getattr(weight, "data", weight) if not isinstance(weight, np.ndarray) else weight
    return np.asarray(data, dtype=np.float64)


class Residual(nn.Module):
    """Two residual blocks with in-place ReLUs, one module used twice, and an average at the end."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(2, 4, 3, stride=2, padding=1)
        self.one, self.two = nn.Conv2d(4, 4, 3, padding=1), nn.Conv2d(4, 4, 3, padding=1)
        self.norm = nn.BatchNorm2d(4)
        self.relu = nn.ReLU(inplace=True)
        self.pool = nn.AdaptiveAvgPool2d((2, 2))
        self.head = nn.Linear(16, 3)

    def forward(self, x):
        x = self.relu(self.stem(x))
        for _ in range(2):
            y = self.two(self.relu(self.norm(self.one(x))))
            y += x
            x = self.relu(y)
        return self.head(torch.flatten(self.pool(x), 1))


class Fire(nn.Module):
    """SqueezeNet's form: one layer into two, joined; 1 x 1 convolution and mean at the end."""

    def __init__(self):
        super().__init__()
        self.squeeze = nn.Conv2d(3, 2, 1)
        self.left, self.right = nn.Conv2d(2, 3, 1), nn.Conv2d(2, 4, 3, padding=1)
        self.final = nn.Conv2d(7, 5, 1)

    def forward(self, x):
        x = functional.relu(self.squeeze(x), inplace=True)
        x = torch.cat([self.left(x).relu(), torch.relu(self.right(x))], dim=1)
        x = functional.max_pool2d(x, 3, stride=2, ceil_mode=True)
        return functional.relu(self.final(x)).mean((2, 3))


class Functional(nn.Module):
    """Everything by functions: normalisation, view by size, dropout, chunk, a weight of its own."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 4, 3, padding="same", bias=False)
        self.weight = nn.Parameter(torch.zeros(6, 36))
        self.fc = nn.Linear(6, 4)
        self.register_buffer("mean", torch.zeros(1, 1, 1, 1))

    def forward(self, x, scale=2.0):
        x = (x - self.mean) / 0.25 * scale + 0.5
        x = functional.relu(functional.max_pool2d(self.conv1(x), 2))
        x = functional.dropout(x, 0.5, training=self.training)
        left, right = x.chunk(2, dim=1)
        x = functional.avg_pool2d(1 - left - right, 3, stride=1, padding=1)
        x = functional.pad(x, (0, 0, 0, 0)).permute(0, 2, 3, 1)
        x = x.contiguous().view(x.size(0), -1)
        x = torch.cat((x, x), 1)
        x = functional.linear(x, self.weight).clamp(min=0)
        return self.fc(x)


def vgg():
    """A small VGG: features and classifier by name, dropout, adaptive pool."""

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.features = nn.Sequential(
                nn.Conv2d(3, 4, 3, padding=1),
                nn.ReLU(inplace=True),
                nn.MaxPool2d(2, 2),
                nn.Conv2d(4, 6, 3, padding=1),
                nn.BatchNorm2d(6),
                nn.ReLU(inplace=True),
                nn.MaxPool2d(2, 2),
            )
            self.avgpool = nn.AdaptiveAvgPool2d((2, 2))
            self.classifier = nn.Sequential(
                nn.Linear(24, 10),
                nn.ReLU(True),
                nn.Dropout(),
                nn.Linear(10, 8),
                nn.ReLU(True),
                nn.Linear(8, 3),
            )

        def forward(self, x):
            x = self.avgpool(self.features(x))
            return self.classifier(torch.flatten(x, 1))

    return Net()


def one_dimensional():
    """Signals: Conv1d, BatchNorm1d, pools, then Linear behind a flattening normalisation."""
    return nn.Sequential(
        nn.Conv1d(2, 4, 3, stride=2, padding=1, dilation=2),
        nn.BatchNorm1d(4),
        nn.ReLU(),
        nn.MaxPool1d(3, stride=2, padding=1),
        nn.AvgPool1d(2, ceil_mode=True),
        nn.Conv1d(4, 3, 2, groups=1),
        nn.Flatten(),
        nn.BatchNorm1d(6),
        nn.ReLU(),
        nn.Linear(6, 4),
        nn.BatchNorm1d(4, affine=False),
        nn.ReLU(),
        nn.Linear(4, 2),
    )
