"""What does conv10 see at each position?  A 1 x 1 convolution taken apart, and what moved there."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from experiments.images.search import Found
from experiments.images.setting import Setting
from experiments.readers.arrays import read_arrays
from experiments.squeezenet.dimension import PositionLayer
from optimize import LayerReader
from optimize.search.setup import read_device
from polytope.exact.filters import dot_error
from polytope.files import atomic_path

LAYER = "classifier.1"
ARRAYS = "conv10.npz"
_OWN = ("weight", "bias", "side", "target")
Floats = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class ExactTolerance:
    """The least tolerance at which a point collides, exactly, over all positions.

    Attributes:
        exact: whether it is 0.
        tolerance: of the worst position.
        position: the worst one.
    """

    exact: bool
    tolerance: Fraction
    position: int


@dataclass(frozen=True, eq=False, kw_only=True)
class Conv10:
    """The layer and what enters it, position by position.

    Attributes:
        weight: (units, channels).
        bias: (units,).
        side: height and width, of which positions are the product.
        target: (positions, channels) what enters at the target.
        found: name of a set of vertices -> (V, positions, channels).
    """

    weight: Floats
    bias: Floats
    side: tuple[int, int]
    target: Floats
    found: Mapping[str, Floats]

    @classmethod
    def of(cls, module: nn.Conv2d, target: Floats, found: Mapping[str, Floats]) -> "Conv10":
        """Takes a 1 x 1 convolution apart.

        Args:
            module: with a bias.
            target: (channels, height, width) what enters it at the target.
            found: (V, channels * positions) what enters at found points, by set.
        """
        assert module.bias is not None
        channels, height, width = target.shape

        def apart(entered: Floats) -> Floats:
            parts = entered.reshape(-1, channels, height * width)
            return np.ascontiguousarray(parts.transpose(0, 2, 1))

        return cls(
            weight=module.weight.detach().cpu().reshape(-1, channels).numpy(),
            bias=module.bias.detach().cpu().numpy(),
            side=(height, width),
            target=apart(target)[0],
            found={key: apart(points) for key, points in found.items()},
        )

    @classmethod
    def read(cls, folder: Path) -> "Conv10":
        """Reads what `write` wrote."""
        found: dict[str, Any] = read_arrays(folder / ARRAYS)
        own = {name: found.pop(name) for name in _OWN}
        height, width = own.pop("side").tolist()
        return cls(**own, side=(height, width), found=found)

    def write(self, folder: Path) -> None:
        """Writes everything into one file of the run folder, atomically.

        Raises:
            OutputError: it cannot be written.
        """
        arrays: dict[str, Any] = {name: getattr(self, name) for name in _OWN} | dict(self.found)
        with atomic_path(folder / ARRAYS) as path:
            np.savez(path, **arrays)

    def at(self, position: int) -> PositionLayer:
        """Returns the layer as one position sees it."""
        return PositionLayer(self.weight, self.bias, self.target[position])

    def active(self) -> NDArray[np.int64]:
        """Active units of each position by floats; only for maps, exact counts are certified."""
        weight, bias, target = (
            each.astype(np.float64) for each in (self.weight, self.bias, self.target)
        )
        return np.asarray((target @ weight.T + bias > 0).sum(axis=1))

    def moved(self, points: Floats) -> NDArray[np.float64]:
        """How far points (V, positions, channels) are from the target at each position, in l2."""
        moves = points.astype(np.float64) - self.target.astype(np.float64)
        return np.asarray(np.linalg.norm(moves, axis=2))

    def tolerance(self, point: Floats) -> ExactTolerance:
        """Returns the least tolerance at which a point (positions, channels) collides, exactly.

        Rigorous float bounds leave few positions that can be the worst; those are exact.
        """
        weight, bias = self.weight.astype(np.float64), self.bias.astype(np.float64)
        values, errors = [], []
        for block in (point, self.target):
            wide = block.astype(np.float64)
            size = np.abs(wide) @ np.abs(weight).T + np.abs(bias)
            values.append(np.maximum(wide @ weight.T + bias, 0))
            errors.append(dot_error(size, float(np.abs(weight).max()), weight.shape[1]))
        difference, error = np.abs(values[0] - values[1]), errors[0] + errors[1]
        # Twice the error: the subtraction rounds as well, by less than either of them.
        least = (difference - 2 * error).max()
        worst = np.flatnonzero((difference + 2 * error).max(axis=1) >= least).tolist()
        exact = [self.at(p).polytope().residuals(point[p]).smallest_tolerance for p in worst]
        most = max(exact)
        where = worst[exact.index(most)]
        return ExactTolerance(exact=most == 0, tolerance=most, position=where)


def conv10_of(model: nn.Module, setting: Setting, found: Mapping[str, Found]) -> Conv10:
    """Returns a network's layer with what enters it at the target and at found points.

    Args:
        model: the network.
        setting: the experiment at this layer.
        found: by the name of the set.
    """
    # On the device of the searches, whose floats the found points' inputs are.
    reader = LayerReader(setting.network, LAYER, read_device(setting.options.device))
    pixels = setting.pictures.target.tensor[None].to(reader.device)
    with torch.no_grad():
        entered = reader.run(pixels)[0][0].cpu().numpy()
    module = model.get_submodule(LAYER)
    assert isinstance(module, nn.Conv2d)
    return Conv10.of(module, entered, {key: each.entered for key, each in found.items()})
