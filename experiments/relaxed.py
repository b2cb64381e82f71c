"""What does the gradient search find, and how far is each point from the exact vertex?"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from experiments.case import Case
from experiments.models.mlp import MLP
from experiments.proofs import Proofs
from experiments.stages import Outcome
from optimize import Objective, Stopping, VertexComparison, VertexSearch, compare, find_vertices

LAYER = "hidden1"  # the paper's collisions are at the first hidden layer
MAX_STEPS = 50_000

#: Family -> penalty on the other inactive units, and the optimiser.
FAMILIES = {
    "authors": ("absolute", "authors"),
    "absolute": ("absolute", "auto"),
    "hinge": ("hinge", "auto"),
}


def model_of(weights: Mapping[str, NDArray[np.float32]]) -> MLP:
    """Returns the network with these parameters, by name, in evaluation mode."""
    hidden, inputs = weights["hidden1.weight"].shape
    model = MLP(inputs, hidden, len(weights["output.bias"]))
    model.load_state_dict({name: torch.from_numpy(value) for name, value in weights.items()})
    return model.eval().requires_grad_(False)


def weights_of(model: nn.Module) -> dict[str, NDArray[np.float32]]:
    """Returns a network's parameters by name, to be sent to another process."""
    return {name: value.numpy() for name, value in model.state_dict().items()}


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


def search_entry(search: VertexSearch) -> dict[str, Any]:
    """Returns what a record keeps of a search."""
    return {
        "method": search.method,
        "penalty": search.form.others,
        "alpha": search.form.alpha,
        "status": [status.name.lower() for status in search.status],
        "rule": sorted({status.value for status in search.status}),
        "steps": search.steps.tolist(),
        "duality_gap": [_finite(value) for value in search.gap.tolist()],
    }


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def comparison_entry(each: VertexComparison) -> dict[str, Any]:
    """Returns what a record keeps of one comparison."""
    names = (
        *("unit", "exact_value", "found_value", "gap", "worst_equality", "worst_inactive"),
        *("worst_domain", "smallest_tolerance", "distance_linf", "n_tight", "is_vertex"),
    )
    gap = each.relative_gap
    return {
        **{name: getattr(each, name) for name in names},
        "relative_gap": None if gap is None else _finite(gap),
    }
