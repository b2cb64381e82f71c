"""The paper's Tables 1 and 2 on MNIST, with the exact answer beside every number."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments.case import Case
from experiments.config import Lenet5Options, MnistOptions
from experiments.controls import control_masks, lit_fraction
from experiments.datasets.fetch import data_root
from experiments.datasets.mnist import TEST_IMAGES, Mnist, load_mnist, pixels
from experiments.distances import mean_image_distance
from experiments.exact import ExactJob
from experiments.facts import DOMAINS, FactsJob
from experiments.files import atomic_path, open_run_folder
from experiments.mnist_results import Gathered, gather
from experiments.models.mlp import MLP
from experiments.nearest import NearestJob
from experiments.progress import Progress
from experiments.proofs import FOLDER
from experiments.record import Record, as_options, write_record
from experiments.relaxed import FAMILIES, LAYER, RelaxedJob, weights_of
from experiments.rows import RowFile
from experiments.stages import FILE_NAME, Job, Outcome, run_kept
from experiments.train import TrainedNet, trained_mlp
from polytope import Source
from polytope.errors import InputError
from polytope.sources import readable

NORMS = ("linf", "l1", "l2")
CURVE_NORMS = ("linf", "l2")


@dataclass(frozen=True, eq=False)
class Setting:
    """Everything a run starts from.

    Attributes:
        options: with the target and the other digit resolved to indices.
        data: MNIST.
        net: the network.
        case: layer, target and units.
        digits: digit class -> index of its test image.
        masks: pixels held fixed by each control, (d,).
    """

    options: MnistOptions
    data: Mnist
    net: TrainedNet[MLP]
    case: Case
    digits: Mapping[int, int]
    masks: Mapping[str, NDArray[np.bool_]]

    def image(self, index: int) -> NDArray[np.float32]:
        """Returns a test image as the network sees it, (d,)."""
        return pixels(self.data.test_images[index])


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
        progress.say(f"    test accuracy {net.accuracy:.2%}, target: test image {_target(setting)}")
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


def set_up(options: MnistOptions, data: Mnist, net: TrainedNet[MLP]) -> Setting:
    """Returns the setting, with every index resolved and checked.

    Raises:
        InputError: an index is out of range, or there are too few inactive units.
    """
    labels = data.test_labels
    target, other = chosen_images(options, data)
    layer = getattr(net.model, LAYER)
    case = Case(layer.weight.numpy(), layer.bias.numpy(), pixels(data.test_images[target]))
    polytope = case.polytope()
    inactive = polytope.inactive_units
    images = data_root(options.data) / "mnist" / TEST_IMAGES
    sources = {
        "weight": Source(net.path, f"{LAYER}.weight"),
        "bias": Source(net.path, f"{LAYER}.bias"),
        "target": Source(images, f"{target}/255"),
    }
    if len(inactive) < options.units:
        raise InputError(
            f"units: expected at most {len(inactive)}, the inactive units of test image {target}; "
            f"got {options.units}"
        )
    return Setting(
        options=replace(options, target=target, other=other),
        data=data,
        net=net,
        case=replace(
            case, units=inactive[: options.units], sources=readable(polytope.layer, sources)
        ),
        digits={d: _first(labels, d, avoid=target) for d in options.digits},
        masks=control_masks(data.train_images),
    )


def chosen_images(options: MnistOptions | Lenet5Options, data: Mnist) -> tuple[int, int]:
    """Returns the indices of the target (the first 7) and of the other digit (the first 3).

    Raises:
        InputError: an index is out of range, or both images show the same digit.
    """
    labels = data.test_labels
    target = _index("target", options.target, data, digit=7)
    other = _index("other", options.other, data, digit=3)
    if labels[other] == labels[target]:
        raise InputError(
            f"other: expected another digit than the target's, a {labels[target]}; "
            f"got test image {other}, which is one too"
        )
    return target, other


def _index(name: str, wanted: int | None, data: Mnist, *, digit: int) -> int:
    if wanted is None:
        return _first(data.test_labels, digit, avoid=-1)
    if not 0 <= wanted < len(data.test_labels):
        raise InputError(
            f"{name}: expected the index of a test image, 0 to {len(data.test_labels) - 1}; "
            f"got {wanted}"
        )
    return wanted


def _first(labels: NDArray[np.uint8], digit: int, *, avoid: int) -> int:
    """Returns the index of the first image of a digit other than the image `avoid`."""
    found = [int(i) for i in np.flatnonzero(labels == digit) if i != avoid]
    if not found:
        raise InputError(f"digits: expected digits that the test images show; got {digit}")
    return found[0]


def _target(setting: Setting) -> str:
    index = setting.options.target
    assert index is not None
    return f"{index}, a {setting.data.test_labels[index]}"


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
