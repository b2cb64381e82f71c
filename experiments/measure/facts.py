"""What is this set, in each of the three domains?  Every fact with its certificate."""

from collections.abc import Mapping
from typing import Any

from experiments.run.proofs import Proofs
from polytope import Box, Certificate, CollisionPolytope, Free, Nonnegative
from polytope.sets.domains import Domain

#: Name of a set that came without a layer.
POLYHEDRON = "polyhedron"


DOMAINS: dict[str, Domain] = {"free": Free(), "nonnegative": Nonnegative(), "box": Box(0, 1)}


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
        "repeated_units": _repeated(polytope),
        "sign_disagreements": list(polytope.sign_disagreements),
        "rank_positive": rank.value,
        "kernel_condition": kernel.holds,
        "dimension": dimension.value,
        "paper_bound": dimension.paper_bound,
        "lineality": lineality.dimension,
        "pointed": lineality.pointed,
        "bounded": bounded.bounded,
        "sentence": _sentence(name, lineality.dimension, bounded.bounded)
        if dimension.value != -1
        else f"{name}: the set is empty",
        "certificates": {
            fact: proofs.keep(f"{name}-{fact}", certificate)
            for fact, certificate in certificates.items()
        },
    }


def _repeated(polytope: CollisionPolytope) -> str:
    """Zero, parallel and repeated rows, counted."""
    found = polytope.repeated_units()
    parallel, repeated = (sum(map(len, groups)) for groups in (found.parallel, found.repeated))
    return f"{len(found.zero)} zero, {parallel} parallel, {repeated} the same"


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


def uniqueness_entry(polytope: CollisionPolytope, proofs: Proofs, name: str) -> dict[str, Any]:
    """Returns whether the set is a single point, beside the condition of directed spanning sets.

    Args:
        polytope: any.
        proofs: where certificates go.
        name: their names start with it.
    """
    found = polytope.uniqueness()
    return {
        "unique": found.unique,
        "dimension": found.dimension,
        "rank_active": found.rank_active,
        "rank_nonnegative": found.rank_nonnegative,
        "spanning": found.spanning,
        "reason": found.reason,
        "certificates": {
            "unique": proofs.keep(f"{name}-unique", found.certificate),
            "spanning": proofs.keep(f"{name}-spanning", found.spanning_certificate),
        },
    }


def uniqueness_sentence(found: Mapping[str, Any], n_inputs: int, *, domain: str) -> str:
    """Returns a `uniqueness_entry` in words.

    Args:
        found: the entry.
        n_inputs: d.
        domain: its name, or "polyhedron" for a set that is no layer's.
    """
    if found["unique"] is None:
        return f"undecided: {found['reason']}"
    if found["dimension"] == -1:
        return "the set is empty"
    if domain == POLYHEDRON:
        return "yes, a single point" if found["unique"] else "no, more than one point"
    alone = {
        "free": "yes: no other input collides, the layer is injective at the target",
        "box": "yes: no other input of the box collides",
        "nonnegative": "yes: no other input >= 0 collides",
    }
    verdict = alone[domain] if found["unique"] else "no: other inputs collide as well"
    rank = found["rank_nonnegative"]
    if rank is None:
        return verdict
    spans = "a directed spanning set" if found["spanning"] else "no directed spanning set"
    return f"{verdict}; rows with z >= 0 have rank {rank} of {n_inputs}: {spans}"
