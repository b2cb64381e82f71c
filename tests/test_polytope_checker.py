"""The checker accepts every hand-made certificate and refuses what does not prove its claim."""

import json
from fractions import Fraction as F

import pytest

from polytope import checker
from tests.examples.certificate_forms import (
    EMPTY_MINOR,
    array,
    document,
    minor,
    mult,
    problem,
    rational,
    span,
    vec,
)
from tests.examples.certificate_layers import E0, L0, SQUARE, TIES, TRIANGLE, U0, U1, UNIT_BOX, W
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


SINGULAR = {**minor(W, [E0], [0]), "inverse": [["2"]]}
# Rows of one unit, upper and lower, are the same row: nothing inverts them.
BOTH_SIDES = {**minor(W, [E0, U1], [0, 1]), "rows": [list(L0), list(U0)]}
TAMPERED = [
    (
        "contains",
        ("witness", "point"),
        vec([F(1, 4), F(5, 8)]),
        "the point violates [('equality', 0)]",
    ),
    (
        "contains",
        ("witness", "point"),
        vec([F(1, 4), F(1, 4)]),
        "the point violates [('equality', 0)]",
    ),
    ("contains", ("witness", "point"), vec([F(-1, 4), 1]), "the point violates [('floor', 0)]"),
    ("contains", ("witness", "point"), vec([F(3, 4), 0]), "the point violates [('upper', 1)]"),
    ("contains, tolerance", ("witness", "point"), vec([F(1, 2), F(1, 9)]), "[('lower', 0)]"),
    ("contains, tolerance", ("witness", "point"), vec([F(1, 2), F(1, 2)]), "[('upper', 0)]"),
    ("empty", ("witness", "multipliers"), mult(1, {0: 1}), "contradiction"),
    ("empty", ("witness", "multipliers"), mult(1), "contradiction"),
    ("empty", ("witness", "multipliers"), mult(1, (), {0: 1}), "no row [upper, 0]"),
    ("empty", ("problem", "activation"), array([2]), "contradiction"),
    ("empty", ("problem", "domain"), {"kind": "nonnegative"}, "contradiction"),
    ("optimum of a unit", ("claim", "value"), rational(-1), "prove less"),
    ("optimum of a unit", ("claim", "unit"), 0, "stated value"),
    ("optimum of a unit", ("witness", "multipliers"), mult(2), "prove less"),
    ("optimum of a unit", ("witness", "point"), vec([F(1, 4), F(1, 2)]), "stated value"),
    ("optimum of a unit", ("witness", "vertex"), EMPTY_MINOR, "1 coordinates are neither"),
    ("optimum of a unit", ("witness", "vertex"), SINGULAR, "not the inverse"),
    ("optimum of a unit", ("witness", "vertex"), minor(W, [U1], [1]), "not a row to use"),
    ("optimum of a unit", ("problem", "domain", "lower"), array([-1, 0]), "stated value|prove"),
    ("optimum, tolerance", ("witness", "multipliers"), mult(2, {0: 1}), "no row [equality, 0]"),
    ("optimum, tolerance", ("witness", "multipliers"), mult(2, lower={0: -1}), "negative"),
    ("optimum, tolerance", ("witness", "multipliers"), mult(2, lower={1: 1}), "[lower, 1]"),
    ("vertex", ("claim", "point"), vec([F(1, 4), F(1, 2)]), "not a row to use"),
    ("vertex", ("witness", "vertex"), minor(W, [E0], [0]), "neither at a bound"),
    ("vertex", ("witness", "vertex", "inverse"), [["1", "0"], ["0", "1"]], "not the inverse"),
    ("vertex", ("witness", "vertex", "modulus"), "1", "below 2"),
    ("vertex", ("witness", "vertex", "modulus"), "0", "below 2"),
    ("vertex", ("witness", "vertex", "modulus"), "-7", "below 2"),
    ("vertex", ("witness", "vertex", "modulus"), "5", "not the inverse"),
    ("unbounded objective", ("witness", "ray"), vec([1, 0]), "the ray violates [('upper', 0)]"),
    ("unbounded objective", ("witness", "ray"), vec([0, -1]), "[('floor', 1), ('upper', 0)]"),
    ("unbounded objective", ("witness", "ray"), vec([0, 1]), "does not fall"),
    ("unbounded objective", ("witness", "point"), vec([2, 0]), "the point violates [('upper', 0)]"),
    ("unbounded unit", ("problem", "domain"), UNIT_BOX, "the ray violates [('ceiling', 1)]"),
    ("rank", ("claim", "rank"), 2, "proves rank 1"),
    ("rank", ("claim", "rank"), 0, "proves rank 1"),
    ("rank", ("witness", "minor"), minor(W, [U1], [0]), "not a row to use"),
    ("rank, dependent", ("witness", "span"), None, "rank 1 shown, 2 at most"),
    ("rank, dependent", ("witness", "span"), span([E0], {}), "leaves out 1 rows"),
    ("rank, dependent", ("witness", "span"), span([E0], {("equality", 1): [3]}), "combination"),
    ("kernel holds", ("witness", "span"), span([E0], {}), "leaves out 1 rows"),
    ("kernel holds", ("witness",), {"minor": minor(W, [E0], [0])}, "W+ to have rank 2"),
    ("kernel holds, full rank", ("witness", "minor"), minor(W, [U1], [0]), "not a row to use"),
    ("kernel holds", ("witness", "span"), span([E0], {U1: [1]}), "not the stated combination"),
    ("kernel holds", ("witness", "span"), span([U1], {}), "not a row to use"),
    ("kernel fails by a ray", ("witness", "ray"), vec([1, 1]), "not in ker W+"),
    ("kernel fails by a ray", ("witness", "ray"), vec([0, 0]), "does not change unit 1"),
    ("kernel fails by a ray", ("witness", "unit"), 0, "unit 0 is active"),
    ("kernel fails by a minor", ("witness", "minor"), minor(W, [U1], [0]), "not of W+"),
    ("kernel fails by a minor", ("witness", "minor"), minor(W, [E0], [0]), "not of W+"),
    ("kernel fails, dependent", ("witness", "span"), None, "not of W+"),
    ("dimension by a point", ("claim", "value"), 2, "shown are dimension 1"),
    ("dimension by a point", ("claim", "value"), -1, "shown are dimension 1"),
    ("dimension by a point", ("claim", "paper_bound"), 2, "paper_bound 1"),
    (
        "dimension by a point",
        ("witness", "interior"),
        vec([0, F(3, 4)]),
        "tight in 1 ineq",
    ),
    ("dimension by a point", ("witness", "minor"), EMPTY_MINOR, "rank 0 shown"),
    ("dimension by the target", ("problem", "target"), array([F(1, 2), 0]), "exact|near"),
    (
        "dimension by the target",
        ("problem", "target"),
        array([0, F(1, 2)]),
        "no interior point is near",
    ),
    (
        "dimension by the target",
        ("problem", "tolerance"),
        rational(F(1, 9)),
        "no interior point is near",
    ),
    ("dimension, implicit rows", ("witness", "implicit"), None, "tight in 2 inequalities"),
    ("dimension, implicit rows", ("witness", "implicit"), mult(2, (), {0: 1}), "bound 0"),
    ("dimension, implicit rows", ("witness", "implicit"), mult(2, (), {0: 1, 1: -1}), "negative"),
    ("dimension, implicit rows", ("claim", "value"), 2, "shown are dimension 1"),
    ("dimension, implicit bound", ("problem", "domain"), {"kind": "free"}, "bound 0"),
    ("dimension, fixed coordinate", ("claim", "value"), 1, "shown are dimension 0"),
    ("dimension, fixed coordinate", ("witness", "minor"), minor([[1, 1]], [E0], [1]), "fixed"),
    ("dimension, tolerance", ("claim", "value"), 1, "shown are dimension 2"),
    ("dimension, tolerance", ("witness", "interior"), vec([F(1, 4), F(3, 8)]), "tight"),
    ("dimension of nothing", ("witness", "empty"), mult(1), "contradiction"),
    ("lineality", ("claim", "dimension"), 1, "proves 2"),
    ("lineality", ("witness", "span"), None, "rank 1 shown, 2 at most"),
    ("lineality in a box", ("claim", "dimension"), 1, "proves 0"),
    ("bounded, box", ("problem", "domain"), {"kind": "free"}, "not a box"),
    ("bounded, box", ("witness", "box"), False, "not a box"),
    ("bounded, free", ("witness", "multipliers"), mult(3, (), {0: 1, 1: 1}), "is not 0"),
    ("bounded, free", ("witness", "multipliers"), mult(3), "not a row to use"),
    ("bounded, free", ("witness", "minor"), minor([[1, 0]], [U0], [0]), "neither held by g"),
    ("bounded, nonnegative", ("witness", "multipliers"), mult(2, {0: -1}, {1: 1}), "negative"),
    ("bounded, nonnegative", ("witness", "minor"), EMPTY_MINOR, "neither held by g"),
    ("unbounded", ("witness", "ray"), vec([0, 0]), "ray is zero"),
    ("unbounded", ("witness", "ray"), vec([1, 0]), "the ray violates [('upper', 0)]"),
    ("unbounded, wide", ("witness", "wide"), False, "free domain and N < d"),
    ("unbounded, wide", ("problem",), TRIANGLE, "free domain and N < d"),
    ("unbounded, wide", ("problem", "domain"), {"kind": "nonnegative"}, "free domain"),
    ("nearest, linf", ("claim", "distance"), rational(F(1, 2)), "farther away"),
    ("nearest, linf", ("witness", "point"), vec([F(1, 4), F(1, 2)]), "farther away"),
    ("nearest, linf", ("witness", "functional"), vec([-1, -1]), "too long"),
    ("nearest, linf", ("witness", "functional"), vec([0, 0]), "does not prove"),
    ("nearest, l1", ("witness", "functional"), vec([F(-9, 8), 0]), "too long"),
    ("nearest, l1", ("witness", "multipliers"), mult(2), "does not prove"),
    ("nearest, l2", ("witness", "functional"), vec([F(-4, 5), F(-4, 5)]), "too long"),
    ("nearest, l2", ("claim", "lower_squared"), rational(F(50, 64)), "does not prove the distance"),
    ("nearest, l2", ("claim", "upper_squared"), rational(F(3, 4)), "farther away"),
]


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
