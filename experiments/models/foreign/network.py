"""What is read of a file that holds a network?  A module, one input's shape, words about it."""

import itertools
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor, nn


@dataclass(frozen=True, eq=False, kw_only=True)
class ForeignNetwork:
    """A network of a file, rebuilt.

    Attributes:
        module: in evaluation mode.
        input_shape: of one input, without the batch axis.
        words: what else the file says, "" for nothing.
        ends: lower and upper end of its usual inputs.
    """

    module: nn.Module
    input_shape: tuple[int, ...]
    words: str = ""
    ends: tuple[float, float] = (0.0, 1.0)


class Scaled(nn.Module):
    """``(x - shift) / divisor``, or ``x * factor + shift`` with a factor; entry by entry."""

    shift: Tensor
    scale: Tensor

    def __init__(self, shift: Tensor, scale: Tensor, *, divides: bool) -> None:
        super().__init__()
        self.register_buffer("shift", shift)
        self.register_buffer("scale", scale)
        self.divides = divides

    def forward(self, x: Tensor) -> Tensor:
        """Returns x (..., d) moved and stretched."""
        return (x - self.shift) / self.scale if self.divides else x * self.scale + self.shift


def linear(weight: Tensor, bias: Tensor | None) -> nn.Linear:
    """Returns the layer with weight (N, d) and bias (N,), in their type."""
    units, inputs = weight.shape
    layer = nn.Linear(inputs, units, bias=bias is not None, device="meta", dtype=weight.dtype)
    layer.weight = nn.Parameter(weight, requires_grad=False)
    if bias is not None:
        layer.bias = nn.Parameter(bias, requires_grad=False)
    return layer


def chain(steps: Iterable[tuple[str, nn.Module]]) -> nn.Sequential:
    """Returns named modules one after the other, in evaluation mode.

    A name that stands twice gets a number behind it the second time.
    """
    named: OrderedDict[str, nn.Module] = OrderedDict()
    for name, module in steps:
        numbered = (f"{name}_{count}" for count in itertools.count(2))
        free = name if name not in named else next(n for n in numbered if n not in named)
        named[free] = module
    return nn.Sequential(named).eval()


def doubles(values: object) -> Tensor:
    """Returns numbers as float64."""
    return torch.as_tensor(values, dtype=torch.float64)


def on_meta(module: nn.Module, *examples: Tensor) -> Tensor:
    """Returns what a module gives, without its numbers."""
    numbers = {**dict(module.named_parameters()), **dict(module.named_buffers())}
    elsewhere = {name: value.to("meta") for name, value in numbers.items()}
    with torch.no_grad():
        found: Tensor = torch.func.functional_call(module, elsewhere, examples)
    return found
