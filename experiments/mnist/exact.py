"""Where are the exact vertices, with all pixels free and under each control?"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments.measure.case import Case
from experiments.measure.entries import lp_entry, solved
from experiments.run.jobs import Outcome
from experiments.run.proofs import Proofs


@dataclass(frozen=True, eq=False)
class ExactJob:
    """The exact vertices of the case's units.

    Attributes:
        case: layer, target and units.
        control: "none", or the control's name.
        fixed: (d,) pixels held at the target's values; None for none.
    """

    case: Case
    control: str
    fixed: NDArray[np.bool_] | None

    @property
    def key(self) -> str:
        """The row's name."""
        return f"exact.{self.control}"

    def run(self, folder: Path) -> Outcome:
        """Solves, certifies and checks."""
        polytope = self.case.polytope(fixed=self.fixed)
        results = polytope.unit_vertices(self.case.units)
        proofs = Proofs(folder, self.case.sources, polytope.layer)
        vertices: list[dict[str, Any]] = [
            {
                "unit": unit,
                **lp_entry(result),
                "certificate": proofs.keep(f"vertex-{self.control}-{unit}", result.certificate),
            }
            for unit, result in results.items()
        ]
        points = solved(results)
        arrays = {"points": np.array(list(points.values()))} if points else {}
        return Outcome({"vertices": vertices, "solved": list(points)}, arrays)
