"""How long may an exact program take?  Minima and distances with a time limit, and their proofs."""

from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from experiments.deadline import OutOfTime, time_limit
from experiments.proofs import Proofs
from polytope import (
    Certificate,
    CollisionPolytope,
    LPResult,
    LPStatus,
    NearestResult,
    NearestStatus,
    verify,
)

#: Certificates state the set as text: beyond so many weights they are checked, not saved.
MOST_SAVED = 4_000_000
#: Begins the reason of what a time limit ended.
OUT_OF_TIME = "the time limit"


@dataclass(frozen=True)
class Solver:
    """How exact programs are solved and kept.

    Attributes:
        proofs: where certificates go.
        seconds: at most, for each program; None for no limit.
    """

    proofs: Proofs
    seconds: float | None

    def minimum(self, polytope: CollisionPolytope, unit: int) -> LPResult:
        """Returns the exact minimum of a unit's pre-activation, UNDECIDED when time ran out."""
        try:
            with time_limit(self.seconds):
                return polytope.unit_vertex(unit)
        except OutOfTime:
            return LPResult(LPStatus.UNDECIDED, reason=self._reason())

    def nearest(self, polytope: CollisionPolytope, point: np.ndarray) -> NearestResult:
        """Returns the distance of a point from the set, UNDECIDED when time ran out."""
        try:
            with time_limit(self.seconds):
                return polytope.nearest(point, norm="linf")
        except OutOfTime:
            return NearestResult(NearestStatus.UNDECIDED, "linf", reason=self._reason())

    def _reason(self) -> str:
        return f"{OUT_OF_TIME} of {self.seconds:g} seconds for an exact program"

    def entry(self, name: str, best: LPResult, near: NearestResult) -> dict[str, Any]:
        """Returns what a record keeps of both, their certificates saved under a name."""
        return {
            "exact_value": best.value,
            "status": best.status.name.lower(),
            "reason": best.reason,
            "exact_is_vertex": best.is_vertex,
            "distance_linf": near.distance,
            "distance_status": near.status.name.lower(),
            "distance_reason": near.reason,
            "certificate": self.keep(f"{name}-minimum", best.certificate),
            "distance_certificate": self.keep(f"{name}-distance", near.certificate),
        }

    def keep(self, name: str, certificate: Certificate | None) -> dict[str, Any] | None:
        """Returns the entry of a certificate, checked, and saved where the set is not too large."""
        if certificate is None or prod(certificate.layer.weight.shape) <= MOST_SAVED:
            return self.proofs.keep(name, certificate)
        return {"file": None, "claim": verify(certificate)}
