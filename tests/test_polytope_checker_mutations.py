"""No false claim is accepted: a sample of tests.campaigns.mutants."""

import pytest

from polytope import checker
from tests.campaigns.mutants import LEAST, run
from tests.campaigns.mutation_operators import OPERATORS
from tests.campaigns.mutation_seeds import hand_made, pictures, seeds
from tests.examples.certificates import EXAMPLES
from tests.oracles.certificate_oracle import is_true


def test_no_false_mutant_of_a_hand_made_certificate_is_accepted():
    tally = run(3000, start=1, sources=[*hand_made(), *pictures()])
    assert tally.sound, tally.report()
    assert set(tally.kinds) == set(checker.CLAIMS)
    assert min(row.total() for row in tally.kinds.values()) >= LEAST
    for kind, row in tally.kinds.items():
        assert row["unproved"] >= 5, kind  # the search comes near the truth
        assert row["true"] >= 1, kind


@pytest.mark.slow
def test_no_false_mutant_is_accepted():
    tally = run(10_000, start=2, sources=seeds(2))
    assert tally.sound, tally.report()
    assert sum(row.total() for row in tally.kinds.values()) >= 10_000
    assert {operator.name for operator in OPERATORS} <= set(tally.operators)


def test_the_oracle_agrees_with_the_hand_made_claims():
    for name, document in EXAMPLES.items():
        assert is_true(document), name


def test_exchanged_parts_prove_nothing_false():
    """Each claim with the problem and the witness of every third other example."""
    accepted = 0
    for number, one in enumerate(EXAMPLES.values()):
        for other in [one, *list(EXAMPLES.values())[number % 3 :: 3]]:
            for parts in (("problem",), ("witness",), ("problem", "witness")):
                mixed = {**one, **{part: other[part] for part in parts}}
                try:
                    checker.check(mixed)
                except checker.CheckError:
                    continue
                accepted += 1
                assert is_true(mixed)
    assert accepted >= 3 * len(EXAMPLES)  # at least each with itself
