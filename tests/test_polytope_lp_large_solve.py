"""Large integer systems: the refined answer is FLINT's, and what floats cannot do FLINT does."""

import numpy as np
import pytest
from flint import fmpz_mat

from polytope.exact.rational import RationalVector
from polytope.lp import large_solve


def system(n, bits, seed=0):
    rng = np.random.default_rng(seed)
    matrix = [[int(v) for v in row] for row in rng.integers(-(2**bits), 2**bits, (n, n))]
    right = [int(a) * 2**90 + int(b) for a, b in rng.integers(-(2**60), 2**60, (n, 2))]
    return matrix, right


@pytest.mark.parametrize("n", [1, 2, 7, 60])
@pytest.mark.parametrize("bits", [1, 20, 45])
def test_refinement_agrees_with_flint(n, bits, monkeypatch):
    matrix, right = system(n, bits, seed=n + bits)
    if fmpz_mat(matrix).det() == 0:
        matrix[0][0] += 1
    expected = large_solve._by_flint(fmpz_mat(matrix), fmpz_mat(n, 1, right))
    monkeypatch.setattr(large_solve, "_SMALL", 0)
    monkeypatch.setattr(large_solve, "_by_flint", None)
    assert large_solve.solve_integers(fmpz_mat(matrix), right) == expected


def test_small_solutions_of_large_systems(monkeypatch):
    """A denominator far below the determinant is found, and so is a solution of zeros."""
    matrix, _ = system(30, 30)
    monkeypatch.setattr(large_solve, "_SMALL", 0)
    monkeypatch.setattr(large_solve, "_by_flint", None)
    wanted = [k - 15 for k in range(30)]
    right = [sum(a * x for a, x in zip(row, wanted, strict=True)) for row in matrix]
    assert large_solve.solve_integers(fmpz_mat(matrix), right) == RationalVector(tuple(wanted))
    assert large_solve.solve_integers(fmpz_mat(matrix), [0] * 30) == RationalVector((0,) * 30)


def test_each_number_may_bring_a_denominator_of_its_own(monkeypatch):
    primes = [2, 3, 5, 7, 11, 13, 17, 19]
    matrix = [[p * (i == j) for j in range(8)] for i, p in enumerate(primes)]
    monkeypatch.setattr(large_solve, "_SMALL", 0)
    monkeypatch.setattr(large_solve, "_by_flint", None)
    solved = large_solve.solve_integers(fmpz_mat(matrix), [1] * 8)
    assert solved.denominator == 9699690
    assert [solved.denominator // v for v in solved.numerators] == primes


@pytest.mark.parametrize("bits", [2, 70])
def test_singular(bits, monkeypatch):
    matrix, right = system(12, 5)
    matrix[3] = [v << bits for v in matrix[4]]
    for small in (0, 100):
        monkeypatch.setattr(large_solve, "_SMALL", small)
        assert large_solve.solve_integers(fmpz_mat(matrix), right) is None


def test_what_floats_cannot_do(monkeypatch):
    """A Hilbert matrix has a condition number beyond float64; large entries do not fit."""
    monkeypatch.setattr(large_solve, "_SMALL", 0)
    common = 232792560 * 23 * 29 * 31 * 37
    hilbert = [[common // (i + j + 1) for j in range(18)] for i in range(18)]
    right = [1] * 18
    solved = large_solve.solve_integers(fmpz_mat(hilbert), right)
    for row in hilbert:
        assert sum(a * x for a, x in zip(row, solved.numerators, strict=True)) == solved.denominator
    wide = [[2**200 + 1, 3], [5, 2**190]]
    solved = large_solve.solve_integers(fmpz_mat(wide), [1, 1])
    first, second = solved.numerators
    assert wide[0][0] * first + wide[0][1] * second == solved.denominator


def test_no_rows():
    assert large_solve.solve_integers(fmpz_mat(0, 0), []) == RationalVector(())
