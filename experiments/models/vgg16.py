"""Which network is VGG-16?  Configuration D of Simonyan & Zisserman (2015), torchvision's names.

Layers are called as in torchvision's state dict, `features.0` to `features.28` and `classifier.0`
(fc6), `classifier.3` (fc7), `classifier.6` (fc8), so that its file loads as it is.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from polytope.errors import InputError

FC6 = "classifier.0"
PARAMETERS = 138_357_544
POOLED = 7  # side of pool5 at 224 x 224, and of what the classifier takes
LEAST_SIDE = 32  # five poolings by two


@dataclass(frozen=True, kw_only=True)
class Shape:
    """Channels of the five blocks, units of fc6 and fc7, classes; the defaults are VGG-16.

    Narrower ones are stand-ins for tests of what surrounds the network.
    """

    channels: tuple[int, int, int, int, int] = (64, 128, 256, 512, 512)
    hidden: int = 4096
    classes: int = 1000

    @property
    def fc6_inputs(self) -> int:
        """Numbers that enter fc6."""
        return self.channels[-1] * POOLED * POOLED


_DEPTHS = (2, 2, 3, 3, 3)  # convolutions of each block


class VGG16(nn.Module):
    """VGG-16: thirteen 3 x 3 convolutions in five blocks, each block max-pooled by 2; three dense.

    Between the pooling of the last block and fc6 stands an adaptive average pooling to 7 x 7, as in
    torchvision.  At 224 x 224 it changes nothing; at other sizes it makes the classifier fit, which
    no trained weights were made for.

    Attributes:
        preprocess: the first step, from pixels to what the weights were trained on; nothing unless
            set (see `experiments/models/preprocess.py`).
    """

    def __init__(self, shape: Shape | None = None) -> None:
        super().__init__()
        shape = Shape() if shape is None else shape
        self.preprocess: nn.Module = nn.Identity()
        steps: list[nn.Module] = []
        before = 3
        for channels, depth in zip(shape.channels, _DEPTHS, strict=True):
            for _ in range(depth):
                steps += [nn.Conv2d(before, channels, 3, padding=1), nn.ReLU()]
                before = channels
            steps.append(nn.MaxPool2d(2, 2))
        self.features = nn.Sequential(*steps)
        self.avgpool = nn.AdaptiveAvgPool2d((POOLED, POOLED))
        self.classifier = nn.Sequential(
            nn.Linear(shape.fc6_inputs, shape.hidden),
            nn.ReLU(),
            nn.Dropout(),
            nn.Linear(shape.hidden, shape.hidden),
            nn.ReLU(),
            nn.Dropout(),
            nn.Linear(shape.hidden, shape.classes),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Returns the logits (n, classes) of images (n, 3, H, W)."""
        x = self.features(self.preprocess(x))
        logits: Tensor = self.classifier(torch.flatten(self.avgpool(x), 1))
        return logits


def empty_vgg16(shape: Shape | None = None) -> VGG16:
    """Returns the network without memory for its weights, to be given tensors by `assign`."""
    with torch.device("meta"):
        return VGG16(shape)


def random_vgg16(seed: int, shape: Shape | None = None) -> VGG16:
    """Returns the network with He-normal random weights and zero biases: a stand-in, untrained.

    Args:
        seed: of the weights; the caller's random state is left alone.
        shape: None for VGG-16.
    """
    model = empty_vgg16(shape)
    generator = torch.Generator().manual_seed(seed)
    weights = {}
    for name, value in model.state_dict().items():
        if name.endswith("bias"):
            weights[name] = torch.zeros(value.shape)
        else:
            deviation = (2 / value[0].numel()) ** 0.5
            weights[name] = torch.empty(value.shape).normal_(0, deviation, generator=generator)
    model.load_state_dict(weights, assign=True)
    return model.eval().requires_grad_(False)


def check_side(side: int) -> int:
    """Returns the side of an image that the network can take.

    Raises:
        InputError: it is below 32, so that nothing is left after five poolings.
    """
    if not LEAST_SIDE <= side <= 4096:
        raise InputError(f"image-size: expected {LEAST_SIDE} to 4096 pixels, got {side}")
    return side
