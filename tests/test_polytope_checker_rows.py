"""Certificates of stated rows: what is proved, what is refused, and the sentence about schemas."""

import copy
import hashlib
import json
from fractions import Fraction as F
from itertools import islice

import numpy as np
import pytest

from polytope import Box, CollisionPolytope, Free, Nonnegative, checker, verify
from tests.campaigns.certificate_sources import certificates, random_rows
from tests.examples.certificate_forms import rows_problem
from tests.examples.certificate_layers import STRIPE
from tests.examples.certificates import EXAMPLES
from tests.oracles.certificate_labels import is_true

SEGMENT = EXAMPLES["rows, dimension"]
LAYER = EXAMPLES["vertex"] if "vertex" in EXAMPLES else EXAMPLES["active set"]


def refused(document, code, words):
    with pytest.raises(checker.CheckError, match=words) as found:
        checker.check(document)
    assert found.value.code == code


def test_the_sentence_says_what_the_rows_are():
    assert checker.check(SEGMENT).startswith(
        "For rows with the stated weights, floors and ceilings (2 units, 1 of them equations, "
        "2 inputs, nonnegative domain, problem sha256 "
    )
    words = checker.check(EXAMPLES["rows, rank"])
    assert words.endswith("C the set that they describe: the 1 equality rows W+ have rank 1.")


def test_every_claim_about_random_rows_is_proved_and_true(tmp_path):
    kinds, path = set(), tmp_path / "certificate.json"
    for seed, (_, polytope) in enumerate(islice(random_rows(0), 20)):
        for certificate in certificates(polytope, np.random.default_rng(seed)):
            assert verify(certificate.save(path))
            document = json.loads(path.read_text())
            assert document["schema"] == checker.LATER_SCHEMA
            assert document["problem"]["form"] == "rows"
            kinds.add(certificate.kind)
            if seed < 6:
                assert is_true(document), certificate.kind
    assert set(checker.CLAIMS) - kinds <= {"active_set", "unique", "rank_at_least", "rank_at_most"}


def test_the_only_point_and_ranks():
    P = CollisionPolytope.from_halfspaces([[1, 1], [-1, 1], [0, -1]], [0, 0, 0])
    assert "is the only point of C" in verify(P.uniqueness().certificate)
    rank = P.rank_positive()
    assert rank.value == 0
    assert verify(rank.at_least)
    assert verify(rank.at_most)


def test_half_spaces_are_certified_as_they_are_stated():
    P = CollisionPolytope.from_halfspaces(
        [[-1, 0], [0, -1], [3, 4]], [0, 0, 12], equalities=[[1, -1]], values=[F(1, 2)]
    )
    document = P.dimension().certificate.document()
    assert document["problem"]["bias"]["data"] == "0" * 64
    assert document["problem"]["floors"] == {"units": [3], "num": ["1"], "den": ["2"]}
    assert document["problem"]["ceilings"]["num"] == ["0", "0", "c", "1"]
    assert "C has dimension 1 (-1: it is empty; the paper's bound d - N+ is 1)" in verify(document)
    assert P.unit_vertex(0).value == -2  # the least -x: 3 x + 4 (x - 1/2) = 12 has x = 2
    assert verify(P.unit_vertex(0).certificate)


@pytest.mark.parametrize("form", ["layer", "rows"])
def test_each_form_has_its_schema(form):
    document, other = (SEGMENT, LAYER) if form == "rows" else (LAYER, SEGMENT)
    mixed = {**document, "schema": other["schema"]}
    refused(mixed, checker.MALFORMED, f"the form '{form}' goes with schema {document['schema']}")


def test_another_schema_is_named_before_anything_else_is_read(tmp_path):
    path = tmp_path / "certificate.json"
    path.write_text(json.dumps({**SEGMENT, "schema": "certificate/4", "problem": {"form": "hull"}}))
    with pytest.raises(checker.CheckError) as found:
        checker.check_file(path)
    assert str(found.value) == (
        "schema must be collision-polytopes/certificate/2 or collision-polytopes/certificate/3, "
        "got 'certificate/4'"
    )


def test_no_active_set_and_no_target_of_rows():
    document = {**SEGMENT, "claim": {"kind": "active_set", "active": [1], "zero": []}}
    refused({**document, "witness": {}}, checker.REFUSED, "not a target's active units")
    with_target = {**STRIPE, "target": STRIPE["bias"]}
    refused({**SEGMENT, "problem": with_target}, checker.MALFORMED, "needs exactly the keys")


@pytest.mark.parametrize(
    ("side", "changed", "words"),
    [
        ("floors", {"units": [0, 0]}, "problem.floors.units has a repeated index"),
        ("floors", {"units": [0, 2]}, r"problem.floors.units must lie in 0..1"),
        ("floors", {"units": [0]}, "problem.floors.num must have 1 entries, got 2"),
        ("ceilings", {"den": ["1", "0"]}, "ceilings.den has an entry that is not positive"),
        ("ceilings", {"den": ["1", "-1"]}, "ceilings.den has an entry that is not positive"),
        ("ceilings", {"num": ["1", "2"]}, "a floor is above its ceiling"),
        ("ceilings", {"more": []}, "problem.ceilings needs exactly the keys units num den"),
        ("floors", {"num": [3, "1"]}, "problem.floors.num must hold hex strings only"),
    ],
)
def test_sides_that_say_nothing_are_refused(side, changed, words):
    document = copy.deepcopy(SEGMENT)
    document["problem"][side] |= changed
    refused(document, checker.MALFORMED, words)


def test_a_floor_counts_with_its_sign():
    """The floor of unit 0 holds x + y up: multipliers below 0, or of its ceiling, prove nothing."""
    document = copy.deepcopy(EXAMPLES["rows, unit"])
    lower = document["witness"]["multipliers"]["lower"]
    document["witness"]["multipliers"] |= {"lower": {**lower, "num": ["-1"]}}
    refused(document, checker.REFUSED, r"negative multiplier: \[lower, 0\]")
    none = {**lower, "index": [], "num": []}
    document["witness"]["multipliers"] |= {"upper": lower, "lower": none}
    refused(document, checker.REFUSED, "the multipliers prove less")
    below = {**EXAMPLES["rows, unit"]["claim"], "value": ["2", "1"]}
    refused({**EXAMPLES["rows, unit"], "claim": below}, checker.REFUSED, "does not have the stated")


def test_a_unit_without_sides_has_no_row():
    stated = rows_problem([[1, 0], [0, 1]], [0, 0], floors={0: 0}, ceilings={}, domain="free")
    problem = checker.Problem(stated)
    assert problem.rows == {("lower", 0): 0}
    assert problem.minus == {("upper", 0), ("upper", 1)}
    P = CollisionPolytope.from_halfspaces([[-1, 0]], [0])
    assert verify(P.lineality().certificate)
    for rows in (1, 2):
        basis = [["lower", 0], ["upper", 1]][:rows]
        document = {
            "schema": checker.LATER_SCHEMA,
            "claim": {"kind": "lineality", "dimension": 1},
            "problem": stated,
            "witness": {
                "minor": {
                    "rows": basis,
                    "columns": [0, 1][:rows],
                    "modulus": "7",
                    "inverse": [["1", "0"][:rows], ["0", "1"][:rows]][:rows],
                },
                "span": None,
            },
        }
        if rows == 1:
            assert "has dimension 1" in checker.check(document)
        else:
            refused(document, checker.REFUSED, "is not a row to use here")


def test_layers_keep_their_schema():
    for domain in (Free(), Nonnegative(), Box(0, 1)):
        P = CollisionPolytope.from_layer([[1, 1]], [0], [1, 0], domain=domain, tolerance=F(1, 9))
        document = P.feasibility().certificate.document()
        assert (document["schema"], document["problem"]["form"]) == (checker.SCHEMA, "layer")


def test_certificates_of_layers_are_the_bytes_they_were():
    """The digest is that of the documents before sets were made of rows (schema 2)."""
    weight, bias = [[2, -1, 3], [0, 4, -2], [-3, 1, 1], [1, 1, 1]], [1, -2, 0, -3]
    whole = hashlib.sha256()
    for domain in (Free(), Nonnegative(), Box(0, 3)):
        for e in (0, F(1, 3)):
            given = {"domain": domain, "tolerance": e}
            P = CollisionPolytope.from_layer(weight, bias, [1, 0, 2], **given)
            Q = CollisionPolytope.from_activation(weight, bias, [9, 0, 0, 1], **given)
            found = [P.feasibility(), P.rank_positive(), P.kernel_condition(), P.lineality()]
            found += [P.active_set(), Q.rank_positive(), Q.kernel_condition(), Q.lineality()]
            for answer in found:
                whole.update(json.dumps(answer.certificate.document()).encode())
    digest = "b8320b18b867d8d69d8216395b29fe3933e8c724b2c047d74c3e85e7d10d4b98"
    assert whole.hexdigest() == digest


def test_a_unit_without_a_side_holds_no_line():
    """Nothing is asked of x: all of the plane is lines, whatever the weights are."""
    stated = copy.deepcopy(SEGMENT["problem"]) | {"domain": {"kind": "free"}}
    stated |= {side: {"units": [], "num": [], "den": []} for side in ("floors", "ceilings")}
    minor = {"rows": [], "columns": [], "modulus": "2", "inverse": []}
    example = {
        **SEGMENT,
        "problem": stated,
        "claim": {"kind": "lineality", "dimension": 2},
        "witness": {"minor": minor, "span": None},
    }
    assert "has dimension 2" in checker.check(example)
    assert is_true(example)
