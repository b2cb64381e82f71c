"""What does a run of `collide mnist` start from?"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from experiments.datasets.mnist import TEST_IMAGES, Mnist, chosen_images, first_image, pixels
from experiments.datasets.pinned import data_root
from experiments.measure.case import Case
from experiments.mnist.controls import control_masks
from experiments.mnist.options import MnistOptions
from experiments.mnist.relaxed import LAYER
from experiments.models.mlp import MLP
from experiments.models.train import TrainedNet
from polytope import Source
from polytope.answers.sources import readable
from polytope.errors import InputError


@dataclass(frozen=True, eq=False)
class Setting:
    """Everything a run starts from.

    Attributes:
        options: with the target and the other digit resolved to indices.
        data: MNIST.
        net: the network.
        case: layer, target and units.
        digits: digit class -> index of its test image.
        masks: pixels held fixed by each control, (d,).
    """

    options: MnistOptions
    data: Mnist
    net: TrainedNet[MLP]
    case: Case
    digits: Mapping[int, int]
    masks: Mapping[str, NDArray[np.bool_]]

    def image(self, index: int) -> NDArray[np.float32]:
        """Returns a test image as the network sees it, (d,)."""
        return pixels(self.data.test_images[index])


def set_up(options: MnistOptions, data: Mnist, net: TrainedNet[MLP]) -> Setting:
    """Returns the setting, with every index resolved and checked.

    Raises:
        InputError: an index is out of range, or there are too few inactive units.
    """
    labels = data.test_labels
    target, other = chosen_images(options.target, options.other, data)
    layer = getattr(net.model, LAYER)
    case = Case(layer.weight.numpy(), layer.bias.numpy(), pixels(data.test_images[target]))
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
            f"units: expected at most {len(inactive)}, the inactive units of test image {target}; "
            f"got {options.units}"
        )
    return Setting(
        options=replace(options, target=target, other=other),
        data=data,
        net=net,
        case=replace(
            case, units=inactive[: options.units], sources=readable(polytope.layer, sources)
        ),
        digits={d: first_image(labels, d, avoid=target) for d in options.digits},
        masks=control_masks(data.train_images),
    )


def target_words(setting: Setting) -> str:
    """Names the target in a few words: its index and its digit."""
    index = setting.options.target
    assert index is not None
    return f"{index}, a {setting.data.test_labels[index]}"
