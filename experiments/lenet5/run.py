"""The experiment of `collide mnist` at deep layers: LeNet-5, the small network's second layer."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments.datasets.mnist import load_mnist
from experiments.lenet5.options import Lenet5Options
from experiments.lenet5.pieces import OwnRegionJob, PiecesJob
from experiments.lenet5.results import gather
from experiments.lenet5.search import SearchJob
from experiments.lenet5.sets import FactsJob, VerticesJob
from experiments.lenet5.setting import Setting, set_up
from experiments.measure.distances import mean_image_distance
from experiments.measure.entries import FAMILIES
from experiments.run.files import atomic_path, open_run_folder
from experiments.run.jobs import FILE_NAME, Job, Outcome, run_kept
from experiments.run.progress import Progress
from experiments.run.proofs import FOLDER
from experiments.run.record import Record, as_options, write_record
from experiments.run.rows import RowFile

#: Family whose points are asked for exact collisions in their own linear region.
ASKED = "hinge"


def run_lenet5(options: Lenet5Options, folder: Path, progress: Progress) -> Record:
    """Runs the experiment into a run folder, and returns its record.

    A folder that holds a part of this very run is gone on with.

    Raises:
        InputError: an index is out of range, or the folder belongs to a run with other options.
        OutputError: the folder cannot be written.
        CertificateError: a certificate was refused.
    """
    open_run_folder(folder)
    with progress.stage("setup", "MNIST and the networks"):
        data = load_mnist(options.data, report=progress.say)
        setting = set_up(options, data, progress)
    open_run_folder(folder / FOLDER)
    identity = as_options(asdict(setting.options))
    identity |= {f"network {name}": net.sha256 for name, net in setting.nets.items()}
    for name in ("workers", "data"):  # no result depends on them
        identity.pop(name)
    with RowFile(folder / FILE_NAME, options=identity) as rows:
        with progress.stage("jobs", "facts, exact vertices, relaxed vertices, pieces"):
            found = _work(first_jobs(setting), setting, folder, rows, progress)
        with progress.stage("own", "exact collisions in the linear regions of found points"):
            found |= _work(later_jobs(setting, found), setting, folder, rows, progress)
    with progress.stage("images", "mean distance over all pairs of test images"):
        distance = mean_image_distance(data.test_images)
    with progress.stage("combinations", "distances and combinations of exact vertices"):
        results, arrays = gather(setting, found, distance)
    with progress.stage("writing", f"record and vertices into {folder}"):
        return _write(setting, results, arrays, found, folder, progress)


def _work(
    jobs: list[Job], setting: Setting, folder: Path, rows: RowFile, progress: Progress
) -> dict[str, Outcome]:
    return run_kept(jobs, folder, rows, workers=setting.options.workers, progress=progress)


def first_jobs(setting: Setting) -> list[Job]:
    """Returns the jobs that need no other."""
    options = setting.options
    jobs: list[Job] = []
    for case in setting.cases:
        jobs += [VerticesJob(case, space, options.seconds) for space in case.spaces]
        jobs += [SearchJob(case, family, setting.starts, setting.search) for family in FAMILIES]
        jobs += [FactsJob(case, space, options.seconds) for space in case.spaces]
        if options.pieces > 1 and not case.is_first:
            jobs.append(PiecesJob(case, options.pieces, options.seconds))
    return jobs


def later_jobs(setting: Setting, found: Mapping[str, Outcome]) -> list[Job]:
    """Returns the jobs about the points that were found."""
    jobs: list[Job] = []
    for case in setting.cases:
        if case.is_first or setting.options.pieces == 0:
            continue
        arrays = found[f"relaxed.{case.name}.{ASKED}"].arrays
        jobs += [
            OwnRegionJob(case, f"{ASKED}-{start}", arrays[start], setting.options.seconds)
            for start in setting.starts
        ]
    return jobs


def _write(
    setting: Setting,
    results: dict[str, Any],
    arrays: Mapping[str, NDArray[Any]],
    found: Mapping[str, Outcome],
    folder: Path,
    progress: Progress,
) -> Record:
    images: dict[str, Any] = {**setting.starts, **arrays}
    with atomic_path(folder / "vertices.npz") as path:
        np.savez_compressed(path, **images)
    nets = {net.path.name: net.sha256 for net in setting.nets.values()}
    record = Record(
        experiment="lenet5",
        options=as_options(setting.options),
        seed=setting.options.seed,
        data={**setting.data.checksums, **nets},
        results=results,
        timings={
            "stages": progress.total(),
            "jobs": {key: outcome.seconds for key, outcome in found.items()},
        },
    )
    write_record(folder, record)
    return record
