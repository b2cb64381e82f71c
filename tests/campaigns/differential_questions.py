"""Every question of CollisionPolytope, asked of us and of two exact engines; see differential.py.

What a verdict says (feasible, dimension, optimum, lists, ranks, distances, redundancy ...) two
engines must say; what a point shows (it lies in the set, it attains the value) is substituted.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import partial
from itertools import combinations, product
from math import prod
from typing import Any

import numpy as np

from experiments.bench.exact_sets import set_of
from polytope import LPStatus
from polytope.answers.generators import Completeness
from polytope.measures.diameter import DiameterStatus
from polytope.questions.redundancy import Redundancy
from polytope.sets.halfspaces import inequalities
from tests.campaigns.differential_case import Case
from tests.campaigns.differential_points import distances, inside, points, squares
from tests.oracles.exact_engines import Engine, Vector
from tests.oracles.exact_oracle import Oracle, dot, exact, rank

_WORDS = {
    LPStatus.OPTIMAL: "optimized",
    LPStatus.EMPTY: "unfeasible",
    LPStatus.UNBOUNDED: "unbounded",
}
#: The diameter of more vertices than this is left out.
_PAIRED = 20
#: Products of more vertices than this are only counted.
_COMBINED = 200


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
    target = polytope.layer.arrays.get("target")
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


def redundancy(case: Case) -> None:
    """Of every other instance, at random: it costs as much as four other questions."""
    polytope, oracle = case.polytope, case.oracle
    if case.rng.random() < 0.5:
        return
    found = polytope.redundancy()
    if found.undecided:
        case.tally.open("redundant", found.reason)
    numbers = [k for k, (_, _, equation) in enumerate(oracle.half_spaces) if not equation]
    if oracle.is_empty:
        _redundancy_of_empty(case, found, numbers)
        return
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


def _redundancy_of_empty(case: Case, found: Redundancy, numbers: list[int]) -> None:
    """An inequality is implied iff the others are empty, and so are those that are kept."""
    oracle, names = case.oracle, inequalities(case.polytope.layer.system)

    def empty_without(engine: Engine, left_out: set[int]) -> bool:
        rows = [row for k, row in enumerate(oracle.half_spaces) if k not in left_out]
        return engine.list_of(rows, oracle.n).is_empty

    for number, name in zip(numbers, names, strict=True):
        if name not in found.undecided:
            ours = name in found.redundant
            case.agree("redundant", ours, lambda e, k=number: empty_without(e, {k}))
            case.tally.certificate("redundant", found.certificates[name])
    dropped = {k for k, n in zip(numbers, names, strict=True) if n not in found.minimal}
    case.agree("minimal", True, lambda e: empty_without(e, dropped))


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


def claims(case: Case) -> None:
    """The active set, implicit equalities and safe bounds, of every other instance."""
    polytope, oracle = case.polytope, case.oracle
    if case.rng.random() < 0.5:
        return
    if "target" in polytope.layer.arrays:
        active = polytope.active_set()
        z = [dot(w, exact(polytope.layer.arrays["target"].fractions())) + b
             for w, b in zip(oracle.weight, oracle.bias, strict=True)]  # fmt: skip
        split = [[i for i, v in enumerate(z) if v > 0], [i for i, v in enumerate(z) if v == 0]]
        case.equal("active set", [list(active.active), list(active.ties)], split)
        case.tally.certificate("active set", active.certificate)
    cost = case.rng.integers(-3, 4, oracle.n)
    bounds = polytope.objective_bounds(cost)
    for side, value in (("lower", bounds.lower), ("upper", bounds.upper)):
        if value is not None:
            sign = 1 if side == "lower" else -1
            ask = partial(_is_bound, cost=exact(cost), value=value, sign=sign)
            case.agree(f"bounds: {side}", True, ask)
    if bounds.certificate is not None:
        case.tally.certificate("bounds", bounds.certificate)
    if oracle.is_empty:
        return
    found = polytope.implicit_equalities()
    numbers = [k for k, (_, _, equation) in enumerate(oracle.half_spaces) if not equation]
    names = inequalities(polytope.layer.system)
    for number, name in zip(numbers, names, strict=True):
        if name in found.tight or name in found.strict:
            ours = name in found.tight
            case.agree("implicit equality", ours, lambda e, k=number: e.is_implicit(k))
    for name, certificate in found.certificates.items():
        case.tally.certificate(f"implicit equality {name}", certificate)


def _is_bound(engine: Engine, *, cost: Vector, value: Fraction, sign: int) -> bool:
    found = engine.minimum(cost)
    if found.value is None:  # below an unbounded objective nothing can stand
        return sign < 0
    return sign * value <= sign * found.value


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
    claims,
)
#: What can be asked of a network's region, whose rows stand behind the layer's units.
OF_REGIONS = (shape, generators, programs, inside, distances, squares)
