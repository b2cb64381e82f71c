"""What kind of set is it, and where are its exact vertices?  In one space, within a time limit."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from experiments.lenet5.case import DeepCase
from experiments.measure.entries import lp_entry
from experiments.run.jobs import Outcome
from experiments.run.limited import in_time
from experiments.run.proofs import Proofs
from experiments.run.record import jsonable
from polytope import Certificate, CollisionPolytope, LPStatus, verify

#: Certificates state the set as text: beyond so many weights they are checked, not saved.
MOST_SAVED = 4_000_000

Entry = dict[str, Any]
_Fact = Callable[[CollisionPolytope], tuple[Entry, Certificate | None]]


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
    def key(self) -> str:
        """The row's name."""
        return f"facts.{self.case.name}.{self.space}"

    def run(self, folder: Path) -> Outcome:
        """Proves and checks."""
        found = in_time(_facts, (self.case, self.space, folder), seconds=self.seconds)
        results: Entry = {"space": self.space, "reason": found.reason, "certificates": {}}
        for fact, values, proof in found.items:
            results |= values
            if fact:
                results["certificates"][fact] = proof
        return Outcome(results)


@dataclass(frozen=True, eq=False)
class VerticesJob:
    """The exact vertices of a case's units in one space."""

    case: DeepCase
    space: str
    seconds: float

    @property
    def key(self) -> str:
        """The row's name."""
        return f"exact.{self.case.name}.{self.space}"

    def run(self, folder: Path) -> Outcome:
        """Solves, certifies and checks."""
        found = in_time(_vertices, (self.case, self.space, folder), seconds=self.seconds)
        points = [point for _, point in found.items if point is not None]
        arrays = {"points": np.array(points)} if points else {}
        entries = [entry for entry, _ in found.items]
        solved = [entry["unit"] for entry, point in found.items if point is not None]
        results = {"vertices": entries, "solved": solved, "reason": found.reason}
        return Outcome(results, arrays)


def keep(polytope: CollisionPolytope, folder: Path, name: str) -> Callable[[Any], Entry | None]:
    """Returns what checks a certificate, saves it where it is not too large, and gives its entry.

    Args:
        polytope: which the certificates are about.
        folder: the run folder.
        name: the file's.
    """
    small = polytope.layer.n_units * polytope.layer.n_inputs <= MOST_SAVED

    def kept(certificate: Certificate | None) -> Entry | None:
        if certificate is None:
            return None
        if small:
            entry: Entry = jsonable(Proofs(folder).keep(name, certificate))
            return entry
        return {"checked": verify(certificate)}

    return kept


def _rank(polytope: CollisionPolytope) -> tuple[Entry, Certificate | None]:
    found = polytope.rank_positive()
    return {"rank_positive": found.value}, found.certificate


def _kernel(polytope: CollisionPolytope) -> tuple[Entry, Certificate | None]:
    found = polytope.kernel_condition()
    return {"kernel_condition": found.holds}, found.certificate


def _lineality(polytope: CollisionPolytope) -> tuple[Entry, Certificate | None]:
    found = polytope.lineality()
    return {"lineality": found.dimension, "pointed": found.pointed}, found.certificate


def _bounded(polytope: CollisionPolytope) -> tuple[Entry, Certificate | None]:
    found = polytope.boundedness()
    return {"bounded": found.bounded}, found.certificate


def _dimension(polytope: CollisionPolytope) -> tuple[Entry, Certificate | None]:
    found = polytope.dimension()
    return {"dimension": found.value, "paper_bound": found.paper_bound}, found.certificate


#: The quick ones first.
_FACTS: dict[str, _Fact] = {
    "rank": _rank,
    "lineality": _lineality,
    "boundedness": _bounded,
    "dimension": _dimension,
    "kernel": _kernel,
}


def _facts(given: tuple[DeepCase, str, Path]) -> Iterator[tuple[str, Entry, Entry | None]]:
    """Yields (fact, values, proof); the sizes first, under no name."""
    case, space, folder = given
    polytope = case.polytope(space)
    sizes = {
        "n_inputs": polytope.n_inputs,
        "n_units": polytope.n_units,
        "n_positive": polytope.n_positive,
        "paper_bound": polytope.n_inputs - polytope.n_positive,
        "ties": len(polytope.ties),
        "sign_disagreements": list(polytope.sign_disagreements),
    }
    if space == "pixels":
        region = case.pixel_polytope
        sizes["region_rows"] = len(region.region.crossings)
        sizes["region_ties"] = len(region.region_ties)
    yield "", sizes, None
    proofs: dict[str, Entry | None] = {}
    for fact, ask in _FACTS.items():
        if fact == "kernel" and polytope.rank_positive().value == polytope.n_inputs:
            # ker W+ is {0}: the certificate of the rank says it all.
            yield fact, {"kernel_condition": True}, proofs["rank"]
            continue
        values, certificate = ask(polytope)
        proofs[fact] = keep(polytope, folder, f"{fact}-{case.name}-{space}")(certificate)
        yield fact, values, proofs[fact]


def _vertices(given: tuple[DeepCase, str, Path]) -> Iterator[tuple[Entry, list[float] | None]]:
    """Yields (entry, float point or None), a unit each."""
    case, space, folder = given
    polytope = case.polytope(space)
    for unit in case.units:
        result = polytope.unit_vertex(unit)
        proof = keep(polytope, folder, f"vertex-{case.name}-{space}-{unit}")(result.certificate)
        point = result.point_float().tolist() if result.status is LPStatus.OPTIMAL else None
        entry = {"unit": unit, **lp_entry(result), "certificate": proof}
        yield entry, point
