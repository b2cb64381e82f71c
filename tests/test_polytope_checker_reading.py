"""The checker reads strictly: what is not exactly the documented format is malformed."""

import json
from fractions import Fraction as F

import numpy as np
import pytest

from polytope import checker
from tests.examples.certificate_forms import array, bits, problem
from tests.examples.certificate_refusals import MALFORMED
from tests.examples.certificates import EXAMPLES, changed


def refusal(bad, **options):
    with pytest.raises(checker.CheckError) as caught:
        checker.check(bad, **options)
    return caught.value.code, str(caught.value)


@pytest.mark.parametrize(("path", "value", "reason"), MALFORMED)
def test_malformed_certificates_are_told_apart(path, value, reason):
    code, message = refusal(changed("optimum of a unit", *path, to=value))
    assert (code, reason in message) == (checker.MALFORMED, True), message


def test_a_witness_of_the_opposite_claim_is_malformed():
    for name, holds in (("kernel holds", False), ("kernel fails by a ray", True)):
        code, message = refusal(changed(name, "claim", "holds", to=holds))
        assert (code, message) == (2, "the witness is one for the opposite claim")


def test_a_negative_activation_and_two_stated_targets_are_malformed():
    assert refusal(changed("empty", "problem", "activation", to=array([-1]))) == (
        2,
        "activation has a negative entry",
    )
    assert refusal(changed("empty", "problem", "target", to=array([0, 0])))[0] == checker.MALFORMED


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"", "not JSON"),
        (b'{"schema": ', "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b'{"claim": 1, "claim": 2}', "same key twice"),
        (b"[" * 200_000, "not JSON"),
        (b'{"schema": ' * 100_000, "not JSON"),
        (b"9" * 5000, "not JSON"),
        (b"[]", "must be of type dict, got list"),
        (b"null", "must be of type dict"),
    ],
)
def test_files_that_are_no_certificates(tmp_path, capsys, text, reason):
    path = tmp_path / "bad.json"
    path.write_bytes(text)
    assert checker.main([str(path)]) == checker.MALFORMED
    assert reason in capsys.readouterr().out


def test_json_numbers_that_are_not_integers(tmp_path, capsys):
    path = tmp_path / "bad.json"
    for number in ("NaN", "Infinity", "1e0", "1.0", "\u0661"):
        text = json.dumps(EXAMPLES["optimum of a unit"]).replace('"unit": 1', f'"unit": {number}')
        path.write_text(text, encoding="utf-8")
        assert checker.main([str(path)]) == checker.MALFORMED
        out = capsys.readouterr().out
        assert "not JSON" in out if number == "\u0661" else "type int, got float" in out


def test_limits(tmp_path, monkeypatch):
    huge = "1" * (checker.MAX_BITS // 4 + 1)
    code, message = refusal(changed("contains", "witness", "point", "den", to=huge))
    assert (code, "bits of a number" in message) == (checker.LIMIT, True)
    wide = {"dtype": "Q", "shape": [0, 1 << 29], "num": [], "den": []}
    code, message = refusal(changed("contains", "problem", "weight", to=wide))
    assert (code, message) == (
        4,
        "entries of problem.weight: needs 0x20000000, above the limit 0x10000000 here",
    )
    path = tmp_path / "c.json"
    path.write_text(json.dumps(EXAMPLES["vertex"]))
    monkeypatch.setattr(checker, "MAX_CERTIFICATE_BYTES", 100)
    assert checker.main([str(path)]) == checker.LIMIT
    monkeypatch.setattr(checker, "MAX_WORK", 1)
    assert refusal(EXAMPLES["contains"])[0] == checker.LIMIT


def test_a_problem_can_be_handed_over_but_not_exchanged():
    example = EXAMPLES["optimum of a unit"]
    parsed = checker.Problem(example["problem"])
    assert checker.check(example, problem=parsed) == checker.check(example)
    code, message = refusal(EXAMPLES["empty"], problem=parsed)
    assert (code, message) == (2, "the problem handed over is another one")


@pytest.mark.parametrize("dtype", ["F16", "BF16", "F32", "F64", "I8", "I16", "I32", "I64", "U8"])
def test_stored_types_are_read_exactly(dtype):
    values = [0, 1, 2, 127] if dtype[0] in "IU" else [-0.0, 0.1, -1.5, 2.0**-14]
    if dtype == "BF16":
        halves = np.array(values, np.float32).view(np.uint32) >> 16
        exact = (halves << 16).astype(np.uint32).view(np.float32)
        stored = {**bits(halves.astype("<u2"), "U16"), "dtype": "BF16"}
    else:
        names = {"F": "<f", "I": "<i", "U": "<u"}
        exact = np.array(values, names[dtype[0]] + str(int(dtype[1:]) // 8))
        stored = bits(exact, dtype)
    layer = problem([[1]] * 4, [0] * 4, target=[0], domain="free")
    parsed = checker.Problem({**layer, "bias": stored})
    assert parsed.bias == [F(value) for value in exact.tolist()]


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("part", ["weight", "bias", "target", "activation"])
def test_nan_and_infinity_are_malformed_wherever_they_stand(part, value):
    # The weight's NaN stands where the target is 0, so no product would show it.
    sound = {"weight": np.eye(2), "bias": np.zeros(2), "target": np.array([0.0, 1.0])}
    if part == "activation":
        del sound["target"]
        sound["activation"] = np.array([0.0, 1.0])
    sound[part].flat[0] = value
    arrays = {name: bits(item, "F64") for name, item in sound.items()}
    stated = {"form": "layer", "domain": {"kind": "free"}, "tolerance": ["0", "1"], **arrays}
    with pytest.raises(checker.CheckError, match=f"{part}: NaN or infinity in 0..1"):
        checker.Problem(stated)
