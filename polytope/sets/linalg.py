"""How is a rank proved?  By an invertible minor from below, by exact combinations from above.

A minor is invertible over the rationals if it is invertible modulo any m >= 2, so a rank bound
needs one modular inverse only, whatever the size of the determinant.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from itertools import chain
from math import gcd
from typing import Any

import numpy as np
from flint import fmpq_mat, fmpz, fmpz_mat, nmod_mat

from polytope.exact.brief import Brief
from polytope.exact.matrix import Matrix
from polytope.exact.rational import RationalVector
from polytope.sets.halfspaces import Row

#: Primes tried in turn; a rank can only drop modulo a prime, and only for few of them.  The first
#: is small because the checker's time on a minor of 1,113 rows grows with it (7 s, against 43 s for
#: the last).
MODULI = (32749, 2**31 - 1, 2**61 - 1)
#: Entries up to which an exact rank is cheap enough to back up the modular one.
_SMALL = 50_000
_SEED = 20191208  # columns are drawn at random, reproducibly


@dataclass(frozen=True, eq=False, repr=False)
class Minor(Brief):
    """Rows and columns of an invertible square submatrix of integer-scaled weight rows."""

    weight: Matrix = field(repr=False)
    rows: tuple[Row, ...]
    columns: tuple[int, ...]
    modulus: int

    @cached_property
    def _inverse(self) -> nmod_mat:
        # A reader decodes these columns alone, so each row has their least common denominator.
        integers, scales = self.weight.integer_rows([r.unit for r in self.rows], self.columns)
        shared = [gcd(scale, *row) for row, scale in zip(integers, scales, strict=True)]
        reduced = [[v // k for v in row] for row, k in zip(integers, shared, strict=True)]
        return nmod_mat(fmpz_mat(reduced), self.modulus).inv()

    @property
    def inverse(self) -> list[list[int]]:
        """Inverse modulo ``modulus`` of the minor, its rows scaled to integers (unsigned).

        Each row is a weight row on these columns, times its least common denominator there.
        """
        size = len(self.rows)
        flat = list(map(int, self._inverse.entries())) if size else []
        return [flat[k * size : (k + 1) * size] for k in range(size)]

    def is_invertible(self) -> bool:
        """Whether the submatrix has an inverse modulo ``modulus``, which is kept."""
        try:
            return not self.rows or self._inverse is not None
        except ZeroDivisionError:
            return False


@dataclass(frozen=True, eq=False, repr=False)
class Span(Brief):
    """Basis rows, and every other row as an exact combination of them (on some columns)."""

    basis: tuple[Row, ...]
    combinations: dict[Row, RationalVector]


def _modular(
    weight: Matrix, units: Sequence[int], columns: Sequence[int], modulus: int
) -> nmod_mat:
    return nmod_mat(fmpz_mat(weight.integer_rows(units, columns)[0]), modulus)


def invertible_minor(weight: Matrix, rows: Sequence[Row], columns: Sequence[int]) -> Minor | None:
    """Confirm a proposed square minor; None if it is singular."""
    units = [r.unit for r in rows]
    if len(rows) != len(columns):
        return None
    for modulus in chain(MODULI, _further_primes()):
        minor = Minor(weight, tuple(rows), tuple(columns), modulus)
        if minor.is_invertible():
            return minor
        # Past the list, one exact rank tells a singular minor from an adversarial one.
        if modulus == MODULI[-1] and _exact_rank(weight, units, columns) < len(rows):
            return None
    raise AssertionError("a determinant has finitely many prime factors")


def independent_rows(weight: Matrix, rows: Sequence[Row], columns: Sequence[int]) -> Minor:
    """The minor that proves a largest set of rows independent on the given columns.

    The set is largest modulo some primes; that nothing larger exists is for ``span`` to prove, or
    for an exact rank where the matrix is small.
    """
    found = _independent_rows(weight, rows, columns, MODULI)
    missing = min(len(rows), len(columns)) - len(found.rows)
    if missing and len(rows) * len(columns) <= _SMALL:
        # Adversarial weights can hide rank from any fixed list of primes.
        exact = _exact_rank(weight, [r.unit for r in rows], columns)
        further = _further_primes()
        while len(found.rows) < exact:
            found = _independent_rows(weight, rows, columns, (next(further),))
    return found


def _exact_rank(weight: Matrix, units: Sequence[int], columns: Sequence[int]) -> int:
    return fmpz_mat(weight.integer_rows(units, columns)[0]).rank()


def _further_primes() -> Iterator[int]:
    """Primes below the last of ``MODULI``, descending."""
    number = MODULI[-1] - 2
    while True:
        if fmpz(number).is_prime():
            yield number
        number -= 2


def _independent_rows(
    weight: Matrix, rows: Sequence[Row], columns: Sequence[int], moduli: Sequence[int]
) -> Minor:
    columns, full = list(columns), min(len(rows), len(columns))
    if not full:
        return Minor(weight, (), (), MODULI[0])
    order = np.random.default_rng(_SEED).permutation(len(columns))
    width = full
    while width < len(columns):
        # A random set of full-many columns is enough for dense weights; else double it.
        chosen = sorted(columns[k] for k in order[:width])
        found = _pivots(weight, rows, chosen, moduli)
        if len(found.rows) == full:
            return found
        width *= 2
    return _pivots(weight, rows, columns, moduli)


def _pivots(
    weight: Matrix, rows: Sequence[Row], columns: Sequence[int], moduli: Sequence[int]
) -> Minor:
    """The minor of pivot rows and columns modulo the prime that loses no rank, if one does not."""
    best = Minor(weight, (), (), MODULI[0])
    for modulus in moduli:
        matrix = _modular(weight, [r.unit for r in rows], columns, modulus)
        if matrix.rank() == len(rows) == len(columns):
            return Minor(weight, tuple(rows), tuple(columns), modulus)
        pivot_columns = tuple(columns[k] for k in _pivot_columns(matrix))
        pivot_rows = tuple(rows[k] for k in _pivot_columns(matrix.transpose()))
        if len(pivot_rows) > len(best.rows):
            best = Minor(weight, pivot_rows, pivot_columns, modulus)
        if len(best.rows) == min(len(rows), len(columns)):
            break
    return best


def _pivot_columns(matrix: nmod_mat) -> list[int]:
    reduced, rank = matrix.rref()
    pivots, width = [], reduced.ncols()
    column = 0
    for row in range(rank):
        while column < width and int(reduced[row, column]) == 0:
            column += 1
        pivots.append(column)
        column += 1
    return pivots


def span(
    weight: Matrix, minor: Minor, rows: Sequence[Row], columns: Sequence[int] | None = None
) -> Span | None:
    """Write each row as an exact combination of the minor's rows; None if one is independent.

    Args:
        weight: exact weight matrix.
        minor: proves the basis rows independent; its columns determine the coefficients.
        rows: the rows to be expressed, the basis rows among them allowed.
        columns: the columns on which the combination has to hold (all of them by default).
    """
    basis = minor.rows
    rest = [r for r in rows if r not in set(basis)]
    if not rest:
        return Span(basis, {})
    chosen = list(range(weight.shape[1])) if columns is None else list(columns)
    integers, scales = weight.integer_rows([r.unit for r in rest], chosen)
    if not basis:
        zero = all(not any(row) for row in integers)
        return Span(basis, {r: RationalVector(()) for r in rest}) if zero else None
    basis_integers, basis_scales = weight.integer_rows([r.unit for r in basis], chosen)
    place = {j: k for k, j in enumerate(chosen)}
    picked = [place[j] for j in minor.columns]
    square = fmpz_mat([[row[k] for k in picked] for row in basis_integers]).transpose()
    right = fmpz_mat([[row[k] for k in picked] for row in integers]).transpose()
    solution: Any = square.solve(right)
    product = solution.transpose() * fmpq_mat(fmpz_mat(basis_integers))
    if product != fmpq_mat(fmpz_mat(integers)):
        return None
    combinations = {}
    for t, (row, scale) in enumerate(zip(rest, scales, strict=True)):
        values = []
        for k, basis_scale in enumerate(basis_scales):
            entry = solution[k, t]
            # From integer-scaled rows back to the weight rows themselves.
            ratio = Fraction(basis_scale, scale)
            values.append(Fraction(int(entry.p), int(entry.q)) * ratio)
        combinations[row] = RationalVector.of(values)
    return Span(basis, combinations)
