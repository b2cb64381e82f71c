import json
from dataclasses import dataclass
from enum import Enum, StrEnum
from fractions import Fraction
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

from experiments.run import documents, record, versions
from polytope.errors import FileFormatError, InputError, NonFiniteError


class Colour(Enum):
    RED = "red"


class Text(StrEnum):
    A = "a"


@dataclass(frozen=True, slots=True)
class Options:
    steps: int = 3
    tolerance: Fraction = Fraction(1, 10)


@dataclass(frozen=True)
class Gaps:
    SCHEMA: ClassVar[str] = "collision-polytopes/gaps/2"
    gap: Fraction
    points: tuple[float, ...] = ()
    count: int = 0


@dataclass(frozen=True)
class Other:
    SCHEMA: ClassVar[str] = "collision-polytopes/other/2"
    gap: Fraction


def make(**changes):
    values = {
        "experiment": "mnist",
        "options": {"alpha": 10},
        "seed": 1,
        "data": {"train": "00"},
        "results": Gaps(Fraction(1, 3), (0.5, 1.0)),
        "timings": {"train": 1.5},
    }
    return record.Record(**(values | changes))


@pytest.mark.parametrize(
    "value",
    [
        Fraction(0),
        Fraction(-7, 3),
        Fraction(3**40000, 2**70000),  # longer than the 4,300 digits Python reads in base 10
        Fraction(1, 2**5000),
        10**400,
    ],
)
def test_exact_numbers_survive(value):
    document = json.loads(json.dumps(documents.exact_document(value)))
    assert documents.read_exact(document) == value


def test_approx_is_the_nearest_float_or_none():
    assert documents.exact_document(Fraction(1, 3))["approx"] == 1 / 3
    assert documents.exact_document(-(10**400))["approx"] is None


@pytest.mark.parametrize(
    "text", ["1/3", "0x1/0x0", "0x1", "0x1/-0x2", "0x1_0/0x1", "0x1/0x3\n", " 0x1/0x3", 0.5, None]
)
def test_malformed_exact_numbers_are_refused(text):
    with pytest.raises(FileFormatError, match="exact number"):
        documents.read_exact({"exact": text})


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        (True, True),
        (np.bool_(True), True),
        (np.float32(0.1), 0.10000000149011612),
        (np.int64(-3), -3),
        (Colour.RED, "red"),
        (Text.A, "a"),
        (Path("a/b"), "a/b"),
        ((1, [2.5]), [1, [2.5]]),
        (Options(), {"steps": 3, "tolerance": {"exact": "0x1/0xa", "approx": 0.1}}),
        ({3: "x"}, {"3": "x"}),
    ],
)
def test_jsonable(value, expected):
    found = documents.jsonable(value)
    assert found == expected
    assert type(found) is type(expected)


def test_values_that_a_record_refuses():
    with pytest.raises(NonFiniteError, match=r"results\.gaps\[1\]: expected a finite number.* nan"):
        documents.jsonable({"gaps": [1.0, float("nan")]}, "results")
    with pytest.raises(NonFiniteError, match="inf"):
        documents.jsonable(np.array([np.inf]))
    with pytest.raises(InputError, match=r"results\.x: expected .* got set"):
        documents.jsonable({"x": {1}}, "results")
    with pytest.raises(InputError, match="expected a Fraction or at most 63 bits, got 101 bits"):
        documents.jsonable(1 << 100)
    with pytest.raises(InputError, match=r"results: expected keys .* got \(1, 2\)"):
        documents.jsonable({(1, 2): 3}, "results")
    with pytest.raises(InputError, match=r"options: expected .* got .*int"):
        record.as_options(3)


def test_record_round_trip(tmp_path):
    path = record.write_record(tmp_path, make())
    assert path == tmp_path / "record.json"
    found = record.read_record(tmp_path, Gaps)
    assert found.options == {"alpha": 10}
    assert found.results == Gaps(Fraction(1, 3), (0.5, 1.0))
    assert json.loads(path.read_text())["schema"] == record.SCHEMA


def test_equal_results_make_equal_documents_whatever_the_timings(tmp_path):
    documents = []
    for seconds in (1.5, 2.5):
        record.write_record(tmp_path, make(timings={"train": seconds}))
        documents.append(json.loads((tmp_path / "record.json").read_text()))
    assert documents[0].pop("timings") != documents[1].pop("timings")
    assert documents[0] == documents[1]


@pytest.mark.parametrize(
    ("content", "match"),
    [
        (b"", "expected JSON, got something else"),
        (b"\xff", "expected JSON, got something else"),
        (b"[" * 200_000, "expected JSON, got something else"),
        (b"[]", "schema"),
        (b'{"schema": "other"}', "schema"),
        (
            b'{"schema": "collision-polytopes/record/2", "results_schema": '
            b'"collision-polytopes/gaps/2", "seed": 1}',
            r"exactly .* got \['seed'\]",
        ),
        (
            b'{"schema": "collision-polytopes/record/1", "seed": 1}',
            r"expected a record of schema .*record/2, got 'collision-polytopes/record/1' \(docs",
        ),
    ],
)
def test_damaged_records_are_refused(tmp_path, content, match):
    (tmp_path / "record.json").write_bytes(content)
    with pytest.raises(FileFormatError, match=match):
        record.read_record(tmp_path, Gaps)


def test_absent_record(tmp_path):
    with pytest.raises(FileFormatError, match="cannot be read: No such file"):
        record.read_record(tmp_path, Gaps)


def test_typed_results_come_back_as_they_were(tmp_path):
    made = make(results=Gaps(Fraction(1, 3), (0.5, 1.0)))
    path = record.write_record(tmp_path, made)
    assert record.read_record(tmp_path, Gaps) == made
    assert json.loads(path.read_text())["results_schema"] == Gaps.SCHEMA


def test_results_of_another_schema_are_refused_by_the_names_of_both(tmp_path):
    record.write_record(tmp_path, make(results=Other(Fraction(1))))
    with pytest.raises(
        FileFormatError,
        match=r"results of schema collision-polytopes/gaps/2, got 'collision-polytopes/other/2'",
    ):
        record.read_record(tmp_path, Gaps)


def test_results_that_are_not_what_their_schema_says_are_refused_with_the_place(tmp_path):
    path = record.write_record(tmp_path, make(results=Gaps(Fraction(1))))
    path.write_text(path.read_text().replace('"0x1/0x1"', '"1"'))
    with pytest.raises(FileFormatError, match=r"an exact number is written.*\$\.results\.gap"):
        record.read_record(tmp_path, Gaps)


@pytest.mark.parametrize(
    ("known", "value"), [("17.5", "NaN"), ("17.5", "1e999"), ("19", str(1 << 70)), ("19", "1.5")]
)
def test_numbers_that_no_record_holds_are_refused(tmp_path, known, value):
    path = record.write_record(tmp_path, make(results=Gaps(Fraction(1), (17.5,), 19)))
    path.write_text(path.read_text().replace(known, value))
    with pytest.raises(FileFormatError, match=r"record\.json: expected Record"):
        record.read_record(tmp_path, Gaps)


def test_versions_name_every_package_and_the_commit():
    found = versions.versions()
    assert set(versions.PACKAGES) <= set(found)
    assert found["numpy"] == np.__version__
    assert all(value is None or isinstance(value, str) for value in found.values())
    checkout = (Path(versions.__file__).parents[2] / ".git").exists()
    assert (found["commit"] is not None) == checkout
