"""Does another input collide with the target at all?  Beside the directed spanning sets."""

from dataclasses import dataclass, replace

from experiments.measure.facts import POLYHEDRON, REGION
from experiments.run.proofs import Proof, Proofs
from polytope import CollisionPolytope


@dataclass(frozen=True, kw_only=True)
class UniquenessProofs:
    """Certificates of a `Uniqueness`, where there are any."""

    unique: Proof | None
    spanning: Proof | None


@dataclass(frozen=True, kw_only=True)
class Uniqueness:
    """Whether a set is a single point, beside the condition of directed spanning sets.

    Attributes:
        unique: None where it is undecided.
        dimension: of the set, where it is known.
        rank_active: of the rows with z > 0.
        rank_nonnegative: of the rows with z >= 0; None where there is no target.
        spanning: whether these are a directed spanning set.
        reason: why it is undecided.
        certificates: of it.
        sentence: all of it in words.
    """

    unique: bool | None
    dimension: int | None
    rank_active: int
    rank_nonnegative: int | None
    spanning: bool | None
    reason: str
    certificates: UniquenessProofs
    sentence: str = ""


def uniqueness(polytope: CollisionPolytope, proofs: Proofs, name: str) -> Uniqueness:
    """Returns whether the set is a single point.

    Args:
        polytope: any.
        proofs: where certificates go.
        name: of the domain, or "polyhedron"; names of certificates start with it.
    """
    found = polytope.uniqueness()
    entry = Uniqueness(
        unique=found.unique,
        dimension=found.dimension,
        rank_active=found.rank_active,
        rank_nonnegative=found.rank_nonnegative,
        spanning=found.spanning,
        reason=found.reason,
        certificates=UniquenessProofs(
            unique=proofs.keep(f"{name}-unique", found.certificate),
            spanning=proofs.keep(f"{name}-spanning", found.spanning_certificate),
        ),
    )
    return replace(entry, sentence=_sentence(entry, polytope.n_inputs, name))


def _sentence(found: Uniqueness, n_inputs: int, domain: str) -> str:
    if found.unique is None:
        return f"undecided: {found.reason}"
    if found.dimension == -1:
        return "the set is empty"
    if domain == POLYHEDRON:
        return "yes, a single point" if found.unique else "no, more than one point"
    alone = {
        "free": "yes: no other input collides, the layer is injective at the target",
        "box": "yes: no other input of the box collides",
        "nonnegative": "yes: no other input >= 0 collides",
        REGION: "yes: no other input of the target's linear region collides",
    }
    verdict = alone[domain] if found.unique else "no: other inputs collide as well"
    rank = found.rank_nonnegative
    if rank is None or domain == REGION:  # whose rows are not the layer's alone
        return verdict
    spans = "a directed spanning set" if found.spanning else "no directed spanning set"
    return f"{verdict}; rows with z >= 0 have rank {rank} of {n_inputs}: {spans}"
