"""What is a layer at the target?  What the float run gives there, and the exact set of it."""

from dataclasses import dataclass

import torch
from torch import Tensor

from experiments.own.network import OwnNetwork
from optimize import LayerReader, exact_layer
from polytope import CollisionPolytope
from polytope.sets.domains import Domain

#: Products of a layer up to which it is written out exactly: the matrix of a convolution has to be
#: made (some 70 bytes each), that of a Linear is there.
EXACT_PRODUCTS = {"Linear": 200_000_000, "Conv2d": 20_000_000}


@dataclass(frozen=True, eq=False)
class AtTarget:
    """A layer and what the float run gives it at the target.

    Attributes:
        own: network and target.
        reader: the layer, on the CPU.
        entered: (d,) what enters it.
        pre: (N,) its pre-activations.
        products: that one run of it takes, padding counted.
    """

    own: OwnNetwork
    reader: LayerReader
    entered: Tensor
    pre: Tensor
    products: int

    @property
    def most(self) -> int:
        """Products up to which such a layer is written out exactly."""
        return EXACT_PRODUCTS["Linear" if self.reader.kind == "Linear" else "Conv2d"]

    def polytope(self, domain: Domain | None = None) -> CollisionPolytope | None:
        """Returns the exact set of the target; None where the layer is too large."""
        if self.products > self.most:
            return None
        layer = exact_layer(self.own.opened, self.reader.name, self.own.target)
        return CollisionPolytope.from_layer(layer.weight, layer.bias, self.entered, domain=domain)


def at_target(own: OwnNetwork, layer: str) -> AtTarget:
    """Runs the network up to a layer.

    Raises:
        InputError: no such layer.
    """
    reader = LayerReader(own.opened, layer, example=own.target)
    with torch.no_grad():
        entered, pre = (part[0].flatten() for part in reader.run(own.target[None].to(reader.dtype)))
    return AtTarget(own, reader, entered, pre, pre.numel() * reader.weight[0].numel())
