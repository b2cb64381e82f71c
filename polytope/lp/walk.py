"""What if no float basis can be proved?  Walk on from it by exact steps of the simplex method.

A float basis that fails its proof is still a good place to start from.  Every step solves the basis
anew by p-adic lifting, so numbers never grow along the walk.  Phase one lowers the total violation,
phase two the objective; after a run of degenerate steps Bland's rule takes over, and the number of
steps is limited in any case.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import NamedTuple

from polytope.exact.rational import RationalVector
from polytope.lp.basis import solve_basis
from polytope.lp.highs import Basis
from polytope.lp.program import LinearProgram
from polytope.lp.proof import BasicSolution, basic_solution, reduced_costs, row_activities

#: Pivots before giving up.  On twelve layers of 60 x 100 with scales of up to 2**+-100, all 39
#: walks ended: after 70 pivots in the median, and 139 at most.
_LARGEST_WALK = 400
#: Degenerate steps in a row before Bland's rule takes over.
_PATIENCE = 15


class _Variable(NamedTuple):
    """A column (``is_row`` false) or the activity of a row."""

    is_row: bool
    place: int


class _Block(NamedTuple):
    """What stops a move: after which length, which variable, and at which bound."""

    length: Fraction
    leaving: _Variable
    at_upper: bool


@dataclass(frozen=True)
class _Step:
    """The entering variable, the sign of its change, and how fast it improves."""

    entering: _Variable
    sign: int
    rate: Fraction


def slack_basis(program: LinearProgram) -> Basis:
    """The basis of all rows: every column on a bound (or at zero where it has none)."""
    columns = range(program.n)
    at_upper = (j for j in columns if program.lower[j] is None and program.upper[j] is not None)
    at_zero = (j for j in columns if program.lower[j] is None and program.upper[j] is None)
    return Basis((), (), frozenset(at_upper), frozenset(at_zero))


def walk(program: LinearProgram, basis: Basis | None) -> BasicSolution | None:
    """Pivot to an optimal basis; None if the walk ends elsewhere or takes too long."""
    if basis is None or solve_basis(program, basis) is None:
        basis = slack_basis(program)
    degenerate = 0
    for _ in range(_LARGEST_WALK):
        solution = basic_solution(program, basis)
        if solution is None:
            return None
        if solution.is_optimal:
            return solution
        step = _choose(program, solution, bland=degenerate >= _PATIENCE)
        block = None if step is None else _blocking(program, solution, step)
        if step is None or block is None:
            return None
        basis = _exchange(basis, step.entering, block)
        degenerate = 0 if block.length else degenerate + 1
    return None


def _choose(program: LinearProgram, solution: BasicSolution, *, bland: bool) -> _Step | None:
    """The entering variable: the fastest, or the first by Bland's rule; None if none improves."""
    dual, cost = solution.dual, program
    if not solution.is_primal_feasible:
        cost = program.with_objective(_violation_gradient(program, solution))
        solved = solve_basis(cost, solution.basis)
        if solved is None:
            return None
        dual = solved.dual
    steps = _improving(cost, solution, dual)
    if bland:
        return next(steps, None)
    return max(steps, key=lambda s: s.rate, default=None)


def _violation_gradient(program: LinearProgram, solution: BasicSolution) -> RationalVector:
    """Gradient of the total violation, every row counted in the size of its largest weight."""
    total = [Fraction(0)] * program.n
    point = solution.point
    for j in solution.column_excess:
        low = program.lower[j]
        total[j] += -1 if low is not None and point[j] < low else 1
    rows = list(solution.row_excess)
    for r, activity in zip(rows, row_activities(program, rows, point), strict=True):
        weight = Fraction(1, 1 << max(int(program.float_form.exponents[r]), 0))
        sign = 1 if activity > program.rows[r].rhs else -1
        for j, a in enumerate(program.entries(r, range(program.n))):
            if a:
                total[j] += sign * weight * a
    return RationalVector.of(total)


def _improving(
    program: LinearProgram, solution: BasicSolution, dual: RationalVector
) -> Iterator[_Step]:
    """Nonbasic variables whose change lowers the program's objective, in a fixed order."""
    basis = solution.basis
    reduced = reduced_costs(program, basis.tight, dual, solution.nonbasic)
    for j, g in zip(solution.nonbasic, reduced.numerators, strict=True):
        low, high = program.lower[j], program.upper[j]
        if not g or (low is not None and low == high):
            continue
        free = j in basis.at_zero
        at_upper = j in basis.at_upper
        if free or (g > 0) == at_upper:
            rate = Fraction(abs(g), reduced.denominator)
            yield _Step(_Variable(False, j), -1 if g > 0 else 1, rate)
    for r, y in zip(basis.tight, dual.numerators, strict=True):
        if y < 0 and not program.rows[r].equality:
            scale = Fraction(1 << max(int(program.float_form.exponents[r]), 0))
            yield _Step(_Variable(True, r), -1, Fraction(-y, dual.denominator) * scale)


def _blocking(program: LinearProgram, solution: BasicSolution, step: _Step) -> _Block | None:
    """What a move meets first; None if nothing does (the objective falls for ever)."""
    direction = _direction(program, solution, step)
    if direction is None:
        return None
    # Ties go to the variable that comes first: Bland's rule for the leaving one.
    return min(_limits(program, solution, direction, step), key=lambda b: b[:2], default=None)


def _direction(
    program: LinearProgram, solution: BasicSolution, step: _Step
) -> list[Fraction] | None:
    """Change of every column as the entering variable moves by one."""
    index, basis = step.entering.place, solution.basis
    rows, lower, upper = list(program.rows), list(program.lower), list(program.upper)
    if step.entering.is_row:
        rows[index] = replace(rows[index], rhs=rows[index].rhs - 1)
    else:
        # The basic solution is affine in the values of the nonbasic columns.
        at = solution.point[index] + step.sign
        lower[index] = upper[index] = at
    moved = replace(program, rows=tuple(rows), lower=tuple(lower), upper=tuple(upper))
    at_zero = basis.at_zero - ({index} if not step.entering.is_row else set())
    solved = solve_basis(moved, replace(basis, at_zero=at_zero))
    if solved is None:
        return None
    return [a - b for a, b in zip(solved.point, solution.point, strict=True)]


def _limits(
    program: LinearProgram, solution: BasicSolution, direction: list[Fraction], step: _Step
) -> Iterator[_Block]:
    """Where a variable reaches a bound: a violated one, or one it would violate."""
    point, basis = solution.point, solution.basis
    entering = step.entering
    if not entering.is_row:
        low, high = program.lower[entering.place], program.upper[entering.place]
        if low is not None and high is not None:
            yield _Block(high - low, entering, step.sign > 0)
    for j in basis.basic:
        ends = program.lower[j], program.upper[j]
        yield from _reach(_Variable(False, j), point[j], direction[j], *ends)
    tight = set(basis.tight)
    loose = [r for r in range(len(program.rows)) if r not in tight]
    moving = RationalVector.of(direction)
    speeds = row_activities(program, loose, moving)
    for r, speed, value in zip(loose, speeds, row_activities(program, loose, point), strict=True):
        row = program.rows[r]
        yield from _reach(
            _Variable(True, r), value, speed, row.rhs if row.equality else None, row.rhs
        )


def _reach(
    variable: _Variable,
    value: Fraction,
    speed: Fraction,
    low: Fraction | None,
    high: Fraction | None,
) -> Iterator[_Block]:
    """When a moving value meets the bound that stops it, if it moves at all.

    Inside its bounds it stops at the one ahead; outside it stops at the violated one if that lies
    ahead (so that violations end there), and is free otherwise.
    """
    if speed > 0:
        if low is not None and value < low:
            yield _Block((low - value) / speed, variable, False)
        elif high is not None and value <= high:
            yield _Block((high - value) / speed, variable, True)
    elif speed and high is not None and value > high:
        yield _Block((high - value) / speed, variable, True)
    elif speed and low is not None and value >= low:
        yield _Block((low - value) / speed, variable, False)


def _exchange(basis: Basis, entering: _Variable, block: _Block) -> Basis:
    """Swap the two variables; a column that reaches its own other bound only changes sides."""
    leaving = block.leaving
    basic, tight = set(basis.basic), set(basis.tight)
    on_upper, at_zero = set(basis.at_upper), set(basis.at_zero)
    if entering.is_row:
        tight.discard(entering.place)
    else:
        basic.add(entering.place)
        on_upper.discard(entering.place)
        at_zero.discard(entering.place)
    if leaving.is_row:
        tight.add(leaving.place)
    else:
        basic.discard(leaving.place)
        if block.at_upper:
            on_upper.add(leaving.place)
    return Basis(
        tuple(sorted(basic)), tuple(sorted(tight)), frozenset(on_upper), frozenset(at_zero)
    )
