"""With which settings does `collide vgg16` run?"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from experiments.images.options import ImageOptions
from polytope.errors import InputError

SIDE = 224  # of the images VGG-16 was trained on


@dataclass(frozen=True, kw_only=True)
class Vgg16Options:
    """Settings of `collide vgg16`.

    Attributes:
        weights: a file, or "torchvision" or "caffe" for a download into the cache.
        sha256: that the file must have; None where only what its name says is checked.
        random_weights: seed of random weights instead; None for real ones.
        images: folder of images; the mean distance of images is taken over all of them.
        target: number, name or part of the name of the target's file.
        start: likewise of the image that searches start from.
        from_target: whether to search from the target as well.
        side: of the square images, 224 unless reduced.
        resize: "squash" (the authors), "crop" (torchvision), None for the weights' own.
        data: cache folder; None for the default.
        image: see there.
    """

    weights: str = "torchvision"
    sha256: str | None = None
    random_weights: int | None = None
    images: Path
    target: str
    start: str
    from_target: bool = False
    side: int = SIDE
    resize: Literal["squash", "crop"] | None = None
    data: Path | None = None
    image: ImageOptions = field(default_factory=ImageOptions)

    def __post_init__(self) -> None:
        """Check what can be checked without weights and images."""
        from experiments.models.vgg16 import check_side  # imports torch

        check_side(self.side)
        if self.random_weights is not None and self.random_weights < 0:
            raise InputError(f"random-weights: expected a seed >= 0, got {self.random_weights}")
        if self.random_weights is not None and self.sha256 is not None:
            raise InputError("sha256: expected none with random weights, which come from no file")
