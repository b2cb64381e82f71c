"""What does a basis say, exactly?  Its point and its multipliers.

The square system of a basis is solved over the rationals by FLINT's p-adic lifting (proven).
Lifted programs carry many rows with few entries; those are eliminated first, in integers, so that
the dense core is never larger than the number of the layer's own tight rows plus the few columns
shared by all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import lcm
from operator import mul
from typing import Any

from flint import fmpz_mat

from polytope.highs import Basis
from polytope.program import LinearProgram
from polytope.rational import RationalVector


def solve_basis(
    program: LinearProgram, basis: Basis
) -> tuple[RationalVector, RationalVector] | None:
    """Point and multipliers of a basis, exactly; None if the basis is singular.

    Returns:
        The basic solution (n,), and one multiplier per row of ``basis.tight`` such that
        ``c + sum y_r a_r`` vanishes on the basic columns.
    """
    if len(basis.basic) != len(basis.tight):
        return None
    core = _Core.of(program, basis)
    try:
        return core.primal(_nonbasic_values(program, basis)), core.dual()
    except ZeroDivisionError:
        return None


def _nonbasic_values(program: LinearProgram, basis: Basis) -> dict[int, Fraction]:
    """Nonzero values of the nonbasic columns: the bounds they sit on."""
    values: dict[int, Fraction] = {}
    basic = set(basis.basic)
    for j in range(program.n):
        if j in basic or j in basis.at_zero:
            continue
        bound = program.upper[j] if j in basis.at_upper else program.lower[j]
        if bound:
            values[j] = bound
    return values


@dataclass(frozen=True, eq=False)
class _Core:
    """The square system after its sparse part has been eliminated.

    ``peeled``: pairs (row, column) whose column occurs in no other tight row.
    ``pivots``: pairs (row, column) of sparse rows with a +-1 entry whose column occurs in no
    other sparse row; they are eliminated from the dense rows by an integer Schur complement.
    """

    program: LinearProgram
    basis: Basis
    peeled: list[tuple[int, int]]
    pivots: list[tuple[int, int]]
    rows: list[int]
    columns: list[int]
    matrix: fmpz_mat

    @classmethod
    def of(cls, program: LinearProgram, basis: Basis) -> _Core:
        rows, columns = list(basis.tight), list(basis.basic)
        width = program.system.n_inputs
        peeled: list[tuple[int, int]] = []
        pivots: list[tuple[int, int]] = []
        if any(program.rows[r].extra for r in rows):
            peeled = _singleton_columns(program, rows, [j for j in columns if j >= width])
            gone_rows, gone_columns = {r for r, _ in peeled}, {j for _, j in peeled}
            rows = [r for r in rows if r not in gone_rows]
            columns = [j for j in columns if j not in gone_columns]
            pivots = _sparse_pivots(program, rows, columns)
            gone_rows, gone_columns = {r for r, _ in pivots}, {j for _, j in pivots}
            rows = [r for r in rows if r not in gone_rows]
            columns = [j for j in columns if j not in gone_columns]
        table = [program.entries(r, columns) for r in rows]
        if pivots:
            _schur_inplace(program, table, rows, columns, pivots)
        matrix = fmpz_mat(table) if table else fmpz_mat(0, 0)
        return cls(program, basis, peeled, pivots, rows, columns, matrix)

    def primal(self, fixed: dict[int, Fraction]) -> RationalVector:
        """Solve for the basic columns, given the values of the others."""
        rhs = self._residuals(self.rows + [r for r, _ in self.pivots], fixed)
        lifted = {p: rhs[r] * self._pivot(r, p) for r, p in self.pivots}
        right = []
        for r in self.rows:
            total = rhs[r]
            if lifted:
                entries = self.program.entries(r, list(lifted))
                pairs = zip(entries, lifted.values(), strict=True)
                total -= sum((a * v for a, v in pairs if a), Fraction(0))
            right.append(total)
        solution, denominator = _solve(self.matrix, right)
        out = RationalVector(tuple(solution), denominator)
        if not self._lifted:
            return _scatter(self.program.n, self.columns, out, fixed)
        values = fixed | dict(zip(self.columns, out, strict=True))
        # Neither kind of eliminated row holds another one's column, so the order is free.
        for group in (self.pivots, self.peeled):
            rest = self._residuals([r for r, _ in group], values)
            values.update({p: rest[r] / self._pivot(r, p) for r, p in group})
        return RationalVector.of(values.get(j, Fraction(0)) for j in range(self.program.n))

    @property
    def _lifted(self) -> bool:
        return bool(self.peeled or self.pivots)

    def _pivot(self, row: int, column: int) -> int:
        return self.program.entries(row, [column])[0]

    def _residuals(self, rows: list[int], values: dict[int, Fraction]) -> dict[int, Fraction]:
        """Right-hand side of some rows less what the known columns contribute."""
        columns = list(values)
        common = lcm(*(v.denominator for v in values.values())) if values else 1
        known = [v.numerator * (common // v.denominator) for v in values.values()]
        return {
            r: self.program.rows[r].rhs
            - Fraction(sum(map(mul, self.program.entries(r, columns), known)), common)
            for r in rows
        }

    def dual(self) -> RationalVector:
        """Solve for the multipliers of the tight rows: ``c + sum y_r a_r = 0`` on basic columns."""
        cost = self.program.objective
        if not self._lifted:
            right = [Fraction(-cost.numerators[j]) for j in self.columns]
            solution, denominator = _solve(self.matrix.transpose(), right)
            return RationalVector(tuple(solution), denominator * cost.denominator)
        known: dict[int, Fraction] = {}
        for r, p in self.peeled:
            known[r] = -cost[p] / self._pivot(r, p)
        charge = self._charges(known, self.columns + [p for _, p in self.pivots])
        right = []
        for j in self.columns:
            total = -charge[j]
            for r, p in self.pivots:
                entry = self.program.entries(r, [j])[0]
                if entry:
                    total += entry * self._pivot(r, p) * charge[p]
            right.append(total)
        solution, denominator = _solve(self.matrix.transpose(), right)
        core = {r: Fraction(v, denominator) for r, v in zip(self.rows, solution, strict=True)}
        known.update(core)
        for r, p in self.pivots:
            entries = [self.program.entries(s, [p])[0] for s in self.rows]
            terms = (a * core[s] for a, s in zip(entries, self.rows, strict=True) if a)
            known[r] = -self._pivot(r, p) * (charge[p] + sum(terms, Fraction(0)))
        return RationalVector.of(known[r] for r in self.basis.tight)

    def _charges(self, known: dict[int, Fraction], columns: list[int]) -> dict[int, Fraction]:
        """Objective plus the part of each column that peeled rows already contribute."""
        charge = {j: self.program.objective[j] for j in columns}
        for r, y in known.items():
            if y:
                for j, a in zip(columns, self.program.entries(r, columns), strict=True):
                    charge[j] += a * y
        return charge


def _singleton_columns(
    program: LinearProgram, rows: list[int], candidates: list[int]
) -> list[tuple[int, int]]:
    """Pair auxiliary columns that occur in exactly one tight row with that row, each row once."""
    holders: dict[int, list[int]] = {j: [] for j in candidates}
    for r in rows:
        for j, value in program.rows[r].extra.items():
            if value and j in holders:
                holders[j].append(r)
    pairs, used = [], set()
    for j, where in holders.items():
        if len(where) == 1 and where[0] not in used:
            pairs.append((where[0], j))
            used.add(where[0])
    return pairs


def _sparse_pivots(
    program: LinearProgram, rows: list[int], columns: list[int]
) -> list[tuple[int, int]]:
    """Pair sparse rows with a +-1 column that no other sparse row holds."""
    sparse = [r for r in rows if program.rows[r].unit is None]
    basic = set(columns)
    count: dict[int, int] = {}
    for r in sparse:
        for j in program.rows[r].extra:
            count[j] = count.get(j, 0) + 1
    pairs = []
    for r in sparse:
        for j, value in program.rows[r].extra.items():
            if j in basic and abs(value) == 1 and count[j] == 1:
                pairs.append((r, j))
                break
    return pairs


def _schur_inplace(
    program: LinearProgram,
    table: list[list[int]],
    rows: list[int],
    columns: list[int],
    pivots: list[tuple[int, int]],
) -> None:
    """Subtract ``A D^-1 C``: D is diagonal with entries +-1, C has few nonzeros."""
    pivot_columns = [p for _, p in pivots]
    left = [program.entries(r, pivot_columns) for r in rows]
    place = {j: k for k, j in enumerate(columns)}
    for t, (r, p) in enumerate(pivots):
        extra = program.rows[r].extra
        sign = extra[p]
        for j, value in extra.items():
            if j != p and j in place:
                k = place[j]
                for line, entries in zip(table, left, strict=True):
                    line[k] -= entries[t] * sign * value


def _solve(matrix: fmpz_mat, right: Sequence[Fraction]) -> tuple[list[int], int]:
    """Solve a square integer system over one denominator (ZeroDivisionError: singular)."""
    if not right:
        return [], 1
    common = lcm(*(f.denominator for f in right))
    column = fmpz_mat(len(right), 1, [f.numerator * (common // f.denominator) for f in right])
    solution: Any = matrix.solve(column)  # an fmpq_mat; the stubs lack numer_denom
    numerator, denominator = solution.numer_denom()
    den = int(denominator) * common
    sign = -1 if den < 0 else 1
    return [sign * int(v) for v in numerator.entries()], sign * den


def _scatter(
    n: int, columns: Sequence[int], core: RationalVector, fixed: dict[int, Fraction]
) -> RationalVector:
    """Place core values and fixed values into one vector over a common denominator."""
    common = lcm(core.denominator, *(v.denominator for v in fixed.values()))
    factor = common // core.denominator
    out = [0] * n
    for j, v in fixed.items():
        out[j] = v.numerator * (common // v.denominator)
    for j, value in zip(columns, core.numerators, strict=True):
        out[j] = value * factor
    return RationalVector(tuple(out), common)
