"""Which images?  A folder of them at the network's size, and the pair that is to collide."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from experiments.datasets.imagenet import labels, which_samples
from experiments.datasets.images import (
    Resize,
    list_images,
    listing_sha256,
    load_images,
    pick_image,
)
from experiments.run.progress import Progress
from experiments.run.words import counted
from polytope.errors import InputError


@dataclass(frozen=True, eq=False, kw_only=True)
class Picture:
    """One image at the network's size.

    Attributes:
        name: of its file, for tables and the record.
        pixels: (3, H, W) float32 in 0..255, RGB.
        label: its class, where known.
    """

    name: str
    pixels: NDArray[np.float32]
    label: int | None = None

    @property
    def tensor(self) -> Tensor:
        """The pixels (3, H, W)."""
        return torch.from_numpy(self.pixels)


@dataclass(frozen=True, eq=False, kw_only=True)
class Pictures:
    """A folder of images, two of which are to collide.

    Attributes:
        which: images these are, in words.
        resize: how they came to their size.
        pixels: (n, H, W, 3) uint8 RGB, over whose pairs the mean distance of images is taken.
        labels: n classes, None for one that is not known.
        sha256: of the list of files.
        target: the picture to collide with.
        starts: name -> picture from which searches start; the name "target" is the target itself.
    """

    which: str
    resize: Resize
    pixels: NDArray[np.uint8]
    labels: tuple[int | None, ...]
    sha256: str
    target: Picture
    starts: Mapping[str, Picture]

    @property
    def title(self) -> str:
        """Which images these are, and how they came to their size."""
        return f"{self.which}, {self.resize.describe()}"


class PairOptions(Protocol):
    """The options that name a pair."""

    @property
    def target(self) -> str:
        """Number, name or part of the name of the target's file."""

    @property
    def start(self) -> str:
        """Likewise of the image that searches start from."""

    @property
    def from_target(self) -> bool:
        """Whether to search from the target as well."""


def load_pictures(
    folder: Path,
    pair: PairOptions,
    resize: Resize,
    progress: Progress,
    *,
    limit: int | None = None,
    labelled: bool = True,
) -> Pictures:
    """Returns a folder's images at the network's size, and the pair that is to collide.

    Args:
        folder: of JPEG and PNG files.
        pair: names the pair.
        resize: to the network's size.
        progress: reports.
        limit: the first so many images, and the pair; None for all.
        labelled: whether the classes that names of files state are those of the network.

    Raises:
        InputError: no such folder or images, or start and target are one.
        FileFormatError: an image cannot be decoded.
    """
    paths = list_images(folder)
    target, start = (paths[pick_image(paths, wanted)] for wanted in (pair.target, pair.start))
    if target == start and not pair.from_target:
        raise InputError(
            f"start: expected another image than the target, got {target.name} for both "
            "(--from-target searches from the target as well)"
        )
    if limit is not None:
        paths = tuple(p for i, p in enumerate(paths) if i < limit or p in (target, start))
    progress.say(f"{counted(len(paths), 'images')}, {resize.describe()}")
    pixels = load_images(
        paths, resize, track=lambda work: progress.track(work, total=len(paths), unit="images")
    )
    known = labels(paths) if labelled else (None,) * len(paths)

    def picture(path: Path) -> Picture:
        place = paths.index(path)
        moved = np.ascontiguousarray(np.moveaxis(pixels[place], -1, 0), dtype=np.float32)
        return Picture(name=path.name, pixels=moved, label=known[place])

    aim = picture(target)
    return Pictures(
        which=which_samples(paths),
        resize=resize,
        pixels=pixels,
        labels=known,
        sha256=listing_sha256(paths),
        target=aim,
        starts=({"target": aim} if pair.from_target else {}) | {"other": picture(start)},
    )
