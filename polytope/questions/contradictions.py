"""Which constraints do not matter for being empty, and which equations repeat others?

Of an empty set an inequality is implied by the others iff these are empty without it: multipliers
that do not use it prove that.  If they are not, a point of theirs violates it alone.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from flint import fmpz_mat

from polytope.exact.rational import RationalVector
from polytope.lp.linprog import Unsolved, solve
from polytope.lp.program import LinearProgram
from polytope.questions.feasibility import elastic
from polytope.sets.halfspaces import Bound, Halfspace, Multipliers, Row, System


def empty_without(
    system: System, removed: Collection[Halfspace]
) -> Multipliers | RationalVector | str:
    """Decide whether the inequalities and equations that are not removed contradict each other.

    Returns:
        Farkas multipliers of the others, which prove it; a point of theirs; or why neither was
        found.
    """
    base = LinearProgram.over(system, RationalVector((0,) * system.n_inputs))
    lower = (None if Bound("lower", j) in removed else v for j, v in enumerate(base.lower))
    upper = (None if Bound("upper", j) in removed else v for j, v in enumerate(base.upper))
    rows = tuple(row for row in base.rows if row.name not in removed)
    solution = solve(elastic(replace(base, rows=rows, lower=tuple(lower), upper=tuple(upper))))
    if isinstance(solution, Unsolved):
        return solution.reason or "a program could not be solved exactly"
    n = system.n_inputs
    if any(solution.point.numerators[n:]):
        return solution.multipliers()
    return RationalVector(solution.point.numerators[:n], solution.point.denominator).reduced()


def superfluous_equations(system: System) -> tuple[Row, ...]:
    """The equations that are combinations of those before them, right-hand sides included."""
    names = [row for row in system.rows if row.kind == "equality"]
    if not names:
        return ()
    rows = []
    for row in names:
        rhs = system.rhs[system.position[row]]
        factor = rhs.denominator
        entries = [factor * v for v in system.integer_row(row.unit)]
        rows.append([*entries, system.scale(row.unit) * rhs.numerator])
    # Pivot columns of the transpose: the first rows that are independent.
    reduced, _, rank = fmpz_mat(rows).transpose().rref()
    kept, column = set(), 0
    for k in range(rank):
        while int(reduced[k, column]) == 0:
            column += 1
        kept.add(column)
    return tuple(name for k, name in enumerate(names) if k not in kept)
