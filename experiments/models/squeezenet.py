"""Which SqueezeNet?  Version 1.0 (Iandola et al. 2016), with torchvision's names of its parameters.

Eight fire modules: a 1 x 1 convolution squeezes the channels, a 1 x 1 and a 3 x 3 one expand them
again, side by side.  The classes are the mean of 1,000 maps of a last 1 x 1 convolution behind its
ReLU.  As in torchvision and unlike the first release that convolution has no padding.
"""

import torch
from torch import Tensor, nn

#: Our place in `features` -> the layer's name in the first release.
FIRES = {3: "fire2", 4: "fire3", 5: "fire4", 7: "fire5", 8: "fire6", 9: "fire7", 10: "fire8"} | {
    12: "fire9"
}
PARTS = ("squeeze1x1", "expand1x1", "expand3x3")
PARAMETERS = 1_248_424
CLASSES = 1000


class Fire(nn.Module):
    """Squeeze to few channels, then expand to both halves of the output (sec. 3.2 of the paper).

    Args:
        inputs: channels in.
        squeezed: channels between.
        expanded: channels of each half of the output.
    """

    def __init__(self, inputs: int, squeezed: int, expanded: int) -> None:
        super().__init__()
        self.squeeze = nn.Conv2d(inputs, squeezed, 1)
        self.expand1x1 = nn.Conv2d(squeezed, expanded, 1)
        self.expand3x3 = nn.Conv2d(squeezed, expanded, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """Returns maps (n, 2 * expanded, H, W) of maps (n, inputs, H, W)."""
        x = torch.relu(self.squeeze(x))
        return torch.cat([torch.relu(self.expand1x1(x)), torch.relu(self.expand3x3(x))], 1)


class SqueezeNet(nn.Module):
    """1,248,424 parameters, in `features` and `classifier`; `classifier.1` is conv10.

    Args:
        step: from the image to what the network was trained on, the first thing that is run (see
            `experiments/models/preprocess.py`); without one, the parameters are torchvision's.
    """

    def __init__(self, step: nn.Module | None = None) -> None:
        super().__init__()
        self.step = nn.Identity() if step is None else step
        self.features = nn.Sequential(
            nn.Conv2d(3, 96, 7, stride=2),
            nn.ReLU(),
            _pool(),
            Fire(96, 16, 64),
            Fire(128, 16, 64),
            Fire(128, 32, 128),
            _pool(),
            Fire(256, 32, 128),
            Fire(256, 48, 192),
            Fire(384, 48, 192),
            Fire(384, 64, 256),
            _pool(),
            Fire(512, 64, 256),
        )
        self.classifier = nn.Sequential(
            nn.Dropout(0.5), nn.Conv2d(512, CLASSES, 1), nn.ReLU(), nn.AdaptiveAvgPool2d((1, 1))
        )

    def forward(self, x: Tensor) -> Tensor:
        """Returns the logits (n, 1000) of images (n, 3, H, W)."""
        return torch.flatten(self.classifier(self.features(self.step(x))), 1)


def _pool() -> nn.MaxPool2d:
    return nn.MaxPool2d(3, stride=2, ceil_mode=True)


def release_names() -> dict[str, str]:
    """Returns name in the first release -> torchvision's, without ".weight" and ".bias".

    In the order of the release: conv1, fire2/squeeze1x1, fire2/expand1x1, ..., conv10.
    """
    names = {"conv1": "features.0"}
    for place, fire in FIRES.items():
        for part in PARTS:
            ours = part.removesuffix("1x1") if part == "squeeze1x1" else part
            names[f"{fire}/{part}"] = f"features.{place}.{ours}"
    return names | {"conv10": "classifier.1"}


def release_shapes() -> dict[str, tuple[int, ...]]:
    """Returns name in the first release -> shape of its weight (out, in, k, k)."""
    with torch.device("meta"):
        state = SqueezeNet().state_dict()
    return {name: tuple(state[f"{ours}.weight"].shape) for name, ours in release_names().items()}
