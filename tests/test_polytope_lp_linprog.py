"""Is every optimum proved, whoever proposed it?  Liars, bad scales, degenerate walks."""

from fractions import Fraction

import numpy as np
import pytest

from polytope import Box, CollisionPolytope, Free, LPStatus, NearestStatus, Nonnegative, verify
from polytope.exact.rational import RationalVector
from polytope.lp import exact_simplex, linprog
from polytope.lp import walk as walking
from polytope.lp.equilibrate import Equilibration
from polytope.lp.highs import Proposer
from polytope.lp.program import LinearProgram
from polytope.lp.proof import proves_optimum


def random_layer(seed, units=9, inputs=6, *, domain=None, degenerate=False):
    rng = np.random.default_rng(seed)
    if degenerate:
        weight = rng.integers(-2, 3, (units, inputs)).astype(np.float64)
        target = rng.integers(0, 2, inputs).astype(np.float64)
        bias = -weight @ target + rng.integers(-1, 2, units)
    else:
        weight = rng.standard_normal((units, inputs))
        target = rng.random(inputs)
        bias = -weight @ target + rng.standard_normal(units)
    return CollisionPolytope.from_layer(weight, bias, target, domain=domain or Box(0, 1))


def program_of(polytope, unit):
    system = polytope.layer.system
    objective = RationalVector(tuple(system.integer_row(unit)), system.scale(unit))
    return LinearProgram.over(system, objective)


@pytest.fixture
def only_ppl(monkeypatch):
    """No basis is ever proved, so that the last engine has to answer."""
    monkeypatch.setattr(linprog, "basic_solution", lambda program, basis: None)
    monkeypatch.setattr(linprog, "walk", lambda program, basis: None)


@pytest.mark.parametrize("seed", range(4))
def test_ppl_alone_agrees(seed, only_ppl, monkeypatch):
    polytope = random_layer(seed)
    unit = polytope.inactive_units[0]
    last = polytope.unit_vertex(unit)
    verify(last.certificate)
    monkeypatch.undo()
    assert random_layer(seed).unit_vertex(unit).value == last.value


def test_a_lying_engine_is_not_believed(only_ppl, monkeypatch):
    def lie(program):
        return RationalVector((7,) * program.n), (), RationalVector(())

    monkeypatch.setattr(exact_simplex, "solve_exactly", lie)
    polytope = random_layer(0)
    found = polytope.unit_vertex(polytope.inactive_units[0])
    assert found.status is LPStatus.UNDECIDED
    assert "failed its proof" in found.reason
    assert polytope.nearest([2] * 6, "linf").status is NearestStatus.UNDECIDED


@pytest.mark.parametrize("change", ["point", "sign", "slack", "value"])
def test_optimum_needs_every_part_of_its_proof(change):
    # minimise x over {x <= 1 (unit 0), -x <= 0 by the box}: optimum 0 at the bound, no multiplier
    polytope = CollisionPolytope.from_layer([[1]], [-1], [0], domain=Box(0, 2))
    system = polytope.layer.system
    down = LinearProgram.over(system, RationalVector((1,)))
    up = LinearProgram.over(system, RationalVector((-1,)))
    one = RationalVector((1,))
    assert proves_optimum(down, RationalVector((0,)), (), RationalVector(()))
    assert proves_optimum(up, one, (0,), one)
    wrong = {
        "point": (up, RationalVector((2,)), (0,), one),
        "sign": (down, one, (0,), RationalVector((-1,))),
        "slack": (up, RationalVector((0,)), (0,), one),
        "value": (up, one, (0,), RationalVector((2,))),
    }
    assert not proves_optimum(*wrong[change])


@pytest.mark.parametrize("degenerate", [False, True])
@pytest.mark.parametrize("domain", [Box(0, 1), Nonnegative(), Free()])
@pytest.mark.parametrize("seed", range(6))
def test_walk_from_nowhere_ends_where_highs_does(seed, domain, degenerate):
    polytope = random_layer(seed, 12, 5, domain=domain, degenerate=degenerate)
    for unit in polytope.inactive_units[:3]:
        result = polytope.unit_vertex(unit)
        walked = walking.walk(program_of(polytope, unit), None)
        assert (walked is not None) == (result.status is LPStatus.OPTIMAL)
        if walked is not None:
            point = walked.point
            row = polytope.layer.system.integer_row(unit)
            scale = polytope.layer.system.scale(unit)
            value = sum(Fraction(a, scale) * v for a, v in zip(row, point, strict=True))
            assert value + polytope.layer.biases[unit] == result.value


def test_walk_ends_on_beales_cycling_example():
    # Beale (1955): the largest-coefficient rule alone cycles here; the optimum is -1/20.
    weight = [
        [Fraction(1, 4), -60, Fraction(-1, 25), 9],
        [Fraction(1, 2), -90, Fraction(-1, 50), 3],
    ]
    weight += [[0, 0, 1, 0]]
    polytope = CollisionPolytope.from_layer(weight, [0, 0, -1], [0, 0, 0, 0], domain=Nonnegative())
    cost = RationalVector.of([Fraction(-3, 4), 150, Fraction(-1, 50), 6])
    walked = walking.walk(LinearProgram.over(polytope.layer.system, cost), None)
    assert walked is not None
    value = sum(a * b for a, b in zip(cost, walked.point, strict=True))
    assert value == Fraction(-1, 20)
    assert polytope.minimize(cost).value == value


def test_walk_of_an_empty_or_unbounded_program_ends():
    empty = CollisionPolytope.from_activation([[1], [1]], [0, 0], [1, 2], domain=Box(0, 5))
    assert walking.walk(program_of(empty, 0), None) is None
    unbounded = CollisionPolytope.from_layer([[1]], [0], [-1], domain=Free())
    assert walking.walk(program_of(unbounded, 0), None) is None


def badly_scaled(seed, spread, units=40, inputs=60):
    rng = np.random.default_rng(seed)
    weight = rng.standard_normal((units, inputs))
    weight *= 2.0 ** rng.integers(-spread, spread + 1, (units, 1))
    weight *= 2.0 ** rng.integers(-spread, spread + 1, (1, inputs))
    target = rng.random(inputs) * (rng.random(inputs) < 0.5)
    reached = weight @ target
    bias = -reached + rng.standard_normal(units) * np.abs(reached) * 0.3
    return CollisionPolytope.from_layer(weight, bias, target, domain=Box(0, 1))


@pytest.mark.parametrize("spread", [25, 60, 100])
def test_bad_scales_are_decided(spread):
    polytope = badly_scaled(spread, spread, units=20, inputs=30)
    for unit in polytope.inactive_units[:2]:
        result = polytope.unit_vertex(unit)
        assert result.status is LPStatus.OPTIMAL, result.reason
        verify(result.certificate)
    far = polytope.nearest(np.full(30, 0.5), "linf")
    assert far.status is NearestStatus.EXACT, far.reason
    verify(far.certificate)


def test_even_columns_are_left_alone():
    program = program_of(random_layer(0), 0)
    scaling = Equilibration.of(program.float_form, program.n)
    assert not scaling.rows.any()
    assert not scaling.columns.any()
    uneven = program_of(badly_scaled(0, 60), 0)
    scaling = Equilibration.of(uneven.float_form, uneven.n)
    sizes = np.frexp(np.abs(scaling.matrix(uneven.float_form)))[1]
    before = np.frexp(np.abs(uneven.float_form.values))[1]
    assert np.ptp(sizes) < np.ptp(before) / 4


def test_every_column_keeps_its_exact_bounds():
    big = 10**400  # infinite to HiGHS, and a bound all the same
    polytope = CollisionPolytope.from_layer(
        [[1, 0]], [-5 * big], [big, big], domain=Box(big, 10 * big)
    )
    result = polytope.minimize([0, 0])
    assert polytope.contains(result.point)
    verify(result.certificate)
    box = Box([big, 0], [10 * big, 1])
    found = CollisionPolytope.from_activation([[1, 1]], [-5 * big], [0], domain=box).feasibility()
    assert found.feasible
    verify(found.certificate)


def test_a_program_is_not_solved_twice_for_a_wrong_status():
    polytope = random_layer(1)
    program = program_of(polytope, polytope.inactive_units[0])
    solution = linprog.solve(program, Proposer(program), insist=False)
    assert isinstance(solution, linprog.Optimum)
    assert set(solution.seconds) == {"float", "proof"}
