"""What do the steps folded into a layer do to each unit?  Scale and shift in float64."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, fx

from optimize.model.graph import LayerCall
from optimize.model.operations import Combine, Norm
from optimize.model.reading import constant, read_operation
from optimize.model.trace import Trace


@dataclass(frozen=True, eq=False)
class Fold:
    """Scale and shift of each of N units; `exact_layer` has them exact.

    Attributes:
        steps: (scale, shift) of each step, (n,) where n divides N: behind a reshape a channel may
            be several units in a row.
    """

    steps: tuple[tuple[Tensor, Tensor], ...]

    @classmethod
    def of(cls, traced: Trace, call: LayerCall, weight: Tensor) -> "Fold | None":
        """Those of a Linear layer; None where a constant is not one number a unit, or all alike."""
        if call.kind != "Linear":
            return None
        units, steps = weight.shape[0], []
        for node in call.folded:
            operation = read_operation(node, traced)
            if isinstance(operation, Norm):
                steps.append(_of_norm(operation, traced, weight.device))
                continue
            assert isinstance(operation, Combine)
            shift = _shift(operation, traced, weight)
            if shift.numel() not in (1, units) or shift.shape[-1:] not in ((), (1,), (units,)):
                return None
            steps.append((torch.ones_like(shift).reshape(-1), shift.reshape(-1)))
        return cls(tuple(steps))

    def apply(self, weight: Tensor, bias: Tensor) -> tuple[Tensor, Tensor]:
        """Weight (N, d) and bias (N,) in float64 with all of it."""
        for scale, shift in self.steps:
            each = len(bias) // max(1, scale.numel())
            scales, shifts = (part.repeat_interleave(each) for part in (scale, shift))
            weight, bias = weight * scales[:, None], bias * scales + shifts
        return weight, bias


def _shift(operation: Combine, traced: Trace, weight: Tensor) -> Tensor:
    """What is added, in float64: a number as torch takes it beside the layer's type."""
    sides = (operation.left, operation.right)
    (given,) = [s for s in sides if not (isinstance(s, fx.Node) and s in traced.varying)]
    value = constant(given, traced)
    if not isinstance(value, Tensor):
        value = torch.as_tensor(value, dtype=weight.dtype)
    found = value.to(weight.device, torch.float64)
    return -found if operation.sign == "-" else found


def _of_norm(norm: Norm, traced: Trace, device: torch.device) -> tuple[Tensor, Tensor]:
    """Those of a BatchNorm; a number that torch has not is neutral."""

    def numbers(value: Any, missing: float) -> Tensor:
        found = constant(value, traced)
        if found is None:
            return torch.tensor(missing, dtype=torch.float64, device=device)
        return torch.as_tensor(found).to(device, torch.float64)

    scale = numbers(norm.weight, 1) * (numbers(norm.variance, 1) + norm.eps).rsqrt()
    shift = numbers(norm.bias, 0) - numbers(norm.mean, 0) * scale
    return scale.reshape(-1), shift.reshape(-1).expand(scale.numel())
