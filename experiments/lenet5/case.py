"""Which layer of which network, which target?  All that a fresh process needs, and its two sets."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Generic, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from experiments.models.architectures import LENET5, MLP_784, Architecture
from experiments.run.proofs import MOST_SAVED, Proofs
from optimize import LayerReader, OpenedNetwork, exact_layer, input_polytope
from polytope import Box, CollisionPolytope, Nonnegative
from polytope.network.region_polytope import RegionPolytope

Pixels = NDArray[np.float32]
_Job = TypeVar("_Job")

NETWORKS: Mapping[str, Architecture[Any]] = {"lenet5": LENET5, "mlp": MLP_784}
#: Layers in order of execution, by network; the first reads the pixels themselves.
LAYERS = {"lenet5": ("conv1", "conv2", "fc1", "fc2"), "mlp": ("hidden1", "hidden2")}
#: Where a collision polytope lives: what enters the layer, or the pixels.
SPACES = ("layer", "pixels")


@dataclass(frozen=True, eq=False)
class DeepCase:
    """One layer of one network and one target.

    Attributes:
        network: of `NETWORKS`.
        weights: its parameters by name.
        layer: the layer's name.
        target: (784,) pixels in [0, 1].
        units: the units whose pre-activation is minimised.
    """

    network: str
    weights: Mapping[str, NDArray[np.float32]]
    layer: str
    target: Pixels
    units: tuple[int, ...] = ()

    def __getstate__(self) -> dict[str, Any]:
        """Only the fields: what was derived from them is derived again elsewhere."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}

    @property
    def name(self) -> str:
        """Network and layer, for keys and files."""
        return f"{self.network}-{self.layer}"

    @property
    def is_first(self) -> bool:
        """Whether the layer reads the pixels, so that there is one space only."""
        return self.layer == LAYERS[self.network][0]

    @property
    def spaces(self) -> tuple[str, ...]:
        """The spaces in which there is a set of its own."""
        return SPACES[:1] if self.is_first else SPACES

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one input of the network."""
        return NETWORKS[self.network].shape

    @cached_property
    def model(self) -> nn.Module:
        """The network, in evaluation mode."""
        with torch.device("meta"):  # no initial weights, so no draw from the random state
            model: nn.Module = NETWORKS[self.network].build()
        tensors = {name: torch.from_numpy(value) for name, value in self.weights.items()}
        model.load_state_dict(tensors, assign=True)
        return model.eval().requires_grad_(False)

    @cached_property
    def opened(self) -> OpenedNetwork:
        """The same, copied and traced once for all that is asked of it."""
        return OpenedNetwork(self.model)

    def shaped(self, points: NDArray[Any]) -> Tensor:
        """Returns images (n, 784) as the network takes them, float32."""
        flat = torch.from_numpy(np.asarray(points, dtype=np.float32))
        return flat.reshape(-1, *self.shape)

    @cached_property
    def reader(self) -> LayerReader:
        """The layer inside the network, on the CPU."""
        return LayerReader(self.opened, self.layer, torch.device("cpu"))

    def entered(self, points: NDArray[Any]) -> NDArray[np.float32]:
        """Returns what enters the layer (n, d) at images (n, 784), each run alone."""
        parts = [self.reader.layer_inputs(each[None]) for each in self.shaped(points)]
        found: NDArray[np.float32] = torch.cat(parts).numpy()
        return found

    @cached_property
    def layer_polytope(self) -> CollisionPolytope:
        """The set in the layer's own space: pixels in [0, 1], or x >= 0 behind a ReLU.

        Its target is what enters the layer in the float run, taken exactly.
        """
        layer = exact_layer(self.opened, self.layer, self.shape)
        domain = Box(0, 1) if self.is_first else Nonnegative()
        entered = self.entered(self.target[None])[0]
        return CollisionPolytope.from_layer(layer.weight, layer.bias, entered, domain=domain)

    @cached_property
    def pixel_polytope(self) -> RegionPolytope:
        """The images in [0, 1] that collide in the linear region of the target."""
        (image,) = self.shaped(self.target[None])
        return input_polytope(self.opened, self.layer, image, domain=Box(0, 1))

    def polytope(self, space: str) -> CollisionPolytope:
        """Returns the set in one of `SPACES`."""
        return self.layer_polytope if space == "layer" else self.pixel_polytope

    def domain(self, space: str) -> str:
        """Returns the name of the domain of one of `SPACES`."""
        return "box" if self.is_first or space == "pixels" else "nonnegative"


@dataclass(frozen=True, eq=False)
class InFolder(Generic[_Job]):
    """A job and the folder of its run, as they are sent to a process of its own."""

    job: _Job
    folder: Path


def proofs_for(polytope: CollisionPolytope, folder: Path) -> Proofs:
    """Returns what keeps certificates of a set, those of very large ones checked and not saved."""
    return Proofs(folder, layer=polytope.layer, most=MOST_SAVED)
