"""The checker's own bounds of functions, and certificates of layers with one behind the weights."""

import copy
import json
import random
from fractions import Fraction as F
from itertools import islice

import mpmath
import numpy as np
import pytest

from polytope import Box, CollisionPolytope, checker, verify
from tests.campaigns.certificate_sources import certificates, random_functions
from tests.examples.certificate_ends import turnings
from tests.examples.certificate_forms import array, rational
from tests.examples.certificate_functions import function_document
from tests.oracles.certificate_functions import ends_are_true
from tests.oracles.certificate_oracle import is_true
from tests.oracles.functions import LINEAR, SMOOTH, defined, mp

BITS = (16, 64, 128, 1024)


def encloses(found, value, width):
    low, high = mp(found.low), mp(found.high)
    assert low <= value <= high
    assert high - low <= width


def test_exp_and_log_lie_between_their_bounds():
    rng = random.Random(4)
    with mpmath.workdps(700):
        for bits in BITS:
            width = mpmath.mpf(2) ** (2 - bits)
            drawn = [F(rng.randint(0, 1 << 40), 1 << rng.randint(0, 50)) for _ in range(60)]
            for t in [F(0), F(1, 2), F(1), F(bits), F(bits) + F(1, 7), *drawn]:
                encloses(checker.exp_of_minus(t, bits), mpmath.exp(-mp(t)), width)
            for x in [F(0), F(1), F(1, 3), *(v / 2**41 for v in drawn if v <= 2**40)]:
                both = checker.Between(x, x)
                encloses(checker.log_of_one_plus(both, bits), mpmath.log1p(mp(x)), width)
    assert checker.exp_of_minus(F(0), 64) == (1, 1)
    assert checker.log_of_one_plus(checker.Between(F(0), F(0)), 64) == (0, 0)


@pytest.mark.parametrize("name", [*SMOOTH, *LINEAR])
def test_functions_lie_between_their_bounds(name):
    P = CollisionPolytope.from_layer([[1]], [0], [0], tolerance=1, nonlinearity=name)
    stated = P.feasibility().certificate.document()["problem"]["function"]
    f, reference = checker.Function(checker.Value(stated, "function")), defined(name)
    assert (f.low, f.high) == (P.layer.function.low, P.layer.function.high)
    with mpmath.workdps(400):
        for u in [F(0), F(-7, 3), F(7, 3), F(-100), F(100), F(1, 10**9), F(-1, 10**9)]:
            for bits in BITS:
                value = reference(mp(u))
                found = f.bounds(u, bits)
                slack = mpmath.mpf(10) ** -380  # of mpmath's own
                assert mp(found.low) - slack <= value <= mp(found.high) + slack
                assert mp(found.high) - mp(found.low) <= 32 * mpmath.mpf(2) ** -bits


def test_every_claim_about_random_functions_is_proved_and_true(tmp_path):
    path, forms = tmp_path / "certificate.json", set()
    for seed, (_, polytope) in enumerate(islice(random_functions(0), 24)):
        for certificate in certificates(polytope, np.random.default_rng(seed)):
            assert verify(certificate.save(path))
            document = json.loads(path.read_text())
            assert document["schema"] == checker.LATER_SCHEMA
            assert ends_are_true(document["problem"])
            forms.add((document["problem"]["function"]["kind"], document["problem"]["rounding"]))
            if seed < 4:
                assert is_true(document), certificate.kind
    assert len(forms) >= 9


def moved(stated, side, unit, step):
    """The same with one end a little farther out (step > 0) or farther in."""
    changed = copy.deepcopy(stated)
    ends = changed["problem"][side]
    k = ends["units"].index(unit)
    value = F(int(ends["num"][k], 16), int(ends["den"][k], 16))
    value += step if side == "ceilings" else -step
    ends["num"][k], ends["den"][k] = rational(value)
    return changed


def verdict(stated):
    try:
        return checker.check(stated)
    except checker.CheckError as error:
        return error


STEP = F(1, 10**15)


@pytest.mark.parametrize("name", [*SMOOTH, *LINEAR])
@pytest.mark.parametrize("side", ["floors", "ceilings"])
def test_an_end_on_the_other_side_is_refused(name, side):
    for rounding, out in (("inner", 1), ("outer", -1)):
        stated = function_document(name, rounding=rounding)
        assert isinstance(verdict(stated), str)
        if 0 not in stated["problem"][side]["units"]:
            continue
        allowed = verdict(moved(stated, side, 0, -out * STEP))
        assert isinstance(allowed, str) or "point violates" in str(allowed)
        refused = verdict(moved(stated, side, 0, out * STEP))
        assert isinstance(refused, checker.CheckError)
        assert refused.code == checker.REFUSED
        assert f"the {side[:-1]} of unit 0 is not on the {rounding} side" in str(refused)


def test_an_end_that_is_left_out():
    """Inner: only where no value is farther.  Outer: always, as the set only grows."""
    for rounding in ("inner", "outer"):
        stated = function_document("tanh", rounding=rounding)
        assert stated["problem"]["ceilings"]["units"] == [0]  # tanh(3) + 1/8 > 1
        without = copy.deepcopy(stated)
        without["problem"]["ceilings"] = {"units": [], "num": [], "den": []}
        found = verdict(without)
        if rounding == "outer":
            assert isinstance(found, str)
        else:
            assert "the ceiling of unit 0 is missing" in str(found)
    unbounded = function_document("softplus")
    unbounded["problem"]["ceilings"] = {"units": [], "num": [], "den": []}
    assert "is missing" in str(verdict(unbounded))


def test_a_flat_piece_belongs_to_the_outer_set_as_a_whole():
    """The level y + e = 0 of a clipped ReLU: all u <= 0 have it, so the ceiling is 0."""
    stated = function_document("clipped_relu(6)", rounding="outer", tolerance=0, target=(-1, -2))
    assert stated["problem"]["ceilings"]["num"] == ["0", "0"]
    for step, accepted in ((F(0), True), (F(1), True), (F(-1, 2), False)):
        assert isinstance(verdict(moved(stated, "ceilings", 0, step)), str) is accepted


def test_the_sentence_says_whose_set_it_is():
    inner, outer = (verdict(function_document("tanh", rounding=r)) for r in ("inner", "outer"))
    assert inner.startswith(
        "For the real-arithmetic layer with the stored weights and tanh behind them, not its "
        "float execution (2 units, 2 inputs, box domain, tolerance 1/8, problem sha256 "
    )
    assert "and C a part of its collision polytope, the ends of each unit rounded (inner)" in inner
    assert "and C a set around its collision polytope" in outer
    assert inner.endswith("the stated point lies in C, 0 from the target in linf.")


def test_without_a_tolerance_an_irrational_level_is_met_by_the_target_alone():
    stated = function_document("sigmoid", tolerance=0)
    assert isinstance(verdict(stated), str)
    other = copy.deepcopy(stated)
    for side in ("floors", "ceilings"):
        other["problem"][side]["num"][0], other["problem"][side]["den"][0] = "7", "f"
    assert isinstance(verdict(other), checker.CheckError)


def test_the_minor_at_the_target_is_for_layers_alone():
    """A tie of relu6 at 6 is no tie of a ReLU: the short proof of a dimension does not hold."""
    P = CollisionPolytope.from_layer([[1, 0]], [0], [6, 1], domain=Box(0, 9), nonlinearity="relu6")
    assert verify(P.dimension().certificate)
    short = P.dimension().certificate.document()
    minor = {"rows": [], "columns": [], "modulus": "7", "inverse": []}
    short["witness"] = {"target": minor}
    assert "no interior point is near the target" in str(verdict(short))


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"function": {"kind": "sine", "parameters": []}}, "the function 'sine' is not known here"),
        (
            {"function": {"kind": "tanh", "parameters": [["1", "1"]]}},
            "tanh has 0 parameters, got 1",
        ),
        ({"function": {"kind": "elu", "parameters": [["1", "1"]]}}, "elu has 2 parameters, got 1"),
        (
            {"function": {"kind": "leaky_relu", "parameters": [["0", "1"]]}},
            "leaky_relu: a parameter must be positive",
        ),
        (
            {"function": {"kind": "clip", "parameters": [["1", "1"], *[["0", "1"]] * 3]}},
            "clip: low must be below high",
        ),
        ({"rounding": "near"}, "rounding must be inner or outer"),
        ({"tolerance": ["-1", "8"]}, "tolerance is negative"),
        ({"form": "rows"}, "problem.form must be 'function' with these keys"),
        ({"more": 1}, "problem needs exactly the keys"),
    ],
)
def test_malformed_functions_are_refused(changed, words):
    stated = function_document("tanh")
    stated["problem"] |= changed
    found = verdict(stated)
    assert isinstance(found, checker.CheckError)
    assert found.code == checker.MALFORMED
    assert words in str(found)


def test_bounds_that_never_decide_are_a_limit():
    stated = function_document("tanh")
    near = stated["problem"]["ceilings"]
    exact = mpmath.workdps(5000)
    with exact:
        end = mpmath.atanh(mpmath.tanh(mpmath.mpf(0.5)) + mpmath.mpf(0.125))
        scaled = int(end * mpmath.mpf(2) ** 12000)
    near["num"][0], near["den"][0] = rational(F(scaled, 1 << 12000))
    found = verdict(stated)
    assert isinstance(found, checker.CheckError)
    assert found.code == checker.LIMIT
    assert "needs more than 8192 bits" in str(found)


def test_a_wanted_value_of_any_sign():
    P = CollisionPolytope.from_activation(
        [[1]], [0], [-0.5], nonlinearity="tanh", tolerance=F(1, 4), rounding="outer"
    )
    assert verify(P.unit_vertex(0).certificate)
    stated = P.unit_vertex(0).certificate.document()
    stated["problem"]["activation"] = array([F(1, 2)])
    assert "is not on the outer side" in str(verdict(stated))


@pytest.mark.parametrize("name", turnings())
def test_what_turns_on_one_comparison_is_decided_rightly(name):
    turning = turnings()[name]
    found = verdict(json.loads(json.dumps(turning.document)))
    assert isinstance(found, str) == turning.proved, found
