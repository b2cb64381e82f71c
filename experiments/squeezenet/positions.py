"""What is conv10's collision polytope, position by position, and where do the found points lie?

A 1 x 1 convolution sees each position by itself: at x >= 0 the set is the product of one polytope a
position, 1,000 units on 512 inputs.  Each is asked exactly, the certificates are saved.  Where one
is a single point, everything that truly collides has the target's own numbers there.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from experiments.images.search import read_found
from experiments.images.setting import RECIPES, Setting
from experiments.run.files import atomic_path, open_run_folder
from experiments.run.jobs import FILE_NAME, Outcome, run_kept
from experiments.run.limited import in_time
from experiments.run.progress import Progress
from experiments.run.proofs import FOLDER, Proofs
from experiments.run.record import Record
from experiments.run.rows import RowFile
from optimize import LayerReader
from optimize.search.setup import read_device
from polytope import Certificate, CollisionPolytope, Nonnegative
from polytope.exact.filters import dot_error

LAYER = "classifier.1"
ARRAYS = "conv10.npz"
#: Most time for the dimension of a position's set that is no single point.
DIMENSION_SECONDS = 60.0
Floats = NDArray[np.float32]
Layer = tuple[Floats, Floats, Floats]  # weight, bias and target of one position


@dataclass(frozen=True)
class Chosen:
    """A unit that a vertex of each set pushed down.

    Attributes:
        number: in the layer, row-major (class, position).
        index: its class, which is its number at its position.
        vertex: row of its vertex in each set.
    """

    number: int
    index: int
    vertex: int


@dataclass(frozen=True)
class PositionJob:
    """One position of conv10.

    Attributes:
        position: row-major number of the position.
        chosen: the chosen units at this position.
        sets: keys of the sets of found points.
    """

    position: int
    chosen: tuple[Chosen, ...]
    sets: tuple[str, ...]

    @property
    def key(self) -> str:
        """The row's name."""
        return f"position.{self.position}"

    def run(self, folder: Path) -> Outcome:
        """Facts, the chosen units' exact vertices, and how the found points differ here."""
        with np.load(folder / ARRAYS) as arrays:
            points = {key: arrays[key][:, self.position] for key in self.sets}
            layer: Layer = (arrays["weight"], arrays["bias"], arrays["target"][self.position])
        polytope = CollisionPolytope.from_layer(*layer, domain=Nonnegative())
        given, proofs = (folder, f"conv10-{self.position}", layer), Proofs(folder)
        return Outcome(
            {
                "position": self.position,
                "support": int((layer[2] > 0).sum()),
                **_facts(given, polytope),
                "units": [_unit(polytope, each, proofs, points=points) for each in self.chosen],
                "tolerance": {
                    key: [polytope.residuals(x).smallest_tolerance for x in found]
                    for key, found in points.items()
                },
            }
        )


def _facts(given: tuple[Path, str, Layer], polytope: CollisionPolytope) -> dict[str, Any]:
    """Rank, kernel condition, boundedness and dimension, each certificate saved."""
    folder, name, _ = given
    proofs = Proofs(folder)
    bounded = polytope.boundedness()
    rank, kernel = polytope.rank_positive(), polytope.kernel_condition()
    single = only_point(polytope)
    dimension = {
        "dimension": 0,
        "reason": "",
        "proof": proofs.keep(f"{name}-single", single),
    }
    if single is None:
        found = in_time(_dimension, given, seconds=DIMENSION_SECONDS)
        dimension = {"dimension": None, "reason": found.reason, "proof": None}
        for each in found.items:
            dimension |= each
    return {
        "n_positive": polytope.n_positive,
        "ties": len(polytope.ties),
        "sign_disagreements": len(polytope.sign_disagreements),
        "dimension": dimension["dimension"],
        "dimension_reason": dimension["reason"],
        "paper_bound": polytope.n_inputs - polytope.n_positive,
        "bounded": bounded.bounded,
        "rank_positive": rank.value,
        "kernel_condition": kernel.holds,
        "certificates": {
            "dimension": dimension["proof"],
            "bounded": proofs.keep(f"{name}-bounded", bounded.certificate),
            "rank": proofs.keep(f"{name}-rank", rank.certificate),
            "kernel": proofs.keep(f"{name}-kernel", kernel.certificate),
        },
    }


def only_point(polytope: CollisionPolytope) -> Certificate | None:
    """Returns the proof that the target at x >= 0 collides with itself only; None without one.

    Let Z be the target's zeros.  If the sum over Z has the maximum 0 over the set, every x of the
    set is 0 on Z.  If the target attains it as a vertex, d constraints tight there have rank d:
    equalities, bounds of Z, and ties, of which there must be none.  All of them are tight at x as
    well, so x is the target.  Solving this program takes far fewer pivots than the dimension.
    """
    target = polytope.layer.target_vector
    if target is None or polytope.ties:
        return None
    found = polytope.minimize([0 if value else -1 for value in target.numerators])
    at_target = found.point is not None and list(found.point) == list(target)
    return found.certificate if found.value == 0 and found.is_vertex and at_target else None


def _dimension(given: tuple[Path, str, Layer]) -> Iterator[dict[str, Any]]:
    """The dimension, in a process of its own: some programs want thousands of exact pivots."""
    folder, name, layer = given
    found = CollisionPolytope.from_layer(*layer, domain=Nonnegative()).dimension()
    proof = Proofs(folder).keep(f"{name}-dimension", found.certificate)
    yield {"dimension": found.value, "proof": proof, "reason": found.reason}


def _unit(
    polytope: CollisionPolytope, chosen: Chosen, proofs: Proofs, *, points: Mapping[str, Floats]
) -> dict[str, Any]:
    """The exact minimum of one unit, and each set's vertex for it beside that."""
    exact = polytope.unit_vertex(chosen.index)
    name = f"conv10-unit{chosen.number}-class{chosen.index}"
    found = {}
    for key, block in points.items():
        point = block[chosen.vertex]
        residuals = polytope.residuals(point)
        nearest = polytope.nearest(point, "linf")
        value = residuals.pre_activation[chosen.index]
        found[key] = {
            "value": value,
            "gap": None if exact.value is None else value - exact.value,
            "worst_equality": residuals.worst_equality,
            "worst_inactive": residuals.worst_inactive,
            "smallest_tolerance": residuals.smallest_tolerance,
            "distance_linf": nearest.distance,
            "distance_certificate": proofs.keep(f"{name}-nearest-{key}", nearest.certificate),
        }
    return {
        "unit": chosen.number,
        "class": chosen.index,
        "status": exact.status.name.lower(),
        "value": exact.value,
        "is_vertex": exact.is_vertex,
        "target_value": polytope.layer.pre_activation(chosen.index),
        "certificate": proofs.keep(f"{name}-vertex", exact.certificate),
        "found": found,
    }


def certify_positions(
    setting: Setting, run: tuple[Path, Record], progress: Progress, *, sizes: tuple[int, int]
) -> tuple[dict[str, Any], dict[str, float]]:
    """Returns what is known exactly of conv10's set and of the found points, and seconds by job.

    Args:
        setting: the experiment at conv10.
        run: its folder and its record.
        progress: reports.
        sizes: how many positions besides those of the units, and processes.
    """
    folder, record = run
    open_run_folder(folder / FOLDER)
    layer = _layer(setting)
    searches = {one["key"]: one["search"] for one in record.results["sets"]}
    found = {key: read_found(folder, search) for key, search in searches.items()}
    keys, units = list(found), next(iter(found.values())).units
    count = len(layer["target"])
    arrays: dict[str, Any] = {
        **layer,
        **{key: _by_position(each.entered, count) for key, each in found.items()},
    }
    with atomic_path(folder / ARRAYS) as path:
        np.savez(path, **arrays)
    positions = _spread(count, sizes[0], [unit % count for unit in units])
    jobs = [
        PositionJob(
            position,
            tuple(
                Chosen(unit, unit // count, vertex)
                for vertex, unit in enumerate(units)
                if unit % count == position
            ),
            tuple(keys),
        )
        for position in positions
    ]
    identity = {key: search["sha256"] for key, search in searches.items()}
    with RowFile(folder / f"positions-{FILE_NAME}", options=identity) as kept:
        done = run_kept(jobs, folder, kept, workers=sizes[1], progress=progress)
    results = {
        "side": list(_side(setting)),
        "units": list(units),
        "sets": keys,
        "titles": {
            key: f"{RECIPES[recipe].title}, start: {start}" for key, recipe, start in setting.sets()
        },
        "certified": [dict(done[job.key].results) for job in jobs],
        "n_positive": _active(layer).sum(axis=1).tolist(),
        "support": (layer["target"] > 0).sum(axis=1).tolist(),
        "moved": {key: _moved(arrays[key], layer["target"]) for key in keys},
        "target_length": np.linalg.norm(layer["target"].astype(np.float64), axis=1).tolist(),
        "exact": {key: [_exact(layer, point) for point in arrays[key]] for key in keys},
    }
    return results, {job.key: done[job.key].seconds for job in jobs}


def _layer(setting: Setting) -> dict[str, Floats]:
    """Weight (1000, 512), bias, and what enters at the target, (positions, 512)."""
    module = setting.model.get_submodule(LAYER)
    assert isinstance(module, nn.Conv2d)
    assert module.bias is not None
    weight = module.weight.detach().cpu().reshape(module.out_channels, -1).numpy()
    # On the device of the searches, whose floats the found points' inputs are.
    reader = LayerReader(setting.model, LAYER, read_device(setting.options.device))
    pixels = torch.from_numpy(setting.target.pixels)[None]
    entered = reader.layer_inputs(pixels.to(reader.device)).cpu()
    channels = weight.shape[1]
    return {
        "weight": weight,
        "bias": module.bias.detach().cpu().numpy(),
        "target": np.ascontiguousarray(entered.numpy().reshape(channels, -1).T),
    }


def _side(setting: Setting) -> tuple[int, int]:
    reader = LayerReader(setting.model, LAYER)
    with torch.no_grad():
        height, width = reader.run(torch.from_numpy(setting.target.pixels)[None])[1].shape[2:]
    return int(height), int(width)


def _by_position(entered: Floats, positions: int) -> Floats:
    """(V, channels * positions) -> (V, positions, channels)."""
    return np.ascontiguousarray(entered.reshape(len(entered), -1, positions).transpose(0, 2, 1))


def _spread(count: int, wanted: int, besides: Sequence[int]) -> list[int]:
    """Evenly spread positions, and some others."""
    even = np.linspace(0, count - 1, min(wanted, count)).round().astype(int).tolist()
    return sorted({*even, *besides})


def _active(layer: Mapping[str, Floats]) -> NDArray[np.bool_]:
    """(positions, units) by floats; only for counts that are shown, exact ones are certified."""
    weight, bias = (layer[name].astype(np.float64) for name in ("weight", "bias"))
    return np.asarray(layer["target"].astype(np.float64) @ weight.T + bias > 0)


def _moved(points: Floats, target: Floats) -> list[list[float]]:
    """How far points (V, positions, 512) are from the target at each position, in l2."""
    moves = points.astype(np.float64) - target.astype(np.float64)
    found: list[list[float]] = np.linalg.norm(moves, axis=2).tolist()
    return found


def _exact(layer: Mapping[str, Floats], point: Floats) -> dict[str, Any]:
    """The least tolerance at which a point (positions, 512) collides, exactly, over all positions.

    Rigorous float bounds leave few positions that can be the worst; those are computed exactly.
    """
    weight, bias = (layer[name].astype(np.float64) for name in ("weight", "bias"))
    values, errors = [], []
    for block in (point, layer["target"]):
        wide = block.astype(np.float64)
        size = np.abs(wide) @ np.abs(weight).T + np.abs(bias)
        values.append(np.maximum(wide @ weight.T + bias, 0))
        errors.append(dot_error(size, float(np.abs(weight).max()), weight.shape[1]))
    difference, error = np.abs(values[0] - values[1]), errors[0] + errors[1]
    # Twice the error: the subtraction rounds as well, by less than either of them.
    least = (difference - 2 * error).max()
    worst = np.flatnonzero((difference + 2 * error).max(axis=1) >= least)
    best, where = Fraction(-1), -1
    for position in worst.tolist():
        polytope = CollisionPolytope.from_layer(
            layer["weight"], layer["bias"], layer["target"][position], domain=Nonnegative()
        )
        tolerance = polytope.residuals(point[position]).smallest_tolerance
        if tolerance > best:
            best, where = tolerance, position
    return {"exact": best == 0, "tolerance": best, "position": where}
