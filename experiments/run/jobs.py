"""How is a run cut into pieces that survive a crash?  Jobs, each kept as one row when it ends."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from experiments.run.pool import run_jobs
from experiments.run.progress import Progress
from experiments.run.rows import Row, RowFile

FILE_NAME = "stages.jsonl"


@dataclass(frozen=True, eq=False)
class Outcome:
    """What a job found.

    Attributes:
        results: numbers for the record.
        arrays: images for `vertices.npz`, float64.
        seconds: how long it took.
    """

    results: Mapping[str, Any]
    arrays: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)
    seconds: float = 0.0


class Job(Protocol):
    """A piece of work that a fresh process can do."""

    @property
    def key(self) -> str:
        """Its name in the record, e.g. "nearest.3"."""

    def run(self, folder: Path) -> Outcome:
        """Does the work; certificates go into the run folder."""


def _timed(sent: tuple[Job, Path]) -> Outcome:
    job, folder = sent
    began = time.monotonic()
    done = job.run(folder)
    return Outcome(done.results, done.arrays, time.monotonic() - began)


def run_kept(
    jobs: Sequence[Job], folder: Path, rows: RowFile, *, workers: int, progress: Progress
) -> dict[str, Outcome]:
    """Does the jobs that `rows` does not hold yet, and returns the outcome of all by key.

    Outcomes are returned as they are read from the file, so that a resumed run's results equal an
    unbroken one's.
    """
    missing = [(job, folder) for job in jobs if job.key not in rows]
    if len(missing) < len(jobs):
        progress.say(f"    {len(jobs) - len(missing)} of {len(jobs)} jobs are done already")
    work = run_jobs(_timed, missing, workers=workers)
    seen = progress.track(work, total=len(missing), unit="jobs", label=lambda item: item[0][0].key)
    for (job, _), done in seen:
        arrays = {name: array.tolist() for name, array in done.arrays.items()}
        results = {"results": done.results, "arrays": arrays}
        rows.append(job.key, results, {"seconds": round(done.seconds, 3)})
    return {job.key: _outcome(rows[job.key]) for job in jobs}


def _outcome(row: Row) -> Outcome:
    arrays = {name: np.array(values) for name, values in row.results["arrays"].items()}
    return Outcome(row.results["results"], arrays, row.timings["seconds"])
