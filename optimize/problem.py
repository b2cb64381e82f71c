"""What does the search see?  V vertices as flat points, a map to pre-activations, a box.

Two forms with the same methods: the affine one (a first Linear layer; float64, one matrix product
each way) and the general one (any model; the model's own floating type, autograd).
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor

from optimize.layers import LayerReader
from optimize.objective import Objective, Pattern

Slope = Callable[[Tensor, Pattern], Tensor]
"""A derivative in the pre-activations: (V, N) values and their pattern to (V, N)."""


@dataclass(frozen=True)
class Problem:
    """V searches over flat points (V, D) in one box.

    Attributes:
        reader: the layer inside its model.
        shape: the shape of one input, D numbers in all.
        pattern: units to hold, to clear and to push down, (V, N).
        objective: eq. 1.
        lower, upper: (D,) bounds, possibly infinite.
        weight, bias: (N, D) and (N,) in float64 where the layer is the first one, else None.
        cache: what a method derives from the layer and the box alone, shared by `take`.
    """

    reader: LayerReader
    shape: tuple[int, ...]
    pattern: Pattern
    objective: Objective
    lower: Tensor
    upper: Tensor
    weight: Tensor | None
    bias: Tensor | None
    cache: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)

    @property
    def affine(self) -> bool:
        """Is the pre-activation an affine function of the input?"""
        return self.weight is not None

    def take(self, index: Tensor) -> "Problem":
        """The problem of the vertices `index` only."""
        return replace(self, pattern=self.pattern.take(index))

    def pre_activation(self, points: Tensor) -> Tensor:
        """Pre-activations (V, N) of flat points (V, D), without a graph."""
        if self.weight is not None and self.bias is not None:
            return torch.addmm(self.bias, points, self.weight.T)
        with torch.no_grad():
            return self.reader.pre_activation(points.view(-1, *self.shape))

    def gradient(self, points: Tensor, slope: Slope) -> Tensor:
        """The gradient (V, D) of a function of the pre-activations with derivative `slope`."""
        if self.weight is not None:
            return slope(self.pre_activation(points), self.pattern) @ self.weight
        leaf = points.detach().requires_grad_(True)
        with torch.enable_grad():
            pre = self.reader.pre_activation(leaf.view(-1, *self.shape))
            (gradient,) = torch.autograd.grad(pre, leaf, slope(pre.detach(), self.pattern))
        return gradient

    def project(self, points: Tensor) -> Tensor:
        """The nearest points of the box: the paper's clipping."""
        return torch.minimum(torch.maximum(points, self.lower), self.upper)
