"""What does the headline say for a few targets of one network?  One job of the survey."""

from collections.abc import Mapping, Sequence
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
    held = {name: _held_search(model, job, units, mask, common) for name, mask in job.masks.items()}
    rows = {}
    for row, key in enumerate(job.row_keys()):
        case, chosen = cases[row], units[row]
        sets = {"exact": polytopes[row]}
        sets |= {name: case.polytope(fixed=mask) for name, mask in job.masks.items()}
        exact = {name: polytope.unit_vertices(chosen) for name, polytope in sets.items()}
        relaxed = {
            family: _relaxed(polytopes[row], exact["exact"], Found(search, row))
            for family, search in searches.items()
        }
        for name in job.masks:  # the paper's penalty under the same control
            relaxed[f"absolute_{name}"] = _relaxed(sets[name], exact[name], held[name][row])
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


@dataclass(frozen=True, eq=False)
class Found:
    """One target of a batched search: the search, and which of its targets."""

    search: VertexSearch
    target: int


def _held_search(
    model: MLP,
    job: SurveyJob,
    units: Sequence[Sequence[int]],
    mask: NDArray[np.bool_],
    common: Mapping[str, Any],
) -> dict[int, Found]:
    """The paper's penalty with pixels held, for each target (by its place in the job).

    A search has one pair of bounds: targets that agree in the pixels held, as nearly all do in
    those that are never lit, are one batch, whose steps cost a third of theirs one by one.
    """
    alike: dict[bytes, list[int]] = {}
    for place, image in enumerate(job.images):
        alike.setdefault(image[mask].tobytes(), []).append(place)
    found: dict[int, Found] = {}
    for places in alike.values():
        images = job.images[places]
        case = Case(job.weights[f"{LAYER}.weight"], job.weights[f"{LAYER}.bias"], images[0])
        search = relaxed_search(
            model,
            LAYER,
            images,
            family="absolute",
            units=[list(units[place]) for place in places],
            bounds=case.bounds(mask),
            **common,
        )
        found |= {place: Found(search, row) for row, place in enumerate(places)}
    return found


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


def _relaxed(polytope: CollisionPolytope, exact: Exact, found: Found) -> RelaxedRow:
    """Mean distance of one target's relaxed vertices, and their exact gaps and tolerances."""
    search = found.search
    mine = (search.targets == found.target).nonzero()[:, 0].tolist()
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
