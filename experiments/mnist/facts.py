"""The facts of the target's collision polytope, one domain a job."""

from dataclasses import dataclass
from pathlib import Path

from experiments.measure.case import Case
from experiments.measure.facts import DOMAINS, facts
from experiments.run.jobs import Outcome
from experiments.run.proofs import Proofs
from experiments.run.record import jsonable
from polytope import CollisionPolytope


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
        proofs = Proofs(folder, self.case.sources, polytope.layer)
        return Outcome(jsonable(facts(polytope, proofs, self.domain)))
