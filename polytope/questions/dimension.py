"""What is the dimension of the set?  A point strict in all it can be, and a rank.

dim C = d - rank of the equalities together with the inequalities that are tight on all of C.
Ways to such a point, cheapest first: the target itself where no bound is in the way; a float point
near the centre, moved onto the equalities exactly; the target again, if no point can leave its
bounds; the homogenised program of Freund, Roundy & Todd (1985), which also names the implicit
equalities.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from polytope.answers.certificates import Certificate
from polytope.answers.memory import once
from polytope.answers.results import Dimension
from polytope.exact.rational import RationalVector
from polytope.lp.linprog import Unsolved, solve
from polytope.lp.program import LinearProgram
from polytope.questions.feasibility import feasibility
from polytope.questions.interior import central_point, strict_program_point
from polytope.questions.kernel import ProvedRank, active_rank, exact_rank
from polytope.sets.domains import Free
from polytope.sets.halfspaces import Multipliers, Row
from polytope.sets.linalg import Minor, independent_rows
from polytope.sets.rows import Rows


@dataclass(frozen=True, eq=False)
class _Interior:
    """A relative interior point (or a minor that shows one near the target), and what is fixed."""

    point: RationalVector | Minor
    implicit: Multipliers | None
    rows: tuple[Row, ...]
    fixed: frozenset[int]


@once
def dimension(layer: Rows) -> Dimension:
    """Exact dimension of the set, see :class:`Dimension`."""
    bound = layer.n_inputs - len(layer.active)
    if layer.target_vector is None:
        found = feasibility(layer)
        if found.feasible is False and found.certificate is not None:
            empty = found.certificate
            claim = {"value": -1, "paper_bound": bound}
            certificate = Certificate(
                "dimension", claim, layer, lambda: {"empty": empty.witness["multipliers"]}
            )
            return Dimension(-1, bound, certificate)
        if found.feasible is None:
            return Dimension(None, bound, None, found.reason)
    interior = (
        _from_target(layer) or _from_centre(layer) or _from_bounds(layer) or _from_program(layer)
    )
    if interior is None:
        return Dimension(None, bound, None, "no relative interior point could be proved")
    return _from_interior(layer, interior, bound)


def _from_interior(layer: Rows, interior: _Interior, bound: int) -> Dimension:
    if isinstance(interior.point, Minor):  # of all equalities
        minor = interior.point
        witness: dict[str, object] = {"target": minor}
    else:
        minor, found = _rank(layer, interior)
        parts = {"interior": interior.point, "implicit": interior.implicit}
        witness = {**parts, "minor": minor, "span": found}
    value = layer.n_inputs - len(interior.fixed) - len(minor.rows)
    claim = {"value": value, "paper_bound": bound}
    return Dimension(value, bound, Certificate("dimension", claim, layer, lambda: witness))


def _rank(layer: Rows, interior: _Interior) -> ProvedRank:
    """Rank of all that is tight on the whole set, on the coordinates that are not fixed."""
    if len(layer.equations) == len(layer.active) and not interior.rows and not interior.fixed:
        return active_rank(layer)
    columns = [j for j in range(layer.n_inputs) if j not in interior.fixed]
    return exact_rank(layer, [*layer.equations, *interior.rows], columns)


def _fixed_coordinates(layer: Rows) -> frozenset[int]:
    if not layer.is_box:
        return frozenset()
    lower, upper = layer.domain.bounds(layer.n_inputs)
    return frozenset(
        j for j, (low, high) in enumerate(zip(lower, upper, strict=True)) if low == high
    )


def _from_target(layer: Rows) -> _Interior | None:
    """The target, if strict; or the directions in which it can leave its bounds.

    If every inactive pre-activation is negative and W+ keeps full row rank on the coordinates
    strictly inside their bounds, then ker(W+) has a direction that moves every other coordinate
    off its bound: no program is needed, whatever the size of the layer.
    """
    target = layer.target_vector
    if target is None or not layer.is_strict_at_target:
        return None
    fixed = _fixed_coordinates(layer)
    inside = _strictly_inside(layer, target)
    if len(inside) + len(fixed) == layer.n_inputs:
        return _Interior(target, None, (), fixed)
    minor = _full_rank(layer, list(layer.equations), inside)
    if isinstance(layer.domain, Free) or minor is None:
        return None
    return _Interior(minor, None, (), fixed)


def _strictly_inside(layer: Rows, x: RationalVector) -> list[int]:
    lower, upper = layer.domain.bounds(layer.n_inputs)
    return [
        j
        for j, (v, low, high) in enumerate(zip(x, lower, upper, strict=True))
        if (low is None or v > low) and (high is None or v < high)
    ]


def _full_rank(layer: Rows, rows: list[Row], columns: list[int]) -> Minor | None:
    if len(columns) < len(rows):
        return None
    minor = independent_rows(layer.weight, rows, columns)
    return minor if len(minor.rows) == len(rows) else None


def is_strict(layer: Rows, x: RationalVector) -> bool:
    """Whether a point lies in the set, strictly inside every inequality and every loose bound."""
    system = layer.system
    values = system.values(x)
    for row, rhs in zip(system.rows, system.rhs, strict=True):
        slack = rhs - row.sign * values[row.unit]
        if slack < 0 or (row.kind == "equality") != (slack == 0):
            return False
    fixed = _fixed_coordinates(layer)
    free = set(range(layer.n_inputs)) - fixed
    return free <= set(_strictly_inside(layer, x)) and system.bound_violation(x) == 0


def _from_centre(layer: Rows) -> _Interior | None:
    point = central_point(layer, _fixed_coordinates(layer))
    if point is None or not is_strict(layer, point):
        return None
    return _Interior(point, None, (), _fixed_coordinates(layer))


def _from_bounds(layer: Rows) -> _Interior | None:
    """The target, if all bounds it lies on are implicit equalities: no point can leave them.

    One program on the set itself: let the sum of the distances to those bounds be as large as it
    can.  Where that is 0 the multipliers of the optimum hold every one of them.  A target behind a
    ReLU has many zeros, and is often the only point; the strict program is several times as large.
    """
    target = layer.target_vector
    if target is None or not layer.is_strict_at_target:
        return None
    fixed = _fixed_coordinates(layer)
    inside = set(_strictly_inside(layer, target))
    lower, _ = layer.domain.bounds(layer.n_inputs)
    signs = [
        0 if j in inside or j in fixed else -1 if target[j] == lower[j] else 1
        for j in range(layer.n_inputs)
    ]
    program = LinearProgram.over(layer.system, RationalVector(tuple(signs)))
    solution = solve(program, insist=False)
    if isinstance(solution, Unsolved):
        return None
    multipliers = solution.multipliers()
    held = frozenset(j for j, g in enumerate(layer.system.combine(multipliers).numerators) if g)
    rows = tuple(r for r, weight in multipliers.weights.items() if weight and r.kind != "equality")
    if rows or not held >= set(range(layer.n_inputs)) - inside - fixed:
        return None
    if not held.isdisjoint(inside) or layer.system.lower_bound(_zero(layer), multipliers) != 0:
        return None
    return _Interior(target, multipliers, (), fixed | held)


def _from_program(layer: Rows) -> _Interior | None:
    found = strict_program_point(layer)
    if found is None:
        return None
    point, multipliers = found
    implicit = multipliers if multipliers.weights else None
    combined = layer.system.combine(multipliers)
    moved = frozenset(j for j, g in enumerate(combined.numerators) if g)
    rows = tuple(
        row for row, weight in multipliers.weights.items() if weight and row.kind != "equality"
    )
    if layer.system.lower_bound(_zero(layer), multipliers) != Fraction(0):
        return None
    return _Interior(point, implicit, rows, _fixed_coordinates(layer) | moved)


def _zero(layer: Rows) -> RationalVector:
    return RationalVector((0,) * layer.n_inputs)
