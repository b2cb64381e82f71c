"""The checker accepts every hand-made certificate and refuses what does not prove its claim."""

import json
from fractions import Fraction as F

import pytest

from polytope import checker
from tests.examples.certificate_forms import (
    EMPTY_MINOR,
    document,
    minor,
    mult,
    problem,
    rational,
    vec,
)
from tests.examples.certificate_layers import E0, SQUARE, TIES, W
from tests.examples.certificate_refusals import BOTH_SIDES, TAMPERED
from tests.examples.certificates import EXAMPLES, changed


def refusal(bad, **options):
    with pytest.raises(checker.CheckError) as caught:
        checker.check(bad, **options)
    return caught.value.code, str(caught.value)


@pytest.mark.parametrize("name", EXAMPLES)
def test_valid_certificates_are_accepted(name):
    text = json.dumps(EXAMPLES[name])
    sentence = checker.check(json.loads(text))
    about = {
        "layer": "real-arithmetic layer with the stored weights, not its float execution",
        "rows": "For rows with the stated weights, floors and ceilings",
    }
    assert about[EXAMPLES[name]["problem"]["form"]] in sentence
    assert json.dumps(EXAMPLES[name]) == text  # the argument is left alone


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("empty", "C is empty"),
        ("optimum of a unit", "minimum of the pre-activation of unit 1 over C is -5/4, attained"),
        ("optimum of an objective", "objective over C is 19/8, attained at a vertex"),
        ("kernel holds, full rank", "ker W\\+ lies in ker W-"),
        ("kernel holds", "ker W\\+ lies in ker W-"),
        ("dimension, implicit rows", "C has dimension 1"),
        (
            "dimension of nothing",
            "C has dimension -1 (-1: it is empty; the paper's bound d - N+ is 1)",
        ),
        (
            "nearest, l2",
            "the squared l2 distance of the stated point from C is 49/64 to 25/32",
        ),
    ],
)
def test_the_claim_is_said_in_words(name, words):
    sentence = checker.check(EXAMPLES[name])
    assert words.replace("\\", "") in sentence
    assert "(2 units, 1 of them active, 2 inputs, box domain, tolerance 1/8," in checker.check(
        EXAMPLES["contains, tolerance"]
    )


@pytest.mark.parametrize(("name", "path", "value", "reason"), TAMPERED)
def test_a_witness_that_proves_nothing_is_refused(name, path, value, reason):
    code, message = refusal(changed(name, *path, to=value))
    assert code == checker.REFUSED
    assert any(part in message for part in reason.split("|")), message


def test_traps():
    """Proofs that a careless checker would take."""
    # |x + y - 3/4| <= 1/8 in the plane: a strip, though upper and lower row are "two" rows.
    strip = problem([[1, 1]], [0], target=[F(3, 4), 0], domain="free", tolerance=F(1, 8))
    both = {"multipliers": mult(1, upper={0: 1}, lower={0: 1}), "minor": BOTH_SIDES}
    assert refusal(document("bounded", strip, {}, both)) == (
        3,
        "minor.inverse is not the inverse of the submatrix",
    )
    # Modulo 1 every matrix is the inverse of every other.
    anything = {**minor(W, [E0], [0]), "modulus": "1"}
    assert refusal(changed("rank", "witness", "minor", to=anything))[0] == checker.REFUSED
    # x <= 0 and -x <= 0 in C of TIES: a unit that is exactly 0 at the target is no interior row.
    tied = {"target": EMPTY_MINOR}
    wrong = document("dimension", TIES, {"value": 2, "paper_bound": 2}, tied)
    assert refusal(wrong) == (3, "no interior point is near the target")
    # Two active rows, of which the minor at the target has only one.
    rows = [[1, 0, 0], [0, 1, 0]]
    stated = problem(rows, [0, 0], target=[1, 1, 1], domain="nonnegative")
    half = {"target": minor(rows, [E0], [0])}
    wrong = document("dimension", stated, {"value": 2, "paper_bound": 1}, half)
    assert refusal(wrong) == (3, "no interior point is near the target")
    # A lower bound of -7/8 on the distance, whose square is 49/64.
    wrong = changed("nearest, l2", "witness", "functional", to=vec([F(7, 10), F(7, 10)]))
    wrong["witness"]["multipliers"] = mult(2, {0: F(-7, 10)})
    assert refusal(wrong) == (3, "the functional does not prove the distance")
    # A multiplier at a row that does not exist at this tolerance, though it does at another.
    lower = {"multipliers": mult(2, lower={0: 1}), "point": vec([F(1, 4), F(1, 2)])}
    claim = {"unit": 0, "value": rational(F(3, 4)), "vertex": False}
    assert refusal(document("optimum", SQUARE, claim, lower))[1].startswith("there is no row")
