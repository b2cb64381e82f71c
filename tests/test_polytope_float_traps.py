"""Layers on which float solvers are known to be wrong."""

import shutil
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from polytope import Box, CollisionPolytope, Free, LPStatus, Nonnegative, verify
from tests.examples.random_layers import Instance
from tests.oracles.exact_oracle import minimum, rank

F = Fraction


def test_a_coefficient_that_highs_drops():
    # 1e-10 x = 1, 0 <= x <= 2e10: HiGHS drops the coefficient and says "infeasible".
    polytope = CollisionPolytope.from_activation([[1e-10]], [0.0], [1.0], domain=Box(0, 2e10))
    found = polytope.feasibility()
    assert found.feasible
    assert list(found.point) == [1 / F(1e-10)]
    assert polytope.dimension().value == 0
    assert polytope.minimize([1]).value == 1 / F(1e-10)
    verify(found.certificate)
    narrow = CollisionPolytope.from_activation([[1e-10]], [0.0], [1.0], domain=Box(0, 1e10 - 1))
    assert narrow.feasibility().feasible is False


@pytest.mark.parametrize("gap", [1e-8, 1e-15, 2.0**-100, 2.0**-1000])
def test_emptiness_by_any_margin(gap):
    # gap <= x and x <= 0, then 0 <= x and x <= 0.
    for shift, empty in ((gap, True), (0.0, False)):
        polytope = CollisionPolytope.from_activation(
            [[-1.0], [1.0]], [shift, 0.0], [0, 0], domain=Box(-1, 1)
        )
        found = polytope.feasibility()
        assert found.feasible is not empty
        assert polytope.dimension().value == (-1 if empty else 0)
        verify(found.certificate)
        verify(polytope.dimension().certificate)
        status = LPStatus.EMPTY if empty else LPStatus.OPTIMAL
        assert polytope.minimize([1]).status is status
        assert polytope.minimize([-1]).status is status


def klee_minty(n):
    """Maximise ``sum 2^(n-j) x_j`` over ``2 sum_{j<i} 2^(i-j) x_j + x_i <= 5^i``, ``x >= 0``.

    The optimum is 5^n, at x_n = 5^n and all other x_j = 0 (Klee & Minty 1972, Chvatal's form).
    """
    weight = [[2 ** (i - j + 1) if j < i else int(j == i) for j in range(n)] for i in range(n)]
    return weight, [-(5 ** (i + 1)) for i in range(n)], [-(2 ** (n - 1 - j)) for j in range(n)]


def test_klee_minty():
    # HiGHS gives 2.9802322387695315e17, which is not the optimum.
    weight, bias, cost = klee_minty(25)
    polytope = CollisionPolytope.from_layer(weight, bias, [0] * 25, domain=Nonnegative())
    found = polytope.minimize(cost)
    assert found.status is LPStatus.OPTIMAL
    assert found.value == -298023223876953125
    assert list(found.point) == [0] * 24 + [5**25]
    assert found.is_vertex
    verify(found.certificate)


@pytest.mark.parametrize("n", [8, 13, 20])
def test_hilbert_matrix(n):
    # numpy finds rank 13 at n = 20; the exact matrix is regular, so the set is a point.
    weight = [[F(1, i + j + 1) for j in range(n)] for i in range(n)]
    polytope = CollisionPolytope.from_layer(weight, [0] * n, [1] * n)
    assert polytope.n_positive == n
    assert polytope.rank_positive().value == n
    assert polytope.dimension().value == 0
    assert polytope.boundedness().bounded
    assert polytope.is_vertex([1] * n)
    # Minimising anything gives the target.
    found = polytope.minimize([(-1) ** j for j in range(n)])
    assert list(found.point) == [1] * n
    for certificate in (polytope.dimension().certificate, found.certificate):
        verify(certificate)


def test_rows_one_ulp_apart():
    rng = np.random.default_rng(1)
    weight = rng.random((50, 50)).astype(np.float32)
    weight[1] = weight[0]
    weight[1, 0] = np.nextafter(weight[0, 0], np.float32(2))
    assert np.linalg.matrix_rank(weight) < 50  # the trap
    polytope = CollisionPolytope.from_layer(
        weight, np.zeros(50, np.float32), np.ones(50, np.float32)
    )
    assert polytope.rank_positive().value == 50
    assert polytope.dimension().value == 0


def test_equalities_that_a_float_activation_breaks():
    # y computed in floats: three times the same equation, each rounded in another way.
    weight = [[0.1, 0.2], [0.3, 0.6], [0.7, 1.4]]
    y = (np.array(weight) @ np.array([0.1, 0.7])).tolist()
    polytope = CollisionPolytope.from_activation(weight, [0, 0, 0], y)
    consistent = rank([[*map(F, w), F(v)] for w, v in zip(weight, y, strict=True)]) == rank(
        [tuple(map(F, w)) for w in weight]
    )
    assert polytope.feasibility().feasible == consistent
    exact = CollisionPolytope.from_layer(weight, [0, 0, 0], [0.1, 0.7])
    assert exact.feasibility().feasible


@pytest.mark.parametrize("scale", [1e-30, 1e-9, 1.0, 1e9, 1e30])
def test_scales_change_no_verdict(scale):
    # The simplex {x >= 0, sum x = 1} and an inactive unit, all weights scaled.
    weight = np.array([[1.0, 1.0, 1.0], [1.0, 2.0, 4.0]]) * scale
    polytope = CollisionPolytope.from_layer(
        weight, np.array([0.0, -8.0 * scale]), [1.0, 0.0, 0.0], domain=Nonnegative()
    )
    assert polytope.dimension().value == 2
    assert polytope.boundedness().bounded
    found = polytope.unit_vertex(1)
    assert found.value == F(weight[1, 0]) - F(8.0 * scale)
    assert found.is_vertex
    verify(found.certificate)


def test_a_bound_that_highs_takes_for_infinite():
    # HiGHS reads 1e20 and more as infinite.
    polytope = CollisionPolytope.from_layer(
        [[1.0, -1.0]], [-1e30], [0.0, 0.0], domain=Box([-1e25, 0], [1e25, 1e22])
    )
    found = polytope.minimize([1, -1])
    assert found.value == -F(1e25) - F(1e22)
    assert found.is_vertex
    verify(found.certificate)


def test_an_interior_point_method_that_does_not_stop():
    # One point at 2^101.  In a process of its own: what hangs there cannot be interrupted.
    question = """
from polytope import CollisionPolytope
s = 2**100
P = CollisionPolytope.from_halfspaces([[-4], [5], [-5]], [-8 * s, 10 * s, -10 * s])
print(P.dimension().value, P.dimension().certificate is not None)
"""
    done = subprocess.run(
        [sys.executable, "-c", question],
        cwd=Path(__file__).resolve().parent.parent,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout.split() == ["0", "True"], done.stderr


def medium(seed):
    """A dense float32 layer with a box, larger than the exact simplex would like."""
    rng = np.random.default_rng(seed)
    weight = rng.standard_normal((24, 40)).astype(np.float32)
    target = np.where(rng.random(40) < 0.4, 0, rng.random(40)).astype(np.float32)
    bias = rng.standard_normal(24).astype(np.float32)
    return Instance(f"medium {seed}", weight, bias, target, None, Box(0, 1), 0)


@pytest.mark.skipif(shutil.which("esolver") is None, reason="needs QSopt_ex (package qsopt-ex)")
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_against_qsopt_ex(seed, tmp_path):
    case = medium(seed)
    polytope, oracle = case.polytope(), case.oracle()
    for unit in polytope.inactive_units[:2]:
        found = polytope.unit_vertex(unit)
        value = _qsopt_ex(oracle.weight[unit], oracle, tmp_path / f"{unit}.lp")
        assert found.status is LPStatus.OPTIMAL
        assert found.value == value + oracle.bias[unit]
        verify(found.certificate)


def _qsopt_ex(cost, oracle, path):
    """The optimum over the half-spaces, as QSopt_ex prints it: a rational number."""

    def terms(numbers):
        return " ".join(f"{'+' if v >= 0 else '-'} {abs(v)} x{j}" for j, v in enumerate(numbers))

    # Integer rows: the reader of this format takes rational numbers, but not long ones.
    lines = ["Minimize", f" obj: {terms(_integers(cost))}", "Subject To"]
    for k, (row, rhs, equation) in enumerate(oracle.rows):
        *left, right = _integers((*row, rhs))
        lines.append(f" r{k}: {terms(left)} {'=' if equation else '<='} {right}")
    lines.append("Bounds")
    lines += [
        f" {low} <= x{j} <= {high}"
        for j, (low, high) in enumerate(zip(oracle.lower, oracle.upper, strict=True))
    ]
    path.write_text("\n".join([*lines, "End", ""]))
    solution = path.with_suffix(".sol")
    run = subprocess.run(
        ["esolver", "-O", str(solution), str(path)], capture_output=True, text=True, check=False
    )
    text = solution.read_text() if solution.exists() else run.stdout
    line = next(s for s in text.splitlines() if "Value" in s)
    scale = F(_integers(cost)[0]) / cost[0]
    return F(line.split("=")[1].strip()) / scale


def _integers(numbers):
    scale = max(F(v).denominator for v in numbers)  # all are powers of two
    return [int(v * scale) for v in numbers]


@pytest.mark.parametrize("seed", [4, 5])
def test_medium_layers_against_cdd(seed):
    cdd = pytest.importorskip("cdd.gmp", reason="needs pycddlib with GMP")
    case = medium(seed)
    small = Instance(
        case.name, case.weight[:10, :14], case.bias[:10], case.target[:14], None, case.domain, 0
    )
    polytope, oracle = small.polytope(), small.oracle()
    rows = [[rhs, *(-v for v in row)] for row, rhs, _ in oracle.half_spaces]
    matrix = cdd.matrix_from_array(
        rows,
        lin_set={k for k, (_, _, eq) in enumerate(oracle.half_spaces) if eq},
        rep_type=cdd.RepType.INEQUALITY,
    )
    matrix.obj_type = cdd.LPObjType.MIN
    for unit in polytope.inactive_units[:3]:
        matrix.obj_func = [oracle.bias[unit], *oracle.weight[unit]]
        program = cdd.linprog_from_matrix(matrix)
        cdd.linprog_solve(program)
        assert program.status == cdd.LPStatusType.OPTIMAL
        assert polytope.unit_vertex(unit).value == program.obj_value


@pytest.mark.parametrize("domain", [Free(), Nonnegative(), Box(0, 1)], ids=str)
def test_low_ranks_with_many_ties(domain):
    # Every unit is a tie at the target 0; the set is a cone (cut off by the box).
    rng = np.random.default_rng(11)
    weight = rng.integers(-1, 2, (12, 3)) @ rng.integers(-1, 2, (3, 6))
    case = Instance("cone", weight, np.zeros(12), np.zeros(6), None, domain, 0)
    polytope, oracle = case.polytope(), case.oracle()
    assert len(polytope.ties) == 12
    assert polytope.dimension().value == oracle.dimension
    assert polytope.lineality().dimension == oracle.lineality
    assert polytope.boundedness().bounded == oracle.is_bounded
    for unit, found in polytope.unit_vertices().items():
        expected = minimum(oracle.weight[unit], oracle.half_spaces)
        assert (found.value is None) == (expected.status == "unbounded")
        assert found.value == expected.value
