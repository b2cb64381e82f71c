"""What kind of set is it: rank, kernel, dimension, lineality?  Exact, and within a time limit.

The work runs in a process of its own, which is ended when its time is over; what it had proved by
then counts.
"""

import pickle
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from experiments.measure.facts import DOMAINS, Fact, Facts, ask, sizes_of
from experiments.run.files import open_run_folder
from experiments.run.limited import in_time
from experiments.run.proofs import FOLDER, MOST_SAVED, Proof, Proofs
from polytope import Certificate, CollisionPolytope
from polytope.files import atomic_path

if TYPE_CHECKING:  # the process of its own starts sooner without torch
    from optimize import ExactLayer

#: What is asked; there is no vertex where the set has lines.
FACTS: tuple[Fact, ...] = ("rank", "kernel", "dimension", "lineality")
_CHILD = ("free", "nonnegative")

#: What a vertex of the set is kept as, in the run folder: "point" (d,), rounded to float64.
VERTEX = "exact-vertex.npz"


@dataclass(frozen=True, kw_only=True)
class PushedVertex:
    """One exact vertex: the target pushed to one, without a linear program.

    Attributes:
        status: "vertex", or why there is none.
        reason: the same in words.
        tight: rows of the layer that are tight.
        moves: of the target.
        positive: coordinates above 0.
        distance: from the target in l2, rounded.
        certificate: of the vertex.
    """

    status: str
    reason: str
    tight: int | None = None
    moves: int | None = None
    positive: int | None = None
    distance: float | None = None
    certificate: Proof | None = None


@dataclass(frozen=True, kw_only=True)
class DomainFacts:
    """What was proved in one domain; `vertex` is None until it was asked."""

    facts: Facts
    vertex: PushedVertex | None = None

    @property
    def proofs(self) -> dict[str, Proof | None]:
        """Answers by name; None for one that is undecided."""
        known = {str(f): p for f, p in self.facts.certificates.items()}
        return known if self.vertex is None else known | {"vertex": self.vertex.certificate}


@dataclass(frozen=True, kw_only=True)
class LimitedFacts:
    """The facts that were proved in time.

    Attributes:
        asked: names of the domains.
        domains: the facts by domain, where there are any.
        limit: the seconds, where something was given up.
        broken: why the process ended early.
        saved: whether certificates were small enough to be saved.
    """

    asked: tuple[str, ...]
    domains: Mapping[str, DomainFacts]
    limit: float | None = None
    broken: str | None = None
    saved: bool = True


def limited_facts(
    layer: "ExactLayer", target: NDArray[np.float32], folder: Path, *, seconds: float
) -> LimitedFacts:
    """Returns the facts of a target's set, x free and x >= 0, that were proved in time.

    Args:
        layer: exact.
        target: (d,), what enters the layer; x >= 0 is left out where a number is negative.
        folder: the run folder, for certificates and `VERTEX`.
        seconds: after which the rest is given up.
    """
    open_run_folder(folder / FOLDER)
    domains = _CHILD if bool((target >= 0).all()) else _CHILD[:1]
    saved = layer.weight.shape[0] * layer.weight.shape[1] <= MOST_SAVED
    with tempfile.TemporaryDirectory() as place:
        numbers = Path(place) / "numbers.pickle"
        # By a file: hundreds of megabytes in the pipe of a process that dies would block us.
        with numbers.open("wb") as stream:
            pickle.dump((layer.weight, layer.bias, target), stream, protocol=5)
        found = in_time(_prove, _Given(numbers, domains, folder, saved), seconds=seconds)
    return LimitedFacts(
        asked=domains,
        domains={each.facts.domain: each for each in found.items},
        limit=seconds if found.late else None,
        broken=found.reason if found.reason and not found.late else None,
        saved=saved,
    )


@dataclass(frozen=True)
class _Given:
    """File of weight, bias and target, pickled by our own hand; names; the run folder."""

    numbers: Path
    domains: tuple[str, ...]
    folder: Path
    saved: bool


def _prove(given: _Given) -> Iterator[DomainFacts]:
    """Proves one fact after the other, and sends all that is known of a domain each time."""
    try:
        with given.numbers.open("rb") as opened:
            weight, bias, target = pickle.load(opened)
        for domain in given.domains:
            polytope = CollisionPolytope.from_layer(weight, bias, target, domain=DOMAINS[domain])
            yield from _proved(polytope, domain, given)
    except MemoryError:
        raise
    except Exception as problem:  # the rest of the run goes on
        raise SystemExit(f"exact facts: {type(problem).__name__}: {problem}") from problem


def _proved(polytope: CollisionPolytope, domain: str, given: _Given) -> Iterator[DomainFacts]:
    def keep(name: str, certificate: Certificate | None) -> Proof | None:
        if certificate is None or given.saved:
            return Proofs(given.folder).keep(f"{domain}-{name}", certificate)
        return Proof(file=None, claim="neither saved nor checked here, since it states the layer")

    known = DomainFacts(facts=sizes_of(polytope, domain))
    for fact in FACTS:
        known = DomainFacts(facts=ask(known.facts, fact, polytope, keep))
        yield known
    if domain == "free":
        return
    pushed = polytope.purify()
    vertex = PushedVertex(
        status=pushed.status.name.lower(),
        reason=pushed.reason,
        certificate=keep("vertex", pushed.certificate),
    )
    if pushed.point is not None and polytope.layer.target_vector is not None:
        point, target = pushed.point_float(), polytope.layer.target_vector.to_float()
        with atomic_path(given.folder / VERTEX) as path:
            np.savez(path, point=point)
        vertex = replace(
            vertex,
            tight=len(pushed.tight),
            moves=pushed.moves,
            positive=int((point > 0).sum()),
            distance=float(np.linalg.norm(point - target)),
        )
    yield replace(known, vertex=vertex)
