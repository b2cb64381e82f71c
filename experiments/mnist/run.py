"""The paper's Tables 1 and 2 on MNIST, with the exact answer beside every number."""

from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from experiments.datasets.mnist import load_mnist
from experiments.measure.distances import mean_image_distance
from experiments.measure.entries import FAMILIES
from experiments.measure.facts import DOMAINS
from experiments.mnist.controls import lit_fraction
from experiments.mnist.exact import ExactJob
from experiments.mnist.facts import FactsJob
from experiments.mnist.nearest import NearestJob
from experiments.mnist.options import MnistOptions
from experiments.mnist.relaxed import RelaxedJob
from experiments.mnist.results import Gathered, gather
from experiments.mnist.setting import Setting, set_up, target_words
from experiments.models.mlp import weights_of
from experiments.models.train import trained_mlp
from experiments.run.files import atomic_path, open_run_folder
from experiments.run.jobs import FILE_NAME, Job, Outcome, run_kept
from experiments.run.progress import Progress
from experiments.run.proofs import FOLDER
from experiments.run.record import Record, as_options, write_record
from experiments.run.rows import RowFile

NORMS = ("linf", "l1", "l2")


CURVE_NORMS = ("linf", "l2")


def run_mnist(options: MnistOptions, folder: Path, progress: Progress) -> Record:
    """Runs the experiment into a run folder, and returns its record.

    A folder that holds a part of this very run is gone on with.

    Raises:
        InputError: an index is out of range, or the folder belongs to a run with other options.
        OutputError: the folder cannot be written.
        CertificateError: a certificate was refused.
    """
    open_run_folder(folder)
    with progress.stage("setup", "MNIST and the network"):
        data = load_mnist(options.data, report=progress.say)
        net = trained_mlp(data, seed=options.seed, root=options.data, report=progress.say)
        setting = set_up(options, data, net)
        progress.say(
            f"    test accuracy {net.accuracy:.2%}, target: test image {target_words(setting)}"
        )
    open_run_folder(folder / FOLDER)
    identity = as_options(asdict(setting.options)) | {"network": net.sha256}
    for name in ("workers", "data"):  # no result depends on them
        identity.pop(name)
    with (
        RowFile(folder / FILE_NAME, options=identity) as rows,
        progress.stage("jobs", "exact vertices, relaxed vertices, facts, nearest, curve"),
    ):
        jobs = jobs_of(setting)
        found = run_kept(jobs, folder, rows, workers=options.workers, progress=progress)
    with progress.stage("images", "mean distance over all pairs of test images"):
        distance = mean_image_distance(data.test_images)
    with progress.stage("combinations", "random convex combinations, classes, confidences"):
        gathered = gather(setting, found, distance)
    with progress.stage("writing", f"record and vertices into {folder}"):
        return _write(setting, gathered, found, folder, progress)


def jobs_of(setting: Setting) -> list[Job]:
    """Returns all jobs; those that every table needs come first."""
    options, case = setting.options, setting.case
    assert options.other is not None
    weights = weights_of(setting.net.model)
    other = setting.image(options.other)
    jobs: list[Job] = [ExactJob(case, "none", None)]
    jobs += [ExactJob(case, name, mask) for name, mask in setting.masks.items()]
    jobs += [FactsJob(case, domain) for domain in DOMAINS]
    jobs += [
        RelaxedJob(
            case=case,
            weights=weights,
            family=family,
            start_name=name,
            start=start,
            max_steps=options.author_steps,
            device=options.device,
        )
        for family in FAMILIES
        for name, start in (("target", case.target), ("other", other))
    ]
    # The paper's penalty under the same controls as the exact vertices, from the target.
    first = next(job for job in jobs if job.key == "relaxed.absolute.target.none")
    assert isinstance(first, RelaxedJob)
    jobs += [replace(first, control=name, fixed=mask) for name, mask in setting.masks.items()]
    jobs += [
        NearestJob(case=case, name=f"nearest.{digit}", image=setting.image(index), norms=NORMS)
        for digit, index in setting.digits.items()
    ]
    jobs += [
        NearestJob(
            case=case,
            name=f"curve.{tolerance:g}",
            image=other,
            norms=CURVE_NORMS,
            tolerance=tolerance,
        )
        for tolerance in options.tolerances
    ]
    return jobs


def _write(
    setting: Setting,
    gathered: Gathered,
    found: Mapping[str, Outcome],
    folder: Path,
    progress: Progress,
) -> Record:
    arrays: dict[str, Any] = dict(gathered.arrays)
    arrays["target"] = setting.case.target
    arrays["other"] = setting.image(setting.options.other or 0)
    arrays["lit_fraction"] = lit_fraction(setting.data.train_images)
    arrays |= {f"mask.{name}": mask for name, mask in setting.masks.items()}
    for digit, index in setting.digits.items():
        arrays[f"digit.{digit}"] = setting.image(index)
    with atomic_path(folder / "vertices.npz") as path:
        np.savez_compressed(path, **arrays)
    jobs = {key: outcome.seconds for key, outcome in found.items()}
    record = Record(
        experiment="mnist",
        options=as_options(setting.options),
        seed=setting.options.seed,
        data={**setting.data.checksums, setting.net.path.name: setting.net.sha256},
        results=gathered.results,
        timings={"stages": progress.total(), "jobs": jobs},
    )
    write_record(folder, record)
    return record
