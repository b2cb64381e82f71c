"""Which numbers go into the record of `collide lenet5`?  Everything its tables and figures show."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from experiments.lenet5.case import DeepCase
from experiments.lenet5.pieces import growth
from experiments.lenet5.search import combinations, spread
from experiments.measure.distances import mean_pairwise
from experiments.measure.entries import FAMILIES
from experiments.measure.sampling import SCHEMES, classify
from experiments.run.jobs import Outcome

if TYPE_CHECKING:
    from experiments.lenet5.setting import Setting

Entry = dict[str, Any]
Arrays = dict[str, NDArray[Any]]

ARCHITECTURE = {
    "lenet5": "LeNet-5 with ReLU and max-pooling (conv 6, conv 16, fc 120, fc 84, fc 10)",
    "mlp": "784-256-256-10, ReLU",
}
#: Test images whose distances are taken in a layer's own space.
LAYER_IMAGES = 1000


def gather(
    setting: Setting, found: Mapping[str, Outcome], image_distance: float
) -> tuple[Entry, Arrays]:
    """Puts together what the jobs found, and asks the networks about exact vertices."""
    layers, arrays = [], dict[str, NDArray[Any]]()
    count = len(setting.data.test_images)
    for case in setting.cases:
        entry, more = _layer(setting, case, found, image_distance)
        layers.append(entry)
        arrays |= more
    results = {
        "networks": {name: _network(setting, name) for name in setting.nets},
        "target": _image(setting, setting.options.target),
        "other": _image(setting, setting.options.other),
        "images": {
            "mean_distance": image_distance,
            "pairs": count * (count - 1) // 2,
            "which": "all pairs of different test images, pixels level/255, "
            "squared distances exact",
        },
        "schemes": SCHEMES,
        "layers": layers,
    }
    return results, arrays


def _network(setting: Setting, name: str) -> Entry:
    net = setting.nets[name]
    return {
        "architecture": ARCHITECTURE[name],
        "accuracy": net.accuracy,
        "validation_accuracy": net.validation_accuracy,
        "training_steps": net.steps,
        "sha256": net.sha256,
        "trained_with_torch": net.torch_version,
    }


def _image(setting: Setting, index: int | None) -> Entry:
    assert index is not None
    seen = {}
    for case in setting.cases:
        shaped = case.shaped(setting.image(index)[None]).numpy()
        seen[case.network] = {
            "class": classify(case.model, shaped)[0].winner,
            "confidence": classify(case.model, shaped)[0].confidence,
        }
    return {"index": index, "label": int(setting.data.test_labels[index]), "seen": seen}


def _layer(
    setting: Setting, case: DeepCase, found: Mapping[str, Outcome], image_distance: float
) -> tuple[Entry, Arrays]:
    """All about one layer."""
    images = setting.data.test_images[:LAYER_IMAGES].astype(np.float32) / np.float32(255)
    layer_distance = mean_pairwise(_entered_at_once(case, images))
    distances = {"pixels": image_distance, "layer": layer_distance}
    sets, arrays = [], dict[str, NDArray[Any]]()
    for start in setting.starts:
        for family in FAMILIES:
            outcome = found[f"relaxed.{case.name}.{family}"]
            points, entered = outcome.arrays[start], outcome.arrays[f"{start}.entered"]
            own = case.entered(case.target[None])[0]
            entry = {
                "key": f"{case.name}.{family}.{start}",
                "kind": "relaxed",
                "family": family,
                "start": start,
                **outcome.results[start],
                "distances": {
                    "pixels": _spread(points, case.target, distances["pixels"]),
                    "layer": _spread(entered, own, distances["layer"]),
                },
            }
            sets.append(entry)
            arrays[entry["key"]] = points
    for space in case.spaces:
        entry, exact = _exact(setting, case, space, found, distances)
        sets.append(entry)
        if exact is not None:
            arrays[entry["key"]] = exact
    pieces = found.get(f"pieces.{case.name}")
    return {
        "network": case.network,
        "layer": case.layer,
        "name": case.name,
        "units": list(case.units),
        "spaces": list(case.spaces),
        "layer_distance": layer_distance,
        "layer_images": LAYER_IMAGES,
        "facts": [found[f"facts.{case.name}.{space}"].results for space in case.spaces],
        "sets": sets,
        "pieces": None if pieces is None else _pieces(pieces),
        "own_regions": {
            key.rpartition(".")[2]: outcome.results
            for key, outcome in found.items()
            if key.startswith(f"own.{case.name}.")
        },
    }, arrays


def _entered_at_once(case: DeepCase, images: NDArray[np.float32]) -> NDArray[np.float64]:
    """What enters the layer (n, d) at many images; only distances are taken of it."""
    found: NDArray[np.float64] = case.reader.layer_inputs(case.shaped(images)).double().numpy()
    return found


def _spread(points: NDArray[np.float64], target: NDArray[np.float32], images: float) -> Entry:
    found = spread(points, target)
    return found | {"ratio": found["distance"] / images}


def _exact(
    setting: Setting,
    case: DeepCase,
    space: str,
    found: Mapping[str, Outcome],
    distances: Mapping[str, float],
) -> tuple[Entry, NDArray[np.float64] | None]:
    """Exact vertices in one space."""
    outcome = found[f"exact.{case.name}.{space}"]
    entry: Entry = {
        "key": f"{case.name}.exact.{space}",
        "kind": "exact",
        "family": "exact",
        "start": None,
        "space": space,
        **outcome.results,
    }
    points = outcome.arrays.get("points")
    if points is None or len(points) < 2:
        return entry, points
    images = points if space == "pixels" or case.is_first else None
    if images is not None:
        entered = case.entered(images).astype(np.float64)
        entry["combinations"] = combinations(case, setting.search, images=images)
        entry["distances"] = {
            "pixels": _spread(images, case.target, distances["pixels"]),
            "layer": _spread(entered, case.entered(case.target[None])[0], distances["layer"]),
        }
        return entry, points
    entry["combinations"] = combinations(case, setting.search, entered=points)
    own = case.entered(case.target[None])[0]
    entry["distances"] = {"layer": _spread(points, own, distances["layer"])}
    return entry, points


def _pieces(outcome: Outcome) -> Entry:
    units = outcome.results["units"]
    return {**outcome.results, "growth": growth(units, outcome.arrays)}
