"""How much of its start does the nearest exact collision keep?  Networks of several scales."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments.datasets.mnist import TEST_IMAGES, Mnist, load_mnist, pixels
from experiments.datasets.pinned import data_root
from experiments.measure.case import Case
from experiments.measure.distances import mean_image_distance
from experiments.measure.sampling import probabilities
from experiments.mnist.controls import RARE, control_masks, lit_fraction
from experiments.models.architectures import LENET5, MLP_784, normal_start, usual_start
from experiments.models.lenet5 import INPUT_SHAPE
from experiments.models.mlp import MLP, weights_of
from experiments.models.train import TrainedNet, trained_net
from experiments.run.arrays import write_arrays
from experiments.run.files import open_run_folder
from experiments.run.jobs import FILE_NAME, Outcomes, run_kept
from experiments.run.progress import Progress
from experiments.run.proofs import FOLDER, keep_checker
from experiments.run.record import Record, as_options, write_record
from experiments.run.request import recorded
from experiments.run.rows import RowFile
from experiments.scales.images import IMAGES, collisions_name
from experiments.scales.job import Start, TargetJob, TargetKey
from experiments.scales.looks import Look, classes, neighbour_votes
from experiments.scales.options import ScalesOptions
from experiments.scales.results import Network, Row, ScalesResults, summarise
from polytope import Source
from polytope.answers.sources import readable
from polytope.errors import InputError

LAYER = "hidden1"


@dataclass(frozen=True, eq=False)
class Trained:
    """A network, and the deviation it started from; None for the usual start."""

    deviation: float | None
    net: TrainedNet[MLP]


def run_scales(options: ScalesOptions, folder: Path, progress: Progress) -> Record[ScalesResults]:
    """Runs the experiment into a run folder, or goes on with it, and returns its record.

    Raises:
        InputError: more targets than test images, or the folder's rows have other options.
        LimitError: a network did not reach its accuracy; nothing of it is kept.
        OutputError: the folder cannot be written.
        CertificateError: a certificate was refused.
    """
    open_run_folder(folder)
    with progress.stage("networks", f"{options.seeds} of each of {1 + len(options.deviations)}"):
        data = load_mnist(options.data, report=progress.say)
        if options.targets > len(data.test_images):
            raise InputError(
                f"targets: expected at most {len(data.test_images)}, the test images; "
                f"got {options.targets}"
            )
        nets = list(_networks(options, data, progress))
        judge = trained_net(LENET5, data, seed=0, root=options.data, report=progress.say)
    open_run_folder(folder / FOLDER)
    jobs = [job for each in nets for job in _jobs(options, data, each)]
    identity: dict[str, Any] = {"units": options.units}
    identity |= {f"network {t.deviation} {t.net.seed}": t.net.sha256 for t in nets}
    with (
        RowFile(folder / FILE_NAME, options=identity, schema=ScalesResults.SCHEMA) as rows,
        progress.stage("targets", f"{len(jobs)} targets, 10 vertices and 9 collisions each"),
    ):
        found = run_kept(jobs, folder, rows, workers=options.workers, progress=progress)
    with progress.stage("looks", "what the collisions look like"):
        seen = _rows(jobs, found, nets, judge, data)
        networks = tuple(_network(each, data) for each in nets)
        results = ScalesResults(
            networks=networks,
            judge_accuracy=judge.accuracy,
            image_distance=mean_image_distance(data.test_images),
            rarely_lit=int(control_masks(data.train_images)["rarely"].sum()),
            rows=seen,
            summaries=summarise(networks, seen),
        )
    _write_images(folder, data, jobs, found)
    keep_checker(folder)
    record = Record(
        experiment="scales",
        options=as_options(recorded(options)),
        seed=0,
        data=dict(data.checksums) | {t.net.path.name: t.net.sha256 for t in (*nets,)},
        results=results,
        timings={"stages": progress.total(), "jobs": found.seconds()},
    )
    write_record(folder, record)
    return record


def _networks(options: ScalesOptions, data: Mnist, progress: Progress) -> Iterator[Trained]:
    for deviation in (None, *options.deviations):
        kind = (usual_start if deviation is None else partial(normal_start, deviation))(
            hidden=options.hidden, decay=options.decay
        )
        for seed in range(options.seeds):
            net = trained_net(kind, data, seed=seed, root=options.data, report=progress.say)
            yield Trained(deviation, net)


def _jobs(options: ScalesOptions, data: Mnist, trained: Trained) -> Iterator[TargetJob]:
    """One job a target; the first target's certificates are kept."""
    layer, labels = getattr(trained.net.model, LAYER), data.test_labels
    weights = weights_of(trained.net.model)
    rarely = control_masks(data.train_images)["rarely"]
    images = data_root(options.data) / "mnist" / TEST_IMAGES
    for target in range(options.targets):
        case = Case(layer.weight.numpy(), layer.bias.numpy(), pixels(data.test_images[target]))
        polytope = case.polytope()
        if len(polytope.inactive_units) < options.units:
            raise InputError(
                f"units: expected at most {len(polytope.inactive_units)}, the inactive units of "
                f"test image {target} at deviation {trained.deviation}; got {options.units}"
            )
        sources = {
            "weight": Source(trained.net.path, f"{LAYER}.weight"),
            "bias": Source(trained.net.path, f"{LAYER}.bias"),
            "target": Source(images, f"{target}/255"),
        }
        yield TargetJob(
            key=TargetKey(trained.deviation, trained.net.seed, target),
            case=Case(
                case.weight,
                case.bias,
                case.target,
                sources=readable(polytope.layer, sources) if target == 0 else {},
            ),
            weights=weights,
            label=int(labels[target]),
            units=options.units,
            rarely=rarely,
            starts=_starts(data, int(labels[target])),
            keep=target == 0,
        )


def _starts(data: Mnist, label: int) -> tuple[Start, ...]:
    """The first test image of each other digit."""
    places = {int(d): int(np.flatnonzero(data.test_labels == d)[0]) for d in set(data.test_labels)}
    return tuple(
        Start(index, digit, pixels(data.test_images[index]))
        for digit, index in sorted(places.items())
        if digit != label
    )


def _rows(
    jobs: Sequence[TargetJob],
    found: Outcomes,
    nets: Sequence[Trained],
    judge: TrainedNet[Any],
    data: Mnist,
) -> tuple[Row, ...]:
    """Every target with the looks of its collisions; all neighbours are sought at once."""
    points = [found[job.key].arrays["near"].reshape(-1, data.test_images.shape[1]) for job in jobs]
    votes = neighbour_votes(np.concatenate(points), data.train_images, data.train_labels)
    convolutional = classes(judge.model, np.concatenate(points), INPUT_SHAPE)
    models = {(t.deviation, t.net.seed): t.net.model for t in nets}
    rows, first = [], 0
    for job, own in zip(jobs, points, strict=True):
        named = models[job.key.deviation, job.key.seed]
        part = slice(first, first + len(own))
        judged = zip(
            votes[part], convolutional[part], classes(named, own, MLP_784.shape), strict=True
        )
        first += len(own)
        rows.append(
            Row(
                deviation=job.key.deviation,
                seed=job.key.seed,
                target=job.key.target,
                found=found[job.key].results,
                looks=tuple(
                    Look(neighbours=int(a), convolutional=int(b), network=int(c))
                    for a, b, c in judged
                ),
            )
        )
    return tuple(rows)


def _network(trained: Trained, data: Mnist) -> Network:
    net = trained.net
    chances = probabilities(net.model, pixels(data.test_images)).max(axis=1)
    lit = lit_fraction(data.train_images) >= RARE
    return Network(
        deviation=trained.deviation,
        seed=net.seed,
        accuracy=net.accuracy,
        confidence=float(np.median(chances)),
        steps=net.steps,
        weight_scale=float(getattr(net.model, LAYER).weight.numpy()[:, lit].std()),
        sha256=net.sha256,
    )


def _write_images(folder: Path, data: Mnist, jobs: Sequence[TargetJob], found: Outcomes) -> None:
    """Keeps the first target, the starts, and each first network's collisions between them."""
    kept = {job.key: job for job in jobs if job.keep and job.key.seed == 0}
    first = next(iter(kept.values()))
    arrays: dict[str, NDArray[Any]] = {
        "target": pixels(data.test_images[first.key.target]),
        "starts": np.stack([start.image for start in first.starts]),
    }
    for key in kept:
        arrays[collisions_name(key.deviation)] = found[key].arrays["near"]
    write_arrays(folder / IMAGES, arrays)
