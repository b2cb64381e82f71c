"""With which settings does the survey of `collide mnist` run?"""

from dataclasses import dataclass
from pathlib import Path

from experiments.run.checks import TEST_IMAGES, at_least, check_device
from polytope.errors import InputError


@dataclass(frozen=True, kw_only=True)
class SurveyOptions:
    """Settings of `collide mnist --targets N --seeds M`.

    Attributes:
        targets: the first so many test images, whatever their class.
        seeds: networks trained with seeds 0, 1, ...
        units: vertices a target.
        device: of the relaxed searches.
        workers: processes for the exact work.
        data: cache folder; None for the default.
    """

    targets: int = 100
    seeds: int = 5
    units: int = 5
    device: str = "cpu"
    workers: int = 2
    data: Path | None = None

    def __post_init__(self) -> None:
        """Check what can be checked without data."""
        at_least(self, 2, "units")
        at_least(self, 1, "targets", "seeds", "workers")
        check_device(self.device)
        if self.targets > TEST_IMAGES:
            raise InputError(
                f"targets: expected at most {TEST_IMAGES}, the test images, got {self.targets}"
            )
