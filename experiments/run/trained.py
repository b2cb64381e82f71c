"""Which options has an experiment on a network trained here?  Those of the run, and two images."""

from dataclasses import dataclass
from pathlib import Path

from experiments.run.checks import check_device, check_test_image, cores
from experiments.run.request import Request, option

RUN, EXPERIMENT = "run", "the experiment"


@dataclass(frozen=True, kw_only=True)
class TrainedOptions(Request):
    """Options that `collide mnist` and `collide lenet5` have in common.

    Attributes:
        seed: of training and of the random combinations.
        device: of the relaxed searches: "auto", "cpu", "cuda" or "cuda:N".
        workers: processes for the exact work.
        data: cache folder of data and networks; None for the default.
        target: index of the target among the test images; None for the first 7 (a 7: paper
            sec. 3.1; which one: ours, the paper does not say).
        other: index of the other digit's test image, the second start; None for the first 3 (ours).
    """

    seed: int = option(
        "of training and of random weights (0)", default=0, metavar="N", group=RUN, least=0
    )
    device: str = option(
        "of the relaxed search: auto, cpu, cuda",
        default="cpu",
        metavar="NAME",
        group=RUN,
        check=check_device,
    )
    workers: int = option(
        "processes for exact work (cores, at most 8)",
        factory=cores,
        metavar="N",
        group=RUN,
        least=1,
        recorded=False,
    )
    data: Path | None = option(
        "cache of data and networks (or COLLIDE_DATA)",
        default=None,
        metavar="FOLDER",
        group=RUN,
        recorded=False,
    )
    target: int | None = option(
        "index of the target (the first test 7)",
        default=None,
        metavar="INDEX",
        group=EXPERIMENT,
        check=check_test_image,
    )
    other: int | None = option(
        "index of the other digit (the first test 3)",
        default=None,
        metavar="INDEX",
        group=EXPERIMENT,
        check=check_test_image,
    )
