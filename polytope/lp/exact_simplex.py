"""What if no float basis can be proved?  PPL's exact rational simplex, for small programs.

PPL gives an optimal point of the program and of its dual; both are then tested like any other
proposal, so nothing rests on PPL either.
"""

from __future__ import annotations

from fractions import Fraction
from math import lcm
from typing import Any, NamedTuple

from polytope.exact.rational import RationalVector
from polytope.exact.rounding import load_ppl
from polytope.lp.program import LinearProgram

#: Float64 entries: 2 s at 20 rows x 40 columns, 16 s at 25 x 80, minutes at 40 x 100 (measured),
#: and PPL cannot be given a deadline.  Larger programs stay undecided.
_LARGEST_TABLEAU = 2_000


def fits(program: LinearProgram) -> bool:
    """Whether the program is small enough for an exact tableau."""
    return len(program.rows) * program.n <= _LARGEST_TABLEAU


class ExactOptimum(NamedTuple):
    """An optimal point (n,), and the multipliers of some rows that are to prove it."""

    point: RationalVector
    tight: tuple[int, ...]
    dual: RationalVector


class _Constraint(NamedTuple):
    coefficients: list[Fraction]
    rhs: Fraction
    equality: bool


def solve_exactly(program: LinearProgram) -> ExactOptimum | None:
    """Return an optimal point, and the rows and multipliers that prove it; None if there is none.

    The multipliers satisfy ``c + sum y_r a_r = g`` with ``g`` admissible at the bounds.
    """
    point = _primal(program)
    if point is None:
        return None
    dual = _dual(program)
    if dual is None:
        return None
    tight = tuple(r for r, y in enumerate(dual) if y)
    return ExactOptimum(point, tight, RationalVector.of(dual[r] for r in tight))


def _primal(program: LinearProgram) -> RationalVector | None:
    columns = range(program.n)
    rows = []
    for r, row in enumerate(program.rows):
        coefficients = [Fraction(a) for a in program.entries(r, columns)]
        rows.append(_Constraint(coefficients, row.rhs, row.equality))
    return _minimise(list(program.objective), rows, list(program.lower), list(program.upper))


def _dual(program: LinearProgram) -> RationalVector | None:
    """Maximise ``-y.rhs + l.p - u.q`` over ``c + y A = p - q`` with ``p, q >= 0``."""
    m, n = len(program.rows), program.n
    lows = [j for j in range(n) if program.lower[j] is not None]
    highs = [j for j in range(n) if program.upper[j] is not None]
    at_low = {j: m + k for k, j in enumerate(lows)}
    at_high = {j: m + len(lows) + k for k, j in enumerate(highs)}
    width = m + len(lows) + len(highs)
    table = [program.entries(r, range(n)) for r in range(m)]
    rows = []
    for j in range(n):
        line = [Fraction(table[r][j]) for r in range(m)] + [Fraction(0)] * (width - m)
        if j in at_low:
            line[at_low[j]] = Fraction(-1)
        if j in at_high:
            line[at_high[j]] = Fraction(1)
        rows.append(_Constraint(line, -program.objective[j], True))
    cost = [row.rhs for row in program.rows]
    cost += [-Fraction(program.lower[j] or 0) for j in lows]
    cost += [Fraction(program.upper[j] or 0) for j in highs]
    lower: list[Fraction | None] = [None if row.equality else Fraction(0) for row in program.rows]
    lower += [Fraction(0)] * (width - m)
    solution = _minimise(cost, rows, lower, [None] * width)
    return None if solution is None else RationalVector.of(solution[:m])


def _minimise(
    cost: list[Fraction],
    rows: list[_Constraint],
    lower: list[Fraction | None],
    upper: list[Fraction | None],
) -> RationalVector | None:
    ppl = load_ppl()  # only degenerate or ill-conditioned programs come here

    n = len(cost)
    problem = ppl.MIP_Problem(n)

    def affine(coefficients: list[Fraction], constant: Fraction) -> Any:
        scale = lcm(constant.denominator, *(v.denominator for v in coefficients))
        integers = [int(v * scale) for v in coefficients]
        return ppl.Linear_Expression(integers, int(constant * scale))

    for coefficients, rhs, equality in rows:
        expression = affine(coefficients, -rhs)
        problem.add_constraint(expression == 0 if equality else expression <= 0)
    for j, (low, high) in enumerate(zip(lower, upper, strict=True)):
        unit = [Fraction(int(k == j)) for k in range(n)]
        if low is not None:
            problem.add_constraint(affine(unit, -low) >= 0)
        if high is not None:
            problem.add_constraint(affine(unit, -high) <= 0)
    problem.set_objective_function(affine(cost, Fraction(0)))
    problem.set_optimization_mode("minimization")
    if problem.solve()["status"] != "optimized":
        return None
    generator = problem.optimizing_point()
    numerators = tuple(int(v) for v in generator.coefficients())
    padded = numerators + (0,) * (n - len(numerators))
    return RationalVector(padded, int(generator.divisor()))
