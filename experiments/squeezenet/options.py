"""With which settings does `collide squeezenet` run?"""

from dataclasses import dataclass, field
from pathlib import Path

from experiments.images.options import CHOICES, RECIPE_NAMES, ImageOptions
from experiments.run.checks import cores, refused
from experiments.run.request import Request, again, option

POSITIONS = 169  # of conv10
_NETWORK, _WHAT, _RUN = "network and images", "the experiment on images", "run"


def read_positions(text: str) -> int:
    """Returns how many positions a text means.

    Raises:
        InputError: it is no number, nor the word all.
    """
    if text == "all":
        return POSITIONS
    if not (text.isascii() and text.isdigit()):
        raise refused(f"positions: expected a number or all, got {text!r}")
    return int(text)


@dataclass(frozen=True, kw_only=True)
class SqueezeNetImageOptions(ImageOptions):
    """What differs from VGG-16: less is asked for, and the recipe is a layer's."""

    recipes: tuple[str, ...] = RECIPE_NAMES
    accuracy: bool = False
    max_seconds: float | None = None
    batch: int = 32
    max_steps: int | None = again(ImageOptions, "max_steps", "a vertex, at most (300)", default=300)
    ball_samples: int = again(
        ImageOptions, "ball_samples", "images of the ball control (1000)", default=1000
    )
    exact: bool = again(ImageOptions, "exact", "no exact residuals of layers other than conv10")
    facts_seconds: float = again(
        ImageOptions,
        "facts_seconds",
        "for exact facts of another layer than conv10, at most (0: left out)",
        default=0.0,
    )


@dataclass(frozen=True, kw_only=True)
class SqueezeNetOptions(Request):
    """Settings of `collide squeezenet`.

    Attributes:
        weights: a file of `load_squeezenet`; None for what `collide fetch` brought.
        images: a folder; None for the thousand samples that `collide fetch` brought.
        target: number, name or part of the name of the target's file (paper: a goldfish).
        start: likewise of the image that searches start from (paper: a Blenheim spaniel).
        layers: names, of the first release or of torchvision.
        recipes: of the searches; None for both at conv10, whose vertices are compared with exact
            ones, and "modern" elsewhere.
        from_target: whether to search from the target as well.
        image: see there; `exact` and `facts_seconds` are about other layers than conv10, and
            `recipes` stands here.
        positions: of conv10 whose set is certified, besides those of the units: evenly spread.
        limit: the first so many images only, for tries; None for all.
        workers: processes for exact work.
        data: cache folder; None for the default.
    """

    weights: Path | None = option(
        "first release's .net or .npz, or torchvision's .pth (what `collide fetch` brought)",
        default=None,
        metavar="FILE",
        group=_NETWORK,
    )
    images: Path | None = option(
        "folder of JPEG or PNG files (the thousand samples that `collide fetch` brought)",
        default=None,
        metavar="FOLDER",
        group=_NETWORK,
    )
    target: str = option(
        "image to collide with: number, or part of its file's name (goldfish)",
        default="goldfish",
        metavar="NAME",
        group=_NETWORK,
    )
    start: str = option(
        "image to start from, likewise (Blenheim_spaniel)",
        default="Blenheim_spaniel",
        metavar="NAME",
        group=_NETWORK,
    )
    layers: tuple[str, ...] = option(
        "in the first release's names or torchvision's (conv10,fire9/expand3x3)",
        default=("conv10", "fire9/expand3x3"),
        metavar="LIST",
        group=_WHAT,
    )
    recipes: tuple[str, ...] | None = option(
        "of the search (both at conv10, modern elsewhere)",
        default=None,
        flag="--recipe",
        group=_WHAT,
        choices=CHOICES,
    )
    from_target: bool = option("also start from the target", default=False, group=_WHAT)
    image: SqueezeNetImageOptions = field(default_factory=SqueezeNetImageOptions)
    positions: int = option(
        "of conv10 certified besides the units' own: a number, or all; 4 MB each (24)",
        default=24,
        metavar="N",
        group=_WHAT,
        least=0,
        read=read_positions,
    )
    limit: int | None = option(
        "the first N images of the folder only (all)", default=None, metavar="N", group=_WHAT
    )
    workers: int = option(
        "processes for exact work (cores, at most 8)",
        factory=cores,
        metavar="N",
        group=_RUN,
        least=1,
        recorded=False,
    )
    data: Path | None = option(
        "cache (or COLLIDE_DATA)", default=None, metavar="FOLDER", group=_RUN, recorded=False
    )

    def __post_init__(self) -> None:
        """Check what can be checked without weights and images."""
        from experiments.models.squeezenet_weights import release_layer  # imports torch

        super().__post_init__()
        names = [release_layer(name) for name in self.layers]
        if not names or len(set(names)) < len(names):
            given = ", ".join(self.layers) or "none"
            raise refused(f"layers: expected one or more different ones, got {given}")
