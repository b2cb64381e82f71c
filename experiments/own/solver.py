"""How long may an exact program take?  Minimum and distance in a process with a time limit.

That process imports this module, which therefore does without torch: it starts in half the time.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from experiments.measure.minimum import Minimum
from experiments.run.limited import Helper
from experiments.run.proofs import MOST_SAVED, Proof, Proofs
from polytope import CollisionPolytope, LPResult, LPStatus
from polytope.network.region_polytope import RegionPolytope

#: Begins the reason of what a time limit ended.
OUT_OF_TIME = "the time limit"
#: Ends the names of certificates whose "units" are a composed layer's and then a region's rows.
IN_REGION = "-in-region"


@dataclass(frozen=True, kw_only=True)
class Lowest(Minimum):
    """An exact minimum, and where it is taken, rounded to float64."""

    point: tuple[float, ...] | None


@dataclass(frozen=True, kw_only=True)
class Distance:
    """How far the coordinate that moves most has to move for a point to collide exactly."""

    value: Fraction | None
    status: str
    reason: str
    certificate: Proof | None


@dataclass(frozen=True)
class Solved:
    """What exact programs said of one vertex."""

    minimum: Lowest
    distance: Distance


@dataclass(frozen=True)
class Solver:
    """How exact programs are solved and kept.

    Attributes:
        folder: of the run; certificates go into it.
        seconds: for the programs of one vertex in one space, at most.
        helper: solves them.
    """

    folder: Path
    seconds: float
    helper: Helper

    def solve(
        self, polytope: CollisionPolytope, unit: int, point: np.ndarray, *, name: str
    ) -> Solved:
        """Returns the exact minimum of a unit's pre-activation and the distance of a point.

        Both come with their certificates, checked and saved; "undecided" where time ran out.

        Args:
            polytope: any.
            unit: an inactive one.
            point: (d,).
            name: certificates' names start with it.
        """
        # A fresh copy of the layer: what was cached in the old one does not go to a process.
        layer = replace(polytope.layer)
        end = IN_REGION if isinstance(polytope, RegionPolytope) else ""
        proofs = Proofs(self.folder, layer=layer, most=MOST_SAVED)
        given = _Given(proofs, unit, point, name, end)
        done = self.helper.in_time(_solved, given, seconds=self.seconds)
        reason = done.reason
        if reason.startswith("given up"):
            reason = f"{OUT_OF_TIME} of {self.seconds:g} seconds for a vertex"
        open_one = LPResult(LPStatus.UNDECIDED, reason=reason)
        undecided: list[Any] = [
            Lowest(**vars(Minimum.of(unit, open_one, None)), point=None),
            Distance(value=None, status="undecided", reason=reason, certificate=None),
        ]
        return Solved(*done.items, *undecided[len(done.items) :])


@dataclass(frozen=True)
class _Given:
    proofs: Proofs
    unit: int
    point: np.ndarray
    name: str
    end: str


def _solved(given: _Given) -> Iterator[Any]:
    """Runs in a process of its own: first the minimum, then the distance."""
    assert given.proofs.layer is not None
    polytope = CollisionPolytope(given.proofs.layer)
    best = polytope.unit_vertex(given.unit)
    proof = given.proofs.keep(f"{given.name}-minimum{given.end}", best.certificate)
    solved = best.status is LPStatus.OPTIMAL
    yield Lowest(
        **vars(Minimum.of(given.unit, best, proof)),
        point=tuple(best.point_float().tolist()) if solved else None,
    )
    near = polytope.nearest(given.point, norm="linf")
    yield Distance(
        value=near.distance,
        status=near.status.name.lower(),
        reason=near.reason,
        certificate=given.proofs.keep(f"{given.name}-distance{given.end}", near.certificate),
    )
