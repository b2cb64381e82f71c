"""Which inequalities of a listed set matter?  Facets, and what the others imply."""

import re
from dataclasses import dataclass

from experiments.run.proofs import Proof, Proofs
from polytope import CollisionPolytope
from polytope.answers.generators import Bound, Generators, Halfspace


def halfspace_name(halfspace: Halfspace) -> str:
    """Returns a name for people: "unit 3" or "x[2] upper bound".

    >>> halfspace_name(Bound("upper", 2))
    'x[2] upper bound'
    """
    if isinstance(halfspace, Bound):
        return f"x[{halfspace.coordinate}] {halfspace.side} bound"
    kind = " lower" if halfspace.kind == "lower" else ""
    return f"unit {halfspace.unit}{kind}"


@dataclass(frozen=True, kw_only=True)
class Facets:
    """Which inequalities define facets, and which could be left out.

    Attributes:
        count: of facets.
        inequalities: of the set, those left out that are tight on all of it.
        facets: names of those that define one.
        redundant: names of the others; one that defines the same facet as an earlier one is
            among them.
    """

    count: int
    inequalities: int
    facets: tuple[str, ...]
    redundant: tuple[str, ...]

    @classmethod
    def of(cls, generators: Generators) -> "Facets":
        """Those of a complete list."""
        from polytope.measures.skeleton import facets

        found = facets(generators).facets
        first = {id(facet.halfspaces[0]) for facet in found}
        rest = [halfspace_name(h) for h in generators.halfspaces if id(h) not in first]
        return cls(
            count=len(found),
            inequalities=len(generators.halfspaces),
            facets=tuple(halfspace_name(facet.halfspaces[0]) for facet in found),
            redundant=tuple(rest),
        )


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """An inequality that all the others imply, or not, and the proof."""

    name: str
    certificate: Proof | None


@dataclass(frozen=True, kw_only=True)
class Redundancy:
    """Which inequalities all the others imply.

    Attributes:
        redundant: those that are implied.
        irredundant: those that are not.
        minimal: names of some that describe the set alone.
        implicit: names of those that hold with equality on all of it.
        undecided: how many are neither.
        reason: why.
        superfluous: names of equations that are combinations of those before them.
    """

    redundant: tuple[Verdict, ...]
    irredundant: tuple[Verdict, ...]
    minimal: tuple[str, ...]
    implicit: tuple[str, ...]
    undecided: int
    reason: str
    superfluous: tuple[str, ...] = ()

    @classmethod
    def of(cls, polytope: CollisionPolytope, proofs: Proofs, name: str) -> "Redundancy":
        """That of a small set: two exact linear programs an inequality.

        Args:
            polytope: the set.
            proofs: where certificates go.
            name: their names start with it.
        """
        found = polytope.redundancy()

        def verdict(halfspace: Halfspace) -> Verdict:
            title = halfspace_name(halfspace)
            file = f"{name}-implied-{re.sub('[^a-z0-9]+', '-', title)}"
            return Verdict(name=title, certificate=proofs.keep(file, found.certificates[halfspace]))

        return cls(
            redundant=tuple(map(verdict, found.redundant)),
            irredundant=tuple(map(verdict, found.irredundant)),
            minimal=tuple(map(halfspace_name, found.minimal)),
            implicit=tuple(map(halfspace_name, found.implicit)),
            undecided=len(found.undecided),
            reason=found.reason,
            superfluous=tuple(map(halfspace_name, found.superfluous)),
        )
