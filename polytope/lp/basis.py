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
from typing import NamedTuple

from flint import fmpz_mat

from polytope.exact.rational import RationalVector
from polytope.lp.highs import Basis
from polytope.lp.large_solve import solve_integers
from polytope.lp.program import LinearProgram


class BasicPoint(NamedTuple):
    """The basic solution (n,), and one multiplier per row of ``basis.tight``.

    ``c + sum y_r a_r`` vanishes on the basic columns.
    """

    point: RationalVector
    dual: RationalVector


def solve_basis(program: LinearProgram, basis: Basis) -> BasicPoint | None:
    """Point and multipliers of a basis, exactly; None if it is singular, or no basis at all."""
    if len(basis.basic) != len(basis.tight) or not _is_proper(program, basis):
        return None
    core = _Core.of(program, basis)
    try:
        return BasicPoint(core.primal(_nonbasic_values(program, basis)), core.dual())
    except ZeroDivisionError:
        return None


def _is_proper(program: LinearProgram, basis: Basis) -> bool:
    """Whether every nonbasic column sits on a bound that it has, or is free and held at 0.

    A column held at a bound that is not there would count as unable to move on, and so make a point
    look optimal that is not.
    """
    basic = set(basis.basic)
    return not any(
        (program.upper[j] if j in basis.at_upper else program.lower[j]) is None
        for j in range(program.n)
        if j not in basic and j not in basis.at_zero
    )


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
        bounds = _Numbers.of(fixed)
        if not self._lifted:
            right = _row_residuals(self.program, self.rows, bounds)
            return bounds.joined(_solve(self.matrix, right, self.columns)).vector(self.program.n)
        # With the core at zero the pivots take what is left of their rows; this moves the core's
        # right-hand side as the Schur complement asks.
        start = _with_columns(self.program, bounds, self.pivots)
        right = _row_residuals(self.program, self.rows, start)
        known = bounds.joined(_solve(self.matrix, right, self.columns))
        known = _with_columns(self.program, known, self.pivots)
        return _with_columns(self.program, known, self.peeled).vector(self.program.n)

    def dual(self) -> RationalVector:
        """Solve for the multipliers of the tight rows: ``c + sum y_r a_r = 0`` on basic columns."""
        program, none = self.program, _Numbers({}, 1)
        peeled = _with_rows(program, none, self.peeled)
        start = _with_rows(program, peeled, self.pivots)
        right = [-v for v in _charges(program, self.columns, start)]
        known = peeled.joined(_solve(self.matrix.transpose(), right, self.rows))
        known = _with_rows(program, known, self.pivots)
        values = known.values
        return RationalVector(tuple(values[r] for r in self.basis.tight), known.denominator)

    @property
    def _lifted(self) -> bool:
        return bool(self.peeled or self.pivots)


@dataclass(frozen=True, eq=False)
class _Numbers:
    """Values by index over one common denominator: thousands of sums without a single gcd."""

    values: dict[int, int]
    denominator: int

    @classmethod
    def of(cls, values: dict[int, Fraction]) -> _Numbers:
        common = lcm(*(v.denominator for v in values.values())) if values else 1
        numerators = {j: v.numerator * (common // v.denominator) for j, v in values.items()}
        return cls(numerators, common)

    def over(self, denominator: int) -> _Numbers:
        """The same values over a multiple of their denominator."""
        factor = denominator // self.denominator
        return _Numbers({j: v * factor for j, v in self.values.items()}, denominator)

    def joined(self, other: _Numbers) -> _Numbers:
        """Both sets of values over the least common denominator."""
        common = lcm(self.denominator, other.denominator)
        return _Numbers(self.over(common).values | other.over(common).values, common)

    def vector(self, n: int) -> RationalVector:
        """All n values, zero where none is known."""
        return RationalVector(tuple(self.values.get(j, 0) for j in range(n)), self.denominator)


def _row_products(program: LinearProgram, rows: Sequence[int], known: _Numbers) -> list[int]:
    """Numerators of ``a_r . x`` over the known columns."""
    columns = list(known.values)
    numbers = list(known.values.values())
    out = []
    for r in rows:
        row = program.rows[r]
        if row.unit is None:
            out.append(sum(a * known.values.get(j, 0) for j, a in row.extra.items()))
        else:
            out.append(sum(map(mul, program.entries(r, columns), numbers)))
    return out


def _row_residuals(program: LinearProgram, rows: Sequence[int], known: _Numbers) -> list[Fraction]:
    """Right-hand side of some rows less what the known columns contribute."""
    products = _row_products(program, rows, known)
    return [
        program.rows[r].rhs - Fraction(p, known.denominator)
        for r, p in zip(rows, products, strict=True)
    ]


def _with_columns(
    program: LinearProgram, known: _Numbers, pairs: Sequence[tuple[int, int]]
) -> _Numbers:
    """Solve each pair's row for its column; no pair's row holds another pair's column."""
    if not pairs:
        return known
    rhs = [program.rows[r].rhs for r, _ in pairs]
    known = known.over(lcm(known.denominator, *(v.denominator for v in rhs)))
    products = _row_products(program, [r for r, _ in pairs], known)
    pivots = [program.entries(r, [p])[0] for r, p in pairs]
    common, den = lcm(*pivots), known.denominator
    solved = {
        p: (v.numerator * (den // v.denominator) - product) * (common // pivot)
        for (_, p), v, product, pivot in zip(pairs, rhs, products, pivots, strict=True)
    }
    return known.joined(_Numbers(solved, den * common))


def _charges(program: LinearProgram, columns: Sequence[int], known: _Numbers) -> list[Fraction]:
    """``c_j + sum y_r a_rj`` over the known rows."""
    cost = program.objective
    common = lcm(cost.denominator, known.denominator)
    left, right = common // cost.denominator, common // known.denominator
    total = dict.fromkeys(columns, 0)
    for r, y in known.values.items():
        row = program.rows[r]
        if not y:
            continue
        if row.unit is None:
            entries = [(j, a) for j, a in row.extra.items() if j in total]
        else:
            entries = list(zip(columns, program.entries(r, columns), strict=True))
        for j, a in entries:
            total[j] += a * y
    return [Fraction(cost.numerators[j] * left + total[j] * right, common) for j in columns]


def _with_rows(
    program: LinearProgram, known: _Numbers, pairs: Sequence[tuple[int, int]]
) -> _Numbers:
    """Solve each pair's column for its row's multiplier; no pair's column meets another's row."""
    if not pairs:
        return known
    charges = _charges(program, [p for _, p in pairs], known)
    solved = {
        r: -charge / program.entries(r, [p])[0]
        for (r, p), charge in zip(pairs, charges, strict=True)
    }
    return known.joined(_Numbers.of(solved))


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


def _solve(matrix: fmpz_mat, right: Sequence[Fraction], names: Sequence[int]) -> _Numbers:
    """Solve a square integer system for named unknowns (ZeroDivisionError: singular)."""
    common = lcm(*(f.denominator for f in right))
    column = [f.numerator * (common // f.denominator) for f in right]
    found = solve_integers(matrix, column)
    if found is None:
        raise ZeroDivisionError("the basis is singular")
    return _Numbers(dict(zip(names, found.numerators, strict=True)), found.denominator * common)
