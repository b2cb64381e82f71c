"""What do a layer and the whole network say of an image?  One pass, from the image or the layer on.

Interpolants of the layer's *input* go on through everything that reads this input, also where
several layers do (a fire module's two expand layers).
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from optimize import OpenedNetwork
from optimize.model.graph import find_call
from optimize.search.setup import read_device
from polytope.errors import InputError


@dataclass(frozen=True, eq=False)
class Seen:
    """What n images give.

    Attributes:
        entered: (n, *layer input); None where the pass began there.
        pre: (n, N) pre-activations, after a batch normalisation that follows the layer.
        probabilities: (n, classes), the softmax taken in float64.
    """

    entered: Tensor | None
    pre: Tensor
    probabilities: Tensor

    def to_cpu(self) -> "Seen":
        """The same on the CPU."""
        entered = None if self.entered is None else self.entered.cpu()
        return Seen(entered, self.pre.cpu(), self.probabilities.cpu())


class Probe:
    """A network opened at one layer.

    Attributes:
        reason: why there is no pass from the layer's input; "" where there is.

    Args:
        model: traceable by torch.fx; one that is opened already is not copied.
        layer: name of a layer in front of a ReLU, or of the last one.
        device: "auto", "cpu", "cuda", ...
        batch: images a pass.

    Raises:
        InputError: the network cannot be traced, has no such layer, or returns several tensors.
    """

    def __init__(
        self, model: nn.Module | OpenedNetwork, layer: str, *, device: str = "cpu", batch: int = 32
    ) -> None:
        self.device = read_device(device)
        self.batch = batch
        traced = OpenedNetwork.of(model).on(self.device)
        call = find_call(traced, layer)
        outputs = [call.pre_activation, traced.result]
        self._through = traced.cut([call.source, *outputs])
        self._onward, self.reason = None, "layers behind it also read something from before it"
        if traced.decides(call.source, outputs):
            self._onward, self.reason = traced.cut(outputs, source=call.source), ""

    def images(self, points: Tensor) -> Iterator[Seen]:
        """Yields what images (n, 3, H, W) give, batch after batch, on the device."""
        return self._pass(self._through, points)

    def entering(self, entered: Tensor) -> Iterator[Seen]:
        """Yields what goes on from layer inputs (n, *layer input), batch after batch.

        Raises:
            InputError: see `reason`.
        """
        if self._onward is None:
            raise InputError(f"layer: expected one whose input decides the rest, got {self.reason}")
        return self._pass(self._onward, entered)

    def _pass(self, part_of: nn.Module, tensors: Tensor) -> Iterator[Seen]:
        with torch.no_grad():
            for part in torch.split(tensors, self.batch):
                *entered, pre, logits = part_of(part.to(self.device, torch.float32))
                probabilities = torch.softmax(logits.double(), dim=1)
                yield Seen(entered[0] if entered else None, pre.flatten(1), probabilities)

    def look(self, points: Tensor) -> Seen:
        """Returns what images (n, 3, H, W) give, all on the CPU."""
        parts = [seen.to_cpu() for seen in self.images(points)]
        entered = torch.cat([part.entered for part in parts if part.entered is not None])
        pre = torch.cat([part.pre for part in parts])
        return Seen(entered, pre, torch.cat([part.probabilities for part in parts]))
