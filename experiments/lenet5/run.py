"""The experiment of `collide mnist` at deep layers: LeNet-5, the small network's second layer."""

from functools import partial
from pathlib import Path

from experiments.datasets.mnist import load_mnist
from experiments.lenet5.gather import Gathering
from experiments.lenet5.options import Lenet5Options
from experiments.lenet5.own_region import OwnKey, OwnRegionJob
from experiments.lenet5.pieces import PiecesJob
from experiments.lenet5.results import Lenet5Results
from experiments.lenet5.search import SearchJob, SearchKey
from experiments.lenet5.sets import FactsJob, VerticesJob
from experiments.lenet5.setting import Setting, set_up
from experiments.measure.distances import image_distance
from experiments.measure.search import FAMILIES
from experiments.run.arrays import write_arrays
from experiments.run.files import open_run_folder
from experiments.run.jobs import FILE_NAME, Job, Outcomes, run_kept
from experiments.run.progress import Progress
from experiments.run.proofs import FOLDER
from experiments.run.record import Record, as_options, write_record
from experiments.run.request import recorded
from experiments.run.rows import RowFile

#: Family whose points are asked for exact collisions in their own linear region.
ASKED = "hinge"


def run_lenet5(options: Lenet5Options, folder: Path, progress: Progress) -> Record[Lenet5Results]:
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
    networks = {f"network {name}": net.sha256 for name, net in setting.nets.items()}
    identity = recorded(setting.options) | networks
    work = partial(run_kept, folder=folder, workers=options.workers, progress=progress)
    with RowFile(folder / FILE_NAME, options=identity, schema=Lenet5Results.SCHEMA) as rows:
        with progress.stage("jobs", "facts, exact vertices, relaxed vertices, pieces"):
            found = work(first_jobs(setting), rows=rows)
        with progress.stage("own", "exact collisions in the linear regions of found points"):
            found.update(work(later_jobs(setting, found), rows=rows))
    with progress.stage("images", "mean distance over all pairs of test images"):
        images = image_distance(data.test_images)
    with progress.stage("combinations", "distances and combinations of exact vertices"):
        gathering = Gathering(setting, found, images)
        results = gathering.results()
    with progress.stage("writing", f"record and vertices into {folder}"):
        write_arrays(folder / "vertices.npz", gathering.arrays())
        nets = {net.path.name: net.sha256 for net in setting.nets.values()}
        record = Record(
            experiment="lenet5",
            options=as_options(setting.options),
            seed=options.seed,
            data={**data.checksums, **nets},
            results=results,
            timings={"stages": progress.total(), "jobs": found.seconds()},
        )
        write_record(folder, record)
        return record


def first_jobs(setting: Setting) -> list[Job]:
    """Returns the jobs that need no other."""
    options, starts = setting.options, setting.pair.starts
    jobs: list[Job] = []
    for case in setting.cases:
        jobs += [VerticesJob(case, space, options.seconds) for space in case.spaces]
        jobs += [SearchJob(case, family, starts, setting.search) for family in FAMILIES]
        jobs += [FactsJob(case, space, options.seconds) for space in case.spaces]
        if options.pieces > 1 and not case.is_first:
            jobs.append(PiecesJob(case, options.pieces, options.seconds))
    return jobs


def later_jobs(setting: Setting, found: Outcomes) -> list[Job]:
    """Returns the jobs about the points that were found."""
    return [
        OwnRegionJob(
            OwnKey(case.name, ASKED, start),
            case,
            found[SearchKey(case.name, ASKED)].arrays[start],
            setting.options.seconds,
        )
        for case in setting.cases
        if not case.is_first and setting.options.pieces > 0
        for start in setting.pair.starts
    ]
