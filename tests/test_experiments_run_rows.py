import json
import os
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import pytest

from experiments.run.outcomes import Key, Outcome
from experiments.run.rows import RowFile, with_crc
from polytope.errors import FileFormatError, InputError, OutputError

OPTIONS = {"alpha": 10}
SCHEMA = "collision-polytopes/squares/2"


@dataclass(frozen=True)
class Square:
    square: int


@dataclass(frozen=True)
class SquareKey(Key[Square]):
    WORK = "square"
    number: int


@dataclass(frozen=True)
class Gap:
    gap: Fraction
    remark: str = ""


@dataclass(frozen=True)
class GapKey(Key[Gap]):
    WORK = "gap"
    name: str
    share: float
    control: str | None = None


GAP = Outcome(Gap(Fraction(1, 3)), {"points": np.array([[0.1, 2.0]])}, 2.0)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "rows.jsonl"


def opened(path, options=OPTIONS):
    return RowFile(path, options=options, schema=SCHEMA)


def fill(path, keys, options=OPTIONS):
    with opened(path, options) as rows:
        for key in (SquareKey(int(number)) for number in keys):
            if key not in rows:
                rows.append(key, Outcome(Square(key.number**2), seconds=0.1))
        return [rows[SquareKey(int(number))].results for number in keys]


def test_rows_are_read_back_as_what_they_were(path):
    key = GapKey("a", 0.5)
    with opened(path) as rows:
        written = rows.append(key, GAP)
    with opened(path) as rows:
        assert len(rows) == 1
        assert key in rows
        assert GapKey("b", 0.5) not in rows
        assert SquareKey(1) not in rows
        assert rows[key].results == written.results == GAP.results
        assert rows[key].arrays["points"].tolist() == [[0.1, 2.0]]
        assert rows[key].seconds == 2.0
        assert rows.seconds() == {"gap.a.0.5": 2.0}


def test_keys_differ_by_kind_and_by_every_field():
    assert str(GapKey("a", 0.5, "none")) == "gap.a.0.5.none"
    assert GapKey.results_type() is Gap
    assert GapKey("a", 0.5).document() == {
        "work": "gap",
        "name": "a",
        "share": 0.5,
        "control": None,
    }


def test_a_row_of_another_type_is_refused_with_its_key(path):
    @dataclass(frozen=True)
    class Other(Key[Square]):
        WORK = "gap"
        name: str
        share: float
        control: str | None = None

    with opened(path) as rows:
        rows.append(GapKey("a", 0.5), GAP)
    with (
        opened(path) as rows,
        pytest.raises(FileFormatError, match=r"row gap\.a\.0\.5: expected Square, got another"),
    ):
        rows[Other("a", 0.5)]


@pytest.mark.parametrize("values", [["a"], [[1], [2, 3]], [{"a": 1}]])
def test_an_array_that_is_none_is_refused_with_its_key(path, values):
    fill(path, "1")
    with path.open("ab") as stream:
        key = {"work": "square", "number": 2}
        row = {"key": key, "results": {"square": 4}, "arrays": {"x": values}, "seconds": 0}
        stream.write(with_crc(row))
    with pytest.raises(FileFormatError, match=r"row square\.2: expected an array of numbers, got"):
        fill(path, "2")


def test_rows_of_another_experiment_are_refused_by_the_names_of_both(path):
    fill(path, "1")
    with pytest.raises(
        FileFormatError,
        match=r"rows with results of schema .*/cubes/2, got 'collision-polytopes/squares/2'",
    ):
        RowFile(path, options=OPTIONS, schema="collision-polytopes/cubes/2")


def test_a_resumed_file_equals_an_unbroken_one_cut_at_every_byte(path, tmp_path):
    unbroken = fill(path, "123")
    content = path.read_bytes()
    for cut in range(len(content)):
        other = tmp_path / "other.jsonl"
        other.write_bytes(content[:cut])
        assert fill(other, "123") == unbroken
        assert other.read_bytes() == content


def test_a_last_line_of_zeros_is_dropped(path):
    fill(path, "12")
    content = path.read_bytes()
    path.write_bytes(content + b"\0\0\0\n")
    fill(path, "12")
    assert path.read_bytes() == content


def test_damage_before_the_end_is_refused(path):
    fill(path, "12")
    lines = path.read_bytes().splitlines(keepends=True)
    lines[1] = b'{"key": \n'
    path.write_bytes(b"".join(lines))
    with pytest.raises(FileFormatError, match="damaged in line 2"):
        fill(path, "12")


ROW = {
    "key": {"work": "square", "number": 1},
    "results": {"square": 1},
    "arrays": {},
    "seconds": 0.1,
}


@pytest.mark.parametrize(
    ("row", "match"),
    [
        ({"key": {"work": "x"}, "results": {}}, "line 3: expected StoredRow.* field `arrays`"),
        (ROW | {"key": 9}, r"line 3: expected StoredRow.* got `int` - at `\$\.key`"),
        (ROW | {"more": 1}, r"line 3: .* nothing else, got `\$\.more` as well"),
        (ROW, "line 3: the key 'square.1' stands twice"),
    ],
)
def test_malformed_rows_are_refused(path, row, match):
    fill(path, "1")
    with path.open("ab") as stream:
        stream.write(with_crc(row))
    with pytest.raises(FileFormatError, match=match):
        fill(path, "1")


def test_every_changed_byte_is_noticed(path):
    """Before the last row it is refused; in the last row that row is computed again."""
    unbroken = fill(path, "12")
    content = path.read_bytes()
    last = content.rfind(b"\n", 0, -1) + 1
    for place in range(0, len(content), 3):
        changed = bytearray(content)
        changed[place] ^= 1
        path.write_bytes(changed)
        if place < last - 1:  # the newline before the last row belongs to it
            with pytest.raises((FileFormatError, InputError)):
                fill(path, "12")
        else:
            assert fill(path, "12") == unbroken
            assert path.read_bytes() == content


def test_a_file_of_the_schema_before_is_named(path):
    path.write_text('{"schema":"collision-polytopes/rows/1","options":{"alpha":10}}\n')
    with pytest.raises(FileFormatError, match=r"rows/3, got 'collision-polytopes/rows/1'"):
        fill(path, "1")


def test_other_options_are_refused_by_name(path):
    fill(path, "1", {"alpha": 10, "steps": 5})
    with pytest.raises(
        InputError, match=r"other options \(alpha: 10 there, 20 here; beta: nothing there, 1 here\)"
    ):
        fill(path, "1", {"alpha": 20, "steps": 5, "beta": 1})


def test_a_foreign_file_is_refused_and_left_alone(path):
    path.write_text('{"schema": "other"}\n{"a": 1}\n')
    with pytest.raises(FileFormatError, match="got 'other'"):
        fill(path, "1")
    assert path.read_text() == '{"schema": "other"}\n{"a": 1}\n'


def test_a_key_stands_once(path):
    with opened(path) as rows:
        rows.append(GapKey("a", 1), GAP)
        with pytest.raises(InputError, match=r"expected a new one, got 'gap\.a\.1'"):
            rows.append(GapKey("a", 1), GAP)


def test_two_runs_at_a_time_are_refused(path):
    with opened(path), pytest.raises(OutputError, match="by another run"):
        opened(path)
    fill(path, "1")


def test_a_failed_write_leaves_no_half_line(path, monkeypatch):
    fill(path, "1")
    content = path.read_bytes()
    real = os.write

    def full(descriptor, data):
        if len(data) > 20:
            return real(descriptor, data[:20])
        raise OSError(28, "No space left on device")

    with opened(path) as rows:
        monkeypatch.setattr(os, "write", full)
        with pytest.raises(OutputError, match="disk is full"):
            rows.append(GapKey("2", 1), Outcome(Gap(Fraction(1), "y" * 40)))
        monkeypatch.undo()
        assert GapKey("2", 1) not in rows
    assert path.read_bytes() == content


def test_each_row_is_on_the_disk_at_once(path):
    with opened(path) as rows:
        for number in range(3):
            rows.append(SquareKey(number), Outcome(Square(0)))
            lines = path.read_text().splitlines()
            assert json.loads(lines[-1])["key"] == {"work": "square", "number": number}


def test_absent_folder(tmp_path):
    with pytest.raises(OutputError, match="No such file"):
        RowFile(tmp_path / "absent" / "rows.jsonl", options=OPTIONS, schema=SCHEMA)
