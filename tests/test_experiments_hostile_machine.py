"""Disks, memory, devices and terminals that fail: the type, the exit code and the words.

What is real here: closed and full streams, pipes without a reader, limits of the system on the
size of files (RLIMIT_FSIZE) and on memory (RLIMIT_AS), a folder of /proc that refuses even root.
What is put on: a GPU without memory, and a disk that is full at a chosen write.
"""

import errno
import os
import re
import resource
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch

from experiments.cli import main
from experiments.run import pool
from experiments.run.files import write_json
from experiments.run.outcomes import Key, Outcome
from experiments.run.progress import Progress
from experiments.run.rows import RowFile
from polytope import Box, CollisionPolytope
from polytope.errors import LimitError, OutputError
from polytope.files import DiskFullError, output_error
from tests.examples.network_files import write_network
from tests.examples.run_folders import damaged, scratch_of

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with a small layer, a long one, and a network."""
    folder = tmp_path_factory.mktemp("inputs")
    np.savez(folder / "layer.npz", weight=[[1.0, 1], [1, -1]], bias=[0.0, -9], target=[1.0, 1])
    np.savez(folder / "cube.npz", weight=np.ones((1, 13)), bias=[-20.0], target=np.full(13, 0.5))
    write_network(folder)
    return folder


@pytest.fixture(scope="module")
def proof(tmp_path_factory):
    polytope = CollisionPolytope.from_layer([[1, 1]], [0], [1, 1], domain=Box(0, 2))
    return polytope.minimize([1, 0]).certificate.save(tmp_path_factory.mktemp("proof") / "a.json")


def start(*words, shell="exec {}", limits=(), **more):
    """The command in a process of its own, through a shell that may redirect."""
    line = shell.format(f'{sys.executable} -m experiments.cli "$@"')
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **more.pop("env", {})}
    environment = {k: v for k, v in environment.items() if v is not None}

    def limit():
        for which, value in limits:
            resource.setrlimit(which, (value, value))

    return subprocess.run(
        ["sh", "-c", line, "sh", *map(str, words)],
        **{"capture_output": True, "text": True, "check": False, "cwd": ROOT, **more},
        env=environment,
        preexec_fn=limit if limits else None,
        timeout=120,
    )


def vertices(place, out, *more, name="layer"):
    words = ("vertices", place / f"{name}.npz", "--domain", "box", "--out", out)
    return (*words, "--measures", "none", *more)


@pytest.mark.parametrize(
    ("shell", "code", "said"),
    [
        ("{} | head -n 1", 0, ""),
        ("{} <&-", 0, ""),
        ("{} >&-", 0, ""),
        ("{} 2>/dev/full", 0, ""),
        ("{} >/dev/full", 4, "error: standard output cannot be written: the disk is full\n"),
    ],
)
def test_streams_that_are_closed_full_or_not_read(proof, shell, code, said):
    done = start("verify", *[proof] * 500, shell=shell)
    assert done.returncode == code, done.stderr
    assert done.stderr.startswith(said)
    assert "Traceback" not in done.stderr


def test_results_are_whole_without_any_stream(place, tmp_path):
    """What is opened first must not take the number of a stream that was closed."""
    done = start(*vertices(place, tmp_path / "run"), shell="{} <&- >&- 2>&-")
    assert done.returncode == 0
    assert damaged(tmp_path / "run", set()) == []


def test_poor_surroundings(place, tmp_path):
    """No home, no UTF-8, one column, and a folder named by a letter and a byte that is none."""
    out = tmp_path / os.fsdecode(b"\xc3\xbc \xff")
    env = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "COLUMNS": "1"}
    env |= {"PYTHONIOENCODING": "ascii", "TERM": "dumb", "TZ": "Nowhere/None"}
    none = {"HOME": None, "XDG_CACHE_HOME": None, "COLLIDE_DATA": None}
    done = start(*vertices(place, out), env=env | none, text=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1].startswith(b"written to ")
    assert b"Traceback" not in done.stderr
    assert (out / "record.json").exists()


def test_a_folder_that_is_gone(place, tmp_path):
    gone = tmp_path / "gone"
    gone.mkdir()
    done = start("doctor", shell=f'cd "{gone}" && rmdir "{gone}" && {{}}')
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: the current folder does not exist any more; change to")


def test_folders_that_refuse(place, tmp_path, capsys):
    """/proc refuses even root, whom permissions do not bind; nor does a file hold files."""
    (tmp_path / "file").write_text("")
    for out, text in (
        ("/proc/run", "cannot be written"),
        (tmp_path / "file", "is a file; name a folder"),
        (tmp_path / "file" / "run", "cannot be written: Not a directory"),
    ):
        code = main.main([str(word) for word in vertices(place, out, "--quiet")])
        err = capsys.readouterr().err
        assert code == 2
        assert re.fullmatch(rf"error: .*{text}.*\nhint: name another folder with --out\n", err), err


def test_a_file_that_may_not_grow(place, tmp_path):
    """The system's limit on the size of files: what is whole stays, no scratch, nothing torn."""
    out = tmp_path / "run"
    done = start(*vertices(place, out, "--quiet"), limits=[(resource.RLIMIT_FSIZE, 12_000)])
    assert done.returncode == 4, done.stderr
    assert re.match(r"error: .*(File too large|size of a file is reached)", done.stderr)
    assert "hint: free some space, then go on" in done.stderr
    assert (damaged(out, set()), scratch_of(out)) == ([], [])
    assert (out / "certificates" / "box-vertices.json").exists()


@dataclass(frozen=True)
class TextKey(Key[dict[str, str]]):
    WORK = "text"
    number: int


def test_a_disk_that_is_full_at_a_row(tmp_path, monkeypatch):
    path = tmp_path / "rows.jsonl"
    with RowFile(path, options={}, schema="text/1") as rows:
        rows.append(TextKey(1), Outcome({"x": "1"}))
        monkeypatch.setattr(os, "fsync", _full)
        with pytest.raises(DiskFullError, match=r"the disk is full, 0\.\d{3} MB needed"):
            rows.append(TextKey(2), Outcome({"x": "y" * 5000}))
        monkeypatch.undo()
        rows.append(TextKey(2), Outcome({"x": "2"}))
    with RowFile(path, options={}, schema="text/1") as rows:
        assert list(rows.seconds()) == ["text.1", "text.2"]


def _full(*given):
    raise OSError(errno.ENOSPC, "No space left on device")


def test_a_full_disk_says_how_much_is_needed(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "fsync", _full)
    with pytest.raises(DiskFullError, match=r"a\.json .*: the disk is full, 2\.000 MB needed"):
        write_json(tmp_path / "a.json", "x" * (2_000_000 - 3))
    assert list(tmp_path.iterdir()) == []
    for number in (errno.EDQUOT, errno.EFBIG):
        assert isinstance(output_error("a", OSError(number, "")), LimitError)
    assert not isinstance(output_error("a", OSError(errno.EACCES, "no")), LimitError)


PEAK = """
import sys
from experiments.cli import main as cli
assert cli.main(sys.argv[1:]) == 0
print(open("/proc/self/status").read())
"""


def test_memory_that_runs_out_is_no_answer(place, tmp_path):
    """What a tiny set takes, and 40 MB: 8,192 vertices are refused, or ended by the system."""
    words = [sys.executable, "-c", PEAK, *map(str, vertices(place, tmp_path / "tiny", "--quiet"))]
    tiny = subprocess.run(words, capture_output=True, text=True, check=True, cwd=ROOT)
    peak = int(re.search(r"VmPeak:\s+(\d+) kB", tiny.stdout)[1]) << 10
    done = start(
        *vertices(place, tmp_path / "run", "--quiet", "--json", name="cube"),
        limits=[(resource.RLIMIT_AS, peak + (40 << 20))],
    )
    assert done.stdout == ""
    assert not list(tmp_path.rglob("run/record.json"))
    if done.returncode == 4:
        assert done.stderr.startswith("error: the memory ran out"), done.stderr
        assert "; lower --max-memory in a new run\n" in done.stderr
    else:  # a library of C gave up, and ended the process as it does
        code = done.returncode
        assert code < 0 or code >= 128 or "OpenBLAS error: Memory" in done.stderr, done.stderr


@pytest.mark.parametrize("option", [("--max-memory", "1k"), ("--max-seconds", "0.01")])
def test_limits_cut_a_list_short_and_say_so(place, tmp_path, option, capsys):
    words = vertices(place, tmp_path / "run", "--quiet", *option, name="cube")
    assert main.main([str(word) for word in words]) == 4
    out, err = capsys.readouterr()
    assert re.search(r"^status +(partial|undecided)", out, re.MULTILINE), out
    assert option[0].strip("-").replace("-", "_") in out + err
    assert "certificate:" not in out


def failing(monkeypatch, problem):
    def fail(request, desk):
        desk.folder = Path()
        raise problem

    monkeypatch.setattr("experiments.cli.mnist.run", fail)


@pytest.mark.parametrize(
    ("problem", "words"),
    [
        (
            torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has"),
            "the GPU's memory ran out (CUDA out of memory. Tried to allocate 2.00 GiB); lower "
            "--units or --workers in a new run, or give --device cpu in a new run",
        ),
        (
            RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried"),
            "the memory ran out ([enforce fail] DefaultCPUAllocator: can't allocate memory: you "
            "tried); lower --units or --workers in a new run",
        ),
        (
            OSError(errno.ENOMEM, "Cannot allocate memory"),
            "the memory ran out ([Errno 12] Cannot "
            "allocate memory); lower --units or --workers in a new run",
        ),
        (
            ImportError("libX.so: failed to map segment from shared object"),
            "the memory ran out (libX.so: failed to map segment from shared object); lower "
            "--units or --workers in a new run",
        ),
        (MemoryError(), "the memory ran out; lower --units or --workers in a new run"),
    ],
)
def test_memory_names_the_option_to_lower(monkeypatch, capsys, problem, words):
    failing(monkeypatch, problem)
    assert main.main(["mnist", "--quiet"]) == 4
    first, second, third, fourth = capsys.readouterr().err.splitlines()
    assert first == f"error: {words}"
    assert second.startswith("hint: once the")
    assert (third, fourth) == ("to go on:", "collide mnist --quiet --resume --out .")


def test_a_full_disk_says_how_to_go_on(monkeypatch, capsys):
    failing(monkeypatch, output_error("a.json", OSError(errno.ENOSPC, ""), needed=1_500_000))
    assert main.main(["mnist", "--quiet"]) == 4
    assert capsys.readouterr().err.splitlines() == [
        "error: a.json cannot be written: the disk is full, 1.500 MB needed",
        "hint: free some space, then go on",
        "to go on:",
        "collide mnist --quiet --resume --out .",
    ]


def test_a_broken_pipe_of_our_own_is_no_success(monkeypatch, capfd):
    failing(monkeypatch, BrokenPipeError(errno.EPIPE, "Broken pipe"))
    assert main.main(["mnist", "--quiet"]) == 2
    assert "Broken pipe" in capfd.readouterr().err


def test_progress_that_nobody_reads_ends_nothing(monkeypatch):
    class Gone:
        def write(self, text):
            raise BrokenPipeError(errno.EPIPE, "Broken pipe")

        def isatty(self):
            return False

    monkeypatch.setattr(sys, "stderr", Gone())
    progress = Progress()
    progress.say("hello")
    assert list(progress.track(range(3), total=3, unit="jobs")) == [0, 1, 2]


def die(job):
    os.kill(os.getpid(), 9)


def test_a_worker_that_the_system_ended():
    with pytest.raises(LimitError, match=r"workers: one was ended by the system.*lower --workers"):
        list(pool.run_jobs(die, [1, 2], workers=2))


@pytest.mark.skipif(torch.cuda.is_available(), reason="is about a machine without a GPU")
def test_no_gpu(place, tmp_path, capsys):
    words = ["find", f"{place}/nets.py:Flat", "0", "--target", place / "flat.npy", "--units", "1"]
    words = [*map(str, words), "--steps", "100", "--out", str(tmp_path / "run")]
    assert main.main([*words, "--device", "cuda", "--quiet"]) == 2
    first, *_ = capsys.readouterr().err.splitlines()
    text = "error: device: expected a device of this machine, got 'cuda' without CUDA"
    assert first == text
    assert not (tmp_path / "run").exists()
    for verb in ("mnist", "lenet5", "small"):
        assert main.main([verb, "--device", "cuda", "--quiet"]) == 2
        assert capsys.readouterr().err.splitlines()[0] == text
    assert main.main([*words, "--device", "auto"]) in (0, 4)
    assert "device cpu (no CUDA device here)\n" in capsys.readouterr().err


def test_a_clock_that_goes_backwards(place, tmp_path, monkeypatch):
    now = iter(range(10**9, 0, -1000))
    monkeypatch.setattr(time, "time", lambda: float(next(now)))
    words = vertices(place, tmp_path / "run", "--quiet", "--max-seconds", "60")
    assert main.main([str(word) for word in words]) == 0


def test_errors_of_files_are_not_called_ours(monkeypatch, capsys):
    failing(monkeypatch, PermissionError(errno.EACCES, "Permission denied", "/data/x"))
    assert main.main(["mnist", "--quiet"]) == 2
    assert capsys.readouterr().err.startswith("error: /data/x: Permission denied\n")
    assert issubclass(DiskFullError, OutputError)
