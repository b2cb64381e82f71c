"""Does the headline hold over many targets and training seeds?  One resumable row a target."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from experiments.datasets.mnist import Mnist, load_mnist, pixels
from experiments.measure.distances import mean_image_distance
from experiments.measure.search import MAX_STEPS
from experiments.mnist.controls import control_masks
from experiments.mnist.jobs import ARCHITECTURE, LAYER
from experiments.mnist.survey_job import SurveyJob, run_survey_job
from experiments.mnist.survey_options import SurveyOptions
from experiments.mnist.survey_results import SurveyResults, SurveyRow
from experiments.mnist.survey_summary import summarise
from experiments.models.mlp import MLP, weights_of
from experiments.models.summary import NetworkSummary
from experiments.models.train import TrainedNet, trained_mlp
from experiments.run.files import open_run_folder
from experiments.run.outcomes import Outcome
from experiments.run.pool import run_jobs
from experiments.run.progress import Progress
from experiments.run.record import Record, as_options, write_record
from experiments.run.rows import RowFile
from experiments.run.words import counted
from optimize.search.setup import read_device
from polytope.errors import InputError

FILE_NAME = "rows.jsonl"
BATCH = 5  # targets a job: the searches of 25 vertices are one batch, and a crash costs a minute

Nets = list[TrainedNet[MLP]]
Masks = Mapping[str, NDArray[np.bool_]]


def run_survey(options: SurveyOptions, folder: Path, progress: Progress) -> Record[SurveyResults]:
    """Runs the survey into a run folder, or goes on with it, and returns its record.

    Raises:
        InputError: more targets than test images, or the folder's rows have other options.
        LimitError: a network did not reach its accuracy; it is not kept.
        OutputError: the folder cannot be written.
        CertificateError: a certificate was refused.
    """
    open_run_folder(folder)
    with progress.stage("setup", f"MNIST and {counted(options.seeds, 'networks')}"):
        data = load_mnist(options.data, report=progress.say)
        if options.targets > len(data.test_images):
            raise InputError(
                f"targets: expected at most {len(data.test_images)}, the test images; "
                f"got {options.targets}"
            )
        nets = [
            trained_mlp(
                data, seed=seed, network=options.network, root=options.data, report=progress.say
            )
            for seed in range(options.seeds)
        ]
        masks = control_masks(data.train_images)
    identity = _identity(options, nets)
    with (
        RowFile(folder / FILE_NAME, options=identity, schema=SurveyResults.SCHEMA) as kept,
        progress.stage(
            "rows", f"{counted(options.targets, 'targets')} x {counted(options.seeds, 'seeds')}"
        ),
    ):
        jobs = list(_jobs(options, data, nets, masks))
        rows = _rows(kept, jobs, options.workers, progress)
    with progress.stage("images", "mean distance over all pairs of test images"):
        distance = mean_image_distance(data.test_images)
    record = Record(
        experiment="survey",
        options=as_options(asdict(options)),
        seed=0,
        data={**data.checksums, **{net.path.name: net.sha256 for net in nets}},
        results=SurveyResults(
            network=options.network,
            networks={net.seed: NetworkSummary.of(net, ARCHITECTURE) for net in nets},
            controls={name: int(mask.sum()) for name, mask in masks.items()},
            image_distance=distance,
            layer=LAYER,
            summary=summarise(rows, distance),
            rows=rows,
        ),
        timings=progress.total(),
    )
    write_record(folder, record)
    return record


def _identity(options: SurveyOptions, nets: Nets) -> dict[str, object]:
    """What the rows depend on: not on how many are asked for, but for the last batch."""
    identity: dict[str, object] = {"units": options.units, "batch": BATCH, "max_steps": MAX_STEPS}
    identity |= {f"network {net.seed}": net.sha256 for net in nets}
    device = read_device(options.device).type
    if device != "cpu":  # float sums, and so the last digits of a search, differ there
        identity["device"] = device
    return identity


def _jobs(options: SurveyOptions, data: Mnist, nets: Nets, masks: Masks) -> Iterator[SurveyJob]:
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


def _rows(
    kept: RowFile, jobs: list[SurveyJob], workers: int, progress: Progress
) -> tuple[SurveyRow, ...]:
    """Computes the rows that are not there yet, and returns all as the file has them."""
    keys = [key for job in jobs for key in job.row_keys()]
    missing = [job for job in jobs if any(key not in kept for key in job.row_keys())]
    done = sum(key in kept for key in keys)
    if done:
        progress.say(f"    {done} rows are done already")
    work = run_jobs(run_survey_job, missing, workers=workers)
    seen = progress.track(
        work, total=len(missing), unit="batches", label=lambda item: str(item[0].row_keys()[-1])
    )
    for _, found in seen:
        for key, row in found.items():
            if key not in kept:
                kept.append(key, Outcome(row))
    return tuple(kept[key].results for key in keys)
