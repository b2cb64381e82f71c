"""What does the gradient search find, and how far is each point from the exact vertex?"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from experiments.measure.case import Case
from experiments.measure.entries import FAMILIES, MAX_STEPS, comparison_entry, search_entry
from experiments.models.mlp import model_of
from experiments.run.jobs import Outcome
from experiments.run.proofs import Proofs
from optimize import Objective, Stopping, compare, find_vertices

LAYER = "hidden1"  # the paper's collisions are at the first hidden layer


@dataclass(frozen=True, eq=False, kw_only=True)
class RelaxedJob:
    """One relaxed search of the case's units from one start, compared with the exact vertices.

    Attributes:
        case: layer, target and units.
        weights: the network's parameters.
        family: of `FAMILIES`.
        start_name: "target" or "other".
        start: (d,) float32.
        max_steps: of the authors' optimiser.
        device: of the search.
        control: "none", or the name of a control.
        fixed: (d,) pixels held at the target's values in that control.
    """

    case: Case
    weights: Mapping[str, NDArray[np.float32]]
    family: str
    start_name: str
    start: NDArray[np.float32]
    max_steps: int
    device: str
    control: str = "none"
    fixed: NDArray[np.bool_] | None = None

    @property
    def key(self) -> str:
        """The row's name."""
        return f"relaxed.{self.family}.{self.start_name}.{self.control}"

    def run(self, folder: Path) -> Outcome:
        """Searches, then compares exactly."""
        others, optimizer = FAMILIES[self.family]
        limit = self.max_steps if self.family == "authors" else MAX_STEPS
        search = find_vertices(
            model_of(self.weights),
            LAYER,
            self.case.target,
            start=self.start,
            bounds=self.case.bounds(self.fixed),
            units=list(self.case.units),
            objective=Objective(others="absolute" if others == "absolute" else "hinge"),
            optimizer=optimizer,
            stopping=Stopping(max_steps=limit),
            device=self.device,
            progress=False,
        )
        polytope = self.case.polytope(fixed=self.fixed)
        compared = compare(polytope, search, progress=False)
        proofs = Proofs(folder, self.case.sources, polytope.layer)
        entries = [
            comparison_entry(each)
            | {
                "distance_certificate": proofs.keep(
                    f"distance-{self.family}-{self.start_name}-{self.control}-{each.unit}",
                    each.nearest.certificate if each.nearest else None,
                )
            }
            for each in compared
        ]
        points = search.points.double().numpy()
        return Outcome(search_entry(search) | {"comparisons": entries}, {"points": points})
