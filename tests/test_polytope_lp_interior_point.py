"""Large dense programs: the basis of the interior-point method is proved, or HiGHS is asked."""

import numpy as np
import pytest

from polytope import Box, CollisionPolytope, Free, LPStatus, Nonnegative, verify
from polytope.exact.rational import RationalVector
from polytope.lp import interior_point
from polytope.lp.interior_point import propose, suits
from polytope.lp.program import LinearProgram


@pytest.fixture(autouse=True)
def everything_is_large(monkeypatch):
    monkeypatch.setattr(interior_point, "_LARGE", 0)


def polytope(seed, domain, shape=(40, 60)):
    rng = np.random.default_rng(seed)
    weight, bias = rng.standard_normal(shape).astype("f4"), rng.standard_normal(shape[0])
    target = rng.random(shape[1]).astype("f4")
    return CollisionPolytope.from_layer(weight, bias.astype("f4"), target, domain=domain)


def program(chosen, objective):
    return LinearProgram.over(chosen.layer.system, RationalVector.of(objective))


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("domain", [Box(0, 1), Box(-1, 2), Nonnegative()])
def test_the_same_optimum_as_highs(seed, domain, monkeypatch):
    chosen = polytope(seed, domain)
    objective = np.random.default_rng(seed).random(60)  # positive: bounded on each domain
    basis = propose(program(chosen, objective))
    assert basis is not None
    assert len(basis.basic) == len(basis.tight)
    monkeypatch.setattr("polytope.questions.minimize.solve", None)  # HiGHS is not asked
    found = chosen.minimize(objective)
    assert found.status is LPStatus.OPTIMAL
    assert found.is_vertex
    assert "attained at a vertex of C" in verify(found.certificate)
    monkeypatch.undo()
    monkeypatch.setattr(interior_point, "_LARGE", 1 << 40)
    other = chosen.minimize(objective)
    assert other.value == found.value
    assert other.point == found.point


def test_units_in_a_box(monkeypatch):
    chosen = polytope(8, Box(0, 1))
    monkeypatch.setattr("polytope.questions.minimize.solve", None)
    for unit in chosen.inactive_units[:3]:
        found = chosen.unit_vertex(unit)
        assert found.status is LPStatus.OPTIMAL
        verify(found.certificate)


def test_what_it_leaves_to_highs():
    """Unbounded objectives, faces of optima, single points, free coordinates."""
    cone = CollisionPolytope.from_layer([[1, -1]], [0], [1, 1], domain=Nonnegative())
    assert propose(program(cone, [-1, 0])) is None
    assert cone.minimize([-1, 0]).status is LPStatus.UNBOUNDED
    flat = CollisionPolytope.from_layer([[1, 1]], [0], [1, 1], domain=Nonnegative())
    assert propose(program(flat, [1, 1])) is None
    assert flat.minimize([1, 1]).value == 2
    fixed = CollisionPolytope.from_layer([[1, 1]], [0], [1, 1], domain=Box(1, 1))
    assert propose(program(fixed, [1, 0])) is None
    assert fixed.minimize([1, 0]).value == 1
    free = CollisionPolytope.from_layer([[1, 1]], [0], [1, 1], domain=Free())
    assert not suits(program(free, [1, 0]))
    assert free.minimize([1, 1]).value == 2


def test_small_programs_are_left_alone(monkeypatch):
    monkeypatch.undo()
    assert not suits(program(polytope(0, Box(0, 1)), np.ones(60)))
