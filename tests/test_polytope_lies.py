"""Floats propose, exact arithmetic disposes: whatever the float routines say, no answer is wrong.

See tests/campaigns/lies.py, whose long run this is a sample of.
"""

from fractions import Fraction

import pytest

pytest.importorskip("cdd.gmp", reason="needs the extra cdd")
from polytope import Box, CollisionPolytope, LPStatus
from polytope.exact.rational import RationalVector
from polytope.lp.basis import solve_basis
from polytope.lp.highs import Basis
from polytope.lp.program import LinearProgram
from polytope.lp.proposals import proposing
from tests.campaigns.differential_tally import Tally
from tests.campaigns.lies import LIES, ROUTINES, TOLD, ask, ask_subjects
from tests.campaigns.lies_subjects import differences

#: Lies about what small layers ask for; the others are tried on the larger sets alone.
_SMALL = ("HiGHS", "any", "no ", "interior", "numpy.linalg.inv")
ON_LAYERS = [name for name in LIES if name.startswith(_SMALL)]
#: Of each routine in turn the lie nearest to the truth or the failure; the slow test has all.
ROUTINE_LIES = [f"{name}: {('nearly', 'raises')[k % 2]}" for k, name in enumerate(ROUTINES)]
SAMPLED = [*ROUTINE_LIES, "cvxpy: nearly", "HiGHS raises", "no proposals"]
SAMPLED += [name for name in LIES if name.startswith("any ")]


@pytest.mark.parametrize("name", ON_LAYERS)
def test_no_lie_is_believed(name):
    seed = 4_000 + ON_LAYERS.index(name)
    tally = ask(name, range(seed, seed + 1))
    assert tally.is_clean, tally.report()
    assert tally.n_compared > 20


def _on_larger_sets(name):
    before, tally = TOLD[name], Tally()
    ask_subjects(name, tally)
    assert tally.is_clean, tally.report()
    assert TOLD[name] > before, "nobody asked the liar"


@pytest.mark.parametrize("name", SAMPLED)
def test_no_lie_is_believed_on_larger_sets(name):
    _on_larger_sets(name)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("name", LIES)
def test_many_instances_under_each_lie(name):
    _on_larger_sets(name)
    tally = ask(name, range(50_000, 50_020))
    assert tally.is_clean, f"{name}: {tally.report()}"


# ---- What a lie found --------------------------------------------------------------------------


def test_a_column_on_a_bound_that_is_not_there():
    # x >= 0 without an upper bound, held at its upper one: maximising x is unbounded, not 0.
    polytope = CollisionPolytope.from_layer([[-1]], [0], [1])
    layer = polytope.layer
    program = LinearProgram.over(layer.system, RationalVector((-1,)))
    for side in (frozenset({0}), frozenset()):
        assert solve_basis(program, Basis((), (), side, frozenset())) is None
    found = polytope.minimize([-1])
    assert found.status is LPStatus.UNBOUNDED
    boxed = CollisionPolytope.from_layer([[-1]], [0], [1], domain=Box(0, 2)).layer
    program = LinearProgram.over(boxed.system, RationalVector((-1,)))
    solved = solve_basis(program, Basis((), (), frozenset({0}), frozenset()))
    assert solved is not None
    assert list(solved[0]) == [2]


def test_what_passes_through_a_proposal():
    for error in (RuntimeError, ValueError, ArithmeticError, IndexError):
        with proposing():
            raise error
    for through in (KeyboardInterrupt, SystemExit, MemoryError):
        with pytest.raises(through), proposing():
            raise through

    class PanicException(BaseException):  # as Clarabel's is called
        pass

    with proposing():
        raise PanicException


# ---- Would it be seen? -------------------------------------------------------------------------


def test_a_belief_would_be_seen(monkeypatch):
    # A package that takes every basis for an optimal one.
    monkeypatch.setattr("polytope.lp.proof.BasicSolution.is_optimal", property(lambda self: True))
    tallies = [ask(name, range(2)) for name in ("HiGHS: random basis, kOptimal", "any basis")]
    assert not all(tally.is_clean for tally in tallies)


def test_differences():
    true = {"a": Fraction(1), "b": (1.0, 2.0), "c": True, "d": 3}
    assert differences({"a": Fraction(1), "b": (1.5, 9.0), "c": True, "d": None}, true) == ([], 1)
    wrong, undecided = differences({"a": 2, "b": (2.5, 3.0), "c": False}, true)
    assert (len(wrong), undecided) == (3, 1)
