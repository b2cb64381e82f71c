"""Networks that symbols cannot trace, or that are written in ways of their own."""

import torch
from torch import nn
from torch.nn import functional


class Branches(nn.Module):
    """Linear, BatchNorm with negative scales, ReLU; which way depends on the input's sum."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(2)
        self.fc1, self.bn, self.fc2 = nn.Linear(4, 6), nn.BatchNorm1d(6), nn.Linear(6, 3)
        self.bn.weight.data = torch.tensor([-1.0, -2.0, 1.5, -0.5, -1.25, 2.0])
        self.bn.running_mean.uniform_(-0.25, 0.25)
        self.bn.running_var.uniform_(0.5, 2)

    def forward(self, x):
        if x.sum() > 0.5:
            return self.fc2(torch.relu(self.bn(self.fc1(x))))
        return self.fc2(self.fc1(x))


class Between(nn.Module):
    """A step between the weighted layer and its ReLU, in a model that branches on its data."""

    def __init__(self, step):
        super().__init__()
        torch.manual_seed(3)
        self.fc1, self.fc2, self.step = nn.Linear(4, 6), nn.Linear(6, 3), step

    def forward(self, x):
        if x.max() > 100:
            raise ValueError("too large")
        return self.fc2(torch.relu(self.step(self.fc1(x))))


class Products(nn.Module):
    """Layers without modules: `x @ W + b`, mm, addmm, einsum of two orders."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(4)
        self.W, self.b = nn.Parameter(torch.randn(4, 6)), nn.Parameter(torch.randn(6))
        self.V, self.U = nn.Parameter(torch.randn(6, 5)), nn.Parameter(torch.randn(5, 7))
        self.c = nn.Parameter(torch.randn(7))
        self.E, self.F = nn.Parameter(torch.randn(3, 7)), nn.Parameter(torch.randn(3, 2))

    def forward(self, x):
        x = torch.relu(x @ self.W + self.b)
        x = torch.mm(x, self.V).relu()
        x = torch.addmm(self.c, x, self.U).clamp(min=0)
        x = functional.relu(torch.einsum("bi,oi->bo", x, self.E))
        return torch.einsum("io,bi->bo", self.F, x).relu()


class Volumes(nn.Module):
    """Conv3d, a pool of three axes, transposed convolutions with all their options."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(5)
        self.conv = nn.Conv3d(2, 3, (2, 3, 1), stride=(1, 2, 1), padding=(0, 1, 0))
        self.bn, self.pool = nn.BatchNorm3d(3), nn.AvgPool3d((1, 2, 2), ceil_mode=True)
        self.up = nn.ConvTranspose3d(3, 4, 2, stride=2, bias=False)
        self.up2 = nn.ConvTranspose2d(
            8, 6, 3, stride=2, padding=1, output_padding=1, groups=2, dilation=2
        )
        self.up1 = nn.ConvTranspose1d(6, 2, 2)
        self.norm = nn.BatchNorm1d(2)

    def forward(self, x):
        x = self.pool(torch.relu(self.bn(self.conv(x))))
        x = torch.relu(self.up(x)).flatten(1, 2)
        x = torch.relu(self.up2(x[:, :8])).flatten(2)
        return torch.relu(self.norm(self.up1(x)))


class Guards(nn.Module):
    """Looks at shapes and lengths, makes modules on the way, loops over parts."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(6)
        self.fc1, self.fc2 = nn.Linear(6, 5), nn.Linear(5, 4)

    def forward(self, x):
        if x.dim() != 2 or x.shape[-1] != 6:
            raise ValueError("six numbers")
        assert len(x) > 0
        x = nn.ReLU()(self.fc1(x))
        x = nn.Sequential(nn.Dropout(0.5).eval(), nn.Flatten())(x)
        parts = [part * (k + 1) for k, part in enumerate(x.split(1, dim=1))]
        return self.fc2(torch.cat(parts, dim=1)).relu()


class BehindMemory(nn.Module):
    """An LSTM, attention, then a Linear and its ReLU."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(7)
        self.lstm = nn.LSTM(3, 4, batch_first=True)
        self.attention = nn.MultiheadAttention(4, 2, batch_first=True)
        self.fc, self.out = nn.Linear(4, 6), nn.Linear(6, 2)

    def forward(self, x):
        x, _ = self.lstm(x)
        x, _ = self.attention(x, x, x)
        return self.out(torch.relu(self.fc(x[:, -1])))


def encoder():
    """A transformer block with a ReLU between its two Linear layers."""
    torch.manual_seed(8)
    return nn.TransformerEncoderLayer(4, 2, 8, batch_first=True)
