"""Every verdict of polytope/ on random layers, exactly as PPL has it; see tests/differential.py."""

import pytest

from tests.differential import Tally, compare
from tests.random_layers import FAMILIES, instance


def _compare(seeds, largest=(6, 4)):
    tally = Tally()
    for seed in seeds:
        compare(instance(seed, largest=largest), tally, seed=seed)
    return tally


# One test for each family of layers: the seeds of a family are congruent modulo their number.
@pytest.mark.parametrize("family", range(len(FAMILIES)), ids=FAMILIES)
def test_every_answer_agrees(family):
    tally = _compare(range(family, 18 * len(FAMILIES), len(FAMILIES)))
    assert not tally.wrong, tally.report()
    assert not tally.undecided, tally.report()
    assert not tally.loose, tally.report()
    assert tally.compared["dimension"] == 18


def test_larger_layers_agree():
    tally = _compare(range(10_000, 10_012), largest=(12, 7))
    assert not tally.wrong, tally.report()
    assert len(tally.undecided) <= 0.01 * tally.n_compared, tally.report()


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_two_thousand_layers_agree():
    tally = _compare(range(20_000, 22_000))
    print(tally.report())
    assert not tally.wrong, tally.report()
    assert len(tally.undecided) <= 0.01 * tally.n_compared, tally.report()


def test_a_wrong_answer_would_be_seen():
    # The layer of another seed stands in for a package that answers something else.
    tally = Tally()

    class Mixed:
        name = "mixed"

        def polytope(self):
            return instance(1, largest=(3, 3)).polytope()

        def oracle(self):
            return instance(13, largest=(3, 3)).oracle()

    compare(Mixed(), tally)
    assert tally.wrong
