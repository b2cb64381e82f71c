"""Where is a point strict in all it can be?  Floats propose, exact steps reach the equalities."""

from __future__ import annotations

from collections.abc import Collection
from fractions import Fraction
from math import lcm
from typing import NamedTuple

import numpy as np
from flint import fmpz_mat

from polytope.exact.rational import RationalVector, nearest_float
from polytope.lp.highs import interior_proposal
from polytope.lp.linprog import Unsolved, solve
from polytope.lp.program import LinearProgram, LPRow
from polytope.lp.proposals import proposing
from polytope.sets.halfspaces import Multipliers, Row
from polytope.sets.linalg import invertible_minor
from polytope.sets.rows import Rows


def central_point(layer: Rows, fixed: Collection[int]) -> RationalVector | None:
    """Take a float point near the analytic centre and correct it onto the equalities exactly.

    The correction is as small as the float residual, so a point well inside its inequalities stays
    inside; whether it did is for the caller to prove.
    """
    zero = RationalVector((0,) * layer.n_inputs)
    guess = None
    with proposing():
        guess = interior_proposal(LinearProgram.over(layer.system, zero))
    if guess is None or not np.isfinite(guess).all():
        return None
    lower, upper = layer.domain.bounds(layer.n_inputs)
    values = [Fraction(v) for v in guess.tolist()]
    for j in fixed:
        values[j] = lower[j] or Fraction(0)
    room = np.array(
        [
            0.0 if j in fixed else _room(v, low, high)
            for j, (v, low, high) in enumerate(zip(guess.tolist(), lower, upper, strict=True))
        ]
    )
    return onto_equalities(layer, RationalVector.of(values), room)


def _room(value: float, low: Fraction | None, high: Fraction | None) -> float:
    below = 1.0 if low is None else value - nearest_float(low)
    above = 1.0 if high is None else nearest_float(high) - value
    return min(below, above, 1.0)


def onto_equalities(
    layer: Rows, point: RationalVector, room: np.ndarray, extra: Collection[Row] = ()
) -> RationalVector | None:
    """Move a point exactly onto the equality rows (and the ``extra`` rows taken as equalities).

    Only as many coordinates move as there are independent rows; those with the most ``room`` (d,)
    and the best conditioned minor are picked by a pivoted QR factorisation in floats.
    """
    system = layer.system
    rows = [row for row in system.rows if row.kind == "equality"] + list(extra)
    if not rows:
        return point
    table = system.float_rows.table[[r.unit for r in rows]] * np.maximum(room, 0.0)
    kept: list[Row] = []
    minor = None
    with proposing():
        chosen_rows, columns = _well_conditioned(table)
        kept = [rows[k] for k in chosen_rows]
        minor = invertible_minor(layer.weight, kept, sorted(columns))
    if minor is None:
        return None
    values = system.values(point)
    residual = []
    for row in kept:
        rhs = system.rhs[system.position[row]] * row.sign
        residual.append((rhs - values[row.unit]) * system.scale(row.unit))
    common = lcm(*(r.denominator for r in residual))
    square, _ = layer.weight.integer_rows([r.unit for r in kept], minor.columns)
    right = fmpz_mat(len(kept), 1, [int(r * common) for r in residual])
    shift = fmpz_mat(square).solve(right)
    moved = list(point)
    for j, step in zip(minor.columns, shift.entries(), strict=True):
        moved[j] += Fraction(int(step.p), int(step.q) * common)
    return RationalVector.of(moved)


def _well_conditioned(table: np.ndarray) -> tuple[list[int], list[int]]:
    """Rows and columns of a well-conditioned square part of the full rank, by pivoted QR."""
    from scipy.linalg import qr

    if not table.any():
        return [], []
    factor, order = qr(table.T, mode="r", pivoting=True)
    diagonal = np.abs(np.diag(factor))
    rank = int((diagonal > diagonal[0] * 1e-11).sum())
    rows = sorted(order[:rank].tolist())
    _, columns = qr(table[rows], mode="r", pivoting=True)
    return rows, columns[:rank].tolist()


class StrictPoint(NamedTuple):
    """A point strict in every row that can be, and multipliers that hold the others tight."""

    point: RationalVector
    multipliers: Multipliers


def strict_program_point(layer: Rows) -> StrictPoint | None:
    """Solve the program of Freund, Roundy & Todd exactly.

    Maximise ``sum t`` over ``a x + t <= rhs s``, ``a x = rhs s``, ``0 <= t <= 1``, ``s >= 1``, a
    row for each finite bound included.  ``x / s`` is strict in every row that can be strict at
    all, and the multipliers of the optimum are at least 1 on each row that cannot.
    """
    solution = solve(_strict_program(layer))
    if isinstance(solution, Unsolved):
        return None
    n = layer.n_inputs
    numerators = solution.point.numerators
    point = RationalVector(numerators[:n], numerators[n])
    return StrictPoint(point.reduced(), solution.multipliers())


def _strict_program(layer: Rows) -> LinearProgram:
    n, scale_column = layer.n_inputs, layer.n_inputs
    base = LinearProgram.over(layer.system, RationalVector((0,) * n))
    column = n + 1
    rows: list[LPRow] = []
    for row in base.rows:
        rhs = row.rhs
        # The whole row times the denominator of its right-hand side keeps it integral.
        extra = {scale_column: -rhs.numerator} if rhs else {}
        if not row.equality:
            size = max((abs(v) for v in layer.system.integer_row(row.unit or 0)), default=0)
            extra[column] = (size or 1) * rhs.denominator
            column += 1
        factor = row.factor * rhs.denominator
        rows.append(LPRow(row.unit, factor, Fraction(0), row.equality, extra, row.name))
    for j, (low, high) in enumerate(zip(base.lower, base.upper, strict=True)):
        if low is not None and low == high:
            fixed = {j: low.denominator, scale_column: -low.numerator}
            rows.append(LPRow(None, 1, Fraction(0), True, fixed))
            continue
        for bound, sign in ((low, -1), (high, 1)):
            if bound is not None:
                extra = {j: sign * bound.denominator, column: bound.denominator}
                if bound:
                    extra[scale_column] = -sign * bound.numerator
                rows.append(LPRow(None, 1, Fraction(0), False, extra))
                column += 1
    slack = column - n - 1
    none: tuple[Fraction | None, ...] = (None,) * n
    return LinearProgram(
        layer.system,
        tuple(rows),
        (*none, Fraction(1), *(Fraction(0),) * slack),
        (*none, None, *(Fraction(1),) * slack),
        RationalVector((0,) * (n + 1) + (-1,) * slack),
    )
