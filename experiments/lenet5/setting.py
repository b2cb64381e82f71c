"""What does a run of `collide lenet5` start from?"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from experiments.datasets.mnist import Mnist, Pair, chosen_pair
from experiments.lenet5.case import NETWORKS, DeepCase
from experiments.lenet5.options import Lenet5Options
from experiments.lenet5.search import SearchOptions
from experiments.models.mlp import weights_of
from experiments.models.train import TrainedNet, trained_net
from experiments.run.progress import Progress
from polytope.errors import InputError


@dataclass(frozen=True, eq=False)
class Setting:
    """Everything a run starts from.

    Attributes:
        options: with the target and the other digit resolved to indices.
        pair: these two images.
        nets: network -> as trained.
        cases: one for each layer.
    """

    options: Lenet5Options
    pair: Pair
    nets: Mapping[str, TrainedNet[Any]]
    cases: tuple[DeepCase, ...]

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
    wanted = ["mlp" if layer == "hidden2" else "lenet5" for layer in options.layers]
    nets: dict[str, TrainedNet[Any]] = {
        name: trained_net(
            NETWORKS[name], data, seed=options.seed, root=options.data, report=progress.say
        )
        for name in dict.fromkeys(wanted)
    }
    cases = []
    for name, layer in zip(wanted, options.layers, strict=True):
        case = DeepCase(name, weights_of(nets[name].model), layer, pair.image(pair.target))
        inactive = case.layer_polytope.inactive_units
        if len(inactive) < options.units:
            raise InputError(
                f"units: expected at most {len(inactive)}, the inactive units of {layer} at test "
                f"image {pair.target}; got {options.units}"
            )
        cases.append(replace(case, units=inactive[: options.units]))
    resolved = replace(options, target=pair.target, other=pair.other)
    return Setting(resolved, pair, nets, tuple(cases))
