"""How is a run cut into pieces that survive a crash?  Jobs, each kept as one row when it ends."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeVar

from experiments.run.outcomes import Key, Outcome
from experiments.run.pool import run_jobs
from experiments.run.progress import Progress
from experiments.run.rows import RowFile

FILE_NAME = "stages.jsonl"
R = TypeVar("R")


class Job(Protocol):
    """A piece of work that a fresh process can do."""

    @property
    def key(self) -> Key[Any]:
        """Names it, and states the type of its results."""

    def run(self, folder: Path) -> Outcome[Any]:
        """Does the work; certificates go into the run folder."""


class Outcomes(dict[Key[Any], Outcome[Any]]):
    """What jobs found, by key: `found[ExactKey("none")].results` is of the key's own type."""

    def __getitem__(self, key: Key[R]) -> Outcome[R]:
        """Returns the outcome of one key."""
        return super().__getitem__(key)

    def seconds(self) -> dict[str, float]:
        """Returns how long each job took, by its key as text."""
        return {str(key): outcome.seconds for key, outcome in self.items()}


def _timed(sent: tuple[Job, Path]) -> Outcome[Any]:
    job, folder = sent
    began = time.monotonic()
    done = job.run(folder)
    return Outcome(done.results, done.arrays, time.monotonic() - began)


def keep(key: Key[R], work: Callable[[], R], rows: RowFile, progress: Progress) -> R:
    """Does a piece of work in this process, unless `rows` holds it; returns what was found.

    Args:
        key: of its row.
        work: what is to be done.
        rows: the file.
        progress: reports it by its key.
    """
    if key not in rows:
        began = time.monotonic()
        with progress.stage(str(key), str(key)):
            done = work()
        rows.append(key, Outcome(done, seconds=time.monotonic() - began))
    return rows[key].results


def run_kept(
    jobs: Sequence[Job], folder: Path, rows: RowFile, *, workers: int, progress: Progress
) -> Outcomes:
    """Does the jobs that `rows` does not hold yet, and returns the outcome of all by key.

    Outcomes are returned as they are read from the file, so that a resumed run's results equal an
    unbroken one's.
    """
    missing = [(job, folder) for job in jobs if job.key not in rows]
    if len(missing) < len(jobs):
        progress.say(f"    {len(jobs) - len(missing)} of {len(jobs)} jobs are done already")
    work = run_jobs(_timed, missing, workers=workers)
    seen = progress.track(
        work, total=len(missing), unit="jobs", label=lambda item: str(item[0][0].key)
    )
    for (job, _), done in seen:
        rows.append(job.key, done)
    return Outcomes({job.key: rows[job.key] for job in jobs})
