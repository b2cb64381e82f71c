"""What does the headline say for a few targets of one network?  One job of the survey."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from experiments.measure.case import Case
from experiments.measure.distances import mean_pairwise
from experiments.measure.entries import MAX_STEPS, solved
from experiments.measure.sampling import classify
from experiments.mnist.relaxed import LAYER
from experiments.models.mlp import MLP, model_of
from optimize import Objective, Stopping, VertexSearch, find_vertices
from polytope import CollisionPolytope, LPResult, verify


@dataclass(frozen=True, eq=False, kw_only=True)
class SurveyJob:
    """A few targets of one network; its searches are one batch.

    Attributes:
        seed: of the network.
        weights: the network's parameters.
        targets: indices of the test images.
        labels: (T,) their digits.
        images: (T, d) float32.
        masks: pixels (d,) held fixed by each control.
        units: vertices a target.
        device: of the searches.
    """

    seed: int
    weights: Mapping[str, NDArray[np.float32]]
    targets: tuple[int, ...]
    labels: tuple[int, ...]
    images: NDArray[np.float32]
    masks: Mapping[str, NDArray[np.bool_]]
    units: int
    device: str

    def row_keys(self) -> list[str]:
        """The names of its rows, one a target."""
        return [row_key(self.seed, target) for target in self.targets]


def row_key(seed: int, target: int) -> str:
    """Returns the name of one row."""
    return f"seed={seed} target={target}"


def run_survey_job(job: SurveyJob) -> dict[str, dict[str, Any]]:
    """Returns the results of each target by row key; every exact vertex passed `verify`.

    Raises:
        CertificateError: a certificate was refused.
    """
    torch.set_num_threads(1)
    model = model_of(job.weights)
    weight, bias = job.weights[f"{LAYER}.weight"], job.weights[f"{LAYER}.bias"]
    cases = [Case(weight, bias, image) for image in job.images]
    polytopes = [case.polytope() for case in cases]
    units = [polytope.inactive_units[: job.units] for polytope in polytopes]
    searches = {
        others: _search(model, job.images, units, others=others, device=job.device)
        for others in ("absolute", "hinge")
    }
    rows = {}
    for row, key in enumerate(job.row_keys()):
        exact = polytopes[row].unit_vertices(units[row])
        found: dict[str, Any] = {
            "label": job.labels[row],
            **classify(model, job.images[row : row + 1])[0],
            "n_positive": polytopes[row].n_positive,
            "units": list(units[row]),
            "exact": _exact_entry(model, exact),
        }
        for name, mask in job.masks.items():
            found |= _controlled(
                model, cases[row], units[row], control=(name, mask), device=job.device
            )
        for others, search in searches.items():
            found[others] = _relaxed_entry(polytopes[row], exact, search, row)
        rows[key] = found
    return rows


def _controlled(
    model: MLP,
    case: Case,
    units: tuple[int, ...],
    *,
    control: tuple[str, NDArray[np.bool_]],
    device: str,
) -> dict[str, Any]:
    """The exact vertices, and the paper's penalty, with the same pixels held at the target's."""
    name, mask = control
    polytope = case.polytope(fixed=mask)
    exact = polytope.unit_vertices(units)
    bounds = case.bounds(mask)
    search = _search(
        model, case.target[None], [units], others="absolute", bounds=bounds, device=device
    )
    return {
        name: _exact_entry(model, exact),
        f"absolute_{name}": _relaxed_entry(polytope, exact, search, 0),
    }


def _search(
    model: MLP,
    images: NDArray[np.float32],
    units: list[tuple[int, ...]],
    *,
    others: str,
    device: str,
    bounds: tuple[Any, Any] = (0.0, 1.0),
) -> VertexSearch:
    return find_vertices(
        model,
        LAYER,
        images,
        batched=True,
        bounds=bounds,
        units=[list(chosen) for chosen in units],
        objective=Objective(others="hinge" if others == "hinge" else "absolute"),
        stopping=Stopping(max_steps=MAX_STEPS),
        device=device,
        progress=False,
    )


def _exact_entry(model: MLP, results: Mapping[int, LPResult]) -> dict[str, Any]:
    """Mean distance, and how many of the vertices were decided, verified and proved vertices."""
    points = list(solved(results).values())
    verified = 0
    for result in results.values():
        if result.certificate is not None:
            verify(result.certificate)
            verified += 1
    classes = [seen["class"] for seen in classify(model, np.array(points))] if points else []
    return {
        "distance": mean_pairwise(np.array(points)) if len(points) >= 2 else None,
        "decided": len(points),
        "verified": verified,
        "vertices": sum(result.is_vertex for result in results.values()),
        "classes": classes,
    }


def _relaxed_entry(
    polytope: CollisionPolytope, exact: Mapping[int, LPResult], search: VertexSearch, row: int
) -> dict[str, Any]:
    """Mean distance of one target's relaxed vertices, and their exact gaps and tolerances."""
    mine = (search.targets == row).nonzero()[:, 0].tolist()
    points = search.points[mine].double().numpy()
    gaps, tolerances = [], []
    for vertex, point in zip(mine, points, strict=True):
        unit = int(search.units[vertex])
        residuals = polytope.residuals(point)
        tolerances.append(float(residuals.smallest_tolerance))
        least = exact[unit].value
        if least:
            gaps.append(float(abs((residuals.pre_activation[unit] - least) / least)))
    return {
        "distance": mean_pairwise(points),
        "max_relative_gap": max(gaps, default=None),
        "max_tolerance": max(tolerances),
        "converged": sum(search.status[vertex].name == "CONVERGED" for vertex in mine),
        "steps": int(search.steps[mine].max()),
    }
