"""With which settings does the survey of `collide mnist` run?"""

from dataclasses import dataclass
from pathlib import Path

from experiments.models.presets import check_preset
from experiments.run.checks import TEST_IMAGES, check_device, cores, refused
from experiments.run.request import Request, option

_MANY = "the survey (instead of the single experiment)"


@dataclass(frozen=True, kw_only=True)
class SurveyOptions(Request):
    """Settings of `collide mnist --targets N --seeds M`.

    Attributes:
        network: which start they have; one a survey.
        targets: the first so many test images, whatever their class.
        seeds: networks trained with seeds 0, 1, ...
        units: vertices a target.
        device: of the relaxed searches.
        workers: processes for the exact work.
        data: cache folder; None for the default.
    """

    network: str = option("wide or default", default="default", metavar="NAME", check=check_preset)
    targets: int = option(
        "repeat over the first so many test images (100)",
        default=100,
        metavar="N",
        group=_MANY,
        least=1,
    )
    seeds: int = option(
        "and over so many networks (5)", default=5, metavar="N", group=_MANY, least=1
    )
    units: int = option("vertices a target (5)", default=5, metavar="N", least=2)
    device: str = option(
        "of the relaxed searches", default="cpu", metavar="NAME", check=check_device
    )
    workers: int = option("processes", factory=cores, metavar="N", least=1, recorded=False)
    data: Path | None = option("cache", default=None, metavar="FOLDER", recorded=False)

    def __post_init__(self) -> None:
        """Check what can be checked without data."""
        super().__post_init__()
        if self.targets > TEST_IMAGES:
            raise refused(
                f"targets: expected at most {TEST_IMAGES}, the test images, got {self.targets}"
            )
