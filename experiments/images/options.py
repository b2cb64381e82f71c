"""With which settings does the experiment on pairs of images run?"""

from dataclasses import dataclass

from experiments.run.checks import check_device, refused
from experiments.run.request import Request, option

#: The keys of `experiments.images.setting.RECIPES`, which says what they are.
RECIPE_NAMES = ("authors", "modern")
#: As `--recipe` names them -> the recipes.
CHOICES = {"authors": ("authors",), "modern": ("modern",), "both": RECIPE_NAMES}
_RUN, _WHAT = "run", "the experiment on images"


@dataclass(frozen=True, kw_only=True)
class ImageOptions(Request):
    """Settings of one experiment on pairs of images.

    Attributes:
        recipes: of `RECIPE_NAMES`, in the order of the tables.
        accuracy: whether the network is tried on the labelled ones of the images.
        max_steps: limit of steps a vertex; None for each recipe's own.
        max_seconds: limit of seconds a search; None for none.
        ball_samples: points on the sphere of the ball control (authors: 20,000); 0 leaves it out.
        batch: images run at a time, where memory is the limit.
        exact: whether the found points are put into the exact layer (large layers take minutes
            and gigabytes).
        facts_seconds: most time for exact facts of the set, with `exact`; 0 leaves them out.
        units: how many vertices, the first inactive units in index order (the authors' choice).
        samples: random convex combinations for each scheme and space (paper: 2,000).
        seed: of the random combinations and directions.
        device: of searches and runs: "auto", "cpu", "cuda" or "cuda:N".
    """

    recipes: tuple[str, ...] = option(
        "of the search (both)",
        default=RECIPE_NAMES,
        flag="--recipe",
        group=_WHAT,
        choices=CHOICES,
    )
    accuracy: bool = option("also of the network, on labelled images", default=False, group=_WHAT)
    max_steps: int | None = option(
        "a vertex, at most (recipe's own)",
        default=None,
        flag="--steps",
        metavar="N",
        group=_WHAT,
        least=1,
    )
    max_seconds: float | None = option(
        "a search, at most", default=None, metavar="X", group=_WHAT, above=0
    )
    ball_samples: int = option(
        "images of the ball control (20000)",
        default=20_000,
        flag="--ball",
        metavar="N",
        group=_WHAT,
        least=0,
    )
    batch: int = option(
        "images run at a time, where memory ends (32)",
        default=32,
        metavar="N",
        group=_WHAT,
        least=1,
    )
    exact: bool = option("leave out exact residuals (5 GB, minutes)", default=True, group=_WHAT)
    facts_seconds: float = option(
        "most time for rank, kernel, dimension, lineality (600; 0 leaves them out)",
        default=600.0,
        flag="--facts",
        metavar="SECONDS",
        group=_WHAT,
        least=0,
    )
    units: int = option(
        "vertices, first inactive units (5)", default=5, metavar="N", group=_WHAT, least=2
    )
    samples: int = option(
        "convex combinations (2000)", default=2000, metavar="N", group=_WHAT, least=1
    )
    seed: int = option("of random combinations (0)", default=0, metavar="N", group=_RUN, least=0)
    device: str = option(
        "auto, cpu, cuda or cuda:N (auto)",
        default="auto",
        metavar="NAME",
        group=_RUN,
        check=check_device,
    )

    def __post_init__(self) -> None:
        """Check what can be checked without a network."""
        super().__post_init__()
        unknown = [name for name in self.recipes if name not in RECIPE_NAMES]
        if unknown or not self.recipes:
            raise refused(
                f"recipes: expected one or more of {', '.join(RECIPE_NAMES)}, got "
                f"{', '.join(unknown) or 'none'}"
            )
