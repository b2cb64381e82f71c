"""Runs and writes that are killed: short forms of kill_runs and kill_writes."""

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.campaigns.kill_scenarios import SCENARIOS
from tests.examples.run_folders import contents, damaged, differing

ROOT = Path(__file__).parents[1]


def command(*words):
    """Runs a command of its own process, since it forks; returns what it printed."""
    done = subprocess.run(
        [sys.executable, "-m", *words], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def tallies(printed):
    """Scenario -> column -> number, of what `kill_runs` prints; the sum is that of "all"."""
    head, *lines = printed.strip().splitlines()
    columns = re.split(r"\s{2,}", head)[1:]
    rows = {}
    for name, *cells in (line.split() for line in lines if ":" not in line):
        counted = columns[len(columns) - len(cells) :]  # units are not summed
        rows[name] = dict(zip(counted, map(int, cells), strict=True))
    return rows


def test_a_run_that_is_killed_and_resumed_equals_an_unbroken_one():
    words = ("--kills", "2", "--interrupts", "1", "--seed", "1", "--only", "mnist")
    rows = tallies(command("tests.campaigns.kill_runs", *words))
    assert set(rows) == {"mnist", "all"}
    assert rows["mnist"]["units"] > 5
    for row in rows.values():
        assert (row["kills"], row["interrupts"]) == (2, 1)
        assert row["lives"] >= 1
        wrong = ("corrupt", "differing", "repeated", "orphans", "scratch left", "failed")
        assert {name: row[name] for name in wrong} == dict.fromkeys(wrong, 0)


def test_a_number_that_is_not_zero_is_read():
    printed = """
scenario  units  lives  kills  lost in flight
mnist         7      2      3               4
all                  2      3               4
mnist: differing: record.json after 3 signals
"""
    assert tallies(printed) == {
        "mnist": {"units": 7, "lives": 2, "kills": 3, "lost in flight": 4},
        "all": {"lives": 2, "kills": 3, "lost in flight": 4},
    }


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(SCENARIOS))
def test_every_command_that_keeps_its_work(name):
    command("tests.campaigns.kill_runs", "--kills", "6", "--interrupts", "3", "--only", name)


def test_no_boundary_of_a_system_call_tears_a_file():
    printed = command("tests.campaigns.kill_writes").splitlines()
    assert printed[-1] == "0 torn or lost"
    ends = [int(line.split()[1]) for line in printed[:-1]]
    assert len(ends) == 5
    assert min(ends) > 10


def test_what_compares_runs_sees_every_difference_but_seconds(tmp_path):
    def write(name, seconds, value):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "record.json").write_text(json.dumps({"results": value, "timings": seconds}))
        row = {"key": "a", "results": value, "seconds": seconds}
        (folder / "stages.jsonl").write_text(json.dumps(row) + "\n")
        (folder / "a.md").write_text(f"{value}\n")
        return contents(folder)

    one = write("one", 1.0, 5)
    assert differing(one, write("two", 2.0, 5)) == []
    assert differing(one, write("three", 1.0, 6)) == ["a.md", "record.json", "stages.jsonl"]
    assert differing(one, {}) == ["a.md", "record.json", "stages.jsonl"]


def test_what_looks_for_damage_finds_it(tmp_path):
    (tmp_path / "certificates").mkdir()
    np.savez(tmp_path / "whole.npz", a=np.arange(3))
    (tmp_path / "stages.jsonl").write_text('{"a": 1}\n{"torn')  # allowed: the last line
    assert damaged(tmp_path, set()) == []
    whole = (tmp_path / "whole.npz").read_bytes()
    (tmp_path / "cut.npz").write_bytes(whole[:-30])
    (tmp_path / "record.json").write_text('{"a": ')
    (tmp_path / "rows.jsonl").write_text('{"torn\n{"a": 1}\n')
    (tmp_path / "report.html").write_text("<html>")
    (tmp_path / "empty.txt").write_text("")
    (tmp_path / "certificates" / "one.json").write_text("{}")
    found = [line.partition(":")[0] for line in damaged(tmp_path, set())]
    assert found == [
        *("certificates/one.json", "cut.npz", "empty.txt", "record.json"),
        *("report.html", "rows.jsonl"),
    ]
