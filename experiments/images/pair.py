"""The paper's experiment on pairs of images, on any network: searches, measures, the record."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from experiments.images.exact import exact_entries, exact_target, layer_entry, polytope_of
from experiments.images.facts import VERTEX, limited_facts
from experiments.images.search import Found, read_found, search
from experiments.images.setting import BOUNDS, RECIPES, Picture, Setting
from experiments.measure.collisions import collision_meanings
from experiments.measure.distances import mean_distance
from experiments.measure.grey_levels import as_8_bit, write_png
from experiments.measure.judged import (
    Aim,
    accuracy,
    describe_vertices,
    judge_entered,
    judge_images,
    spread,
)
from experiments.measure.judged import ball as ball_control
from experiments.measure.probe import Probe
from experiments.measure.sampling import SCHEMES
from experiments.readers.arrays import read_arrays
from experiments.run.files import atomic_path, open_run_folder
from experiments.run.jobs import FILE_NAME
from experiments.run.progress import Progress
from experiments.run.record import Record, as_options, write_record
from experiments.run.rows import RowFile
from optimize import LayerReader

PNG_FOLDER = "vertices"
#: Form of the vertices that is measured -> its name in tables.
FORMS = {"float": "as found (float32)", "png": "as 8-bit PNG, truncated"}

Entry = dict[str, Any]


class _Keeper:
    """Does a piece of work once: its row is kept, and read again in a resumed run."""

    def __init__(self, rows: RowFile, progress: Progress) -> None:
        self.rows, self.progress = rows, progress

    def __call__(self, key: str, work: Callable[[], Mapping[str, Any]]) -> Entry:
        if key not in self.rows:
            with self.progress.stage(key, key):
                done = work()
            self.rows.append(key, done, {"seconds": round(self.progress.seconds[key], 3)})
        return dict(self.rows[key].results)


def run_images(setting: Setting, folder: Path, progress: Progress) -> Record:
    """Runs the experiment into a run folder, and returns its record.

    Every search and every measurement is a row of its own; a folder that holds a part of this very
    run is gone on with, an interrupted search from its checkpoint.

    Raises:
        InputError: the network, layer and pictures do not fit, or the folder belongs to a run with
            other options.
        OutputError: the folder cannot be written.
        ChecksumError: points in the folder were changed.
    """
    options = setting.options
    probe = Probe(setting.model, setting.layer, device=options.device, batch=options.batch)
    open_run_folder(folder)
    open_run_folder(folder / PNG_FOLDER)
    with _float32(), RowFile(folder / FILE_NAME, options=_identity(setting)) as rows:
        keep = _Keeper(rows, progress)
        images = keep("images", partial(_images, setting))
        if options.accuracy and setting.images is not None:
            about_all = (setting.images, setting.labels)
            keep("accuracy", partial(accuracy, probe, *about_all, bgr=setting.bgr))
        for key, recipe, start in setting.sets():
            keep(f"search.{key}", partial(search, setting, recipe, start, folder=folder))
        first = probe.look(tensor_of(setting.target)[None])
        assert first.entered is not None
        aim = Aim.of(first)
        layer = keep("layer", partial(layer_entry, aim, first.entered))
        keep("meanings", partial(_meanings, setting, probe, rows, folder))
        keep("exact", partial(_exact, setting, probe, rows, folder))
        keep("vertex", partial(_exact_vertex, (probe, aim), first.entered.shape[1:], folder))
        for key, _, _ in setting.sets():
            found = read_found(folder, dict(rows[f"search.{key}"].results))
            about = (found, key, images["mean_distance"])
            keep(f"measures.{key}", partial(_measures, setting, (probe, aim), about))
        with progress.stage("writing", f"record and images into {folder}"):
            results = _results(setting, (probe, aim), rows, {"images": images, "layer": layer})
            _write_arrays(setting, rows, folder)
            timings = {row.key: row.timings["seconds"] for row in rows}
            record = Record(
                experiment=setting.experiment,
                options=_identity(setting),
                seed=options.seed,
                data=dict(setting.data),
                results=results,
                timings={"stages": timings, "total": progress.total()["total"]},
            )
            write_record(folder, record)
    return record


@contextmanager
def _float32() -> Iterator[None]:
    """Full float32 in convolutions: a GPU's shorter TF32 would decide how close a point comes."""
    cudnn = torch.backends.cudnn
    with cudnn.flags(enabled=True, deterministic=cudnn.deterministic, allow_tf32=False):
        yield


def tensor_of(picture: Picture) -> Tensor:
    """Returns a picture's pixels (3, H, W) as a tensor."""
    return torch.from_numpy(picture.pixels)


def _identity(setting: Setting) -> Entry:
    """All that the rows depend on."""
    options = asdict(setting.options)
    return as_options(
        {
            **options,
            "title": setting.title,
            "layer": setting.layer,
            "target": setting.target.name,
            "starts": {name: each.name for name, each in setting.starts.items()},
            "size": list(setting.target.pixels.shape),
            "remarks": list(setting.remarks),
            "inputs": dict(setting.data),
            **setting.more,
        }
    )


def _images(setting: Setting) -> Entry:
    images = setting.images
    count = 0 if images is None else len(images)
    known = images is not None and count >= 2
    return {
        "count": count,
        "pairs": count * (count - 1) // 2,
        "which": setting.images_title,
        "mean_distance": mean_distance(images) if known and images is not None else None,
    }


def _exact(setting: Setting, probe: Probe, rows: RowFile, folder: Path) -> Entry:
    """The layer in exact arithmetic: the found points put in, and facts of the set."""
    layer, target, reason = exact_target(setting, probe)
    if layer is None:
        return {"reason": reason}
    polytope = polytope_of(layer, target)
    points = {}
    for key, _, _ in setting.sets():
        found = read_found(folder, dict(rows[f"search.{key}"].results))
        points[key] = exact_entries(polytope, found.entered)
    counts = {
        "n_positive": polytope.n_positive,
        "ties": len(polytope.ties),
        "sign_disagreements": len(polytope.sign_disagreements),
    }
    del polytope  # the process that proves the facts makes its own
    seconds = setting.options.facts_seconds
    facts = limited_facts(layer, target, folder, seconds=seconds) if seconds else None
    return {"reason": "", "counts": counts, "points": points, "facts": facts}


def _exact_vertex(network: tuple[Probe, Aim], shape: tuple[int, ...], folder: Path) -> Entry:
    """What the network says of an exact vertex, rounded to float32, from the layer's input on."""
    probe, aim = network
    path = folder / VERTEX
    if not path.is_file() or probe.reason:
        return {}
    point = torch.from_numpy(read_arrays(path)["point"]).float().view(1, *shape)
    (seen,) = probe.entering(point)
    off, positive = aim.errors(seen.pre)
    first = int(seen.probabilities[0].argmax())
    return {
        "class": first,
        "confidence": float(seen.probabilities[0, first]),
        "worst_active": float(off[0]),
        "worst_inactive": float(positive[0]),
    }


def _meanings(setting: Setting, probe: Probe, rows: RowFile, folder: Path) -> Entry:
    """In which float senses each point collides; also writes the points as PNG files."""
    reader = LayerReader(setting.model, setting.layer, probe.device)
    sets = {}
    for key, _, _ in setting.sets():
        row = rows[f"search.{key}"].results
        points = torch.from_numpy(read_found(folder, dict(row)).points)
        found = collision_meanings(reader, tensor_of(setting.target), points, bounds=BOUNDS)
        sets[key] = [asdict(each) for each in found]
        for unit, point in zip(row["units"], points, strict=True):
            path = folder / PNG_FOLDER / f"{key}-{unit}.png"
            write_png(path, point, BOUNDS, rounding="truncate", bgr=setting.bgr)
    return sets


def _measures(
    setting: Setting, network: tuple[Probe, Aim], about: tuple[Found, str, float | None]
) -> Entry:
    """Distances, classes and combinations of one set, as found and as 8-bit images."""
    probe, aim = network
    found, key, images = about
    options = setting.options
    drawn = {"samples": options.samples, "seed": options.seed}
    points = torch.from_numpy(found.points)
    forms = {"float": points, "png": as_8_bit(points, BOUNDS, rounding="truncate")}
    entry: Entry = {}
    target, begin = setting.target.pixels, setting.starts[key.partition(".")[2]].pixels
    for form, vertices in forms.items():
        seen = probe.look(vertices)
        assert seen.entered is not None
        entry[form] = {
            **spread(vertices, target, begin, images=images),
            "vertices": describe_vertices(seen, aim, found.units),
            "pixels": judge_images(probe, aim, vertices, **drawn),
            "layer": judge_entered(probe, aim, seen.entered, **drawn),
        }
    if options.ball_samples:  # the authors measured their PNG files
        entry["ball"] = ball_control(
            probe, aim, forms["png"], samples=options.ball_samples, seed=options.seed
        )
    return entry


def _results(
    setting: Setting, network: tuple[Probe, Aim], rows: RowFile, common: Mapping[str, Any]
) -> Entry:
    probe, aim = network
    meanings, exact = rows["meanings"].results, dict(rows["exact"].results)
    points = exact.pop("points", {})
    sets = []
    for key, recipe, start in setting.sets():
        sought = rows[f"search.{key}"].results
        sets.append(
            {
                "key": key,
                "recipe": recipe,
                "start": start,
                "search": sought,
                "meanings": _joined(meanings[key], points.get(key)),
                **rows[f"measures.{key}"].results,
            }
        )
    return {
        "title": setting.title,
        "layer_name": setting.layer,
        "target": _seen(setting, network, setting.target),
        "second_class": {"class": aim.second, "name": setting.name_of(aim.second)},
        "starts": {name: _seen(setting, network, each) for name, each in setting.starts.items()},
        "recipes": {name: RECIPES[name].rule for name in setting.options.recipes},
        "recipe_titles": {name: RECIPES[name].title for name in setting.options.recipes},
        "schemes": SCHEMES,
        "forms": FORMS,
        "remarks": list(setting.remarks),
        "class_names": list(setting.class_names),
        "bgr": setting.bgr,
        "device": str(probe.device),
        "paper_table": setting.paper_table,
        "samples": setting.options.samples,
        "exact": exact,
        "exact_vertex": rows["vertex"].results,
        "accuracy": rows["accuracy"].results if "accuracy" in rows else None,
        **common,
        "sets": sets,
    }


def _joined(floats: list[Entry], exact: list[Entry] | None) -> list[Entry]:
    """Meanings of each vertex in floats, with the exact ones where there are any."""
    if exact is None:
        return floats
    return [one | other for one, other in zip(floats, exact, strict=True)]


def _seen(setting: Setting, network: tuple[Probe, Aim], picture: Picture) -> Entry:
    probe, aim = network
    table = probe.look(tensor_of(picture)[None]).probabilities[0]
    first = int(table.argmax())
    label = picture.label
    return {
        "name": picture.name,
        "label": label,
        "label_name": None if label is None else setting.name_of(label),
        "class": first,
        "class_name": setting.name_of(first),
        "confidence": float(table[first]),
        "target_class_confidence": float(table[aim.first]),
    }


def _write_arrays(setting: Setting, rows: RowFile, folder: Path) -> None:
    """All pictures of the run in one file, (…, 3, H, W) float32."""
    arrays: dict[str, Any] = {"target": setting.target.pixels}
    arrays |= {f"start.{name}": each.pixels for name, each in setting.starts.items()}
    for key, _, _ in setting.sets():
        row = rows[f"search.{key}"].results
        arrays[key] = read_found(folder, dict(row)).points
    with atomic_path(folder / "vertices.npz") as path:
        np.savez(path, **arrays)
