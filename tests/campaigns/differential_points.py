"""Points of a set, and distances to it, asked of us and of two engines; see differential.py."""

from __future__ import annotations

from fractions import Fraction

from polytope import NearestStatus
from polytope.exact.roots import root_bounds
from polytope.vertices.purification import PurificationStatus
from tests.campaigns.differential_case import Case
from tests.oracles.exact_engines import Vector
from tests.oracles.exact_oracle import dot, exact

#: Certified l2 bounds may leave a gap, but a useless one would show here.
_GAP = 1e-9
#: The oracle's l2 distance tries every subset of this many half-spaces.
_SQUARES = 8


def points(case: Case) -> None:
    polytope, oracle, rng = case.polytope, case.oracle, case.rng
    known = oracle.points[:3]
    chosen = list(known)
    chosen += [tuple((a + b) / 2 for a, b in zip(known[0], p, strict=True)) for p in known[1:]]
    chosen.append(exact(rng.integers(-8, 9, oracle.n) / 8.0))
    if known:
        step = Fraction(1, 10**30)
        chosen.append((known[0][0] + step, *known[0][1:]))
    for x in chosen:
        inside = oracle.contains(x)
        case.equal("contains", polytope.contains(list(x)), inside)
        tight = polytope.tight_constraints(list(x))
        case.equal("tight rank", tight.rank, oracle.tight_rank(x))
        case.agree("is_vertex", polytope.is_vertex(list(x)), lambda e, x=x: x in e.vertices)
        residuals = polytope.residuals(list(x))
        z = [dot(w, x) + b for w, b in zip(oracle.weight, oracle.bias, strict=True)]
        case.equal("pre-activation", list(residuals.pre_activation), z[: polytope.n_units])
        gaps = oracle.gaps(z)
        case.equal(
            "smallest tolerance",
            residuals.smallest_tolerance,
            max(gaps[: polytope.n_units], default=Fraction(0)),
        )
    if known:
        _purify(case, chosen[len(known) - 1 + (len(known) > 1)])


def inside(case: Case) -> None:
    """Whether points of the set, beside it and anywhere are contained."""
    known, oracle = case.oracle.points[:3], case.oracle
    step = Fraction(1, 10**30)
    beside = [(x[0] + step, *x[1:]) for x in known]
    anywhere = exact(case.rng.integers(-4, 5, oracle.n) / 4.0)
    for x in (*known, *beside, anywhere):
        case.equal("contains", case.polytope.contains(list(x)), oracle.contains(x))
        case.agree("is_vertex", case.polytope.is_vertex(list(x)), lambda e, x=x: x in e.vertices)


def _purify(case: Case, start: Vector) -> None:
    """A vertex of the smallest face that holds the start: what is tight there stays tight."""
    found, oracle = case.polytope.purify(list(start)), case.oracle
    status = found.status
    if status is PurificationStatus.UNDECIDED:
        case.tally.open("purify", found.reason)
        return
    case.tally.certificate("purify", found.certificate)
    lines = status is PurificationStatus.NO_VERTEX
    case.agree("purify: no vertex", lines, lambda e: e.lineality > 0)
    if status is PurificationStatus.VERTEX:
        point = tuple(found.point or ())
        case.agree("purify: vertex", True, lambda e: point in e.vertices)
        kept = all(dot(c, point) == rhs for c, rhs, _ in oracle.half_spaces if dot(c, start) == rhs)
        case.equal("purify: on the face", kept, True)


def distances(case: Case) -> None:
    oracle, rng = case.oracle, case.rng
    coarse, fine = rng.integers(-16, 17, oracle.n) / 8.0, rng.normal(size=oracle.n)
    origin = coarse if rng.random() < 0.5 else fine
    for norm in ("linf", "l1"):
        found = case.polytope.nearest(origin, norm=norm)
        if found.status is NearestStatus.UNDECIDED:
            case.tally.open(norm, found.reason)
            continue
        empty = found.status is NearestStatus.EMPTY
        case.agree(f"{norm}: empty", empty, lambda e: e.is_empty)
        case.tally.certificate(norm, found.certificate)
        if empty:
            continue
        if found.distance is None:
            case.tally.open(norm, found.reason or found.status.name)
            continue
        case.agree(norm, found.distance, lambda e, n=norm: e.distance(exact(origin), n))
        bounds = found.lower <= found.distance <= found.upper
        case.equal(f"{norm}: bounds", bounds, True)
        case.equal(f"{norm}: point in the set", oracle.contains(list(found.point or ())), True)
        steps = [abs(a - b) for a, b in zip(found.point or (), exact(origin), strict=True)]
        reached = max(steps) if norm == "linf" else sum(steps)
        case.equal(f"{norm}: point", reached, found.distance)


def squares(case: Case) -> None:
    """The l2 distance: every set of tight rows is tried, and no generator may lie nearer."""
    oracle = case.oracle
    if len(oracle.half_spaces) > _SQUARES:
        return
    origin = case.rng.normal(size=oracle.n)
    found = case.polytope.nearest(origin, norm="l2")
    if found.status is NearestStatus.UNDECIDED:
        case.tally.open("l2", found.reason)
        return
    case.tally.certificate("l2", found.certificate)
    empty = found.status is NearestStatus.EMPTY
    case.agree("l2: empty", empty, lambda e: e.is_empty)
    if empty:
        return
    nearest = oracle.projection(exact(origin))
    case.agree("l2: projection", True, lambda e: e.is_projection(nearest, exact(origin)))
    step = [a - b for a, b in zip(nearest, exact(origin), strict=True)]
    square = dot(step, step)
    inside = Fraction(found.lower) ** 2 <= square
    if found.upper < float("inf"):
        inside = inside and square <= Fraction(found.upper) ** 2
    case.equal("l2: bounds", inside, True)
    case.equal("l2: point in the set", oracle.contains(list(found.point or ())), True)
    if found.upper - found.lower > _GAP * (1 + root_bounds(square)[1]):
        bounds = f"{found.lower} .. {found.upper}, exactly {root_bounds(square)[1]}"
        case.tally.loose.append(f"{case.tally.name}: {bounds}")
