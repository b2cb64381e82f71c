"""Which network, layer and inputs are measured?"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True, eq=False)
class Measured:
    """A layer of a network, with inputs.

    Attributes:
        words: what it is, for titles.
        model: the network.
        layer: the layer's name.
        inputs: (T, *input) float32 in [0, 1].
        data: name of each input file -> SHA-256.
    """

    words: str
    model: "nn.Module"
    layer: str
    inputs: Any
    data: Mapping[str, str]
