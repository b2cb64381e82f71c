"""Every question of CollisionPolytope, asked of us and of two exact engines; see differential.py.

What a verdict says (feasible, dimension, optimum, lists, ranks, distances, redundancy ...) two
engines must say; what a point shows (it lies in the set, it attains the value) is substituted.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations, product
from math import prod
from typing import Any

import numpy as np

from experiments.bench.exact_sets import set_of
from polytope import CollisionPolytope, LPStatus, NearestStatus
from polytope.diameter import DiameterStatus
from polytope.generators import Completeness
from polytope.purification import PurificationStatus
from polytope.redundancy import inequalities
from polytope.roots import root_bounds
from tests.differential_tally import Tally
from tests.exact_engines import Engine, Vector
from tests.exact_oracle import Oracle, dot, exact, rank

_WORDS = {
    LPStatus.OPTIMAL: "optimized",
    LPStatus.EMPTY: "unfeasible",
    LPStatus.UNBOUNDED: "unbounded",
}
#: Certified l2 bounds may leave a gap, but a useless one would show here.
_GAP = 1e-9
#: The oracle's l2 distance tries every subset of this many half-spaces.
_SQUARES = 8
#: The diameter of more vertices than this is left out.
_PAIRED = 20
#: Products of more vertices than this are only counted.
_COMBINED = 200


@dataclass
class Case:
    """One set: ours, its definition, two engines and a referee, and where the counts go."""

    polytope: CollisionPolytope
    oracle: Oracle
    engines: tuple[Engine, ...]
    referee: Callable[[], Engine]
    tally: Tally
    rng: np.random.Generator

    def agree(self, question: str, ours: Any, ask: Callable[[Engine], Any]) -> None:
        """Compare a verdict with both engines."""
        self.tally.agree(question, ours, ask, self.engines, self.referee)

    def equal(self, question: str, ours: Any, theirs: Any) -> None:
        """Compare what substitution shows."""
        self.tally.equal(question, ours, theirs)


def split(case: Case) -> None:
    polytope, post = case.polytope, case.oracle.post_activation
    active = tuple(i for i, y in enumerate(post) if y > 0)
    case.equal("active units", polytope.active_units, active)
    rest = tuple(i for i in range(polytope.n_units) if i not in active)
    case.equal("inactive units", polytope.inactive_units, rest)
    case.equal("n_positive", polytope.n_positive, len(active))


def ranks(case: Case) -> None:
    polytope, oracle = case.polytope, case.oracle
    positive = [w for w, y in zip(oracle.weight, oracle.post_activation, strict=True) if y > 0]
    found = polytope.rank_positive()
    case.agree("rank W+", found.value, lambda e: e.rank(positive))
    case.equal("rank W+ by elimination", found.value, rank(positive))
    case.tally.certificate("rank W+", found.certificate)
    kernel = polytope.kernel_condition()
    case.agree("kernel", kernel.holds, lambda e: e.rank(oracle.weight) == e.rank(positive))
    case.tally.certificate("kernel", kernel.certificate)


def uniqueness(case: Case) -> None:
    polytope, oracle = case.polytope, case.oracle
    found = polytope.uniqueness()
    if found.unique is None:
        case.tally.open("unique", found.reason)
    else:
        case.agree("unique", found.unique, lambda e: e.dimension == 0)
        case.tally.certificate("unique", found.certificate)
    target = polytope.layer.target
    if target is not None:
        x = exact(target.fractions())
        z = [dot(w, x) + b for w, b in zip(oracle.weight, oracle.bias, strict=True)]
        rows = [w for w, v in zip(oracle.weight, z, strict=True) if v >= 0]
        case.agree("spanning", found.spanning, lambda e: e.rank(rows) == oracle.n)
        if found.spanning_certificate is not None:
            case.tally.certificate("spanning", found.spanning_certificate)


def shape(case: Case) -> None:
    polytope, oracle, tally = case.polytope, case.oracle, case.tally
    feasibility = polytope.feasibility()
    if feasibility.feasible is None:
        tally.open("feasible", feasibility.reason)
    else:
        case.agree("feasible", feasibility.feasible, lambda e: not e.is_empty)
        tally.certificate("feasible", feasibility.certificate)
        if feasibility.feasible:
            case.equal("feasible point", oracle.contains(list(feasibility.point or ())), True)
    dimension = polytope.dimension()
    case.equal("paper bound", dimension.paper_bound, oracle.n - polytope.n_positive)
    if dimension.value is None:
        tally.open("dimension", dimension.reason)
    else:
        case.agree("dimension", dimension.value, lambda e: e.dimension)
        tally.certificate("dimension", dimension.certificate)
    lineality = polytope.lineality()
    tally.certificate("lineality", lineality.certificate)
    normals = [c for c, _, _ in oracle.half_spaces]
    case.agree("lineality", lineality.dimension, lambda e: oracle.n - e.rank(normals))
    if not oracle.is_empty:
        case.agree("lines", lineality.dimension, lambda e: e.lineality)
    bounded = polytope.boundedness()
    if bounded.bounded is None:
        tally.open("bounded", bounded.reason)
    else:
        case.agree("bounded", bounded.bounded, lambda e: e.is_bounded)
        tally.certificate("bounded", bounded.certificate)


def generators(case: Case) -> None:
    """The complete list, as a set of vertices, rays and lines; and what follows from it."""
    found = case.polytope.vertices()
    if found.status not in (Completeness.CERTIFIED, Completeness.EMPTY):
        case.tally.open("generators", f"{found.status.name}: {found.reason}")
        return
    ours = set_of(found)
    case.agree("generators", ours, lambda e: e.listed)
    sizes = len(ours.points), len(ours.rays), len(ours.lines)
    listed = len(found.points), len(found.rays), len(found.lines)
    case.equal("generators: nothing twice", listed, sizes)
    case.tally.certificate("generators", found.certificate)
    if len(found.points) > _PAIRED:
        return
    diameter = case.polytope.diameter(generators=found)
    word = {DiameterStatus.EMPTY: -1, DiameterStatus.UNBOUNDED: None}
    if diameter.status in (DiameterStatus.EXACT, *word):
        square = word.get(diameter.status, diameter.squared)
        case.agree("diameter", square, _squared_diameter)
    else:
        case.tally.open("diameter", diameter.reason or diameter.status.name)


def _squared_diameter(engine: Engine) -> Fraction | int | None:
    if engine.is_empty:
        return -1
    if not engine.is_bounded:
        return None
    squares = (
        Fraction(sum((a - b) ** 2 for a, b in zip(*p, strict=True)))
        for p in combinations(engine.points, 2)
    )
    return max(squares, default=Fraction(0))


def programs(case: Case) -> None:
    polytope, oracle, rng = case.polytope, case.oracle, case.rng
    costs = [
        rng.integers(-3, 4, oracle.n),
        rng.standard_normal(oracle.n),
        np.eye(oracle.n, dtype=int)[(j := int(rng.integers(oracle.n)))],
    ]
    if rng.random() < 0.2:
        costs.append(np.zeros(oracle.n))
    for cost in costs:
        _program(case, polytope.minimize(cost), exact(cost), Fraction(0), "minimize")
    for unit, result in polytope.unit_vertices(polytope.inactive_units[:3]).items():
        _program(case, result, oracle.weight[unit], oracle.bias[unit], "unit vertices")
    for unit in polytope.inactive_units[-1:]:
        result = polytope.unit_vertex(unit)
        _program(case, result, oracle.weight[unit], oracle.bias[unit], "unit vertex")
    highest = polytope.extents([j]).highest[0]
    axis = tuple(-Fraction(int(k == j)) for k in range(oracle.n))
    _program(case, highest, axis, Fraction(0), "extent")


def _program(case: Case, result: Any, cost: Vector, constant: Fraction, question: str) -> None:
    if result.status is LPStatus.UNDECIDED:
        case.tally.open(question, result.reason)
        return
    case.agree(f"{question}: status", _WORDS[result.status], lambda e: e.minimum(cost).status)
    case.tally.certificate(question, result.certificate)
    if result.status is LPStatus.OPTIMAL:
        point = list(result.point)
        case.agree(
            f"{question}: value",
            result.value,
            lambda e: (e.minimum(cost).value or Fraction(0)) + constant,
        )
        case.equal(f"{question}: point attains it", dot(cost, point) + constant, result.value)
        case.equal(f"{question}: point in the set", case.oracle.contains(point), True)
        case.agree(f"{question}: vertex", result.is_vertex, lambda e: tuple(point) in e.vertices)


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
        gaps = [abs(max(v, 0) - y) for v, y in zip(z, oracle.post_activation, strict=True)]
        case.equal(
            "smallest tolerance", residuals.smallest_tolerance, max(gaps[: polytope.n_units])
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


def redundancy(case: Case) -> None:
    """Of every other instance, at random: it costs as much as four other questions."""
    polytope, oracle = case.polytope, case.oracle
    if case.rng.random() < 0.5:
        return
    found = polytope.redundancy()
    if oracle.is_empty:
        case.agree("redundancy: empty", not found.certificates, lambda e: e.is_empty)
        return
    if found.undecided:
        case.tally.open("redundant", found.reason)
    numbers = [k for k, (_, _, equation) in enumerate(oracle.half_spaces) if not equation]
    names = inequalities(polytope.layer.system)
    case.equal("number of inequalities", len(names), len(numbers))
    for number, name in zip(numbers, names, strict=True):
        if name not in found.undecided:
            ours = name in found.redundant
            case.agree("redundant", ours, lambda e, k=number: e.is_redundant(k))
            case.tally.certificate("redundant", found.certificates[name])
        ours = name in found.implicit
        case.agree("implicit", ours, lambda e, k=number: e.is_implicit(k))
    kept = [
        row
        for k, row in enumerate(oracle.half_spaces)
        if row[2] or names[numbers.index(k)] in found.minimal
    ]
    case.agree("minimal", True, lambda e: e.list_of(kept, oracle.n) == e.listed)


def factors(case: Case) -> None:
    """Units and inputs by our own union of groups; dimensions add up, vertices multiply."""
    found, oracle = case.polytope.factors(), case.oracle
    inputs = sorted(tuple(f.inputs) for f in found)
    case.equal("factors: inputs", inputs, _groups(oracle))
    units = sorted(i for f in found for i in f.units)
    case.equal("factors: units", units, list(range(len(oracle.weight))))
    if len(found) == 1:
        return
    sizes = [f.polytope.dimension().value for f in found]
    if None in sizes:
        case.tally.open("factors: dimension", "a factor's dimension is undecided")
        return
    total = -1 if -1 in sizes else sum(v for v in sizes if v is not None)
    case.agree("factors: dimension", total, lambda e: e.dimension)
    lists = [f.polytope.vertices() for f in found]
    if total < 0 or not all(part.complete for part in lists):
        return
    count = prod(len(part.points) for part in lists)
    case.agree("factors: number of points", count, lambda e: len(e.points))
    if count <= _COMBINED and not any(part.lines for part in lists):
        joined = set()
        for chosen in product(*(part.points for part in lists)):
            x = [Fraction(0)] * oracle.n
            for factor, part in zip(found, chosen, strict=True):
                for j, v in zip(factor.inputs, part, strict=True):
                    x[j] = v
            joined.add(tuple(x))
        case.agree("factors: vertices", joined, lambda e: set(e.points))


def _groups(oracle: Oracle) -> list[tuple[int, ...]]:
    """Inputs that share a unit, directly or in turn; those that no unit sees make one group."""
    groups: list[set[int]] = []
    for row in oracle.weight:
        seen = {j for j, w in enumerate(row) if w}
        if seen:
            touched = [g for g in groups if g & seen]
            groups = [g for g in groups if not g & seen] + [seen.union(*touched)]
    unseen = set(range(oracle.n)).difference(*groups)
    return sorted(tuple(sorted(g)) for g in (*groups, unseen) if g)


QUESTIONS: tuple[Callable[[Case], None], ...] = (
    split,
    ranks,
    shape,
    uniqueness,
    generators,
    programs,
    points,
    distances,
    squares,
    redundancy,
    factors,
)
#: What can be asked of a network's region, whose rows stand behind the layer's units.
OF_REGIONS = (shape, generators, programs, inside, distances, squares)
