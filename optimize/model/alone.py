"""How are steps that were recorded for one input run on a batch?  Together where that is the same.

A recording holds the sizes of a batch of one as plain numbers.  Where they do not matter a batch is
run as it is; else input after input.
"""

from typing import Any

import torch
from torch import Tensor, nn

from optimize.model.checks import close_to

_RAISED = (RuntimeError, ValueError, LookupError, TypeError, AssertionError)


class EachAlone(nn.Module):
    """Recorded steps on batches of any size.

    Args:
        part: takes and returns tensors (1, ...), returns a tuple.
    """

    def __init__(self, part: nn.Module) -> None:
        super().__init__()
        self.part = part
        #: Are all inputs run at once?  Found out at the first batch.
        self.together: bool | None = None

    def forward(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        """What the part gives, one input behind the other."""
        if len(inputs[0]) == 1:
            result: tuple[Tensor, ...] = self.part(*inputs)
            return result
        if self.together is None:
            self.together = self._agrees([each[:2] for each in inputs])
        return self.part(*inputs) if self.together else self._one_by_one(inputs)

    def _one_by_one(self, inputs: Any) -> tuple[Tensor, ...]:
        count = len(inputs[0])
        found = [self.part(*(each[k : k + 1] for each in inputs)) for k in range(count)]
        return tuple(torch.cat(parts) for parts in zip(*found, strict=True))

    def _agrees(self, inputs: list[Tensor]) -> bool:
        with torch.no_grad():
            alone = self._one_by_one(inputs)
            try:
                whole = self.part(*inputs)
            except _RAISED:
                return False
        return all(close_to(a, b) for a, b in zip(whole, alone, strict=True))
