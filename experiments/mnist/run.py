"""The paper's Tables 1 and 2 on MNIST, with the exact answer beside every number."""

from dataclasses import asdict
from pathlib import Path

from experiments.datasets.mnist import load_mnist
from experiments.measure.distances import image_distance
from experiments.measure.facts import DOMAINS
from experiments.mnist.gather import Gathering, exact_keys, relaxed_keys
from experiments.mnist.jobs import (
    CurveKey,
    DigitKey,
    ExactJob,
    FactsJob,
    FactsKey,
    NearestJob,
    RelaxedJob,
)
from experiments.mnist.options import MnistOptions
from experiments.mnist.results import MnistResults
from experiments.mnist.setting import Setting, set_up
from experiments.models.mlp import weights_of
from experiments.models.train import trained_mlp
from experiments.run.arrays import write_arrays
from experiments.run.files import open_run_folder
from experiments.run.jobs import FILE_NAME, Job, run_kept
from experiments.run.progress import Progress
from experiments.run.proofs import FOLDER
from experiments.run.record import Record, as_options, write_record
from experiments.run.rows import RowFile

NORMS = ("linf", "l1", "l2")
CURVE_NORMS = ("linf", "l2")


def run_mnist(options: MnistOptions, folder: Path, progress: Progress) -> Record[MnistResults]:
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
        net = trained_mlp(
            data,
            seed=options.seed,
            network=options.network,
            root=options.data,
            report=progress.say,
        )
        setting = set_up(options, data, net)
        target = setting.pair.target
        words = f"test image {target}, a {setting.pair.label(target)}"
        progress.say(f"    test accuracy {net.accuracy:.2%}, target: {words}")
    open_run_folder(folder / FOLDER)
    identity = as_options(asdict(setting.options)) | {"network": net.sha256}
    for name in ("workers", "data"):  # no result depends on them
        identity.pop(name)
    with (
        RowFile(folder / FILE_NAME, options=identity, schema=MnistResults.SCHEMA) as rows,
        progress.stage("jobs", "exact vertices, relaxed vertices, facts, nearest, curve"),
    ):
        jobs = jobs_of(setting)
        found = run_kept(jobs, folder, rows, workers=options.workers, progress=progress)
    with progress.stage("images", "mean distance over all pairs of test images"):
        images = image_distance(data.test_images)
    with progress.stage("combinations", "random convex combinations, classes, confidences"):
        gathering = Gathering.of(setting, found, images)
        results = gathering.results()
    with progress.stage("writing", f"record and vertices into {folder}"):
        write_arrays(folder / "vertices.npz", gathering.arrays())
        record = Record(
            experiment="mnist",
            options=as_options(setting.options),
            seed=options.seed,
            data={**data.checksums, net.path.name: net.sha256},
            results=results,
            timings={"stages": progress.total(), "jobs": found.seconds()},
        )
        write_record(folder, record)
        return record


def jobs_of(setting: Setting) -> list[Job]:
    """Returns all jobs; those that every table needs come first."""
    options, case, pair = setting.options, setting.case, setting.pair
    weights, starts = weights_of(setting.net.model), pair.starts
    jobs: list[Job] = [
        ExactJob(key, case, setting.masks.get(key.control)) for key in exact_keys(setting)
    ]
    jobs += [FactsJob(FactsKey(domain), case) for domain in DOMAINS]
    jobs += [
        RelaxedJob(
            key=key,
            case=case,
            weights=weights,
            start=starts[key.start],
            max_steps=options.author_steps,
            device=options.device,
            fixed=setting.masks.get(key.control),
        )
        for key in relaxed_keys(setting)
    ]
    jobs += [
        NearestJob(key=DigitKey(digit), case=case, image=pair.image(index), norms=NORMS)
        for digit, index in setting.digits.items()
    ]
    jobs += [
        NearestJob(
            key=CurveKey(tolerance),
            case=case,
            image=starts["other"],
            norms=CURVE_NORMS,
            tolerance=tolerance,
        )
        for tolerance in options.tolerances
    ]
    return jobs
