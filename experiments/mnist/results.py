"""Which numbers go into the record of `collide mnist`?  Everything its tables and figures show."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments.measure.distances import PAIRS, mean_pairwise, nearest_label
from experiments.measure.entries import FAMILIES
from experiments.measure.facts import DOMAINS
from experiments.measure.sampling import SCHEMES, classify, judge
from experiments.mnist.controls import TITLES
from experiments.mnist.setting import Setting
from experiments.run.jobs import Outcome

#: Job and norm -> what the network and the training images say of that nearest collision.
Looks = dict[tuple[str, str], dict[str, Any]]


@dataclass(frozen=True, eq=False)
class Gathered:
    """Results for the record, and images for `vertices.npz`."""

    results: dict[str, Any]
    arrays: dict[str, NDArray[np.float64]]


def gather(setting: Setting, found: Mapping[str, Outcome], image_distance: float) -> Gathered:
    """Puts together what the jobs found, and asks the network about every image."""
    sets, arrays = _sets(setting, found, image_distance)
    looks = _looks(setting, found)
    near, more = _nearest(setting, found, looks)
    curve, most = _curve(setting, found, looks)
    count = len(setting.data.test_images)
    results = {
        "network": _network(setting),
        "target": _image(setting, setting.options.target),
        "other": _image(setting, setting.options.other),
        "units": list(setting.case.units),
        "images": {
            "mean_distance": image_distance,
            "pairs": count * (count - 1) // 2,
            "which": PAIRS,
        },
        "controls": _controls(setting),
        "schemes": SCHEMES,
        "facts": [found[f"facts.{domain}"].results for domain in DOMAINS],
        "sets": sets,
        "nearest": near,
        "curve": curve,
    }
    return Gathered(results, arrays | more | most)


def _network(setting: Setting) -> dict[str, Any]:
    net = setting.net
    return {
        "architecture": "784-256-256-10, ReLU",
        "layer": "hidden1",
        "accuracy": net.accuracy,
        "validation_accuracy": net.validation_accuracy,
        "training_steps": net.steps,
        "sha256": net.sha256,
        "trained_with_torch": net.torch_version,
    }


def _image(setting: Setting, index: int | None) -> dict[str, Any]:
    assert index is not None
    seen = classify(setting.net.model, setting.image(index)[None])[0]
    return {"index": index, "label": int(setting.data.test_labels[index]), **seen}


def _controls(setting: Setting) -> dict[str, Any]:
    target = setting.case.target
    return {
        name: {
            "pixels": int(mask.sum()),
            "lit_in_target": int((target[mask] > 0).sum()),
            "title": TITLES[name],
        }
        for name, mask in setting.masks.items()
    }


def _sets(
    setting: Setting, found: Mapping[str, Outcome], image_distance: float
) -> tuple[list[dict[str, Any]], dict[str, NDArray[np.float64]]]:
    """Every set of vertices: relaxed ones by start, then exact ones."""
    keys = []
    for begin in ("target", "other"):
        keys += [f"relaxed.{family}.{begin}.none" for family in FAMILIES]
    keys += [f"relaxed.absolute.target.{control}" for control in setting.masks]
    keys += ["exact.none", *(f"exact.{control}" for control in setting.masks)]
    sets, arrays = [], {}
    for key in keys:
        outcome = found[key]
        kind, *middle, control = key.split(".")
        family, start = middle if middle else (kind, None)
        entry: dict[str, Any] = {
            "key": key,
            "kind": kind,
            "family": family,
            "start": start,
            "control": control,
            **outcome.results,
        }
        points = outcome.arrays.get("points")
        if points is not None and len(points) >= 2:
            entry |= _about(setting, points, image_distance)
            arrays[key] = points
        sets.append(entry)
    return sets, arrays


def _about(setting: Setting, points: NDArray[np.float64], image_distance: float) -> dict[str, Any]:
    """Distances, classes and convex combinations of one set of vertices (k, d)."""
    model, options = setting.net.model, setting.options
    wanted = classify(model, setting.case.target[None])[0]["class"]
    distance = mean_pairwise(points)
    from_target = np.linalg.norm(points - setting.case.target, axis=1)
    return {
        "count": len(points),
        "distance": distance,
        "ratio": distance / image_distance,
        "distance_from_target": from_target.tolist(),
        "classes": classify(model, points),
        "combinations": judge(model, points, wanted, samples=options.samples, seed=options.seed),
    }


def _looks(setting: Setting, found: Mapping[str, Outcome]) -> Looks:
    """What the network and the nearest training image say of every nearest collision."""
    data = setting.data
    names = [
        (key, norm)
        for key, outcome in found.items()
        if key.startswith(("nearest.", "curve."))
        for norm in outcome.arrays
    ]
    if not names:
        return {}
    points = np.array([found[key].arrays[norm] for key, norm in names])
    labels, distances = nearest_label(points, data.train_images, data.train_labels)
    seen = zip(names, classify(setting.net.model, points), labels, distances, strict=True)
    return {
        name: {
            **judged,
            "nearest_training_label": int(label),
            "nearest_training_distance": float(distance),
        }
        for name, judged, label, distance in seen
    }


def _between(a: NDArray[np.floating], b: NDArray[np.floating]) -> dict[str, float]:
    move = np.asarray(a, dtype=np.float64) - b
    return {"l2": float(np.linalg.norm(move)), "linf": float(np.abs(move).max())}


def _nearest(
    setting: Setting, found: Mapping[str, Outcome], looks: Looks
) -> tuple[list[dict[str, Any]], dict[str, NDArray[np.float64]]]:
    entries, arrays = [], {}
    for digit, index in setting.digits.items():
        outcome, image = found[f"nearest.{digit}"], setting.image(index)
        entry: dict[str, Any] = {
            "digit": digit,
            "image": _image(setting, index),
            "image_to_target": _between(image, setting.case.target),
            **outcome.results,
        }
        for norm, point in outcome.arrays.items():
            arrays[f"nearest.{digit}.{norm}"] = point
            entry[norm] = entry[norm] | {
                "to_target": _between(point, setting.case.target),
                "to_image": _between(point, image),
                "looks": looks[f"nearest.{digit}", norm],
            }
        entries.append(entry)
    return entries, arrays


def _curve(
    setting: Setting, found: Mapping[str, Outcome], looks: Looks
) -> tuple[dict[str, Any], dict[str, NDArray[np.float64]]]:
    entries, arrays = [], {}
    for tolerance in setting.options.tolerances:
        outcome = found[f"curve.{tolerance:g}"]
        entry: dict[str, Any] = dict(outcome.results)
        point = outcome.arrays.get("l2")
        if point is not None:
            arrays[f"curve.{tolerance:g}"] = point
            entry["looks"] = looks[f"curve.{tolerance:g}", "l2"]
            entry["to_target"] = _between(point, setting.case.target)
        entries.append(entry)
    target = _image(setting, setting.options.target)
    return {
        "image": _image(setting, setting.options.other),
        "image_tolerance": found[f"curve.{setting.options.tolerances[0]:g}"].results[
            "image_tolerance"
        ]
        if setting.options.tolerances
        else None,
        "points": entries,
        "first_other_class": _first(entries, "class", target["class"]),
        "first_other_neighbour": _first(entries, "nearest_training_label", target["label"]),
    }, arrays


def _first(entries: list[dict[str, Any]], name: str, usual: int) -> float | None:
    """The smallest tolerance of the grid at which the nearest point is no longer the target's."""
    changed = [e["tolerance"] for e in entries if "looks" in e and e["looks"][name] != usual]
    return min(changed) if changed else None
