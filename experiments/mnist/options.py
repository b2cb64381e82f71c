"""With which settings does `collide mnist` run?"""

from dataclasses import dataclass
from pathlib import Path

from experiments.run.checks import check_device, check_test_image, cores, refused
from experiments.run.request import Request, option

TOLERANCES = (0.0, 0.01, 0.03, 0.1, 0.2, 0.3, 0.5, 0.7, 1.0, 1.5, 2.0, 3.0)
CLASSES = 10
_RUN, _WHAT = "run", "the experiment"


@dataclass(frozen=True, kw_only=True)
class MnistOptions(Request):
    """Settings of `collide mnist`.

    Attributes:
        seed: of the network's training and of the random combinations.
        device: of the relaxed search: "auto", "cpu", "cuda" or "cuda:N".
        workers: processes for the exact work.
        data: cache folder of data and networks; None for the default.
        target: index of the target among the test images; None for the first 7 (a 7: paper
            sec. 3.1; which one: ours, the paper does not say).
        other: index of the other digit's test image, the second start; None for the first 3 (ours).
        units: how many vertices, the first inactive units in index order (paper: i = 0..4).
        samples: random convex combinations a set of vertices (paper: 2,000).
        digits: digit classes whose nearest exact collision is computed.
        tolerances: the grid of the curve, in units of the pre-activation (ours).
        author_steps: limit of the run with the authors' own optimiser (ours; theirs was stopped by
            hand).
    """

    seed: int = option(
        "of training and of random weights (0)", default=0, metavar="N", group=_RUN, least=0
    )
    device: str = option(
        "of the relaxed search: auto, cpu, cuda",
        default="cpu",
        metavar="NAME",
        group=_RUN,
        check=check_device,
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
        "cache of data and networks (or COLLIDE_DATA)",
        default=None,
        metavar="FOLDER",
        group=_RUN,
        recorded=False,
    )
    target: int | None = option(
        "index of the target (the first test 7)",
        default=None,
        metavar="INDEX",
        group=_WHAT,
        check=check_test_image,
    )
    other: int | None = option(
        "index of the other digit (the first test 3)",
        default=None,
        metavar="INDEX",
        group=_WHAT,
        check=check_test_image,
    )
    units: int = option(
        "vertices, first inactive units (5)", default=5, metavar="N", group=_WHAT, least=2
    )
    samples: int = option(
        "convex combinations (2000)", default=2000, metavar="N", group=_WHAT, least=1
    )
    digits: tuple[int, ...] = option(
        "digits whose nearest collision is computed",
        default=tuple(range(CLASSES)),
        metavar="LIST",
        group=_WHAT,
    )
    tolerances: tuple[float, ...] = option(
        "grid of the curve, e.g. 0,0.1,1", default=TOLERANCES, metavar="LIST", group=_WHAT
    )
    author_steps: int = option(
        "limit of the authors' optimiser (20000)",
        default=20_000,
        metavar="N",
        group=_WHAT,
        least=1,
    )

    def __post_init__(self) -> None:
        """Check what can be checked without data."""
        super().__post_init__()
        if self.seed >= 1 << 63:
            raise refused(f"seed: expected at most 63 bits, got {self.seed}")
        if self.target is not None and self.target == self.other:
            raise refused(f"other: expected another image than the target, got {self.other}")
        for digit in self.digits:
            if not 0 <= digit < CLASSES:
                raise refused(f"digits: expected digits 0 to 9, got {digit}")
        for tolerance in self.tolerances:
            if not 0 <= tolerance < float("inf"):
                raise refused(f"tolerances: expected finite numbers >= 0, got {tolerance}")
        # A point of the curve is kept and drawn under this name.
        names = [f"{abs(tolerance):g}" for tolerance in self.tolerances]
        for name in names:
            if names.count(name) > 1:
                raise refused(
                    f"tolerances: expected numbers that differ in six digits, got {name} twice"
                )
