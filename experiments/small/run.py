"""A small network, analysed completely: every vertex, relaxed against exact, and what is missed."""

import io
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments.datasets.small import SmallData, load_small
from experiments.measure.entries import MAX_STEPS, comparison_entry, lp_entry, search_entry, solved
from experiments.measure.facts import facts
from experiments.measure.inequalities import Facets
from experiments.measure.set_measures import Ball
from experiments.measure.uniqueness import uniqueness
from experiments.run.files import open_run_folder, sha256_bytes, write_bytes
from experiments.run.progress import Progress
from experiments.run.proofs import FOLDER, Proofs
from experiments.run.record import Record, as_options, write_record
from experiments.small.net import LAYER, SmallNet, train_small
from experiments.small.options import SmallOptions
from experiments.small.sets import Whole
from experiments.small.targets import by_active_units, every_target, polytope_of
from optimize import Objective, Stopping, compare, find_vertices
from polytope import CollisionPolytope, LPResult, LPStatus
from polytope.answers.generators import Generators
from polytope.errors import InputError, LimitError

#: Penalty on the other inactive units -> name of the set in the record.
PENALTIES = {"absolute": "absolute", "hinge": "hinge"}

Arrays = dict[str, NDArray[Any]]


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


def run_small(options: SmallOptions, folder: Path, progress: Progress) -> Record:
    """Runs the experiment into a run folder, and returns its record.

    Raises:
        InputError: an option does not fit the data, or its package is missing.
        OutputError: the folder cannot be written.
        CertificateError: a certificate was refused.
    """
    open_run_folder(folder / FOLDER)
    with progress.stage("setup", f"data set {options.data_set} and the network"):
        data, net = _set_up(options)
        progress.say(f"    test accuracy {net.accuracy:.2%}")
    with progress.stage("targets", "all vertices of the set of every test point"):
        count = len(data.test_labels)
        found = every_target(data, net, Proofs(folder))
        targets = list(progress.track(found, total=count, unit="targets"))
    case = _case(options, data, net, targets)
    target = targets[case.index]
    progress.say(f"    target: test point {case.index}, {target['n_positive']} active units")
    proofs = Proofs(folder)
    with progress.stage("vertices", "facts, vertices and measures of the target's set"):
        known = facts(case.polytope, proofs, "box")
        unique = uniqueness(case.polytope, proofs, "box")
        listed, vertices = _vertices(case.polytope, proofs)
        whole = Whole.of(case.polytope, listed, seed=options.seed)
    with progress.stage("units", "exact minimum of every inactive unit"):
        exact = case.polytope.unit_vertices()
    points: dict[str, NDArray[Any]] = {}
    relaxed: dict[str, Any] = {}
    for penalty in PENALTIES:
        with progress.stage(penalty, f"relaxed vertices, penalty {penalty}, against exact"):
            relaxed[penalty], points[penalty] = _relaxed(case, penalty, exact, proofs)
    with progress.stage("sets", "Hausdorff distances of the hulls and the set"):
        sets = _sets(whole, exact, points)
    results = {
        "data": _data_entry(data),
        "network": _network_entry(case),
        "target": target,
        "facts": known,
        "uniqueness": unique,
        "vertices": vertices,
        "units": _units(exact, proofs),
        "relaxed": relaxed,
        "sets": sets,
        "targets": {"by_active_units": by_active_units(targets), "each": targets},
    }
    return _write(case, folder, results, _arrays(case, listed, exact, points), progress)


def _set_up(options: SmallOptions) -> tuple[SmallData, SmallNet]:
    assert options.dimension is not None
    assert options.hidden is not None
    data = load_small(options.data_set, dimension=options.dimension, seed=options.seed)
    if options.target is not None and options.target >= len(data.test_labels):
        raise InputError(
            f"target: expected the index of a test point, 0 to {len(data.test_labels) - 1}; "
            f"got {options.target}"
        )
    net = train_small(data, hidden=options.hidden, sparsity=options.sparsity, seed=options.seed)
    return data, net


def _case(
    options: SmallOptions, data: SmallData, net: SmallNet, targets: list[dict[str, Any]]
) -> SmallCase:
    """The target asked for, or the first of those with the fewest active units."""
    index = options.target
    if index is None:
        index = min(range(len(targets)), key=lambda i: targets[i]["n_positive"])
    polytope = polytope_of(data, net, index)
    if not polytope.inactive_units:
        raise InputError(f"target: expected a test point with inactive units, got {index}")
    return SmallCase(replace(options, target=index), data, net, polytope, index)


def _vertices(polytope: CollisionPolytope, proofs: Proofs) -> tuple[Generators, dict[str, Any]]:
    listed = polytope.vertices()
    if not listed.complete:
        raise LimitError(f"the vertices of the target's set could not be listed: {listed.reason}")
    entry = {
        "status": listed.status.name.lower(),
        "dimension": listed.dimension,
        "count": len(listed.points),
        "facets": Facets.of(listed),
        "ball": Ball.of(polytope),
        "certificate": proofs.keep("box-vertices", listed.certificate),
    }
    return listed, entry


def _units(exact: Mapping[int, LPResult], proofs: Proofs) -> list[dict[str, Any]]:
    return [
        {
            "unit": unit,
            **lp_entry(result),
            "certificate": proofs.keep(f"unit-{unit}", result.certificate),
        }
        for unit, result in exact.items()
    ]


def _relaxed(
    case: SmallCase, penalty: str, exact: Mapping[int, LPResult], proofs: Proofs
) -> tuple[dict[str, Any], NDArray[np.float64]]:
    """Searches every inactive unit from the target, and compares with the exact vertices."""
    polytope = case.polytope
    search = find_vertices(
        case.net.model,
        LAYER,
        case.data.test_points[case.index],
        units=list(polytope.inactive_units),
        bounds=case.data.bounds(),
        objective=Objective(others="absolute" if penalty == "absolute" else "hinge"),
        stopping=Stopping(max_steps=MAX_STEPS),
        device=case.options.device,
        progress=False,
    )
    entries = []
    for each in compare(polytope, search, exact=exact, progress=False):
        nearest = each.nearest.certificate if each.nearest else None
        proof = proofs.keep(f"distance-{penalty}-{each.unit}", nearest)
        entries.append(comparison_entry(each) | {"distance_certificate": proof})
    points = search.layer_inputs.double().numpy()
    return search_entry(search) | {"comparisons": entries}, points


def _sets(
    whole: Whole, exact: Mapping[int, LPResult], found: Mapping[str, NDArray[Any]]
) -> list[dict[str, Any]]:
    own = [each.point for each in exact.values() if each.status is LPStatus.OPTIMAL and each.point]
    entries = [whole.beside(key, points) for key, points in found.items()]
    return [*entries, whole.beside("units", own), whole.entry()]


def _data_entry(data: SmallData) -> dict[str, Any]:
    low, high = data.bounds()
    return {
        "name": data.name,
        "dimension": data.points.shape[1],
        "n_train": data.n_train,
        "n_test": len(data.test_labels),
        "classes": data.n_classes,
        "variance": data.variance,
        "lower": low,
        "upper": high,
    }


def _network_entry(case: SmallCase) -> dict[str, Any]:
    data, (hidden, inputs) = case.data, case.net.weight.shape
    return {
        "architecture": f"{inputs}-{hidden}-{data.n_classes}, ReLU",
        "layer": LAYER,
        "accuracy": case.net.accuracy,
        "sparsity": case.options.sparsity,
    }


def _arrays(
    case: SmallCase,
    listed: Generators,
    exact: Mapping[int, LPResult],
    found: Mapping[str, NDArray[Any]],
) -> Arrays:
    points = solved(exact)
    arrays: Arrays = {
        **found,
        "all": listed.points_float(),
        "units": np.array(list(points.values())),
        "unit_numbers": np.array(list(points)),
        "target": case.data.test_points[case.index],
        "points": case.data.points,
        "labels": case.data.labels,
    }
    if case.data.basis is not None and case.data.mean is not None:
        arrays |= {"basis": case.data.basis, "mean": case.data.mean}
    return arrays


def _npz(arrays: Mapping[str, NDArray[Any]]) -> bytes:
    stream = io.BytesIO()
    np.savez(stream, **arrays)  # type: ignore[arg-type]
    return stream.getvalue()


def _write(
    case: SmallCase,
    folder: Path,
    results: dict[str, Any],
    arrays: Arrays,
    progress: Progress,
) -> Record:
    """The layer as `collide vertices` reads it, the points, and the record."""
    low, high = case.data.bounds()
    target = case.data.test_points[case.index]
    layer = {"weight": case.net.weight, "bias": case.net.bias, "target": target}
    write_bytes(folder / "layer.npz", _npz(layer | {"lower": low, "upper": high}))
    write_bytes(folder / "points.npz", _npz(arrays))
    weights = sha256_bytes(case.net.weight.tobytes() + case.net.bias.tobytes())
    record = Record(
        experiment="small",
        options=as_options(case.options),
        seed=case.options.seed,
        data={f"{case.data.name}: points and labels": case.data.sha256, "layer": weights},
        results=results,
        timings=progress.total(),
    )
    write_record(folder, record)
    return record
