"""One Ctrl-C and two, between Python's instructions and inside a C routine."""

import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from experiments.run.interrupts import second_interrupt_quits

CODE = """
import sys, time
from experiments.run.interrupts import second_interrupt_quits
try:
    with second_interrupt_quits():
        print("on", flush=True)
        try:
            {work}
        finally:
            print("tidying", flush=True)
            {tidying}
except KeyboardInterrupt:
    sys.exit(130)
"""
#: Holds the interpreter as an exact computation in C does: no handler of Python's runs meanwhile.
IN_C = "sum(range(1 << 40))"


@pytest.fixture
def start():
    started = []

    def begin(work, tidying="pass"):
        words = [sys.executable, "-c", CODE.format(work=work, tidying=tidying)]
        root = Path(__file__).parents[1]
        process = subprocess.Popen(words, cwd=root, stdout=subprocess.PIPE, text=True)
        started.append(process)
        assert process.stdout.readline() == "on\n"
        time.sleep(0.3)  # from the line on to the work itself
        return process

    yield begin
    for process in started:
        process.kill()
        process.communicate()


def test_the_first_is_an_exception(start):
    process = start("time.sleep(60)")
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=120)[0] == "tidying\n"
    assert process.returncode == 130


def test_the_second_ends_the_tidying_up(start):
    process = start("time.sleep(60)", "time.sleep(60)")
    process.send_signal(signal.SIGINT)
    assert process.stdout.readline() == "tidying\n"
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=120) == -signal.SIGINT  # 130 in a shell


def test_the_second_ends_a_c_routine_that_never_looks(start):
    process = start(IN_C)
    process.send_signal(signal.SIGINT)
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(timeout=0.5)  # the routine of C goes on, so this is the case that matters
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=120) == -signal.SIGINT


def test_the_handler_is_as_before_afterwards():
    # PPL's module puts a handler of its own where another test has imported it.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with second_interrupt_quits():
            assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
        for _ in range(2):
            with pytest.raises(KeyboardInterrupt):
                signal.raise_signal(signal.SIGINT)
    finally:
        signal.signal(signal.SIGINT, before)


def test_outside_of_the_main_thread_and_with_another_handler_nothing_is_touched(monkeypatch):
    seen = []
    before = signal.signal(signal.SIGINT, lambda number, frame: seen.append(number))
    try:
        with second_interrupt_quits():
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGINT)
    finally:
        signal.signal(signal.SIGINT, before)
    assert seen == [signal.SIGINT] * 2

    def elsewhere():
        with second_interrupt_quits():
            seen.append("in")

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    assert seen[-1] == "in"


def test_children_do_not_hear_it():
    code = (
        "import multiprocessing, os, signal, time\n"
        "from experiments.run.interrupts import children_do_not_hear\n"
        "if __name__ == '__main__':\n"
        "    os.setsid()\n"
        "    child = multiprocessing.get_context('spawn').Process(target=time.sleep, args=(1.5,))\n"
        "    with children_do_not_hear():\n"
        "        child.start()\n"
        "    for _ in range(10):\n"
        "        try:\n"
        "            os.killpg(0, signal.SIGINT); time.sleep(0.1)\n"
        "        except KeyboardInterrupt: pass\n"
        "    child.join(); print(child.exitcode)\n"
    )
    words = [sys.executable, "-c", code]
    root = Path(__file__).parents[1]
    done = subprocess.run(words, cwd=root, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr, done.returncode) == ("0\n", "", 0)
