"""With which settings does the experiment on pairs of images run?"""

import math
from dataclasses import dataclass

from polytope.errors import InputError

#: The keys of `experiments.images.setting.RECIPES`, which says what they are.
RECIPE_NAMES = ("authors", "modern")


@dataclass(frozen=True, kw_only=True)
class ImageOptions:
    """Settings of one experiment on pairs of images.

    Attributes:
        units: how many vertices, the first inactive units in index order (the authors' choice).
        recipes: of `RECIPE_NAMES`, in the order of the tables.
        samples: random convex combinations for each scheme and space (paper: 2,000).
        ball_samples: points on the sphere of the ball control (authors: 20,000); 0 leaves it out.
        max_steps: limit of steps a vertex; None for each recipe's own.
        max_seconds: limit of seconds a search; None for none.
        exact: whether the found points are put into the exact layer (large layers take minutes
            and gigabytes).
        accuracy: whether the network is tried on the labelled ones of the images.
        facts_seconds: most time for exact facts of the set, with `exact`; 0 leaves them out.
        batch: images run at a time, where memory is the limit.
        seed: of the random combinations and directions.
        device: of searches and runs: "auto", "cpu", "cuda" or "cuda:N".
    """

    units: int = 5
    recipes: tuple[str, ...] = RECIPE_NAMES
    samples: int = 2000
    ball_samples: int = 20_000
    max_steps: int | None = None
    max_seconds: float | None = None
    exact: bool = True
    accuracy: bool = False
    facts_seconds: float = 600.0
    batch: int = 32
    seed: int = 0
    device: str = "cpu"

    def __post_init__(self) -> None:
        """Check what can be checked without a network."""
        for name, least in (
            *(("units", 2), ("samples", 1), ("ball_samples", 0), ("batch", 1), ("seed", 0)),
            *(("max_steps", 1), ("facts_seconds", 0)),
        ):
            value = getattr(self, name)
            if value is not None and value < least:
                raise InputError(f"{name}: expected at least {least}, got {value}")
        if self.max_seconds is not None and not (
            math.isfinite(self.max_seconds) and self.max_seconds > 0
        ):
            raise InputError(f"max_seconds: expected a positive number, got {self.max_seconds}")
        unknown = [name for name in self.recipes if name not in RECIPE_NAMES]
        if unknown or not self.recipes:
            raise InputError(
                f"recipes: expected one or more of {', '.join(RECIPE_NAMES)}, got "
                f"{', '.join(unknown) or 'none'}"
            )
