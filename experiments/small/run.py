"""A small network, analysed completely: every vertex, relaxed against exact, and what is missed."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments.datasets.small import SmallData, load_small
from experiments.measure.compared import compared
from experiments.measure.facts import facts
from experiments.measure.inequalities import Facets
from experiments.measure.minimum import minima, solved
from experiments.measure.search import SearchSummary, relaxed_search
from experiments.measure.set_measures import Ball
from experiments.measure.uniqueness import uniqueness
from experiments.run.arrays import write_arrays
from experiments.run.files import open_run_folder
from experiments.run.outcomes import Outcome
from experiments.run.progress import Progress
from experiments.run.proofs import FOLDER, Proofs
from experiments.run.record import Record, as_options, write_record
from experiments.small.net import LAYER, SmallNet, train_small
from experiments.small.options import SmallOptions
from experiments.small.results import Data, Listed, Network, Relaxed, SmallResults, Target
from experiments.small.sets import Whole
from experiments.small.targets import by_active_units, every_target, polytope_of
from optimize import compare
from polytope import CollisionPolytope, LPResult
from polytope.answers.generators import Generators
from polytope.errors import InputError, LimitError
from polytope.files import sha256_bytes

#: Of `experiments.measure.search.FAMILIES`.
PENALTIES = ("absolute", "hinge")
Exact = Mapping[int, LPResult]


@dataclass(frozen=True, eq=False)
class SmallCase:
    """What the run speaks of.

    Attributes:
        options: with the target resolved.
        data: the points.
        net: the network.
        polytope: of the target.
        index: of the target among the test points.
    """

    options: SmallOptions
    data: SmallData
    net: SmallNet
    polytope: CollisionPolytope
    index: int


def run_small(options: SmallOptions, folder: Path, progress: Progress) -> Record[SmallResults]:
    """Runs the experiment into a run folder, and returns its record.

    Raises:
        InputError: an option does not fit the data, or its package is missing.
        OutputError: the folder cannot be written.
        CertificateError: a certificate was refused.
    """
    open_run_folder(folder / FOLDER)
    proofs = Proofs(folder)
    with progress.stage("setup", f"data set {options.data_set} and the network"):
        data = _data(options)
        hidden, sparsity = options.hidden or 0, options.sparsity
        net = train_small(data, hidden=hidden, sparsity=sparsity, seed=options.seed)
        progress.say(f"    test accuracy {net.accuracy:.2%}")
    with progress.stage("targets", "all vertices of the set of every test point"):
        count = len(data.test_labels)
        found = every_target(data, net, proofs)
        targets = tuple(progress.track(found, total=count, unit="targets"))
    case = _case(options, data, net, targets)
    polytope, target = case.polytope, targets[case.index]
    progress.say(f"    target: test point {case.index}, {target.n_positive} active units")
    with progress.stage("vertices", "facts, vertices and measures of the target's set"):
        known, unique = facts(polytope, proofs, "box"), uniqueness(polytope, proofs, "box")
        generators = _vertices(polytope)
        listed = _listed(polytope, generators, proofs)
        whole = Whole.of(polytope, generators, seed=options.seed)
    with progress.stage("units", "exact minimum of every inactive unit"):
        exact = polytope.unit_vertices()
        units = minima(exact, proofs, "unit")
    relaxed: dict[str, Outcome[Relaxed]] = {}
    for penalty in PENALTIES:
        with progress.stage(penalty, f"relaxed vertices, penalty {penalty}, against exact"):
            relaxed[penalty] = _relaxed(case, penalty, exact, proofs)
    with progress.stage("sets", "Hausdorff distances of the hulls and the set"):
        hulls = {penalty: whole.beside(each.arrays["points"]) for penalty, each in relaxed.items()}
        points = (exact[unit].point for unit in solved(exact))
        hulls["units"] = whole.beside([point for point in points if point is not None])
    results = SmallResults(
        data=_data_summary(data),
        network=_network(case),
        target=target,
        facts=known,
        uniqueness=unique,
        vertices=listed,
        units=units,
        relaxed={penalty: each.results for penalty, each in relaxed.items()},
        hulls=hulls,
        whole=whole.summary(),
        targets=targets,
        by_active_units=by_active_units(targets),
    )
    arrays = {penalty: each.arrays["points"] for penalty, each in relaxed.items()}
    arrays["all"] = generators.points_float()
    write_arrays(folder / "points.npz", arrays | _points(case, exact), packed=False)
    return _write(case, folder, results, progress)


def _data(options: SmallOptions) -> SmallData:
    assert options.dimension is not None
    data = load_small(options.data_set, dimension=options.dimension, seed=options.seed)
    if options.target is not None and options.target >= len(data.test_labels):
        raise InputError(
            f"target: expected the index of a test point, 0 to {len(data.test_labels) - 1}; "
            f"got {options.target}"
        )
    return data


def _case(
    options: SmallOptions, data: SmallData, net: SmallNet, targets: tuple[Target, ...]
) -> SmallCase:
    """The target asked for, or the first of those with the fewest active units."""
    index = options.target
    if index is None:
        index = min(range(len(targets)), key=lambda i: targets[i].n_positive)
    polytope = polytope_of(data, net, index)
    if not polytope.inactive_units:
        raise InputError(f"target: expected a test point with inactive units, got {index}")
    return SmallCase(replace(options, target=index), data, net, polytope, index)


def _vertices(polytope: CollisionPolytope) -> Generators:
    listed = polytope.vertices()
    if not listed.complete:
        raise LimitError(f"the vertices of the target's set could not be listed: {listed.reason}")
    return listed


def _listed(polytope: CollisionPolytope, listed: Generators, proofs: Proofs) -> Listed:
    return Listed(
        status=listed.status.name.lower(),
        dimension=listed.dimension,
        count=len(listed.points),
        facets=Facets.of(listed),
        ball=Ball.of(polytope),
        certificate=proofs.keep("box-vertices", listed.certificate),
    )


def _relaxed(case: SmallCase, penalty: str, exact: Exact, proofs: Proofs) -> Outcome[Relaxed]:
    """Searches every inactive unit from the target, and compares with the exact vertices."""
    search = relaxed_search(
        case.net.model,
        LAYER,
        case.data.test_points[case.index],
        family=penalty,
        units=list(case.polytope.inactive_units),
        bounds=case.data.bounds(),
        device=case.options.device,
    )
    found = compare(case.polytope, search, exact=exact, progress=False)
    results = Relaxed(
        search=SearchSummary.of(search),
        comparisons=compared(found, proofs, f"distance-{penalty}"),
    )
    return Outcome(results, {"points": search.layer_inputs.double().numpy()})


def _data_summary(data: SmallData) -> Data:
    low, high = data.bounds()
    return Data(
        name=data.name,
        dimension=data.points.shape[1],
        n_train=data.n_train,
        n_test=len(data.test_labels),
        classes=data.n_classes,
        variance=data.variance,
        lower=tuple(low.tolist()),
        upper=tuple(high.tolist()),
    )


def _network(case: SmallCase) -> Network:
    hidden, inputs = case.net.weight.shape
    return Network(
        architecture=f"{inputs}-{hidden}-{case.data.n_classes}, ReLU",
        layer=LAYER,
        accuracy=case.net.accuracy,
        sparsity=case.options.sparsity,
    )


def _points(case: SmallCase, exact: Exact) -> dict[str, NDArray[Any]]:
    """What figures show beside the found and the listed points."""
    units, data = solved(exact), case.data
    arrays: dict[str, NDArray[Any]] = {
        "units": np.array(list(units.values())),
        "unit_numbers": np.array(list(units)),
        "target": data.test_points[case.index],
        "points": data.points,
        "labels": data.labels,
    }
    if data.basis is not None and data.mean is not None:
        arrays |= {"basis": data.basis, "mean": data.mean}
    return arrays


def _write(
    case: SmallCase, folder: Path, results: SmallResults, progress: Progress
) -> Record[SmallResults]:
    """The layer as `collide vertices` reads it, and the record."""
    net, data = case.net, case.data
    low, high = data.bounds()
    layer = {"weight": net.weight, "bias": net.bias, "target": data.test_points[case.index]}
    write_arrays(folder / "layer.npz", layer | {"lower": low, "upper": high}, packed=False)
    weights = sha256_bytes(net.weight.tobytes() + net.bias.tobytes())
    record = Record(
        experiment="small",
        options=as_options(case.options),
        seed=case.options.seed,
        data={f"{data.name}: points and labels": data.sha256, "layer": weights},
        results=results,
        timings=progress.total(),
    )
    write_record(folder, record)
    return record
