"""Networks of every form that users write, small: name, factory, shape of one input."""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

from tests.examples.graphs import Fire, Functional, Residual, one_dimensional, vgg
from tests.examples.untraceable import (
    BehindMemory,
    Branches,
    Guards,
    Products,
    Volumes,
    encoder,
)


class Step(nn.Module):
    """Linear(6, 8), a step, Linear(width, 5), ReLU."""

    def __init__(self, step: Callable[[Tensor], Tensor], width: int = 8) -> None:
        super().__init__()
        self.a, self.b, self.step = nn.Linear(6, 8), nn.Linear(width, 5), step

    def forward(self, x: Tensor) -> Tensor:
        """The whole."""
        return torch.relu(self.b(self.step(self.a(x))))


class Block(nn.Module):
    """A residual block of Linear layers, with or without norms."""

    def __init__(self, norm: bool, pre: bool = False) -> None:
        super().__init__()
        self.one, self.two = nn.Linear(6, 6), nn.Linear(6, 6)
        self.n1 = nn.BatchNorm1d(6) if norm else nn.Identity()
        self.n2 = nn.BatchNorm1d(6) if norm else nn.Identity()
        self.pre = pre

    def forward(self, x: Tensor) -> Tensor:
        """The whole."""
        if self.pre:
            return x + self.two(torch.relu(self.n2(self.one(torch.relu(self.n1(x))))))
        return torch.relu(self.n2(self.two(torch.relu(self.n1(self.one(x))))) + x)


class Recurrent(nn.Module):
    """A cell of the user's own, run along a sequence."""

    def __init__(self) -> None:
        super().__init__()
        self.i, self.h, self.o = nn.Linear(3, 4), nn.Linear(4, 4), nn.Linear(4, 2)

    def forward(self, x: Tensor) -> Tensor:
        """The whole."""
        h = torch.zeros(x.shape[0], 4, dtype=x.dtype)
        for k in range(x.size(1)):
            h = torch.relu(self.i(x[:, k]) + self.h(h))
        return self.o(h)


class UNet(nn.Module):
    """Down, up by a transposed convolution, joined with what was before."""

    def __init__(self) -> None:
        super().__init__()
        self.d1, self.d2 = nn.Conv2d(1, 4, 3, padding=1), nn.Conv2d(4, 8, 3, padding=1)
        self.u, self.c = nn.ConvTranspose2d(8, 4, 2, stride=2), nn.Conv2d(8, 4, 3, padding=1)
        self.last = nn.Conv2d(4, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        """The whole."""
        one = functional.relu(self.d1(x), inplace=True)
        two = functional.relu(self.d2(functional.max_pool2d(one, 2)))
        both = torch.cat([one, functional.relu(self.u(two))], 1)
        return self.last(functional.relu(self.c(both)))


class Mixer(nn.Module):
    """Linear layers along both axes of a table, in turn."""

    def __init__(self) -> None:
        super().__init__()
        self.tokens, self.channels = nn.Linear(5, 5), nn.Linear(4, 4)
        self.norm = nn.LayerNorm(4)

    def forward(self, x: Tensor) -> Tensor:
        """The whole."""
        x = x + torch.relu(self.tokens(self.norm(x).transpose(1, 2))).transpose(1, 2)
        return x + torch.relu(self.channels(x))


class Experts(nn.Module):
    """Which layer is run depends on the data."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = nn.Linear(6, 3)
        self.experts = nn.ModuleList(nn.Sequential(nn.Linear(6, 5), nn.ReLU()) for _ in range(3))
        self.out = nn.Linear(5, 2)

    def forward(self, x: Tensor) -> Tensor:
        """The whole."""
        return self.out(self.experts[int(self.gate(x).argmax())](x))


class Dictionary(nn.Module):
    """Returns several things by name."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = nn.Linear(6, 5), nn.Linear(5, 2)

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        """The whole."""
        hidden = self.a(x).relu()
        return {"logits": self.b(hidden), "hidden": hidden}


class Weighty(nn.Module):
    """Layers by functions, their numbers in lists and in tensors of several axes."""

    def __init__(self) -> None:
        super().__init__()
        self.weights = nn.ParameterList(nn.Parameter(torch.randn(6, 6)) for _ in range(2))
        self.biases = nn.ParameterList(nn.Parameter(torch.randn(6)) for _ in range(2))
        self.kernel = nn.Parameter(torch.randn(3, 1, 2))

    def forward(self, x: Tensor) -> Tensor:
        """The whole."""
        for weight, bias in zip(self.weights, self.biases, strict=True):
            x = (x @ weight.t() + bias).clamp_min(0)
        return functional.conv1d(x.unsqueeze(1), self.kernel).relu().amax(2)


def parametrised() -> nn.Module:
    """Weights that are computed from others."""
    made = nn.utils.parametrizations.weight_norm(nn.Linear(6, 5))
    return nn.Sequential(made, nn.ReLU(), nn.utils.parametrizations.spectral_norm(nn.Linear(5, 4)),
                         nn.ReLU())  # fmt: skip


def exported(make: Callable[[], nn.Module], shape: tuple[int, ...]) -> Callable[[], nn.Module]:
    """What torch.export makes of a network."""

    def made() -> nn.Module:
        example = torch.rand(1, *shape, dtype=torch.float64)
        model = make().double().eval()
        return torch.export.export(model, (example,)).module()  # type: ignore[no-any-return]

    return made


def _mlp() -> nn.Module:
    return nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 3))


def _stack(*middle: nn.Module) -> Callable[[], nn.Module]:
    return lambda: nn.Sequential(nn.Linear(6, 8), *middle, nn.Linear(8, 4), nn.ReLU())


OWN: tuple[tuple[str, Callable[[], nn.Module], tuple[int, ...]], ...] = (
    ("own MLP", _mlp, (6,)),
    ("own VGG", vgg, (3, 8, 8)),
    ("own residual network", Residual, (2, 7, 7)),
    ("own fire module", Fire, (3, 9, 9)),
    ("own functional", Functional, (1, 6, 6)),
    ("own signals", one_dimensional, (2, 21)),
    ("own branches on the data", Branches, (4,)),
    ("own guards, modules in forward", Guards, (6,)),
    ("own x @ W, mm, addmm, einsum", Products, (4,)),
    ("own Conv3d, transposed convolutions", Volumes, (2, 3, 5, 4)),
    ("own LSTM and attention before", BehindMemory, (5, 3)),
    ("own TransformerEncoderLayer", encoder, (3, 4)),
    ("own TransformerEncoder", lambda: nn.TransformerEncoder(encoder(), 2), (3, 4)),
    ("own TransformerDecoder", lambda: Memory(), (3, 4)),
    ("own DataParallel", lambda: nn.DataParallel(_mlp()), (6,)),
    ("own compiled", lambda: torch.compile(_mlp()), (6,)),  # type: ignore[dict-item,arg-type,return-value]
    ("own compiled inside", lambda: nn.Sequential(torch.compile(_mlp()), nn.ReLU()), (6,)),  # type: ignore[arg-type]
    (
        "own torch.jit.trace",
        lambda: torch.jit.trace(_mlp().double().eval(), torch.rand(1, 6).double()),
        (6,),
    ),
    ("own torch.export of an MLP", exported(_mlp, (6,)), (6,)),
    ("own torch.export of a VGG", exported(vgg, (3, 8, 8)), (3, 8, 8)),
    ("own torch.export of a residual network", exported(Residual, (2, 7, 7)), (2, 7, 7)),
    ("own torch.export of an encoder", exported(encoder, (3, 4)), (3, 4)),
    ("own residual Linear", lambda: Block(norm=False), (6,)),
    ("own residual Linear, BatchNorm", lambda: Block(norm=True), (6,)),
    ("own pre-activation block", lambda: Block(norm=True, pre=True), (6,)),
    ("own recurrent cell", Recurrent, (4, 3)),
    ("own U-Net", UNet, (1, 8, 8)),
    ("own mixer", Mixer, (5, 4)),
    ("own experts", Experts, (6,)),
    ("own dictionary returned", Dictionary, (6,)),
    ("own lists of parameters", Weighty, (6,)),
    ("own parametrisations", parametrised, (6,)),
    ("own LeakyReLU", _stack(nn.LeakyReLU(0.1)), (6,)),
    ("own PReLU", _stack(nn.PReLU(8)), (6,)),
    ("own Hardtanh", _stack(nn.Hardtanh()), (6,)),
    ("own ReLU6", _stack(nn.ReLU6()), (6,)),
    ("own GELU", _stack(nn.GELU()), (6,)),
    ("own Sigmoid", _stack(nn.Sigmoid()), (6,)),
    ("own Softmax", _stack(nn.Softmax(1)), (6,)),
    ("own LayerNorm", _stack(nn.LayerNorm(8)), (6,)),
    ("own GroupNorm", _stack(nn.GroupNorm(2, 8)), (6,)),
    ("own AlphaDropout", _stack(nn.AlphaDropout(0.5)), (6,)),
    ("own stack and sum", lambda: Step(lambda y: torch.stack([y, 2 * y]).sum(0)), (6,)),
    ("own repeat", lambda: Step(lambda y: y.repeat(1, 2), 16), (6,)),
    ("own index_select", lambda: Step(lambda y: y.index_select(1, torch.tensor([0, 3])), 2), (6,)),
    ("own constant padding", lambda: Step(lambda y: functional.pad(y, (1, 1), value=3), 10), (6,)),
    ("own amax", lambda: Step(lambda y: y.view(-1, 2, 4).amax(1), 4), (6,)),
    ("own where", lambda: Step(lambda y: torch.where(y > 0, y, -y)), (6,)),
    ("own in place", lambda: Step(lambda y: y.mul_(2).relu_()), (6,)),
    ("own slices written", lambda: Step(lambda y: torch.cat([y[:, 4:], y[:, :4]], 1)), (6,)),
    ("own numpy inside", lambda: Step(lambda y: torch.from_numpy(y.numpy() * 2)), (6,)),
)


class Memory(nn.Module):
    """A decoder that looks at its own input."""

    def __init__(self) -> None:
        super().__init__()
        self.decoder = nn.TransformerDecoderLayer(4, 2, 8, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        """The whole."""
        return self.decoder(x, x)  # type: ignore[no-any-return]
