"""Does the headline hold over many targets and training seeds?  One resumable row a target."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments.datasets.mnist import Mnist, load_mnist, pixels
from experiments.measure.distances import mean_image_distance
from experiments.measure.entries import MAX_STEPS
from experiments.mnist.controls import TITLES, control_masks
from experiments.mnist.relaxed import LAYER
from experiments.mnist.survey_job import SurveyJob, run_survey_job
from experiments.mnist.survey_options import SurveyOptions
from experiments.mnist.survey_summary import summarise
from experiments.models.mlp import MLP, weights_of
from experiments.models.train import TrainedNet, trained_mlp
from experiments.run.files import open_run_folder
from experiments.run.pool import run_jobs
from experiments.run.progress import Progress
from experiments.run.record import Record, as_options, write_record
from experiments.run.rows import Row, RowFile
from optimize.search.setup import read_device
from polytope.errors import InputError

FILE_NAME = "rows.jsonl"
BATCH = 5  # targets a job: the searches of 25 vertices are one batch, and a crash costs a minute


def run_survey(options: SurveyOptions, folder: Path, progress: Progress) -> Record:
    """Runs the survey into a run folder, or goes on with it, and returns its record.

    Raises:
        InputError: more targets than test images, or the folder's rows have other options.
        OutputError: the folder cannot be written.
        CertificateError: a certificate was refused.
    """
    open_run_folder(folder)
    with progress.stage("setup", f"MNIST and {options.seeds} networks"):
        data = load_mnist(options.data, report=progress.say)
        if options.targets > len(data.test_images):
            raise InputError(
                f"targets: expected at most {len(data.test_images)}, the test images; "
                f"got {options.targets}"
            )
        nets = [
            trained_mlp(data, seed=seed, root=options.data, report=progress.say)
            for seed in range(options.seeds)
        ]
        masks = control_masks(data.train_images)
    # Rows do not depend on how many of them are asked for, but for the last batch.
    identity: dict[str, Any] = {"units": options.units, "batch": BATCH, "max_steps": MAX_STEPS}
    identity |= {f"network {net.seed}": net.sha256 for net in nets}
    device = read_device(options.device).type
    if device != "cpu":  # float sums, and so the last digits of a search, differ there
        identity["device"] = device
    with (
        RowFile(folder / FILE_NAME, options=identity) as rows,
        progress.stage("rows", f"{options.targets} targets x {options.seeds} seeds"),
    ):
        _fill(rows, list(_jobs(options, data, nets, masks)), options, progress)
        kept = [rows[key] for job in _jobs(options, data, nets, masks) for key in job.row_keys()]
    with progress.stage("images", "mean distance over all pairs of test images"):
        distance = mean_image_distance(data.test_images)
    results = {
        "networks": [{"seed": n.seed, "accuracy": n.accuracy, "sha256": n.sha256} for n in nets],
        "controls": {
            name: {"pixels": int(mask.sum()), "title": TITLES[name]} for name, mask in masks.items()
        },
        "image_distance": distance,
        "layer": LAYER,
        **summarise([_flat(row) for row in kept], distance),
    }
    return _record(options, data, nets, results, kept, progress, folder)


def _flat(row: Row) -> dict[str, Any]:
    seed, target = (int(part.partition("=")[2]) for part in row.key.split())
    return {"seed": seed, "target": target, **row.results}


def _jobs(
    options: SurveyOptions,
    data: Mnist,
    nets: list[TrainedNet[MLP]],
    masks: Mapping[str, NDArray[np.bool_]],
) -> Iterator[SurveyJob]:
    for net in nets:
        weights = weights_of(net.model)
        for first in range(0, options.targets, BATCH):
            chosen = range(first, min(first + BATCH, options.targets))
            yield SurveyJob(
                seed=net.seed,
                weights=weights,
                targets=tuple(chosen),
                labels=tuple(int(data.test_labels[i]) for i in chosen),
                images=pixels(data.test_images[chosen.start : chosen.stop]),
                masks=masks,
                units=options.units,
                device=options.device,
            )


def _fill(rows: RowFile, jobs: list[SurveyJob], options: SurveyOptions, progress: Progress) -> None:
    """Computes the rows that are not there yet."""
    missing = [job for job in jobs if any(key not in rows for key in job.row_keys())]
    done = sum(key in rows for job in jobs for key in job.row_keys())
    if done:
        progress.say(f"    {done} rows are done already")
    work = run_jobs(run_survey_job, missing, workers=options.workers)
    seen = progress.track(
        work, total=len(missing), unit="batches", label=lambda item: item[0].row_keys()[-1]
    )
    for _, found in seen:
        for key, results in found.items():
            if key not in rows:
                rows.append(key, results)


def _record(
    options: SurveyOptions,
    data: Mnist,
    nets: list[TrainedNet[MLP]],
    results: Mapping[str, Any],
    rows: list[Row],
    progress: Progress,
    folder: Path,
) -> Record:
    record = Record(
        experiment="survey",
        options=as_options(asdict(options)),
        seed=0,
        data={**data.checksums, **{net.path.name: net.sha256 for net in nets}},
        results={**results, "rows": [_flat(row) for row in rows]},
        timings=progress.total(),
    )
    write_record(folder, record)
    return record
