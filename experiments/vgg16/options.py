"""With which settings does `collide vgg16` run?"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from experiments.images.options import ImageOptions
from experiments.run.checks import refused
from experiments.run.request import Request, option

SIDE = 224  # of the images VGG-16 was trained on
_NETWORK, _PAIR = "network and images", "the pair of images"


@dataclass(frozen=True, kw_only=True)
class Vgg16Options(Request):
    """Settings of `collide vgg16`.

    Attributes:
        weights: a file, or "torchvision" or "caffe" for a download into the cache.
        sha256: that the file must have; None where only what its name says is checked.
        random_weights: seed of random weights instead; None for real ones.
        images: folder of images; the mean distance of images is taken over all of them.
        side: of the square images, 224 unless reduced.
        resize: "squash" (the authors), "crop" (torchvision), None for the weights' own.
        target: number, name or part of the name of the target's file.
        start: likewise of the image that searches start from.
        from_target: whether to search from the target as well.
        image: see there.
        data: cache folder; None for the default.
    """

    weights: str = option(
        "torchvision's .pth, the TF port's .npz, or the word torchvision or caffe to download",
        default="torchvision",
        metavar="FILE",
        group=_NETWORK,
    )
    sha256: str | None = option(
        "that the weights' file must have", default=None, metavar="HEX", group=_NETWORK
    )
    random_weights: int | None = option(
        "an untrained network, to try the command (quick with --no-exact --facts 0)",
        default=None,
        metavar="SEED",
        group=_NETWORK,
    )
    images: Path = option(
        "folder of JPEG or PNG files",
        metavar="FOLDER",
        group=_NETWORK,
        missing="; `collide fetch --only images` brings a thousand",
    )
    side: int = option(
        "side of the images; fc6 has its 4,096 x 25,088 weights at any (224)",
        default=SIDE,
        flag="--image-size",
        metavar="N",
        group=_NETWORK,
    )
    resize: Literal["squash", "crop"] | None = option(
        "how images come to that size (squash with the TF port, else crop)",
        default=None,
        group=_NETWORK,
    )
    target: str = option(
        "image to collide with: number, or part of its file's name",
        metavar="NAME",
        group=_PAIR,
        missing="",
    )
    start: str = option("image to start from, likewise", metavar="NAME", group=_PAIR, missing="")
    from_target: bool = option(
        "also start from the target", default=False, group="the experiment on images"
    )
    image: ImageOptions = field(default_factory=ImageOptions)
    data: Path | None = option(
        "cache (or COLLIDE_DATA)", default=None, metavar="FOLDER", group="run", recorded=False
    )

    def __post_init__(self) -> None:
        """Check what can be checked without weights and images."""
        from experiments.models.vgg16 import check_side  # imports torch

        super().__post_init__()
        check_side(self.side)
        if self.random_weights is not None and self.random_weights < 0:
            raise refused(f"random-weights: expected a seed >= 0, got {self.random_weights}")
        if self.random_weights is not None and self.sha256 is not None:
            raise refused("sha256: expected none with random weights, which come from no file")
