"""What floats prove about bases is true: every certain sign equals the exact one."""

import numpy as np
import pytest

from polytope.exact.rational import RationalVector
from polytope.vertices.exact_bases import ExactRows
from polytope.vertices.float_bases import FloatRows


def exact_rows(m: int, n: int, bits: int, seed: int) -> ExactRows:
    generator = np.random.default_rng(seed)
    top = min(bits, 40)
    coarse = generator.integers(-(2**top), 2**top, size=(m, n + 1)).tolist()
    fine = [[v << (bits - top) | 1 for v in row] for row in coarse]
    normals, offsets = [row[:n] for row in fine], [row[n] for row in fine]
    shifts = generator.integers(1, 2**20, size=m).tolist()
    # Copies one unit away from the original: their slacks are nearly zero.
    for k in range(m // 2):
        normals[k + m // 2] = [v + (j == 0) for j, v in enumerate(normals[k])]
        offsets[k + m // 2] = offsets[k]
    return ExactRows(normals, offsets, shifts)


@pytest.mark.parametrize("bits", [3, 20, 50, 90])
@pytest.mark.parametrize("n", [1, 3, 6])
def test_certain_signs_are_true(bits: int, n: int) -> None:
    rows = exact_rows(16, n, bits, seed=bits + n)
    center = RationalVector(tuple(range(1, n + 1)), 7)
    floats = FloatRows(rows.normals, rows.offsets, center, rows.shifts)
    generator = np.random.default_rng(n)
    bases = np.array([generator.choice(16, size=n, replace=False) for _ in range(200)])
    batch = floats.evaluate(bases)
    assert batch.shifts_certain is not None
    assert batch.shifts_wrong is not None
    decided = 0
    for v, basis in enumerate(bases.tolist()):
        point = rows.solve(basis)
        if point is None:
            assert not batch.regular[v]
            continue
        slacks = [rows.slack(j, point) for j in range(16)]
        outside = [j for j in range(16) if j not in basis]
        if batch.wrong[v]:
            assert min(slacks[j][0] for j in outside) < 0
        for j in outside:
            if batch.certain[v, j]:
                assert slacks[j][0] > 0
                decided += 1
            if batch.shifts_certain[v, j]:
                assert slacks[j][1] > 0
            if batch.shifts_wrong[v, j]:
                assert slacks[j][1] < 0
    assert decided > 50  # the test has cases


def test_overflow_and_zero_rows_prove_nothing() -> None:
    rows = [[2**2000, 1], [1, 2**2000], [0, 0]]
    floats = FloatRows(rows, [2**3000, 1, 0], RationalVector((0, 0)), [0, 0, 0])
    batch = floats.evaluate(np.array([[0, 1], [0, 2]]))
    assert not batch.certain[0, 2]
    assert not batch.regular[1]
