import json
import os
from fractions import Fraction

import pytest

from experiments.run.record import read_exact
from experiments.run.rows import RowFile, with_crc
from polytope.errors import FileFormatError, InputError, OutputError

OPTIONS = {"alpha": 10}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "rows.jsonl"


def fill(path, keys, options=OPTIONS):
    with RowFile(path, options=options) as rows:
        for key in keys:
            if key not in rows:
                rows.append(key, {"square": int(key) ** 2}, {"solve": 0.1})
        return list(rows)


def test_rows_are_read_back(path):
    with RowFile(path, options=OPTIONS) as rows:
        written = rows.append("a", {"gap": Fraction(1, 3)}, {"solve": 2.0})
    with RowFile(path, options=OPTIONS) as rows:
        assert len(rows) == 1
        assert "a" in rows
        assert "b" not in rows
        assert rows["a"] == written
        assert read_exact(rows["a"].results["gap"]) == Fraction(1, 3)


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


@pytest.mark.parametrize(
    ("row", "match"),
    [
        ({"key": "9", "results": {}}, r"line 3: a row has .* got \['key', 'results'\]"),
        ({"key": 9, "results": {}, "timings": {}}, "line 3: a row has"),
        ({"key": "1", "results": {}, "timings": {}}, "line 3: the key '1' stands twice"),
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
    with pytest.raises(FileFormatError, match=r"rows/2; got 'collision-polytopes/rows/1'"):
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
    with RowFile(path, options=OPTIONS) as rows:
        rows.append("1", {})
        with pytest.raises(InputError, match="'1' is in"):
            rows.append("1", {})


def test_two_runs_at_a_time_are_refused(path):
    with RowFile(path, options=OPTIONS), pytest.raises(OutputError, match="by another run"):
        RowFile(path, options=OPTIONS)
    fill(path, "1")


def test_a_failed_write_leaves_no_half_line(path, monkeypatch):
    fill(path, "1")
    content = path.read_bytes()
    real = os.write

    def full(descriptor, data):
        if len(data) > 20:
            return real(descriptor, data[:20])
        raise OSError(28, "No space left on device")

    with RowFile(path, options=OPTIONS) as rows:
        monkeypatch.setattr(os, "write", full)
        with pytest.raises(OutputError, match="disk is full"):
            rows.append("2", {"x": "y" * 40})
        monkeypatch.undo()
        assert "2" not in rows
    assert path.read_bytes() == content


def test_each_row_is_on_the_disk_at_once(path):
    with RowFile(path, options=OPTIONS) as rows:
        for number in range(3):
            rows.append(str(number), {})
            lines = path.read_text().splitlines()
            assert json.loads(lines[-1])["key"] == str(number)


def test_absent_folder(tmp_path):
    with pytest.raises(OutputError, match="No such file"):
        RowFile(tmp_path / "absent" / "rows.jsonl", options=OPTIONS)
