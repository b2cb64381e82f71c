"""Does a basis prove its point optimal?  Signs of slacks and reduced costs, decided exactly.

Nearly every sign is decided by a rigorous float bound; exact products settle the rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import lcm

import numpy as np
from flint import fmpz_mat

from polytope.exact.filters import certain_signs
from polytope.exact.rational import RationalVector, rounded
from polytope.lp.basis import solve_basis
from polytope.lp.highs import Basis
from polytope.lp.program import LinearProgram


@dataclass(frozen=True, eq=False)
class BasicSolution:
    """Exact point and multipliers of a basis, and how far they are from proving it optimal.

    Attributes:
        basis: the basis.
        point: the basic solution, all columns.
        dual: multiplier of each tight row, in the order of ``basis.tight``.
        nonbasic: the nonbasic columns, increasing.
        row_excess: largest exact amount by which a row is violated, per violated row.
        column_excess: the same for basic columns outside their bounds.
        dual_rows: tight inequality rows with a negative multiplier, with the amount.
        dual_columns: nonbasic columns whose reduced cost has the wrong sign, with the amount.
    """

    basis: Basis
    point: RationalVector
    dual: RationalVector
    nonbasic: tuple[int, ...]
    row_excess: dict[int, Fraction]
    column_excess: dict[int, Fraction]
    dual_rows: dict[int, Fraction]
    dual_columns: dict[int, Fraction]

    @property
    def is_primal_feasible(self) -> bool:
        """Whether the point lies in the feasible set."""
        return not self.row_excess and not self.column_excess

    @property
    def is_optimal(self) -> bool:
        """Whether point and multipliers prove each other optimal."""
        return self.is_primal_feasible and not self.dual_rows and not self.dual_columns


def basic_solution(program: LinearProgram, basis: Basis) -> BasicSolution | None:
    """Solve a basis exactly and test it; None if it is singular."""
    solved = solve_basis(program, basis)
    if solved is None:
        return None
    point, dual = solved
    nonbasic = tuple(sorted(set(range(program.n)) - set(basis.basic)))
    return BasicSolution(
        basis,
        point,
        dual,
        nonbasic,
        _violations(program, set(basis.tight), point),
        _column_excess(program, (*basis.basic, *basis.at_zero), point),
        {
            r: Fraction(-v, dual.denominator)
            for r, v in zip(basis.tight, dual.numerators, strict=True)
            if v < 0 and not program.rows[r].equality
        },
        _wrong_signs(program, basis, nonbasic, dual),
    )


def proves_optimum(
    program: LinearProgram, point: RationalVector, tight: Sequence[int], dual: RationalVector
) -> bool:
    """Whether a point and multipliers of some rows, wherever from, prove each other optimal.

    Feasibility, admissible signs, and complementary slackness: a multiplier only where its row or
    bound is tight.
    """
    everything = range(program.n)
    if _violations(program, set(), point) or _column_excess(program, everything, point):
        return False
    support = [j for j, v in enumerate(point.numerators) if v]
    activity = _products(program, tight, support, point)
    for r, y, a in zip(tight, dual.numerators, activity, strict=True):
        row = program.rows[r]
        if y < 0 and not row.equality:
            return False
        if y and Fraction(a, point.denominator) != row.rhs:
            return False
    reduced = reduced_costs(program, tight, dual, everything)
    return all(
        not g or point[j] == (program.lower[j] if g > 0 else program.upper[j])
        for j, g in enumerate(reduced.numerators)
    )


def _violations(
    program: LinearProgram, tight: set[int], point: RationalVector
) -> dict[int, Fraction]:
    """Exact violation of every row outside ``tight``."""
    loose = [r for r in range(len(program.rows)) if r not in tight]
    support = [j for j, v in enumerate(point.numerators) if v]
    loose = _not_certainly_slack(program, loose, support, point)
    out: dict[int, Fraction] = {}
    for r, activity in zip(loose, _products(program, loose, support, point), strict=True):
        row = program.rows[r]
        excess = activity * row.rhs.denominator - row.rhs.numerator * point.denominator
        if excess > 0 or (row.equality and excess != 0):
            out[r] = Fraction(abs(excess), row.rhs.denominator * point.denominator)
    return out


def _not_certainly_slack(
    program: LinearProgram, rows: list[int], support: Sequence[int], point: RationalVector
) -> list[int]:
    """Drop the inequality rows whose slack a rigorous float bound already proves."""
    table = program.float_rows(rows)
    if table is None:
        return rows
    floats = np.array([rounded(point.numerators[j], point.denominator) for j in support])
    offset = -program.float_form.row_upper[rows]
    signs = certain_signs(table[:, support], floats, offset)
    return [r for r, s in zip(rows, signs, strict=True) if s >= 0 or program.rows[r].equality]


def row_activities(
    program: LinearProgram, rows: Sequence[int], point: RationalVector
) -> list[Fraction]:
    """Exact ``a_r . x`` of some rows."""
    support = [j for j, v in enumerate(point.numerators) if v]
    return [Fraction(p, point.denominator) for p in _products(program, rows, support, point)]


def _products(
    program: LinearProgram, rows: Sequence[int], support: Sequence[int], point: RationalVector
) -> list[int]:
    """Numerators of ``a_r . x``: dense rows in one FLINT product, sparse rows entry by entry."""
    x = point.numerators
    dense = [r for r in rows if program.rows[r].unit is not None]
    products: dict[int, int] = {}
    if dense and support:
        table = fmpz_mat([program.entries(r, support) for r in dense])
        vector = fmpz_mat(len(support), 1, [x[j] for j in support])
        products = dict(zip(dense, map(int, (table * vector).entries()), strict=True))
    for r in rows:
        if program.rows[r].unit is None:
            products[r] = sum(a * x[j] for j, a in program.rows[r].extra.items())
    return [products.get(r, 0) for r in rows]


def _column_excess(
    program: LinearProgram, columns: Sequence[int], point: RationalVector
) -> dict[int, Fraction]:
    out: dict[int, Fraction] = {}
    den = point.denominator
    for j in columns:
        value, low, high = point.numerators[j], program.lower[j], program.upper[j]
        if low is not None and value * low.denominator < low.numerator * den:
            out[j] = low - Fraction(value, den)
        elif high is not None and value * high.denominator > high.numerator * den:
            out[j] = Fraction(value, den) - high
    return out


def reduced_costs(
    program: LinearProgram, tight: Sequence[int], dual: RationalVector, columns: Sequence[int]
) -> RationalVector:
    """Exact ``c_j + sum y_r a_rj`` on some columns."""
    cost = program.objective
    common = lcm(dual.denominator, cost.denominator)
    left, right = common // dual.denominator, common // cost.denominator
    live = [(r, y) for r, y in zip(tight, dual.numerators, strict=True) if y]
    if not live or not columns:
        return RationalVector(tuple(cost.numerators[j] * right for j in columns), common)
    table = fmpz_mat([program.entries(r, columns) for r, _ in live])
    weights = fmpz_mat(1, len(live), [y * left for _, y in live])
    sums = (weights * table).entries()
    return RationalVector(
        tuple(int(s) + cost.numerators[j] * right for s, j in zip(sums, columns, strict=True)),
        common,
    )


def _wrong_signs(
    program: LinearProgram, basis: Basis, nonbasic: Sequence[int], dual: RationalVector
) -> dict[int, Fraction]:
    """Nonbasic columns along which the objective could still fall."""
    movable = [
        j for j in nonbasic if program.lower[j] is None or program.lower[j] != program.upper[j]
    ]
    suspects = _not_certainly_admissible(program, basis, movable, dual)
    reduced = reduced_costs(program, basis.tight, dual, suspects)
    out: dict[int, Fraction] = {}
    for j, g in zip(suspects, reduced.numerators, strict=True):
        allowed = g < 0 if j in basis.at_upper else g > 0
        if g and (j in basis.at_zero or not allowed):
            out[j] = Fraction(abs(g), reduced.denominator)
    return out


def _not_certainly_admissible(
    program: LinearProgram, basis: Basis, columns: list[int], dual: RationalVector
) -> list[int]:
    """Drop the columns whose reduced cost a rigorous float bound already proves admissible."""
    table = program.float_rows(basis.tight)
    cost = program.objective
    if table is None or not columns:
        return columns
    exponents = program.float_form.exponents[list(basis.tight)]
    weights = np.array(
        [
            rounded(y << int(e), dual.denominator)
            for y, e in zip(dual.numerators, exponents, strict=True)
        ]
    )
    offset = np.array([rounded(cost.numerators[j], cost.denominator) for j in columns])
    signs = certain_signs(table[:, columns].T, weights, offset)
    return [
        j
        for j, s in zip(columns, signs, strict=True)
        if j in basis.at_zero or s != (-1 if j in basis.at_upper else 1)
    ]
