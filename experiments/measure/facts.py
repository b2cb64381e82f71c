"""What is this set?  One table of facts, each with its certificate, for every experiment."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from experiments.run.proofs import Proof, Proofs
from polytope import Box, Certificate, CollisionPolytope, Free, Nonnegative
from polytope.sets.domains import Domain

#: Name of a set that came without a layer.
POLYHEDRON = "polyhedron"
#: That of a network's inputs, in the linear region of the target.
REGION = "region"

DOMAINS: dict[str, Domain] = {"free": Free(), "nonnegative": Nonnegative(), "box": Box(0, 1)}

#: Each has a certificate of its own.
Fact = Literal["rank", "kernel", "dimension", "lineality", "boundedness"]
FACTS: tuple[Fact, ...] = ("rank", "kernel", "dimension", "lineality", "boundedness")

#: Checks and keeps the certificate of a fact.
Keep = Callable[[Fact, Certificate | None], Proof | None]


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What is known of a set; a fact is None where it was not asked, or is undecided.

    Attributes:
        domain: its name, or "polyhedron" for a set that is no layer's.
        n_inputs: d.
        n_units: N.
        n_positive: N+.
        ties: units whose pre-activation at the target is 0.
        repeated_units: zero, parallel and repeated rows in words; "" where nobody counted them.
        sign_disagreements: units whose float sign differs from the exact one.
        rank_positive: of W+.
        kernel_condition: whether ker W+ lies in ker W-.
        dimension: of the set, -1 where it is empty.
        paper_bound: d - N+.
        lineality: independent lines in it.
        pointed: whether it has no line, and so vertices.
        bounded: whether it has no ray either.
        sentence: whether "vertices" exist, in words; "" before that is known.
        certificates: of the facts that were asked.
    """

    domain: str
    n_inputs: int
    n_units: int
    n_positive: int
    ties: int
    repeated_units: str = ""
    sign_disagreements: tuple[int, ...]
    rank_positive: int | None = None
    kernel_condition: bool | None = None
    dimension: int | None = None
    paper_bound: int
    lineality: int | None = None
    pointed: bool | None = None
    bounded: bool | None = None
    sentence: str = ""
    certificates: Mapping[Fact, Proof | None] = field(default_factory=dict)


def sizes_of(polytope: CollisionPolytope, domain: str) -> Facts:
    """Returns what is known of a set before anything is asked."""
    return Facts(
        domain=domain,
        n_inputs=polytope.n_inputs,
        n_units=polytope.n_units,
        n_positive=polytope.n_positive,
        ties=len(polytope.ties),
        sign_disagreements=polytope.sign_disagreements,
        paper_bound=polytope.n_inputs - polytope.n_positive,
    )


def ask(known: Facts, fact: Fact, polytope: CollisionPolytope, keep: Keep) -> Facts:
    """Returns what is known once a fact was asked of the polytope, its certificate kept.

    Raises:
        CertificateError: a certificate was refused.
    """
    certificate: Certificate | None
    found: dict[str, Any]
    if fact == "rank":
        rank = polytope.rank_positive()
        certificate, found = rank.certificate, {"rank_positive": rank.value}
    elif fact == "kernel":
        kernel = polytope.kernel_condition()
        certificate, found = kernel.certificate, {"kernel_condition": kernel.holds}
    elif fact == "dimension":
        dimension = polytope.dimension()
        certificate, found = dimension.certificate, {"dimension": dimension.value}
    elif fact == "lineality":
        lineality = polytope.lineality()
        certificate = lineality.certificate
        found = {"lineality": lineality.dimension, "pointed": lineality.pointed}
    else:
        bounded = polytope.boundedness()
        certificate, found = bounded.certificate, {"bounded": bounded.bounded}
    kept = {**known.certificates, fact: keep(fact, certificate)}
    return replace(known, **found, certificates=kept)


def facts(polytope: CollisionPolytope, proofs: Proofs, name: str) -> Facts:
    """Returns every fact of a polytope, its certificates kept under names that start with `name`.

    Args:
        polytope: any.
        proofs: where certificates go.
        name: of the domain, for file names and the sentence.
    """
    known = replace(sizes_of(polytope, name), repeated_units=_repeated(polytope))
    for fact in FACTS:
        known = ask(
            known, fact, polytope, lambda which, proof: proofs.keep(f"{name}-{which}", proof)
        )
    return replace(known, sentence=_sentence(known))


def _repeated(polytope: CollisionPolytope) -> str:
    """Zero, parallel and repeated rows, counted."""
    found = polytope.repeated_units()
    parallel, repeated = (sum(map(len, groups)) for groups in (found.parallel, found.repeated))
    return f"{len(found.zero)} zero, {parallel} parallel, {repeated} the same"


def _sentence(known: Facts) -> str:
    """Says in words whether "vertices" exist."""
    if known.dimension == -1:
        return f"{known.domain}: the set is empty"
    if known.lineality:
        return (
            f"{known.domain}: the set contains {known.lineality} independent lines, "
            'so it has no vertices at all and "the paper\'s vertices" do not exist here'
        )
    more = {True: "it is the convex hull of them", False: "it has rays as well"}
    end = "" if known.bounded is None else f"; {more[known.bounded]}"
    return f"{known.domain}: the set contains no line, so it has vertices{end}"
