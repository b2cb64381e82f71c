"""Is there an exact collision in the linear region of a found point?"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from experiments.lenet5.case import DeepCase, InFolder, proofs_for
from experiments.lenet5.results import OwnPoint, OwnRegions
from experiments.measure.minimum import Minimum
from experiments.run.limited import in_time
from experiments.run.outcomes import Key, Outcome
from optimize import exact_network
from polytope import Box, LPStatus
from polytope.network.region import linear_region
from polytope.network.region_polytope import region_polytope


@dataclass(frozen=True)
class OwnKey(Key[OwnRegions]):
    """The regions of the points of one search at one layer."""

    WORK = "own"
    layer: str
    family: str
    start: str


@dataclass(frozen=True, eq=False)
class OwnRegionJob:
    """Decides it for the points of one search.

    Attributes:
        key: of the job.
        case: layer, target and units.
        points: (k, 784), one for each unit of the case.
        seconds: for all of them.
    """

    key: OwnKey
    case: DeepCase
    points: NDArray[np.float64] = field(repr=False)
    seconds: float

    def run(self, folder: Path) -> Outcome[OwnRegions]:
        """Decides, certifies and checks."""
        found = in_time(_own_regions, InFolder(self, folder), seconds=self.seconds)
        points = [each.point for each in found.items if each.point is not None]
        results = OwnRegions(
            family=self.key.family,
            start=self.key.start,
            points=tuple(each.verdict for each in found.items),
            reason=found.reason,
        )
        return Outcome(results, {"points": np.array(points)} if points else {})


@dataclass(frozen=True)
class _Decided:
    """The verdict on one region, and where its unit is least there (784,)."""

    verdict: OwnPoint
    point: list[float] | None = None


def _own_regions(given: InFolder[OwnRegionJob]) -> Iterator[_Decided]:
    """Yields the verdict on each point."""
    job, case = given.job, given.job.case
    network = exact_network(case.opened, case.layer, case.shape)
    wanted = case.pixel_polytope.composed.post_activation
    for unit, x in zip(case.units, job.points, strict=True):
        polytope = region_polytope(linear_region(network, x), activation=wanted, domain=Box(0, 1))
        proofs = proofs_for(polytope, given.folder)
        name = f"own-{case.name}-{job.key.family}-{job.key.start}-{unit}"
        found = polytope.feasibility()
        proof = proofs.keep(f"{name}-feasibility", found.certificate)
        if not found.feasible:
            yield _Decided(OwnPoint(unit=unit, feasible=found.feasible, certificate=proof))
            continue
        result = polytope.unit_vertex(unit)
        minimum = Minimum.of(unit, result, proofs.keep(f"{name}-minimum", result.certificate))
        point = result.point_float().tolist() if result.status is LPStatus.OPTIMAL else None
        verdict = OwnPoint(unit=unit, feasible=True, certificate=proof, minimum=minimum)
        yield _Decided(verdict, point)
