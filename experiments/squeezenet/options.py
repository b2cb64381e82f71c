"""With which settings does `collide squeezenet` run?"""

from dataclasses import dataclass, field
from pathlib import Path

from experiments.images.options import ImageOptions
from polytope.errors import InputError


@dataclass(frozen=True, kw_only=True)
class SqueezeNetOptions:
    """Settings of `collide squeezenet`.

    Attributes:
        weights: a file of `load_squeezenet`; None for what `collide fetch` brought.
        images: a folder; None for the thousand samples that `collide fetch` brought.
        target: number, name or part of the name of the target's file (paper: a goldfish).
        start: likewise of the image that searches start from (paper: a Blenheim spaniel).
        from_target: whether to search from the target as well.
        layers: names, of the first release or of torchvision.
        positions: of conv10 whose set is certified, besides those of the units: evenly spread.
        limit: the first so many images only, for tries; None for all.
        recipes: of the searches; None for both at conv10, whose vertices are compared with exact
            ones, and "modern" elsewhere.
        workers: processes for exact work.
        data: cache folder; None for the default.
        image: see there; `exact` and `facts_seconds` are about other layers than conv10, and
            `recipes` stands here.
    """

    weights: Path | None = None
    images: Path | None = None
    target: str = "goldfish"
    start: str = "Blenheim_spaniel"
    from_target: bool = False
    layers: tuple[str, ...] = ("conv10", "fire9/expand3x3")
    positions: int = 24
    limit: int | None = None
    recipes: tuple[str, ...] | None = None
    workers: int = 2
    data: Path | None = None
    image: ImageOptions = field(default_factory=ImageOptions)

    def __post_init__(self) -> None:
        """Check what can be checked without weights and images."""
        for name, least in (("positions", 0), ("workers", 1)):
            if getattr(self, name) < least:
                raise InputError(f"{name}: expected at least {least}, got {getattr(self, name)}")
        from experiments.models.squeezenet_weights import release_layer  # imports torch

        names = [release_layer(name) for name in self.layers]
        if not names or len(set(names)) < len(names):
            given = ", ".join(self.layers) or "none"
            raise InputError(f"layers: expected one or more different ones, got {given}")
