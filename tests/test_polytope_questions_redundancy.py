"""Redundant inequalities: hand-made sets, and random ones against Fourier-Motzkin elimination."""

from fractions import Fraction as F

import numpy as np
import pytest

from polytope import Box, CollisionPolytope, Free, Nonnegative, verify
from polytope.errors import InputError
from polytope.sets.halfspaces import Bound, Row, inequalities
from tests.oracles.certificate_oracle import System, is_true, minimum

U0, U1, U2 = Row("upper", 0), Row("upper", 1), Row("upper", 2)


def proved(polytope):
    """The answer, after its certificates were checked, and the claims judged by the oracle."""
    found = polytope.redundancy()
    assert set(found.certificates) == {*found.redundant, *found.irredundant}
    for name, certificate in found.certificates.items():
        kind = "redundant" if name in found.redundant else "irredundant"
        assert certificate.kind == kind
        verify(certificate)
        assert is_true(certificate.document())
    assert {*found.irredundant} <= {*found.minimal}
    return found


def test_twins_are_both_redundant_and_one_of_them_stays():
    found = proved(CollisionPolytope.from_layer([[1, 0], [2, 0]], [-1, -2], [0, 0]))
    assert (found.redundant, found.irredundant) == ((U0, U1), ())
    assert found.minimal == (U1,)


def test_a_unit_without_weights_is_redundant_and_implicit_if_it_is_exactly_zero():
    found = proved(CollisionPolytope.from_layer([[0, 0], [0, 0], [1, 1]], [0, -1, -1], [0, 0]))
    assert (found.redundant, found.irredundant) == ((U0, U1), (U2,))
    assert (found.minimal, found.implicit) == ((U2,), (U0,))


def test_bounds_and_rows_of_the_running_example():
    """The segment x + y = 3/4, x - y <= 1/2 in the unit square needs one end from each."""
    found = proved(
        CollisionPolytope.from_layer([[1, 1], [1, -1]], [0, -0.5], [0.5, 0.25], domain=Box(0, 1))
    )
    assert found.minimal == found.irredundant == (U1, Bound("lower", 0))
    assert found.redundant == (Bound("upper", 0), Bound("lower", 1), Bound("upper", 1))


def test_implicit_equalities_are_named():
    """x <= 0 and -x <= 0 are both needed; together they make the bounds of x superfluous."""
    found = proved(
        CollisionPolytope.from_layer([[1, 0], [-1, 0]], [0, 0], [0, 0], domain=Box(-1, 1))
    )
    assert found.implicit == (U0, U1)
    assert found.redundant == (Bound("lower", 0), Bound("upper", 0))
    corner = proved(CollisionPolytope.from_layer([[1, 0]], [0], [0, 1], domain=Nonnegative()))
    assert corner.implicit == (U0, Bound("lower", 0))


def test_fixed_coordinates():
    found = proved(CollisionPolytope.from_layer([[1, 1]], [-3], [0, 2], domain=Box([0, 2], [1, 2])))
    assert found.implicit == (Bound("lower", 1), Bound("upper", 1))
    # With y = 2 the row says x <= 1, like the bound.
    assert found.redundant == (U0, Bound("upper", 0))
    assert U0 not in found.minimal
    assert Bound("upper", 0) in found.minimal
    assert Bound("lower", 1) in found.irredundant


def test_tolerance_has_rows_on_both_sides():
    found = proved(
        CollisionPolytope.from_layer(
            [[1, 0], [1, 0]], [0, -1], [1, 0], domain=Box(0, 2), tolerance=F(1, 4)
        )
    )
    assert {Row("lower", 0), Row("upper", 0)} <= {*found.irredundant, *found.redundant}
    assert Row("upper", 1) in found.redundant


def test_of_an_empty_set_everything_is_implied_that_its_emptiness_does_not_need():
    polytope = CollisionPolytope.from_activation([[1, 1]], [0], [5], domain=Box(0, 1))
    found = empty(polytope)
    assert found.irredundant == (Bound("upper", 0), Bound("upper", 1)) == found.minimal
    assert found.redundant == (Bound("lower", 0), Bound("lower", 1))


def test_equations_that_contradict_each_other_imply_every_inequality():
    rows = [[-2, 1, 0], [-4, 2, 0], [0, 0, 0]]
    polytope = CollisionPolytope.from_halfspaces(
        rows, [-1, -1, 1], equalities=[[0, 1, 1], [0, 1, 1]], values=[0, 1]
    )
    found = empty(polytope)
    assert (found.redundant, found.irredundant, found.minimal) == ((U0, U1, U2), (), ())
    assert found.superfluous == ()  # the second is no combination of the first


def test_of_inequalities_that_contradict_each_other_twice_one_pair_stays():
    found = empty(CollisionPolytope.from_halfspaces([[1], [1], [-1], [-1]], [0, 1, -2, -3]))
    assert len(found.redundant) == 4
    assert len(found.minimal) == 2


def empty(polytope):
    """The answer about an empty set; each certificate, and what is left, judged by the oracle."""
    found = polytope.redundancy()
    system = System(polytope.feasibility().certificate.document()["problem"])
    for name, certificate in found.certificates.items():
        verify(certificate)
        assert is_true(certificate.document())
        others = [row for other, row in system.named if other is None or _name(other) != name]
        is_empty = minimum(others, [0] * polytope.n_inputs) == "empty"
        assert (name in found.redundant) == is_empty
        kind = "empty" if is_empty else "irredundant"
        assert certificate.kind == kind
    kept = [row for other, row in system.named if _name(other) in {None, *found.minimal}]
    assert minimum(kept, [0] * polytope.n_inputs) == "empty"
    assert not found.undecided
    assert found.implicit == ()
    return found


@pytest.mark.parametrize("seed", range(60))
def test_random_empty_sets(seed):
    rng = np.random.default_rng(seed)
    inputs = int(rng.integers(1, 4))
    polytope = CollisionPolytope.from_halfspaces(
        rng.integers(-1, 2, (5, inputs)),
        rng.integers(-3, 2, 5),
        equalities=rng.integers(-1, 2, (2, inputs)),
        values=rng.integers(-1, 2, 2),
    )
    if not polytope.feasibility().feasible:
        empty(polytope)


def test_equations_that_repeat_others_are_superfluous():
    polytope = CollisionPolytope.from_halfspaces(
        [[-1, 0], [0, -1]], [0, 0], equalities=[[1, 1], [F(1, 2), F(1, 2)]], values=[1, F(1, 2)]
    )
    found = proved(polytope)
    assert found.superfluous == (Row("equality", 3),)
    assert found.minimal == (U0, U1)
    third = CollisionPolytope.from_halfspaces(
        None, None, equalities=[[1, 0, 2], [0, 0, 0], [0, 1, 1], [1, 2, 4]], values=[1, 0, 2, 5]
    ).redundancy()
    assert third.superfluous == (Row("equality", 1), Row("equality", 3))
    other = CollisionPolytope.from_halfspaces(
        None, None, equalities=[[1, 0], [1, 0]], values=[1, 2]
    )
    assert other.redundancy().superfluous == ()
    assert other.feasibility().feasible is False


def test_no_truth_value():
    with pytest.raises(InputError, match=r"expected to be asked for \.redundant"):
        bool(CollisionPolytope.from_layer([[1]], [0], [0]).redundancy())


@pytest.mark.parametrize("seed", range(40))
def test_random_small_sets(seed):
    """Integers, so that twins, ties and flat sets occur; the minimal system gives the same set."""
    rng = np.random.default_rng(seed)
    inputs, units = int(rng.integers(1, 4)), int(rng.integers(1, 5))
    weight = rng.integers(-1, 3, (units, inputs))
    target = rng.integers(0, 2, inputs)
    bias = rng.integers(-2, 1, units)
    domain = [Free(), Nonnegative(), Box(0, 1), Box(0, 2)][seed % 4]
    polytope = CollisionPolytope.from_layer(
        weight, bias, target, domain=domain, tolerance=F(int(rng.integers(0, 2)), 2)
    )
    found = proved(polytope)
    names = inequalities(polytope.layer.system)
    assert not found.undecided
    assert tuple(n for n in names if n in {*found.redundant, *found.irredundant}) == names
    system = System(next(iter(found.certificates.values())).document()["problem"])
    kept = [named for named in system.named if _name(named[0]) in {None, *found.minimal}]
    for name, (a, b) in system.named:
        others = [row for other, row in kept if other != name or other is None]
        low = minimum(others, [-v for v in a])
        implied = low not in ("-inf", "empty") and -low <= b
        assert implied == (_name(name) not in found.minimal or name is None)


def _name(name):
    if name is None or name[0] in ("upper", "lower"):
        return None if name is None else Row(*name)
    return Bound("lower" if name[0] == "floor" else "upper", name[1])
