"""The paper's Tables 1 and 2 on MNIST, with the exact answer beside every number."""

from dataclasses import asdict
from pathlib import Path

from experiments.datasets.mnist import Mnist, load_mnist
from experiments.measure.distances import image_distance
from experiments.measure.facts import DOMAINS
from experiments.mnist.course_job import CourseJob
from experiments.mnist.gather import assembled, course_keys, exact_keys, relaxed_keys
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
from experiments.mnist.recipe import STEPS, Recipe
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
        LimitError: a network did not reach its accuracy; it is not kept.
        OutputError: the folder cannot be written.
        CertificateError: a certificate was refused.
    """
    open_run_folder(folder)
    with progress.stage("setup", "MNIST and the network"):
        data = load_mnist(options.data, report=progress.say)
        settings = [_setting(options, data, name, progress) for name in options.networks]
        first = settings[0]
        target = first.pair.target
        progress.say(f"    target: test image {target}, a {first.pair.label(target)}")
    open_run_folder(folder / FOLDER)
    identity = as_options(asdict(first.options))
    identity |= {f"network {each.network}": each.net.sha256 for each in settings}
    for name in ("workers", "data"):  # no result depends on them
        identity.pop(name)
    with (
        RowFile(folder / FILE_NAME, options=identity, schema=MnistResults.SCHEMA) as rows,
        progress.stage("jobs", "exact and relaxed vertices, courses, facts, nearest, curve"),
    ):
        jobs = [job for each in settings for job in jobs_of(each)]
        found = run_kept(jobs, folder, rows, workers=options.workers, progress=progress)
    with progress.stage("images", "mean distance over all pairs of test images"):
        images = image_distance(data.test_images)
    with progress.stage("combinations", "random convex combinations, classes, confidences"):
        whole = assembled(settings, found, images)
    with progress.stage("writing", f"record and vertices into {folder}"):
        write_arrays(folder / "vertices.npz", whole.arrays)
        record = Record(
            experiment="mnist",
            options=as_options(first.options),
            seed=options.seed,
            data={**data.checksums, **{e.net.path.name: e.net.sha256 for e in settings}},
            results=whole.results,
            timings={"stages": progress.total(), "jobs": found.seconds()},
        )
        write_record(folder, record)
        return record


def _setting(options: MnistOptions, data: Mnist, network: str, progress: Progress) -> Setting:
    """Returns the setting of one network, which is trained where the cache has none."""
    net = trained_mlp(
        data, seed=options.seed, network=network, root=options.data, report=progress.say
    )
    progress.say(f"    {network} network: test accuracy {net.accuracy:.2%}")
    return set_up(options, data, net, network)


def jobs_of(setting: Setting) -> list[Job]:
    """Returns all jobs of one network; those that every table needs come first."""
    options, case, pair, name = setting.options, setting.case, setting.pair, setting.network
    weights, starts = weights_of(setting.net.model), pair.starts
    jobs: list[Job] = [
        ExactJob(key, case, setting.masks.get(key.control)) for key in exact_keys(setting)
    ]
    jobs += [FactsJob(FactsKey(name, domain), case) for domain in DOMAINS]
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
        CourseJob(
            key=key,
            recipe=Recipe(
                case=case,
                start=starts[key.start],
                step_size=STEPS[name],
                max_steps=options.author_steps,
                given={"device": options.device},
            ),
            weights=weights,
        )
        for key in course_keys(setting)
    ]
    jobs += [
        NearestJob(
            key=DigitKey(name, digit),
            name=f"nearest.{digit}",
            case=case,
            image=pair.image(index),
            norms=NORMS,
        )
        for digit, index in setting.digits.items()
    ]
    jobs += [
        NearestJob(
            key=CurveKey(name, tolerance),
            name=f"curve.{tolerance:g}",
            case=case,
            image=starts["other"],
            norms=CURVE_NORMS,
            tolerance=tolerance,
        )
        for tolerance in options.tolerances
    ]
    return jobs
