"""Every verdict as PPL and cdd with GMP have it, on random, adversarial and structured layers.

See tests/campaigns/differential.py, whose long run this is a sample of.
"""

from fractions import Fraction

import pytest

pytest.importorskip("cdd.gmp", reason="needs the extra cdd")
from polytope import CollisionPolytope
from tests.campaigns.differential import Comparison, compare_all, draw, main
from tests.campaigns.differential_tally import Tally
from tests.examples import adversarial_layers, random_layers, structured_layers
from tests.examples.random_layers import instance
from tests.oracles.exact_engines import Engine


def _clean(tally):
    assert tally.is_clean, tally.report()
    assert not tally.undecided, tally.report()
    assert not tally.engine_errors, tally.report()
    assert not tally.loose, tally.report()


# One test for each family of layers: the seeds of a family are congruent modulo their number.
@pytest.mark.parametrize("family", range(len(random_layers.FAMILIES)), ids=random_layers.FAMILIES)
def test_random_layers_agree(family):
    step = len(random_layers.FAMILIES)
    _clean(compare_all((seed, instance(seed)) for seed in range(family, 3 * step, step)))


@pytest.mark.parametrize(
    "family", range(len(adversarial_layers.FAMILIES)), ids=adversarial_layers.FAMILIES
)
def test_adversarial_layers_agree(family):
    step = len(adversarial_layers.FAMILIES)
    seeds = range(family, 2 * step, step)
    _clean(compare_all((seed, adversarial_layers.adversarial(seed)) for seed in seeds))


def test_structured_layers_agree():
    _clean(compare_all((seed, structured_layers.structured(seed)) for seed in range(12)))


def test_larger_layers_agree():
    cases = ((seed, instance(seed, largest=(12, 7))) for seed in range(10_000, 10_003))
    tally = compare_all(cases, squares=False)
    assert tally.is_clean, tally.report()
    assert len(tally.undecided) <= 0.01 * tally.n_compared, tally.report()


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_two_thousand_agree():
    tally = compare_all((seed, draw(seed)) for seed in range(100_000, 102_000))
    print(tally.report())
    assert tally.is_clean, tally.report()
    assert len(tally.undecided) <= 0.01 * tally.n_compared, tally.report()


def test_the_command_counts(capsys):
    assert main(["--count", "20", "--start", "5"]) == 0
    printed = capsys.readouterr().out
    assert "0 wrong, 0 crashes, 0 undecided" in printed
    assert "PPL:" in printed
    assert "cdd.gmp:" in printed
    assert "\n20 instances, " in printed


# ---- Would it be seen? -------------------------------------------------------------------------


class Mixed:
    """The layer of another seed stands in for a package that answers something else."""

    name = "mixed"

    def polytope(self):
        return instance(1, largest=(3, 3)).polytope()

    def oracle(self):
        return instance(13, largest=(3, 3)).oracle()


def test_a_wrong_answer_would_be_seen():
    with Comparison() as comparison:
        comparison.ask(Mixed())
    assert comparison.tally.wrong
    assert not comparison.tally.is_clean


def test_a_crash_would_be_seen(monkeypatch):
    def fails(self):
        raise ArithmeticError("an accident")

    monkeypatch.setattr(CollisionPolytope, "boundedness", fails)
    tally = compare_all([(3, instance(3))])
    assert any("an accident" in line for line in tally.crashes)
    assert not tally.is_clean


class Says(Engine):
    """An engine of one answer."""

    def __init__(self, name, answer):
        super().__init__((), 1)
        self.name, self.answer = name, answer


def _ask(engine):
    if engine.answer is None:
        raise RuntimeError("no answer")
    return engine.answer


@pytest.mark.parametrize(
    ("first", "second", "third", "wrong", "errors"),
    [
        (2, 2, 9, 0, 0),
        (2, 3, 2, 0, 1),  # the referee refutes one engine
        (2, None, 2, 0, 1),
        (None, None, 2, 0, 2),  # two failures, and one engine left that agrees
        (2, 3, 3, 1, 1),
        (2, 3, None, 1, 1),
        (3, 3, 2, 1, 2),
        (None, None, None, 1, 2),
        (Fraction(2), 2, 2, 0, 0),  # equal numbers of different types are one answer
    ],
)
def test_the_referee(first, second, third, wrong, errors):
    tally = Tally()
    engines = Says("one", first), Says("two", second)
    tally.agree("question", 2, _ask, engines, lambda: Says("three", third))
    assert (len(tally.wrong), len(tally.engine_errors)) == (wrong, errors), tally.report()
