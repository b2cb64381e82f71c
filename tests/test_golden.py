"""What compares printed texts with golden files sees what it should, and nothing else."""

import re
from pathlib import Path

import pytest

from tests.examples.printed import (
    FOLDER,
    Golden,
    agree,
    all_numbers,
    by_row,
    differences,
    tables,
)

TABLE = """\
before
**One**

| unit | value \\| bound | steps |
| ---- | -------------- | ----- |
| 0    | -0.550971      | 300   |
| 4    | 1.5e-09        | 400   |

* first note
* second

**Other**

no row
"""


def test_tables_are_read_back():
    found = tables(TABLE)
    assert list(found) == ["One", "Other"]
    assert found["One"].columns == ("unit", "value | bound", "steps")
    assert found["One"].notes == ("first note", "second")
    assert found["Other"].rows == ()
    cells = by_row(found["One"])
    assert cells["4"] == {"unit": "4", "value | bound": "1.5e-09", "steps": "400"}
    assert list(by_row(found["One"], key=2)) == ["0, -0.550971", "4, 1.5e-09"]
    with pytest.raises(AssertionError, match="two rows ''"):
        by_row(tables("**T**\n\n| a |\n| --- |\n| |\n| |\n")["T"])


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("the same", "the same"),
        ("| a    | 1 |", "| a | 1  |"),
        ("| ---- | --- |", "| --- | --------- |"),
        ("value      2.0", "value  2.0"),
        ("0.1234 of 1e+02", "0.1235 of 1.005e+02"),
        ("120.51", "119.90"),  # one per cent
        ("gap 1.5e-09", "gap 0"),
        ("gap -2.0e-05", "gap 4.1e-07"),
        ("0.0004", "3.9e-04"),
    ],
)
def test_what_agrees(one, other):
    assert agree(one, other)
    assert agree(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("a word", "a sword"),
        ("more", "more words"),
        ("5 vertices", "6 vertices"),
        ("5 vertices", "5.0 vertices"),
        ("1/2", "1/3"),
        ("0x1/0x2", "0x1/0x3"),
        ("0.1234", "0.1274"),
        ("0.1234", "-0.1234"),
        ("1.5e-03", "1.5e-02"),
        ("gap 0", "gap 0.002"),
        ("gap 0", "gap 1"),
        ("unit-0", "unit-1"),
        ("1,000", "1,001"),
        ("| 1.5 | |", "| | 1.5 |"),
        ("yes", ""),
    ],
)
def test_what_does_not(one, other):
    assert not agree(one, other)
    assert not agree(other, one)


def test_a_difference_is_shown_with_its_line():
    (found,) = differences("same\nvalue 1\n", "same\nvalue    2\n")
    assert found == "line 2\n  expected value 1\n  printed  value  2"
    assert differences("a\n", "a\nmore\n") == ["line 2\n  expected \n  printed  more"]


def test_a_file_is_written_on_demand_and_compared_with(tmp_path):
    new, held = Golden(update=True, folder=tmp_path), Golden(folder=tmp_path)
    places = {"RUN": tmp_path / "run"}
    with pytest.raises(AssertionError, match=r"some\.txt differs .*--update-golden"):
        held.check("some", TABLE)
    new.check("some", f"{TABLE}in {tmp_path}/run", places=places, masked={"steps"})
    text = (tmp_path / "some.txt").read_text()
    assert "| 0 | -0.550971 | # |" in text
    assert text.endswith("no row\nin RUN\n")
    other = TABLE.replace("300", "3100")
    held.check("some", f"{other}in {tmp_path}/run", places=places, masked={"steps"})
    with pytest.raises(AssertionError, match=r"expected \| 0 \| -0.550971 \| # \|\n.*-0.65 "):
        held.check("some", other.replace("-0.550971", "-0.65"), masked={"steps"})
    new.check("timed", "5 s, 1,000 in 2.5e-03 s of unit-7", masked=all_numbers)
    assert (tmp_path / "timed.txt").read_text() == "# s, # in # s of unit-#\n"
    held.check("timed", "6.5 s, 9 in 1 s of unit-70", masked=all_numbers)


def test_every_golden_file_is_compared_with():
    tests = [
        path for path in Path(__file__).parent.glob("test_*.py") if path.name != "test_golden.py"
    ]
    used = {
        name
        for path in tests
        for name in re.findall(r'golden\.check\(\s*"([\w-]+)"', path.read_text())
    }
    assert {path.stem for path in FOLDER.iterdir()} == used
