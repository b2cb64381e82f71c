import math
import os

import pytest

from experiments.run import progress as progress_module
from experiments.run.pool import THREADS, run_jobs
from experiments.run.progress import Progress


@pytest.mark.parametrize("workers", [1, 2])
def test_every_job_is_done_once(workers):
    jobs = [1.0, 4.0, 9.0]
    assert sorted(run_jobs(math.sqrt, jobs, workers=workers)) == [(1.0, 1), (4.0, 2), (9.0, 3)]


def test_an_error_of_a_job_is_raised_and_the_environment_is_put_back(monkeypatch):
    monkeypatch.setenv(THREADS[0], "7")
    monkeypatch.delenv(THREADS[1], raising=False)
    with pytest.raises(ValueError, match=r"math domain error|nonnegative"):
        list(run_jobs(math.sqrt, [4.0, -1.0, 9.0], workers=2))
    assert os.environ[THREADS[0]] == "7"
    assert THREADS[1] not in os.environ


def test_progress_is_shown_where_there_is_no_terminal(capsys, monkeypatch):
    monkeypatch.setattr(progress_module, "LINE_EVERY", 0.0)
    progress = Progress(stages=2)
    with progress.stage("first", "the first thing"):
        assert list(progress.track([5, 6], total=2, unit="jobs", label=str)) == [5, 6]
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].endswith("1/2 the first thing")
    assert "2/2 jobs" in lines[-1]
    assert lines[-1].endswith("6")
    assert progress.total().keys() == {"first", "total"}


def test_short_work_says_nothing_but_its_stage(capsys):
    progress = Progress()
    assert list(progress.track([5, 6], total=2, unit="jobs", label=str)) == [5, 6]
    assert capsys.readouterr().err == ""


def test_quiet_shows_nothing(capsys):
    progress = Progress(quiet=True)
    progress.say("hello")
    assert list(progress.track([1], total=1, unit="jobs")) == [1]
    assert capsys.readouterr().err == ""
