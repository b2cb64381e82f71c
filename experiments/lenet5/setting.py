"""What does a run of `collide lenet5` start from?"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments.datasets.mnist import Mnist, chosen_pair, pixels
from experiments.lenet5.case import DeepCase
from experiments.lenet5.options import Lenet5Options
from experiments.lenet5.search import SearchOptions
from experiments.models.mlp import weights_of
from experiments.models.train import LENET5, MLP_784, Architecture, TrainedNet, trained_net
from experiments.run.progress import Progress
from polytope.errors import InputError

#: Network -> how it is trained.
ARCHITECTURES: Mapping[str, Architecture[Any]] = {"lenet5": LENET5, "mlp": MLP_784}


@dataclass(frozen=True, eq=False)
class Setting:
    """Everything a run starts from.

    Attributes:
        options: with the target and the other digit resolved to indices.
        data: MNIST.
        nets: network -> as trained.
        cases: one for each layer.
    """

    options: Lenet5Options
    data: Mnist
    nets: Mapping[str, TrainedNet[Any]]
    cases: tuple[DeepCase, ...]

    def image(self, index: int | None) -> NDArray[np.float32]:
        """Returns a test image as the networks see it, (784,)."""
        assert index is not None
        return pixels(self.data.test_images[index])

    @property
    def starts(self) -> dict[str, NDArray[np.float32]]:
        """Name -> image at which searches start."""
        return {"target": self.image(self.options.target), "other": self.image(self.options.other)}

    @property
    def search(self) -> SearchOptions:
        """Limits of the searches."""
        options = self.options
        return SearchOptions(options.max_steps, options.samples, options.seed, options.device)


def set_up(options: Lenet5Options, data: Mnist, progress: Progress) -> Setting:
    """Returns the setting, with every index resolved and the units chosen.

    Raises:
        InputError: an index is out of range, or there are too few inactive units.
    """
    pair = chosen_pair(options.target, options.other, data)
    target, other = pair.target, pair.other
    wanted = ["mlp" if layer == "hidden2" else "lenet5" for layer in options.layers]
    nets: dict[str, TrainedNet[Any]] = {
        name: trained_net(
            ARCHITECTURES[name], data, seed=options.seed, root=options.data, report=progress.say
        )
        for name in dict.fromkeys(wanted)
    }
    cases = []
    for name, layer in zip(wanted, options.layers, strict=True):
        weights = weights_of(nets[name].model)
        case = DeepCase(name, weights, layer, pixels(data.test_images[target]))
        inactive = case.layer_polytope.inactive_units
        if len(inactive) < options.units:
            raise InputError(
                f"units: expected at most {len(inactive)}, the inactive units of {layer} at test "
                f"image {target}; got {options.units}"
            )
        cases.append(replace(case, units=inactive[: options.units]))
    resolved = replace(options, target=target, other=other)
    return Setting(resolved, data, nets, tuple(cases))
