"""How near does an exact, or a nearly exact, collision come to another image?"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments.measure.case import Case
from experiments.run.jobs import Outcome
from experiments.run.proofs import Proofs
from polytope import CollisionPolytope


@dataclass(frozen=True, eq=False, kw_only=True)
class NearestJob:
    """The collision nearest to one image, in each norm.

    Attributes:
        case: layer and target.
        name: the row's name, e.g. "nearest.3" or "curve.0.5".
        image: (d,) float32.
        norms: of "linf", "l1", "l2".
        tolerance: 0 for exact collisions.
    """

    case: Case
    name: str
    image: NDArray[np.float32]
    norms: Sequence[str]
    tolerance: float = 0.0

    @property
    def key(self) -> str:
        """The row's name."""
        return self.name

    def run(self, folder: Path) -> Outcome:
        """Computes, certifies and checks."""
        polytope = self.case.polytope(tolerance=self.tolerance)
        proofs = Proofs(folder, self.case.sources, polytope.layer)
        results: dict[str, Any] = {
            "tolerance": self.tolerance,
            "image_tolerance": polytope.residuals(self.image).smallest_tolerance,
        }
        arrays = {}
        for norm in self.norms:
            results[norm], point = _one(polytope, self.image, norm, proofs=proofs, name=self.name)
            if point is not None:
                arrays[norm] = point
        return Outcome(results, arrays)


def _one(
    polytope: CollisionPolytope, image: NDArray[np.float32], norm: str, *, proofs: Proofs, name: str
) -> tuple[dict[str, Any], NDArray[np.float64] | None]:
    found = polytope.nearest(image, norm)
    entry = {
        "status": found.status.name.lower(),
        "distance": found.distance,
        "lower": found.lower,
        "upper": found.upper if np.isfinite(found.upper) else None,
        "reason": found.reason,
        "certificate": proofs.keep(f"{name}-{norm}", found.certificate),
    }
    return entry, None if found.point is None else found.point.to_float()
