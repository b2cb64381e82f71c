"""What does a run of `collide mnist` start from?"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from experiments.datasets.mnist import TEST_IMAGES, Mnist, Pair, chosen_pair, first_image
from experiments.datasets.pinned import data_root
from experiments.measure.case import Case
from experiments.mnist.controls import control_masks
from experiments.mnist.jobs import LAYER
from experiments.mnist.options import MnistOptions
from experiments.models.mlp import MLP
from experiments.models.train import TrainedNet
from polytope import Source
from polytope.answers.sources import readable
from polytope.errors import InputError


@dataclass(frozen=True, eq=False)
class Setting:
    """Everything a run starts from on one network.

    Attributes:
        network: its name, of `PRESETS`.
        options: with the target and the other digit resolved to indices.
        pair: these two images.
        net: the network.
        case: layer, target and units.
        digits: digit class -> index of its test image.
        masks: pixels held fixed by each control, (d,).
    """

    network: str
    options: MnistOptions
    pair: Pair
    net: TrainedNet[MLP]
    case: Case
    digits: Mapping[int, int]
    masks: Mapping[str, NDArray[np.bool_]]


def set_up(
    options: MnistOptions, data: Mnist, net: TrainedNet[MLP], network: str = "default"
) -> Setting:
    """Returns the setting of one network, with every index resolved and checked.

    Raises:
        InputError: an index is out of range, or there are too few inactive units.
    """
    pair = chosen_pair(options.target, options.other, data)
    target, layer = pair.target, getattr(net.model, LAYER)
    case = Case(layer.weight.numpy(), layer.bias.numpy(), pair.image(target))
    polytope = case.polytope()
    inactive = polytope.inactive_units
    images = data_root(options.data) / "mnist" / TEST_IMAGES
    sources = {
        "weight": Source(net.path, f"{LAYER}.weight"),
        "bias": Source(net.path, f"{LAYER}.bias"),
        "target": Source(images, f"{target}/255"),
    }
    if len(inactive) < options.units:
        raise InputError(
            f"units: expected at most {len(inactive)}, the inactive units of test image {target} "
            f"on the {network} network; got {options.units}"
        )
    return Setting(
        network=network,
        options=replace(options, target=target, other=pair.other),
        pair=pair,
        net=net,
        case=replace(
            case, units=inactive[: options.units], sources=readable(polytope.layer, sources)
        ),
        digits={d: first_image(data.test_labels, d, avoid=target) for d in options.digits},
        masks=control_masks(data.train_images),
    )
