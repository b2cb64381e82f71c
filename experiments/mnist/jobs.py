"""Which exact work does `collide mnist` do?  Facts, exact and relaxed vertices, near collisions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from experiments.measure.case import Case
from experiments.measure.compared import compared
from experiments.measure.facts import DOMAINS, Facts, facts
from experiments.measure.minimum import minima, solved
from experiments.measure.search import MAX_STEPS, SearchSummary, finite, relaxed_search
from experiments.mnist.results import ExactSet, Near, NearPoint, RelaxedSet
from experiments.models.mlp import model_of
from experiments.run.outcomes import Key, Outcome
from experiments.run.proofs import Proofs
from optimize import compare
from polytope import CollisionPolytope

ARCHITECTURE = "784-256-256-10, ReLU"
LAYER = "hidden1"  # the paper's collisions are at the first hidden layer
Pixels = NDArray[np.float32]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class FactsKey(Key[Facts]):
    """The facts of the target's set in one domain of `DOMAINS`."""

    WORK = "facts"
    domain: str


@dataclass(frozen=True, eq=False)
class FactsJob:
    """The facts of a case's set."""

    key: FactsKey
    case: Case

    def run(self, folder: Path) -> Outcome[Facts]:
        """Computes, certifies and checks."""
        case, domain = self.case, self.key.domain
        polytope = CollisionPolytope.from_layer(
            case.weight, case.bias, case.target, domain=DOMAINS[domain]
        )
        return Outcome(facts(polytope, Proofs(folder, case.sources, polytope.layer), domain))


@dataclass(frozen=True)
class ExactKey(Key[ExactSet]):
    """The exact vertices under one control, or "none"."""

    WORK = "exact"
    control: str


@dataclass(frozen=True, eq=False)
class ExactJob:
    """The exact vertices of the case's units.

    Attributes:
        key: of the job.
        case: layer, target and units.
        fixed: (d,) pixels that the control holds at the target's values; None for none.
    """

    key: ExactKey
    case: Case
    fixed: Mask | None = None

    def run(self, folder: Path) -> Outcome[ExactSet]:
        """Solves, certifies and checks."""
        control = self.key.control
        polytope = self.case.polytope(fixed=self.fixed)
        proofs = Proofs(folder, self.case.sources, polytope.layer)
        found = polytope.unit_vertices(self.case.units)
        results = ExactSet(control=control, vertices=minima(found, proofs, f"vertex-{control}"))
        points = list(solved(found).values())
        return Outcome(results, {"points": np.array(points)} if points else {})


@dataclass(frozen=True)
class RelaxedKey(Key[RelaxedSet]):
    """One relaxed search: of `FAMILIES`, from "target" or "other", under a control or "none"."""

    WORK = "relaxed"
    family: str
    start: str
    control: str


@dataclass(frozen=True, eq=False, kw_only=True)
class RelaxedJob:
    """One relaxed search of the case's units, compared with the exact vertices.

    Attributes:
        key: of the job.
        case: layer, target and units.
        weights: the network's parameters.
        start: (d,).
        max_steps: of the authors' optimiser.
        device: of the search.
        fixed: (d,) pixels that the control holds at the target's values.
    """

    key: RelaxedKey
    case: Case
    weights: Mapping[str, Pixels]
    start: Pixels
    max_steps: int
    device: str
    fixed: Mask | None = None

    def run(self, folder: Path) -> Outcome[RelaxedSet]:
        """Searches, then compares exactly."""
        key, case = self.key, self.case
        search = relaxed_search(
            model_of(self.weights),
            LAYER,
            case.target,
            family=key.family,
            max_steps=self.max_steps if key.family == "authors" else MAX_STEPS,
            start=self.start,
            bounds=case.bounds(self.fixed),
            units=list(case.units),
            device=self.device,
        )
        polytope = case.polytope(fixed=self.fixed)
        found = compared(
            compare(polytope, search, progress=False),
            Proofs(folder, case.sources, polytope.layer),
            f"distance-{key.family}-{key.start}-{key.control}",
        )
        results = RelaxedSet(
            family=key.family,
            start=key.start,
            control=key.control,
            search=SearchSummary.of(search),
            comparisons=found,
        )
        return Outcome(results, {"points": search.points.double().numpy()})


@dataclass(frozen=True)
class DigitKey(Key[Near]):
    """The exact collisions nearest to one digit's image."""

    WORK = "nearest"
    digit: int


@dataclass(frozen=True)
class CurveKey(Key[Near]):
    """The collisions within a tolerance that are nearest to the other image."""

    WORK = "curve"
    tolerance: float


@dataclass(frozen=True, eq=False, kw_only=True)
class NearestJob:
    """The collisions nearest to one image, in each norm.

    Attributes:
        key: of the job; names of certificates start with it.
        case: layer and target.
        image: (d,).
        norms: of "linf", "l1", "l2".
        tolerance: 0 for exact collisions.
    """

    key: DigitKey | CurveKey
    case: Case
    image: Pixels
    norms: Sequence[str]
    tolerance: float = 0.0

    def run(self, folder: Path) -> Outcome[Near]:
        """Computes, certifies and checks."""
        polytope = self.case.polytope(tolerance=self.tolerance)
        proofs = Proofs(folder, self.case.sources, polytope.layer)
        norms, arrays = {}, {}
        for norm in self.norms:
            found = polytope.nearest(self.image, norm)
            norms[norm] = NearPoint(
                status=found.status.name.lower(),
                distance=found.distance,
                lower=found.lower,
                upper=finite(found.upper),
                reason=found.reason,
                certificate=proofs.keep(f"{self.key}-{norm}", found.certificate),
            )
            if found.point is not None:
                arrays[norm] = found.point.to_float()
        results = Near(
            tolerance=self.tolerance,
            image_tolerance=polytope.residuals(self.image).smallest_tolerance,
            norms=norms,
        )
        return Outcome(results, arrays)
