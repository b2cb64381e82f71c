"""What the checker says is true, and what its docstrings promise is there."""

import ast
import hashlib
import inspect
import re
from fractions import Fraction as F
from pathlib import Path

import numpy as np
import pytest

from polytope import checker
from tests.examples.certificate_forms import document, inequality, vec
from tests.examples.certificate_layers import PLANE, SQUARE

ROOT = Path(__file__).resolve().parent.parent
MATHEMATICS = (ROOT / "docs" / "mathematics.md").read_text(encoding="utf-8")
LONG = 3**50  # a denominator of 80 bits


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (F(0), "0"),
        (F(-5, 4), "-5/4"),
        (F(1, (1 << 64) - 1), "1/18446744073709551615"),
        (F(1, 1 << 64), "5.421010862427522e-20 to double precision"),
        (F(LONG + 1, LONG), "1.0 to double precision"),
        (F(10**305), "1e+305 to double precision"),
        (F(-29, 10**304), "-2.9e-303 to double precision"),
        (F(float(np.finfo(float).max)), "1.7976931348623157e+308 to double precision"),
        (-F(float(np.finfo(float).max)) - 1, "about -2^1023 (beyond all doubles)"),
        (F(1, 1 << 1022), "2.2250738585072014e-308 to double precision"),
        (F(1, 1 << 1023), "about 2^-1023 (nearer to 0 than doubles are precise)"),
        (F(-1, 3**5000), "about -2^-7924 (nearer to 0 than doubles are precise)"),
        (F(10**5000, 7), "about 2^16607 (beyond all doubles)"),
    ],
)
def test_a_number_is_said_truly(value, words):
    assert checker.in_words(value) == words


def test_the_power_of_two_is_right_up_to_a_factor_of_two():
    for value in (F(10**400), F(10**400, 3), F(1, 10**400), F(7, 10**400)):
        power = int(re.search(r"2\^(-?\d+)", checker.in_words(value))[1])
        assert F(2) ** (power - 1) < value < F(2) ** (power + 1)


def test_a_sentence_has_the_number():
    """A double holds 1e305, though its bits are many more than those of the fractions printed."""
    far = document("contains", PLANE, {}, {"point": vec([0, 10**305])})
    assert "in C, 1e+305 to double precision from the target in linf" in checker.check(far)


def test_an_inequality_that_is_kept_is_not_among_the_violated():
    """The point keeps the inequality that it should violate, and violates another."""
    claim = inequality("irredundant", SQUARE, ("upper", 1), point=vec([0, 0]))
    with pytest.raises(checker.CheckError) as caught:
        checker.check(claim)
    assert str(caught.value) == "the point keeps [('upper', 1)]"


def test_a_shape_of_many_axes_is_counted():
    array = {"dtype": "U8", "shape": [1, 1, 1, 1, 2], "data": "0000"}
    with pytest.raises(checker.CheckError, match="got 5 axes"):
        checker.read_array(array, ROOT, (2,))


def test_read_array_is_what_a_certificate_reads(tmp_path):
    values = np.array([[0.1, -0.0], [2.0, 3.5]], np.float32)
    np.save(tmp_path / "weight.npy", values)
    digest = hashlib.sha256((tmp_path / "weight.npy").read_bytes()).hexdigest()
    stated = {"file": "weight.npy", "tensor": "", "sha256": digest}
    found = checker.read_array(stated, tmp_path, (2, -1), "net")
    assert (found.dtype, found.shape) == ("F32", (2, 2))
    assert found.fractions() == [F(float(v)) for v in values.ravel()]
    assert list(found.values(2, 4)) == [2.0, 3.5]
    with pytest.raises(checker.CheckError, match=r"net must have shape \(3, 2\)"):
        checker.read_array(stated, tmp_path, (3, 2), "net")
    with pytest.raises(checker.CheckError, match="not the one stated for array"):
        checker.read_array({**stated, "sha256": "0" * 64}, tmp_path, (2, 2))


# --- what the source promises ----------------------------------------------------------------


def test_every_claim_is_one_function_of_its_name():
    for kind, claim in checker.CLAIMS.items():
        assert claim.prove.__name__ == kind
    assert len({claim.prove for claim in checker.CLAIMS.values()}) == len(checker.CLAIMS)


@pytest.mark.parametrize("kind", checker.CLAIMS)
def test_the_docstring_of_a_claim(kind):
    """Claim, witness, what is compared, why that is enough, and the statement that says so."""
    text = inspect.getdoc(checker.CLAIMS[kind].prove)
    assert text.startswith("Claim: ")
    for part in ("Witness", "Enough"):
        assert part in text, part
    assert "Accepted if" in text or kind == "kernel"  # there each form of the witness says it
    numbers = re.findall(r"\bM\d+", text)
    assert numbers
    for number in numbers:
        assert f"**{number}. " in MATHEMATICS, number


def test_statements_are_numbered_once_and_in_order():
    numbers = [int(n) for n in re.findall(r"^\*\*M(\d+)\. ", MATHEMATICS, re.MULTILINE)]
    assert numbers == list(range(1, len(numbers) + 1))


def test_everything_in_the_checker_has_a_docstring():
    tree = ast.parse(Path(checker.__file__).read_text(encoding="utf-8"))
    bare = [
        node.name
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.ClassDef)
        and ast.get_docstring(node) is None
        and node.name != "__init__"
    ]
    assert bare == []
