"""What more can be certified of a set of the user's own?  Every claim there is, one file each."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from experiments.measure.inequalities import halfspace_name
from experiments.run.proofs import Proof, Proofs
from polytope import Certificate, CollisionPolytope
from polytope.errors import CollisionError, InputError
from polytope.exact.rational import RationalVector, nearest_float
from polytope.sets.layer import Layer

#: Implicit equalities that get a file each; the table says how many there are.
MOST_IMPLICIT = 20
#: What a claim is called where the answer was the opposite one.
_ELSE = {
    ("a point", "empty"): "no point: the set is empty",
    ("a vertex", "lineality"): "no vertex: the set has lines",
    ("a vertex", "empty"): "no vertex: the set is empty",
}


@dataclass(frozen=True, kw_only=True)
class Claim:
    """One claim, proved or not.

    Attributes:
        claim: in a few words.
        certificate: of it.
        reason: why there is none.
    """

    claim: str
    certificate: Proof | None
    reason: str


def every_claim(
    polytope: CollisionPolytope, proofs: Proofs, name: str, *, point: Any = None
) -> tuple[Claim, ...]:
    """Certifies what the facts of `collide certify` leave out, and returns a line for each claim.

    Args:
        polytope: the set.
        proofs: where certificates go.
        name: their names start with it.
        point: (d,) a point of the user's: is it in the set, how far is it, which vertex is near?
    """
    rank = polytope.rank_positive()
    lines: list[tuple[str, Callable[[], Certificate | None]]] = [
        ("a point", lambda: polytope.feasibility().certificate),
        ("rank of W+ at least", lambda: rank.at_least),
        ("rank of W+ at most", lambda: rank.at_most),
        (
            "a vertex",
            lambda: polytope.purify(_inside(polytope, point)).certificate,
        ),
    ]
    if isinstance(polytope.layer, Layer) and polytope.layer.target is not None:
        lines.insert(1, ("active units and ties", lambda: polytope.active_set().certificate))
    if polytope.inactive_units:
        unit = polytope.inactive_units[0]
        row = RationalVector(
            tuple(polytope.layer.system.integer_row(unit)), polytope.layer.system.scale(unit)
        )
        lines.append(
            (f"bounds of w x, unit {unit}", lambda: polytope.objective_bounds(row).certificate)
        )
    if point is not None:
        lines.append(("the point collides", lambda: _member(polytope, point)))
        lines += [
            (f"distance to the point, {norm}", partial(_nearest, polytope, point, norm))
            for norm in ("linf", "l1", "l2")
        ]
    found = [_line(proofs, name, claim, make) for claim, make in lines]
    return (*found, *_implicit(polytope, proofs, name))


def _inside(polytope: CollisionPolytope, point: Any) -> Any:
    """The point, where it lies in the set: vertices are searched from there."""
    return point if point is not None and polytope.contains(point) else None


def _member(polytope: CollisionPolytope, point: Any) -> Certificate:
    found = polytope.membership(point)
    if found.certificate is None:
        outside = "outside of the domain, " if polytope.residuals(point).worst_domain else ""
        least = nearest_float(found.smallest_tolerance)
        raise InputError(f"it does not: {outside}it would at a tolerance of {least:.3g}")
    return found.certificate


def _nearest(polytope: CollisionPolytope, point: Any, norm: str) -> Certificate | None:
    return polytope.nearest(point, norm).certificate


def _line(proofs: Proofs, name: str, claim: str, make: Callable[[], Certificate | None]) -> Claim:
    try:
        certificate, reason = make(), "not so, or not proved"
    except CollisionError as problem:  # a question that this set does not have
        certificate, reason = None, str(problem)
    file = f"{name}-{re.sub('[^a-z0-9]+', '-', claim.lower()).strip('-')}"
    kept = proofs.keep(file, certificate)
    claim = _ELSE.get((claim, certificate.kind), claim) if certificate is not None else claim
    return Claim(claim=claim, certificate=kept, reason="" if kept else reason)


def _implicit(polytope: CollisionPolytope, proofs: Proofs, name: str) -> list[Claim]:
    """Implicit equalities, and one inequality that is none."""
    found = polytope.implicit_equalities()
    chosen = [*found.tight[:MOST_IMPLICIT], *found.strict[:1]]
    lines = []
    for halfspace in chosen:
        kind = "implicit equality" if halfspace in found.tight else "no implicit equality"
        claim = f"{kind}: {halfspace_name(halfspace)}"
        lines.append(_line(proofs, name, claim, partial(found.certificates.get, halfspace)))
    left = len(found.tight) - MOST_IMPLICIT
    if left > 0:
        words, reason = f"{left} more implicit equalities", "one file each would be too many"
        lines.append(Claim(claim=words, certificate=None, reason=reason))
    return lines
