"""What kind of set is it, and where are its exact vertices?  In one space, within a time limit."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from experiments.lenet5.case import DeepCase, InFolder, proofs_for
from experiments.lenet5.results import ExactSet, SpaceFacts
from experiments.measure.facts import Fact, ask, sizes_of
from experiments.measure.minimum import Minimum
from experiments.run.limited import in_time
from experiments.run.outcomes import Key, Outcome
from polytope import LPStatus

#: The quick ones first.
_FACTS: tuple[Fact, ...] = ("rank", "lineality", "boundedness", "dimension", "kernel")


@dataclass(frozen=True)
class FactsKey(Key[SpaceFacts]):
    """The facts of a layer's set in one of `experiments.lenet5.case.SPACES`."""

    WORK = "facts"
    layer: str
    space: str


@dataclass(frozen=True, eq=False)
class FactsJob:
    """The facts of a case's set in one space, one after the other.

    Attributes:
        case: layer and target.
        space: of `experiments.lenet5.case.SPACES`.
        seconds: after which the rest is given up.
    """

    case: DeepCase
    space: str
    seconds: float

    @property
    def key(self) -> FactsKey:
        """The row's key."""
        return FactsKey(self.case.name, self.space)

    def run(self, folder: Path) -> Outcome[SpaceFacts]:
        """Proves and checks."""
        found = in_time(_facts, InFolder(self, folder), seconds=self.seconds)
        nothing = SpaceFacts(space=self.space, reason="", facts=None)
        return Outcome(replace([nothing, *found.items][-1], reason=found.reason))


def _facts(given: InFolder[FactsJob]) -> Iterator[SpaceFacts]:
    """Yields what is known, more and more of it; the sizes first."""
    case, space = given.job.case, given.job.space
    polytope = case.polytope(space)
    known = sizes_of(polytope, case.domain(space))
    entry = SpaceFacts(space=space, reason="", facts=known)
    if space == "pixels":
        region = case.pixel_polytope
        rows, ties = len(region.region.crossings), len(region.region_ties)
        entry = replace(entry, region_rows=rows, region_ties=ties)
    yield entry
    proofs = proofs_for(polytope, given.folder)
    for fact in _FACTS:
        if fact == "kernel" and known.rank_positive == polytope.n_inputs:
            # ker W+ is {0}: the certificate of the rank says it all.
            kept = {**known.certificates, fact: known.certificates["rank"]}
            known = replace(known, kernel_condition=True, certificates=kept)
        else:
            known = ask(
                known,
                fact,
                polytope,
                lambda fact, proof: proofs.keep(f"{fact}-{case.name}-{space}", proof),
            )
        yield replace(entry, facts=known)


@dataclass(frozen=True)
class VerticesKey(Key[ExactSet]):
    """The exact vertices in one space."""

    WORK = "exact"
    layer: str
    space: str


@dataclass(frozen=True, eq=False)
class VerticesJob:
    """The exact vertices of a case's units in one space; as `FactsJob`."""

    case: DeepCase
    space: str
    seconds: float

    @property
    def key(self) -> VerticesKey:
        """The row's key."""
        return VerticesKey(self.case.name, self.space)

    def run(self, folder: Path) -> Outcome[ExactSet]:
        """Solves, certifies and checks."""
        found = in_time(_vertices, InFolder(self, folder), seconds=self.seconds)
        points = [each.point for each in found.items if each.point is not None]
        vertices = tuple(each.minimum for each in found.items)
        results = ExactSet(space=self.space, vertices=vertices, reason=found.reason)
        return Outcome(results, {"points": np.array(points)} if points else {})


@dataclass(frozen=True)
class _Solved:
    """A unit's minimum, and where it is attained (d,), rounded."""

    minimum: Minimum
    point: list[float] | None


def _vertices(given: InFolder[VerticesJob]) -> Iterator[_Solved]:
    """Yields the minimum of each unit."""
    case, space = given.job.case, given.job.space
    polytope = case.polytope(space)
    proofs = proofs_for(polytope, given.folder)
    for unit in case.units:
        result = polytope.unit_vertex(unit)
        proof = proofs.keep(f"vertex-{case.name}-{space}-{unit}", result.certificate)
        point = result.point_float().tolist() if result.status is LPStatus.OPTIMAL else None
        yield _Solved(Minimum.of(unit, result, proof), point)
