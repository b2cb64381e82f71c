"""Is the set empty?  A point of it, or Farkas multipliers that no point can satisfy."""

from __future__ import annotations

from fractions import Fraction

from polytope.answers.certificates import Certificate
from polytope.answers.memory import once
from polytope.answers.results import Feasibility
from polytope.exact.rational import RationalVector
from polytope.lp.linprog import Optimum, Unsolved, solve
from polytope.lp.program import LinearProgram, LPRow
from polytope.sets.rows import Rows


@once
def feasibility(layer: Rows) -> Feasibility:
    """Find a point, or prove that there is none.

    The target is a point of its own set.  For a wanted activation the elastic program (the least
    total violation of the rows) has an optimum in any case: zero gives a point, anything else gives
    multipliers whose combination of rows is violated by every x of the domain.
    """
    target = layer.target_vector
    if target is not None:
        return _feasible(layer, target)
    zero = RationalVector((0,) * layer.n_inputs)
    plain = solve(LinearProgram.over(layer.system, zero), insist=False)
    if isinstance(plain, Optimum):
        return _feasible(layer, plain.point)
    solution = solve(elastic(LinearProgram.over(layer.system, zero)))
    if isinstance(solution, Unsolved):
        return Feasibility(None, None, None, solution.reason)
    n = layer.n_inputs
    if not any(solution.point.numerators[n:]):
        point = RationalVector(solution.point.numerators[:n], solution.point.denominator)
        return _feasible(layer, point)
    multipliers = solution.multipliers()
    certificate = Certificate("empty", {}, layer, lambda: {"multipliers": multipliers})
    return Feasibility(False, None, certificate)


def _feasible(layer: Rows, point: RationalVector) -> Feasibility:
    return Feasibility(True, point, Certificate("contains", {}, layer, lambda: {"point": point}))


def elastic(base: LinearProgram) -> LinearProgram:
    """Minimise the total violation: ``a x + p - q = rhs``, ``a x - q <= rhs``, ``p, q >= 0``.

    The optimum is 0 iff the program has a point; else its multipliers prove that it has none.
    """
    column = base.system.n_inputs
    rows = []
    for row in base.rows:
        # Elastic columns get the size of the row, so that a unit of violation costs the same.
        size = max((abs(v) for v in base.system.integer_row(row.unit or 0)), default=0)
        power = 1 << size.bit_length()
        extra = {column: -power}
        column += 1
        if row.equality:
            extra[column] = power
            column += 1
        rows.append(LPRow(row.unit, row.factor, row.rhs, row.equality, extra, row.name))
    added = column - base.system.n_inputs
    return LinearProgram(
        base.system,
        tuple(rows),
        base.lower + (Fraction(0),) * added,
        base.upper + (None,) * added,
        RationalVector((0,) * base.system.n_inputs + (1,) * added),
    )
