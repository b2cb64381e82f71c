"""What does the headline say for a few targets of one network?  One job of the survey."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from experiments.measure.case import Case
from experiments.measure.distances import mean_pairwise
from experiments.measure.minimum import solved
from experiments.measure.sampling import classify
from experiments.measure.search import relaxed_search
from experiments.mnist.jobs import LAYER
from experiments.mnist.survey_results import ExactRow, RelaxedRow, SurveyRow
from experiments.models.mlp import MLP, model_of
from experiments.run.outcomes import Key
from optimize import VertexSearch
from polytope import CollisionPolytope, LPResult, verify

Exact = Mapping[int, LPResult]


@dataclass(frozen=True)
class RowKey(Key[SurveyRow]):
    """One target of the network of one seed."""

    WORK = "survey"
    seed: int
    target: int


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

    def row_keys(self) -> list[RowKey]:
        """The keys of its rows, one a target."""
        return [RowKey(self.seed, target) for target in self.targets]


def run_survey_job(job: SurveyJob) -> dict[RowKey, SurveyRow]:
    """Returns the row of each target by its key; every exact vertex passed `verify`.

    Raises:
        CertificateError: a certificate was refused.
    """
    torch.set_num_threads(1)
    model = model_of(job.weights)
    weight, bias = job.weights[f"{LAYER}.weight"], job.weights[f"{LAYER}.bias"]
    cases = [Case(weight, bias, image) for image in job.images]
    polytopes = [case.polytope() for case in cases]
    units = [polytope.inactive_units[: job.units] for polytope in polytopes]
    common: dict[str, Any] = {"batched": True, "device": job.device}
    searches = {
        family: relaxed_search(
            model, LAYER, job.images, family=family, units=list(map(list, units)), **common
        )
        for family in ("absolute", "hinge")
    }
    rows = {}
    for row, key in enumerate(job.row_keys()):
        case, chosen = cases[row], units[row]
        held = {name: case.polytope(fixed=mask) for name, mask in job.masks.items()}
        sets = {"exact": polytopes[row], **held}
        exact = {name: polytope.unit_vertices(chosen) for name, polytope in sets.items()}
        relaxed = {
            family: _relaxed(polytopes[row], exact["exact"], search, row)
            for family, search in searches.items()
        }
        for name, mask in job.masks.items():  # the paper's penalty under the same control
            search = relaxed_search(
                model,
                LAYER,
                case.target[None],
                family="absolute",
                units=[list(chosen)],
                bounds=case.bounds(mask),
                **common,
            )
            relaxed[f"absolute_{name}"] = _relaxed(held[name], exact[name], search, 0)
        (seen,) = classify(model, case.target[None])
        rows[key] = SurveyRow(
            seed=key.seed,
            target=key.target,
            label=job.labels[row],
            seen=seen,
            n_positive=polytopes[row].n_positive,
            units=chosen,
            exact={name: _exact(model, found) for name, found in exact.items()},
            relaxed=relaxed,
        )
    return rows


def _exact(model: MLP, results: Exact) -> ExactRow:
    """Mean distance, and how many of the vertices were decided, verified and proved vertices."""
    points = np.array(list(solved(results).values()))
    proofs = [r.certificate for r in results.values() if r.certificate is not None]
    for proof in proofs:
        verify(proof)
    return ExactRow(
        distance=mean_pairwise(points) if len(points) >= 2 else None,
        decided=len(points),
        verified=len(proofs),
        vertices=sum(result.is_vertex for result in results.values()),
        classes=tuple(seen.winner for seen in classify(model, points)) if len(points) else (),
    )


def _relaxed(
    polytope: CollisionPolytope, exact: Exact, search: VertexSearch, target: int
) -> RelaxedRow:
    """Mean distance of one target's relaxed vertices, and their exact gaps and tolerances."""
    mine = (search.targets == target).nonzero()[:, 0].tolist()
    points = search.points[mine].double().numpy()
    gaps, tolerances = [], []
    for vertex, point in zip(mine, points, strict=True):
        unit = int(search.units[vertex])
        residuals = polytope.residuals(point)
        tolerances.append(float(residuals.smallest_tolerance))
        least = exact[unit].value
        if least:
            gaps.append(float(abs((residuals.pre_activation[unit] - least) / least)))
    return RelaxedRow(
        distance=mean_pairwise(points),
        max_relative_gap=max(gaps, default=None),
        max_tolerance=max(tolerances),
        converged=sum(search.status[vertex].name == "CONVERGED" for vertex in mine),
        steps=int(search.steps[mine].max()),
    )
