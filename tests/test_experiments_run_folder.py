"""Two runs on one folder, folders that refuse, and what is left of a run that ended early."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from experiments.cli import main
from experiments.run.desk import told
from experiments.run.files import held, sweep
from experiments.run.folder import running
from polytope.errors import InputError, OutputError

ROOT = Path(__file__).parents[1]


def collide(capsys, *words):
    code = main.main([str(word) for word in words])
    out, err = capsys.readouterr()
    return code, out, err


@pytest.fixture
def layer(tmp_path):
    path = tmp_path / "layer.npz"
    np.savez(path, weight=[[1.0, 1.0], [1.0, -1.0]], bias=[0.0, -9.0], target=[1.0, 1.0])
    return path


def test_a_second_run_on_a_folder_is_refused_and_the_first_unharmed(tmp_path):
    out = tmp_path / "run"
    with running(out, "mnist", resume=False) as folder:
        (folder / "stages.jsonl").write_text("first")
        for resume in (True, False):
            second = running(out, "mnist", resume=resume)
            with pytest.raises((OutputError, InputError)) as caught:
                second.__enter__()
            text = f"{out} is being written by another run" if resume else "holds files"
            assert text in str(caught.value)
        assert (folder / "stages.jsonl").read_text() == "first"
    with running(out, "mnist", resume=True):
        pass


def test_a_second_run_from_the_command_line(tmp_path, layer, capsys):
    """The folder is held by another process, as it would be."""
    out = tmp_path / "run"
    out.mkdir()
    code = (
        f"import sys, pathlib; from experiments.run.files import held\n"
        f"with held(pathlib.Path({str(out)!r})): print('held', flush=True); sys.stdin.read()"
    )
    first = subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert first.stdout.readline() == b"held\n"
    words = ("vertices", layer, "--domain", "box", "--out", out, "--quiet")
    found, printed, err = collide(capsys, *words)
    assert (found, printed) == (2, "")
    assert err.splitlines()[0] == f"error: {out} is being written by another run"
    assert list(out.iterdir()) == []
    first.communicate(b"")
    assert collide(capsys, *words)[0] == 0


def test_the_folder_is_free_once_its_holder_is_killed(tmp_path):
    code = (
        f"import os, pathlib; from experiments.run.files import held\n"
        f"with held(pathlib.Path({str(tmp_path)!r})): os.kill(os.getpid(), 9)"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == -9
    with held(tmp_path):
        pass


def test_what_a_killed_run_was_writing_is_removed_and_nothing_else(tmp_path):
    scratch = (".record.0a1b2c3d.json", ".vertices.0a1b2c3d.npz", ".probe.0a1b2c3d")
    scratch += ("certificates/.box.0a1b2c3d.json", "search/.search.0a1b2c3d.json")
    kept = ("record.json", ".gitignore", ".keep", ".hidden.txt", "certificates/box.json")
    for name in (*scratch, *kept):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("")
    sweep(tmp_path)
    files = {str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*") if p.is_file()}
    assert files == set(kept)


@pytest.mark.parametrize("existed", [True, False])
def test_a_folder_that_we_made_goes_when_nothing_is_in_it(tmp_path, existed):
    out = tmp_path / "run"
    if existed:
        out.mkdir()

    def end_early(*names):
        with running(out, "small") as folder:
            (folder / "certificates").mkdir()
            for name in names:
                (folder / name).write_text("{}")
            raise InputError("refused")

    with pytest.raises(InputError, match="refused"):
        end_early()
    assert out.exists() == existed
    assert not (out / "certificates").exists()
    with pytest.raises(InputError, match="refused"):
        end_early("certificates/one.json")
    assert (out / "certificates" / "one.json").exists()


def test_a_refused_small_run_leaves_no_folder(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for more in ([], ["--out", "mine"]):
        code, _, err = collide(capsys, "small", "--set", "moons", "--dimension", "3", *more)
        assert code == 2
        assert "dimension: expected 2 for the moons, got 3" in err
    assert [p.name for p in tmp_path.rglob("*")] == ["runs"]


@pytest.mark.parametrize("name", ["small", "vertices"])
def test_only_commands_that_resume_speak_of_it(tmp_path, name):
    (tmp_path / "a").write_text("")
    with pytest.raises(InputError) as caught, running(tmp_path, name):
        pass
    assert str(caught.value) == f"out: expected a new or empty folder; {tmp_path} holds files"


def sleep_in_a_worker(path):
    Path(path).write_text(str(os.getpid()))
    time.sleep(60)


def test_the_processes_of_a_killed_run_end_with_it(tmp_path):
    """They would wait for work for ever, a few hundred MB each."""
    names = [str(tmp_path / "one"), str(tmp_path / "two")]
    code = (
        "from experiments.run.pool import run_jobs\n"
        "from tests.test_experiments_run_folder import sleep_in_a_worker as job\n"
        f"if __name__ == '__main__': list(run_jobs(job, {names!r}, workers=2))"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stderr=subprocess.DEVNULL)
    end = time.monotonic() + 200
    while not all(Path(n).is_file() and Path(n).read_text() for n in names):
        assert time.monotonic() < end
        time.sleep(0.05)
    workers = [int(Path(name).read_text()) for name in names]
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    for worker in workers:
        while is_running(worker):
            assert time.monotonic() < end, "a worker outlived the run"
            time.sleep(0.05)


def is_running(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{pid}/stat")
    return not state.exists() or state.read_text().rpartition(")")[2].split()[0] != "Z"


def test_a_limit_is_told_with_its_code(capsys):
    assert told("") == 0
    assert told("limit: of two facts") == 4
    assert capsys.readouterr().err == "limit: of two facts; raise it in a new run\n"
