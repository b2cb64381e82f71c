"""A sample of tests.campaigns.checker_conditions: a checker that lost a condition is noticed."""

import ast

import pytest

from polytope import checker
from tests.campaigns import checker_changes
from tests.campaigns.checker_changes import SOURCE, changes
from tests.campaigns.checker_conditions import explained, in_folder, tried
from tests.campaigns.checker_scenarios import hand_written, words
from tests.examples.certificate_forged import EXACT, FORGED

CHANGES = changes()


@pytest.fixture(scope="module")
def known(tmp_path_factory):
    folder = tmp_path_factory.mktemp("asked") / "one"
    return [(each, in_folder(each, checker, folder)) for each in (*hand_written(), *words())]


def test_every_check_is_taken_out_once():
    calls = [
        node.lineno
        for node in ast.walk(ast.parse(SOURCE))
        if isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Call)
        and getattr(node.value.func, "id", "") in ("_need", "_prove", "_limit")
    ]
    taken = [each.line for each in CHANGES if each.how == "taken out"]
    assert len(calls) > 90
    assert set(calls) <= set(taken)
    assert len(taken) == len(set(taken))


@pytest.mark.parametrize(
    ("function", "condition"),
    [
        ("independent", "_prove(q >= 2, 'minor.modulus is below 2')"),
        ("lower_bound", "_prove(signed, f'negative multiplier: [{kind}, {unit}]')"),
        ("tight_at_point", "_prove(not broken, f'the point violates {sorted(broken)[:3]}')"),
        ("dimension", "_prove(loose == 0, f'the interior point is tight in {loose} inequalities')"),
        ("redundant", "_prove(row not in used, 'the multipliers use the inequality itself')"),
        ("kernel", "_prove(changes[unit] != 0, f'the ray does not change unit {unit}')"),
        ("generators", "_prove_edges(C, tight, staying, len(rays))"),
    ],
)
def test_a_claim_that_lost_a_condition_is_noticed(known, function, condition):
    (change,) = [each for each in CHANGES if (each.function, each.text) == (function, condition)]
    assert tried(change, known, codes=True).what == "exit code"


def test_nothing_is_noticed_of_the_checker_itself(known, monkeypatch):
    monkeypatch.setattr(checker_changes, "_edits", lambda *_: iter(()))
    assert tried(CHANGES[0], known, codes=True).what == "nothing"


def test_what_is_explained_is_there():
    assert set(explained()) <= {each.key for each in CHANGES}


@pytest.mark.parametrize("name", EXACT)
def test_a_certificate_with_nothing_to_spare_is_accepted(name):
    checker.check(EXACT[name])


@pytest.mark.parametrize("name", FORGED)
def test_a_forged_certificate_is_refused(name):
    with pytest.raises(checker.CheckError) as caught:
        checker.check(FORGED[name])
    assert caught.value.code in (checker.MALFORMED, checker.REFUSED, checker.LIMIT)
