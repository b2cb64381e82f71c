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
from experiments.mnist.recipe import STEPS, WANTED, Recipe
from experiments.mnist.results import ExactSet, Near, NearPoint, RelaxedSet
from experiments.models.mlp import model_of
from experiments.run.outcomes import Key, Outcome
from experiments.run.proofs import Proofs
from optimize import VertexSearch, compare
from polytope import CollisionPolytope

ARCHITECTURE = "784-256-256-10, ReLU"
LAYER = "hidden1"  # the paper's collisions are at the first hidden layer
Pixels = NDArray[np.float32]
Mask = NDArray[np.bool_]


def proofs_of(network: str, folder: Path, polytope: CollisionPolytope, case: Case) -> Proofs:
    """Returns where the certificates of a polytope of one network go: their names begin with it."""
    return Proofs(folder, case.sources, polytope.layer, prefix=f"{network}-")


@dataclass(frozen=True)
class FactsKey(Key[Facts]):
    """The facts of the target's set in one domain of `DOMAINS`."""

    WORK = "facts"
    network: str
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
        return Outcome(facts(polytope, proofs_of(self.key.network, folder, polytope, case), domain))


@dataclass(frozen=True)
class ExactKey(Key[ExactSet]):
    """The exact vertices under one control, or "none"."""

    WORK = "exact"
    network: str
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
        network, control = self.key.network, self.key.control
        polytope = self.case.polytope(fixed=self.fixed)
        proofs = proofs_of(network, folder, polytope, self.case)
        found = polytope.unit_vertices(self.case.units)
        vertices = minima(found, proofs, f"vertex-{control}")
        results = ExactSet(network=network, control=control, vertices=vertices)
        points = list(solved(found).values())
        return Outcome(results, {"points": np.array(points)} if points else {})


@dataclass(frozen=True)
class RelaxedKey(Key[RelaxedSet]):
    """One relaxed search, from "target" or "other", under a control or "none".

    Its family is one of `FAMILIES`, or "early": the paper's recipe, stopped at its distance.
    """

    WORK = "relaxed"
    network: str
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
        max_steps: of the authors' optimiser and of the paper's recipe.
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
        key, case, search = self.key, self.case, self._search()
        polytope = case.polytope(fixed=self.fixed)
        found = compared(
            compare(polytope, search, progress=False),
            proofs_of(key.network, folder, polytope, case),
            f"distance-{key.family}-{key.start}-{key.control}",
        )
        results = RelaxedSet(
            network=key.network,
            family=key.family,
            start=key.start,
            control=key.control,
            search=SearchSummary.of(search),
            comparisons=found,
        )
        return Outcome(results, {"points": search.points.double().numpy()})

    def _search(self) -> VertexSearch:
        key, case, model = self.key, self.case, model_of(self.weights)
        if key.family == "early":
            recipe = Recipe(
                case=case,
                start=self.start,
                step_size=STEPS[key.network],
                max_steps=self.max_steps,
                given={"device": self.device},
            )
            return recipe.until(model, LAYER, WANTED[key.start])
        return relaxed_search(
            model,
            LAYER,
            case.target,
            family=key.family,
            max_steps=self.max_steps if key.family == "authors" else MAX_STEPS,
            start=self.start,
            bounds=case.bounds(self.fixed),
            units=list(case.units),
            device=self.device,
        )


@dataclass(frozen=True)
class DigitKey(Key[Near]):
    """The exact collisions nearest to one digit's image."""

    WORK = "nearest"
    network: str
    digit: int


@dataclass(frozen=True)
class CurveKey(Key[Near]):
    """The collisions within a tolerance that are nearest to the other image."""

    WORK = "curve"
    network: str
    tolerance: float


@dataclass(frozen=True, eq=False, kw_only=True)
class NearestJob:
    """The collisions nearest to one image, in each norm.

    Attributes:
        key: of the job.
        name: names of certificates start with it.
        case: layer and target.
        image: (d,).
        norms: of "linf", "l1", "l2".
        tolerance: 0 for exact collisions.
    """

    key: DigitKey | CurveKey
    name: str
    case: Case
    image: Pixels
    norms: Sequence[str]
    tolerance: float = 0.0

    def run(self, folder: Path) -> Outcome[Near]:
        """Computes, certifies and checks."""
        polytope = self.case.polytope(tolerance=self.tolerance)
        proofs = proofs_of(self.key.network, folder, polytope, self.case)
        norms, arrays = {}, {}
        for norm in self.norms:
            found = polytope.nearest(self.image, norm)
            norms[norm] = NearPoint(
                status=found.status.name.lower(),
                distance=found.distance,
                lower=found.lower,
                upper=finite(found.upper),
                reason=found.reason,
                certificate=proofs.keep(f"{self.name}-{norm}", found.certificate),
            )
            if found.point is not None:
                arrays[norm] = found.point.to_float()
        results = Near(
            tolerance=self.tolerance,
            image_tolerance=polytope.residuals(self.image).smallest_tolerance,
            norms=norms,
        )
        return Outcome(results, arrays)
