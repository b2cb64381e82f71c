"""What was planted in a layer is found, by the smallest margins; see tests/campaigns/planted.py."""

import pytest

from polytope import CollisionPolytope
from tests.campaigns.planted import KINDS, Tally, main, plant


@pytest.mark.parametrize("kind", range(len(KINDS)), ids=[k.__name__ for k in KINDS])
def test_what_was_planted_is_found(kind):
    tally = Tally()
    for seed in range(kind, 10 * len(KINDS), len(KINDS)):
        plant(seed, tally)
    assert not tally.wrong, tally.report()
    assert not tally.undecided, tally.report()
    assert sum(tally.right.values()) == 10
    assert tally.certificates >= 10
    assert len(tally.right) >= 4  # margins


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_layers_of_mnist_size():
    assert main(["--count", "100", "--start", "1000"]) == 0


def test_the_command_counts(capsys):
    assert main(["--count", "7"]) == 0
    assert "7 layers, 0 wrong, 0 undecided" in capsys.readouterr().out


def test_a_wrong_answer_and_a_crash_would_be_seen(monkeypatch):
    tally = Tally()
    monkeypatch.setattr(CollisionPolytope, "contains", lambda self, x: True)
    plant(0, tally)
    assert "the moved point: True here, False planted" in tally.wrong[0]
    monkeypatch.setattr(CollisionPolytope, "uniqueness", lambda self: 1 / 0)
    plant(0, tally)
    assert "ZeroDivisionError" in tally.wrong[-1]
    assert not tally.right
