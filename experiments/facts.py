"""What is this set, in each of the three domains?  Every fact with its certificate."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from experiments.case import Case
from experiments.proofs import Proofs
from experiments.stages import Outcome
from polytope import Box, Certificate, CollisionPolytope, Free, Nonnegative
from polytope.domains import Domain

DOMAINS: dict[str, Domain] = {"free": Free(), "nonnegative": Nonnegative(), "box": Box(0, 1)}


@dataclass(frozen=True, eq=False)
class FactsJob:
    """The facts of the target's collision polytope in one domain of `DOMAINS`."""

    case: Case
    domain: str

    @property
    def key(self) -> str:
        """The row's name."""
        return f"facts.{self.domain}"

    def run(self, folder: Path) -> Outcome:
        """Computes and certifies."""
        polytope = CollisionPolytope.from_layer(
            self.case.weight, self.case.bias, self.case.target, domain=DOMAINS[self.domain]
        )
        return Outcome(facts(polytope, Proofs(folder), self.domain))


def facts(polytope: CollisionPolytope, proofs: Proofs, name: str) -> dict[str, Any]:
    """Returns every fact of a polytope, its certificates kept under names that start with `name`.

    Args:
        polytope: any.
        proofs: where certificates go.
        name: of the domain, for file names and the sentence.
    """
    rank, kernel = polytope.rank_positive(), polytope.kernel_condition()
    dimension, lineality = polytope.dimension(), polytope.lineality()
    bounded = polytope.boundedness()
    certificates: dict[str, Certificate | None] = {
        "rank": rank.certificate,
        "kernel": kernel.certificate,
        "dimension": dimension.certificate,
        "lineality": lineality.certificate,
        "boundedness": bounded.certificate,
    }
    return {
        "domain": name,
        "n_inputs": polytope.n_inputs,
        "n_units": polytope.n_units,
        "n_positive": polytope.n_positive,
        "ties": len(polytope.ties),
        "sign_disagreements": list(polytope.sign_disagreements),
        "rank_positive": rank.value,
        "kernel_condition": kernel.holds,
        "dimension": dimension.value,
        "paper_bound": dimension.paper_bound,
        "lineality": lineality.dimension,
        "pointed": lineality.pointed,
        "bounded": bounded.bounded,
        "sentence": _sentence(name, lineality.dimension, bounded.bounded),
        "certificates": {
            fact: proofs.keep(f"{name}-{fact}", certificate)
            for fact, certificate in certificates.items()
        },
    }


def _sentence(name: str, lineality: int, bounded: bool | None) -> str:
    """Says in words whether "vertices" exist."""
    if lineality:
        return (
            f"{name}: the set contains {lineality} independent lines, "
            'so it has no vertices at all and "the paper\'s vertices" do not exist here'
        )
    more = {True: "it is the convex hull of them", False: "it has rays as well"}
    end = f"; {more[bounded]}" if bounded is not None else ""
    return f"{name}: the set contains no line, so it has vertices{end}"
