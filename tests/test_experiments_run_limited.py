import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from experiments.run import limited
from experiments.run.limited import Helper, in_time
from polytope.errors import InputError


def count(until):
    yield from range(until)


def slow(until):
    for number in count(until):
        yield number
        if number:
            time.sleep(600)


def never(seconds):
    time.sleep(seconds)
    yield seconds


def dies(code):
    yield code
    os._exit(code)


def raises(text):
    yield 1
    raise InputError(text)


def test_everything_in_time():
    found = in_time(count, 3, seconds=60)
    assert (found.items, found.reason) == ([0, 1, 2], "")


def jumping_clock(items):
    """A clock by which the limit comes after so many items, however slowly a process starts."""
    clock = iter([0.0, *[1.0] * items, 4000.0])  # for the deadline, and before each item
    return SimpleNamespace(monotonic=lambda: next(clock))


def test_what_came_before_the_limit_counts(monkeypatch):
    monkeypatch.setattr(limited, "time", jumping_clock(2))
    began = time.monotonic()
    found = in_time(slow, 5, seconds=300)
    assert found.items == [0, 1]
    assert found.reason == "given up after 300 s"
    assert time.monotonic() - began < 300  # it sleeps for longer


def test_the_limit_is_seconds():
    began = time.monotonic()
    found = in_time(never, 600, seconds=0.5)
    assert (found.items, found.reason) == ([], "given up after 0.5 s")
    assert 0.5 <= time.monotonic() - began < 300


def test_a_process_that_dies_says_so():
    found = in_time(dies, 7, seconds=60)
    assert (found.items, found.reason) == ([7], "the process ended with 7")


def too_large(size):
    yield 1
    yield bytes(size)


def killed(number):
    yield 1
    os.kill(os.getpid(), number)


def test_memory_that_runs_out_is_a_reason_and_no_error():
    found = in_time(too_large, 1 << 60, seconds=60)
    assert (found.items, found.reason) == ([1], "out of memory")
    found = in_time(killed, signal.SIGKILL, seconds=60)
    assert found.items == [1]
    assert found.reason == "out of memory, as a rule (the process ended with -9)"


def test_an_error_is_the_callers():
    with pytest.raises(InputError, match="no good"):
        in_time(raises, "no good", seconds=60)


def whoami(seconds):
    yield os.getpid()
    time.sleep(seconds)


def test_a_helper_starts_once_and_again_where_it_was_ended(monkeypatch):
    with Helper() as helper:
        (first,) = helper.in_time(whoami, 0, seconds=60).items
        with pytest.raises(InputError, match="no good"):
            helper.in_time(raises, "no good", seconds=60)
        assert helper.in_time(whoami, 0, seconds=60).items == [first]
        with monkeypatch.context() as patch:
            patch.setattr(limited, "time", jumping_clock(1))
            late = helper.in_time(whoami, 600, seconds=300)
        assert (late.items, late.late) == ([first], True)
        (second,) = helper.in_time(whoami, 0, seconds=60).items
        assert second != first
        assert helper.in_time(dies, 7, seconds=60).reason == "the process ended with 7"
        (third,) = helper.in_time(whoami, 0, seconds=60).items
        assert len({first, second, third}) == 3
    assert all(ends(each, seconds=120) for each in (first, second, third))


PARENT = """
from experiments.run.limited import in_time
from helper_of_limited import tell
in_time(tell, None, seconds=600)
"""
CHILD = """
import os, time
def tell(_):
    print(os.getpid(), flush=True)
    yield 1
    time.sleep(600)
"""


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc to see a process end")
def test_the_process_ends_with_its_parent(tmp_path):
    (tmp_path / "helper_of_limited.py").write_text(CHILD)
    root = Path(__file__).resolve().parent.parent
    places = {**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{root}"}
    with subprocess.Popen(
        [sys.executable, "-c", PARENT], stdout=subprocess.PIPE, env=places
    ) as parent:
        child = int(parent.stdout.readline())
        parent.send_signal(signal.SIGKILL)
    assert ends(child, seconds=120)


def ends(pid, *, seconds):
    """Whether a process is gone, or waits only to be reaped."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if Path(f"/proc/{pid}/stat").read_text().split()[2] == "Z":
                return True
        except FileNotFoundError:
            return True
        time.sleep(0.05)
    return False
