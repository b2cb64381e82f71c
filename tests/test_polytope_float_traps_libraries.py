"""What the float libraries get wrong, shown on themselves, and what we answer instead.

Instances of Netlib's infeasible family (bgetam, box1, ex72a, forest6, galenet, gams10am, klein1,
refinery, woodinfe; gas11 unbounded) and of HiGHS's issues are not copied here: the programs below
are generated with the same structures, and say so.
"""

from fractions import Fraction

import highspy
import numpy as np
import pytest

from polytope import Box, CollisionPolytope, LPStatus, Nonnegative, verify
from polytope.errors import NonFiniteError
from polytope.lp import highs
from polytope.vertices import engine
from tests.oracles.exact_oracle import minimum

F = Fraction
halfspaces = CollisionPolytope.from_halfspaces


def _highs(rows, lower, upper, *, bound=1e30):
    """What HiGHS says of lower <= rows x <= upper, -bound <= x <= bound, with its own settings."""
    solver = highspy.Highs()
    solver.setOptionValue("output_flag", False)
    n = len(rows[0])
    for _ in range(n):
        solver.addVar(-bound, bound)
    said = [
        solver.addRow(low, high, n, np.arange(n, dtype=np.int32), np.array(row, dtype=float))
        for row, low, high in zip(rows, lower, upper, strict=True)
    ]
    solver.run()
    return said, solver.getModelStatus()


@pytest.mark.parametrize("gap", [F(1, 10**8), F(1, 10**15), F(1, 2**100), F(5e-324), F(0)])
def test_two_lines_that_meet_beside_a_bound(gap):
    # x + y = 1, x = y, x <= 1/2 - gap: empty for every gap > 0.
    if gap == F(1, 10**8):
        _, status = _highs([[1, 1], [1, -1], [1, 0]], [1, 0, -1e30], [1, 0, 0.5 - 1e-8])
        assert status == highspy.HighsModelStatus.kOptimal  # the trap
    polytope = halfspaces([[1, 0]], [F(1, 2) - gap], equalities=[[1, 1], [1, -1]], values=[1, 0])
    found = polytope.feasibility()
    assert found.feasible is (gap == 0)
    verify(found.certificate)
    status = polytope.minimize([1, 2]).status
    assert status is (LPStatus.EMPTY if gap else LPStatus.OPTIMAL)
    assert polytope.vertices().dimension == (-1 if gap else 0)


def test_a_bound_missed_by_a_hair():
    _, status = _highs([[1], [1]], [1 + 1e-8, -1e30], [1e30, 1])
    assert status == highspy.HighsModelStatus.kOptimal  # the trap
    polytope = halfspaces([[-1], [1]], [-(1 + 1e-8), 1])
    assert polytope.feasibility().feasible is False
    verify(polytope.feasibility().certificate)


def test_nan_and_infinite_coefficients():
    said, status = _highs([[np.nan, 1.0]], [-1e30], [1.0])
    assert said == [highspy.HighsStatus.kOk]  # the trap: no complaint
    assert status != highspy.HighsModelStatus.kModelError
    said, _ = _highs([[np.inf, 1.0]], [-1e30], [1.0])
    assert said == [highspy.HighsStatus.kError]  # the row is dropped, and the rest solved
    for value in (np.nan, np.inf):
        with pytest.raises(NonFiniteError, match=r"weight.*at index \[0, 0\]"):
            CollisionPolytope.from_layer(np.array([[value, 1.0]]), [0.0], [0.0, 0.0])
        with pytest.raises(NonFiniteError, match="matrix"):
            halfspaces(np.array([[value, 1.0]]), [0.0])


# ---- cddlib ------------------------------------------------------------------------------------

#: Generators of a cone of which the last leaves a facet by 1e-8 of an edge (cddlib's issues 44 and
#: 47 are of this kind; this one was found by a search).
NEARLY_FLAT = [
    [3.0, 0.0, -4.0],
    [-4.0, -9.0, -8.0],
    [-9.0, -6.0, 6.0],
    [-3.0727175558872664, -3.261749858792537, 0.8352069257238175],
]


def test_generators_that_cdd_in_doubles_loses():
    cdd = pytest.importorskip("cdd", reason="needs pycddlib")
    matrix = cdd.matrix_from_array(
        [[0, *row] for row in NEARLY_FLAT], rep_type=cdd.RepType.GENERATOR
    )
    facets = cdd.copy_inequalities(cdd.polyhedron_from_matrix(matrix)).array
    assert len(facets) == 3  # the trap: there are 4
    polytope = halfspaces(np.array(NEARLY_FLAT), [0] * 4)  # the polar cone: facets become rays
    found = polytope.vertices()
    assert (len(found.points), len(found.rays), len(found.lines)) == (1, 4, 0)
    verify(found.certificate)


def test_cdd_in_doubles_takes_nan_and_we_do_not():
    cdd = pytest.importorskip("cdd", reason="needs pycddlib")
    rows = [[1.0, float("nan")], [1.0, -1.0]]
    cdd.matrix_from_array(rows, rep_type=cdd.RepType.INEQUALITY)  # the trap: no complaint
    with pytest.raises(NonFiniteError):
        halfspaces(np.array([[np.nan], [1.0]]), [1.0, 1.0])


def test_cdd_with_gmp_is_given_integers():
    gmp = pytest.importorskip("cdd.gmp", reason="needs pycddlib with GMP")
    with pytest.raises((AttributeError, TypeError)):
        gmp.matrix_from_array([[1.0, -0.5]])  # the trap: a bare error of its own
    points, rays = engine._cdd([[3, 0], [-1, 0], [0, 1], [0, -1]], [1, 0, 1, 0])
    assert sorted(map(tuple, points)) == [(1, 0, 0), (1, 0, 1), (3, 1, 0), (3, 1, 3)]
    assert rays == []


# ---- Ranks -------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [10, 12, 13])
def test_hilbert_matrices_in_floats(n):
    exact = [[F(1, i + j + 1) for j in range(n)] for i in range(n)]
    floats = np.array(exact, dtype=np.float32)
    assert np.linalg.matrix_rank(floats) < n  # the trap
    for weight in (exact, floats):
        polytope = CollisionPolytope.from_layer(weight, [1] * n, [1] * n)
        assert polytope.rank_positive().value == n
        verify(polytope.rank_positive().certificate)


# ---- Programs with the structure of Netlib's infeasible ones -----------------------------------

MARGINS = [F(1), F(1, 10**6), F(1, 10**9), F(1, 2**60)]


def _network(rng, margin):
    """As galenet: supplies, demands and capacities; the last demand exceeds the supply."""
    sources, sinks = 3, 4
    supply = [F(int(v), 8) for v in rng.integers(8, 80, sources)]
    rows, bounds = [], []
    for i in range(sources):  # what leaves a source
        rows.append([int(k // sinks == i) for k in range(sources * sinks)])
        bounds.append(supply[i])
    share = sum(supply) / sinks
    for j in range(sinks):  # what has to arrive
        rows.append([-int(k % sinks == j) for k in range(sources * sinks)])
        bounds.append(-(share + (margin if j == 0 else 0)))
    return rows, bounds


def _staircase(rng, margin):
    """As bgetam and forest6: stocks of periods that each come out of the one before."""
    periods, rows, bounds = 8, [], []
    for t in range(periods):
        now = [0] * periods
        now[t] = 1
        if t:
            now[t - 1] = -F(int(rng.integers(90, 110)), 100)
        rows.append(now)
        bounds.append(F(0) if t else F(1))
    growth = F(1)
    for row in rows[1:]:
        growth *= -min(row)
    rows.append([0] * (periods - 1) + [-1])
    bounds.append(-(growth + margin))
    return rows, bounds


def _dense(rng, margin):
    """As klein1: every one of many dense rows is needed for the contradiction."""
    n = 9
    rows = rng.integers(-300, 301, (n, n)).astype(object)
    weights = rng.integers(1, 99, n).astype(object)
    bounds = [F(int(v)) for v in rng.integers(0, 99, n)]
    rows = np.vstack([rows, -(weights @ rows)[None]])
    last = -sum((w * b for w, b in zip(weights.tolist(), bounds, strict=True)), F(0))
    return rows.tolist(), [*bounds, last - margin]


def _bounds_alone(rng, margin):
    """As box1 and woodinfe: one row against the bounds of its columns, in a larger program."""
    n = 10
    rows = [[int(k == j) for k in range(n)] for j in range(n)]
    bounds = [F(int(v), 16) for v in rng.integers(1, 16, n)]
    more = rng.integers(0, 5, (6, n)).tolist()
    rows += [*more, [-1] * n]
    bounds += [sum(row) for row in more]
    return rows, [*bounds, -(sum(bounds[:n]) + margin)]


@pytest.mark.parametrize("build", [_network, _staircase, _dense, _bounds_alone])
@pytest.mark.parametrize("margin", MARGINS, ids=str)
def test_infeasible_by_structure(build, margin):
    rng = np.random.default_rng([20191214, MARGINS.index(margin)])
    for given, empty in ((margin, True), (F(0), False)):
        rows, bounds = build(np.random.default_rng(rng.integers(99)), given)
        n = len(rows[0])
        polytope = CollisionPolytope.from_activation(
            rows, [-b for b in bounds], [0] * len(rows), domain=Nonnegative()
        )
        if build is _dense:  # its combination vanishes on the whole space
            polytope = halfspaces(rows, bounds)
        found = polytope.feasibility()
        assert found.feasible is not empty
        verify(found.certificate)
        result = polytope.minimize([1] * n)
        assert (result.status is LPStatus.EMPTY) is empty
        verify(result.certificate)


def test_unbounded_by_structure():
    # As gas11: a cycle of conversions that gains a hair each time round.
    gain = F(1) + F(1, 2**50)
    rows = [[-1, 1, 0], [0, -1, 1], [gain, 0, -1]]
    polytope = CollisionPolytope.from_activation(rows, [0] * 3, [0] * 3, domain=Nonnegative())
    assert polytope.minimize([-1, 0, 0]).status is LPStatus.OPTIMAL  # only 0 is left
    rows[2][0] = 1 / gain
    polytope = CollisionPolytope.from_activation(rows, [0] * 3, [0] * 3, domain=Nonnegative())
    found = polytope.minimize([-1, 0, 0])
    assert found.status is LPStatus.UNBOUNDED
    verify(found.certificate)


# ---- Wide ranges, and presolve -----------------------------------------------------------------


def _wide(seed, n=5, m=6):
    """As in HiGHS's issues on wide ranges: coefficients of 1e-9 to 1e9 in every row."""
    rng = np.random.default_rng([20191215, seed])
    weight = rng.choice([-1.0, 1.0], (m, n)) * 10.0 ** rng.uniform(-9, 9, (m, n))
    weight[rng.random((m, n)) < 0.3] = 0
    target = rng.random(n) * 10.0 ** rng.uniform(-6, 6, n)
    return weight, -(weight @ target) * (1 + 1e-12), target


@pytest.mark.parametrize("presolve", ["off", "on", "choose"])
@pytest.mark.parametrize("seed", range(6))
def test_wide_ranges_whatever_presolve_does(seed, presolve, monkeypatch):
    monkeypatch.setitem(highs.OPTIONS, "presolve", presolve)
    weight, bias, target = _wide(seed)
    polytope = CollisionPolytope.from_layer(
        weight, bias, target, domain=Box([0] * 5, (target * 2).tolist())
    )
    system = polytope.layer.system
    rows = []
    for row, rhs in zip(system.rows, system.rhs, strict=True):
        a = [row.sign * F(v) for v in weight[row.unit].tolist()]
        rows.append((tuple(a), rhs, row.kind == "equality"))
    for j, v in enumerate(target.tolist()):
        unit = tuple(F(int(k == j)) for k in range(5))
        rows += [(unit, F(v * 2), False), (tuple(-u for u in unit), F(0), False)]
    for unit in polytope.inactive_units[:2]:
        cost = [F(v) for v in weight[unit].tolist()]
        found = polytope.unit_vertex(unit)
        assert found.status is LPStatus.OPTIMAL
        assert found.value == minimum(cost, rows).value + F(bias[unit])
        verify(found.certificate)
