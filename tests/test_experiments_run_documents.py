"""Typed results as JSON and back: nothing is lost, nothing foreign is taken."""

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.run.documents import from_document, json_schema, jsonable
from polytope.errors import FileFormatError


@dataclass(frozen=True)
class Leaf:
    value: Fraction | None
    near: float


@dataclass(frozen=True)
class Tree:
    name: Literal["oak", "ash"]
    leaves: tuple[Leaf, ...]
    counts: dict[int, int] = field(default_factory=dict)


TREE = Tree("oak", (Leaf(Fraction(-1, 3), 0.5), Leaf(None, 1.0)), {7: 2})


def test_a_result_comes_back_as_it_was():
    assert from_document(Tree, jsonable(TREE), "file") == TREE


@given(st.fractions(), st.floats(allow_nan=False, allow_infinity=False))
def test_exact_numbers_and_floats_come_back_bit_for_bit(value, near):
    leaf = Leaf(value, near)
    assert from_document(Leaf, jsonable(leaf), "file") == leaf


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": "elm"}, "file: expected Tree, got another document: Invalid enum value 'elm'"),
        ({"\ud800": 3}, "got another document: 'utf-8' codec can't encode"),
        ({"leaves": 3}, "Expected `array`, got `int`"),
        ({"leaves": [{"value": "1/2", "near": 1}]}, "Expected an exact number, got `str`"),
        ({"leaves": [{"value": {"exact": "1/2"}, "near": 1}]}, "an exact number is written"),
        ({"more": 1}, r"expected Tree and nothing else, got `\$\.more` as well"),
        (
            {"leaves": [{"value": None, "near": 1.0, "far": 2}]},
            r"nothing else, got `\$\.leaves\[0\]\.far` as well",
        ),
    ],
)
def test_another_document_is_refused_with_its_place(change, message):
    with pytest.raises(FileFormatError, match=message):
        from_document(Tree, jsonable(TREE) | change, "file")


def test_an_exact_number_whose_float_is_another_is_refused():
    document = {"value": {"exact": "0x1/0x2", "approx": 0.75}, "near": 1.0}
    with pytest.raises(FileFormatError, match=r"0\.75 at `\$\.value\.approx`"):
        from_document(Leaf, document, "file")


def test_the_schema_of_a_type_names_itself_and_its_fields():
    found = json_schema(Tree, "collision-polytopes/tree/1")
    assert found["$id"] == "collision-polytopes/tree/1"
    assert set(found["$defs"]) == {"Tree", "Leaf"}
    assert found["$defs"]["Tree"]["required"] == ["name", "leaves"]
