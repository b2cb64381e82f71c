"""How are steps that were recorded for one input run on a batch?  Together where that is the same.

A recording holds the sizes of a batch of one as plain numbers.  Where they do not matter a batch is
run as it is; else input after input.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from optimize.model.checks import close_to


def _as_row(tensor: Tensor) -> Tensor:
    """What a step gives one input, with a batch axis of 1 in front."""
    return tensor if tensor.shape[:1] == (1,) else tensor[None]


_RAISED = (RuntimeError, ValueError, LookupError, TypeError, AssertionError)


class EachAlone(nn.Module):
    """Recorded steps on batches of any size.

    What a step gives one input becomes one row of its batch, wherever the steps have put the axis.

    Args:
        part: of the recording; returns a tuple.
        shapes: of what it takes, in the recording.
    """

    def __init__(self, part: nn.Module, shapes: Sequence[tuple[int, ...]]) -> None:
        super().__init__()
        self.part, self.shapes = part, shapes
        #: Are all inputs run at once?  Found out at the first batch.
        self.together: bool | None = None

    def forward(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        """What the part gives, one input behind the other."""
        if len(inputs[0]) == 1:
            return self._one_by_one(inputs)
        if self.together is None:
            self.together = self._agrees([each[:2] for each in inputs])
        if not self.together:
            return self._one_by_one(inputs)
        result: tuple[Tensor, ...] = self.part(*inputs)
        return result

    def _one_by_one(self, inputs: Sequence[Tensor]) -> tuple[Tensor, ...]:
        found = []
        for k in range(len(inputs[0])):
            given = (
                each[k].reshape(shape) for each, shape in zip(inputs, self.shapes, strict=True)
            )
            found.append([_as_row(each) for each in self.part(*given)])
        return tuple(torch.cat(parts) for parts in zip(*found, strict=True))

    def _agrees(self, inputs: list[Tensor]) -> bool:
        with torch.no_grad():
            alone = self._one_by_one(inputs)
            try:
                whole = self.part(*inputs)
            except _RAISED:
                return False
        return all(close_to(a, b) for a, b in zip(whole, alone, strict=True))
