"""The paper's experiment on pairs of images, on any network: searches, measures, the record."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch

from experiments.images.exact import exact_answers
from experiments.images.facts import VERTEX
from experiments.images.measures import Accuracy, accuracy
from experiments.images.pictures import Pictures
from experiments.images.results import (
    ExactAnswers,
    ImageDistances,
    ImageResults,
    RecipeWords,
    Searched,
    SetMeasures,
    SetName,
    VertexSet,
)
from experiments.images.search import read_found, search
from experiments.images.setting import RECIPES, Setting
from experiments.images.watched import Watched, write_pngs
from experiments.measure.distances import mean_distance
from experiments.run.files import open_run_folder
from experiments.run.jobs import FILE_NAME, keep
from experiments.run.outcomes import Key
from experiments.run.progress import Progress
from experiments.run.record import Record, write_record
from experiments.run.rows import RowFile
from polytope.files import atomic_path

PNG_FOLDER = "vertices"
_R = TypeVar("_R")


@dataclass(frozen=True)
class ImagesKey(Key[ImageDistances]):
    """The mean distance of the folder's images."""

    WORK = "images"


@dataclass(frozen=True)
class AccuracyKey(Key[Accuracy]):
    """The network on the folder's labelled images."""

    WORK = "accuracy"


@dataclass(frozen=True)
class SearchKey(Key[Searched]):
    """One search."""

    WORK = "search"
    recipe: str
    start: str


@dataclass(frozen=True)
class ExactKey(Key[ExactAnswers]):
    """All that is asked of the exact layer."""

    WORK = "exact"


@dataclass(frozen=True)
class MeasuresKey(Key[SetMeasures]):
    """One set, measured."""

    WORK = "measures"
    recipe: str
    start: str


@contextmanager
def _float32() -> Iterator[None]:
    """Full float32 in convolutions: a GPU's shorter TF32 would decide how close a point comes."""
    cudnn = torch.backends.cudnn
    with cudnn.flags(enabled=True, deterministic=cudnn.deterministic, allow_tf32=False):
        yield


@_float32()
def run_images(setting: Setting, folder: Path, progress: Progress) -> Record[ImageResults]:
    """Runs the experiment into a run folder, and returns its record.

    Every search and every measurement is a row of its own; a folder that holds a part of this very
    run is gone on with, an interrupted search from its checkpoint.

    Raises:
        InputError: the network, layer and pictures do not fit, or the folder belongs to a run with
            other options.
        OutputError: the folder cannot be written.
        ChecksumError: points in the folder were changed.
    """
    watched = Watched.of(setting)
    open_run_folder(folder)
    open_run_folder(folder / PNG_FOLDER)
    identity = setting.identity()
    path, schema = folder / FILE_NAME, ImageResults.SCHEMA
    with RowFile(path, options=identity, schema=schema) as rows:
        results = _results(watched, folder, rows, progress)
        with progress.stage("writing", f"record and images into {folder}"):
            _write_arrays(setting.pictures, folder, results.sets)
            record = Record(
                experiment=setting.experiment,
                options=identity,
                seed=setting.options.seed,
                data=dict(setting.data),
                results=results,
                timings={"stages": rows.seconds(), "total": progress.total()["total"]},
            )
            write_record(folder, record)
    return record


def _results(watched: Watched, folder: Path, rows: RowFile, progress: Progress) -> ImageResults:
    setting, pictures = watched.setting, watched.setting.pictures

    def kept(key: Key[_R], work: Callable[[], _R]) -> _R:
        return keep(key, work, rows, progress)

    images = kept(ImagesKey(), partial(_distances, pictures))
    known = None
    if setting.options.accuracy:
        work = partial(accuracy, watched.probe, pictures.pixels, pictures.labels)
        known = kept(AccuracyKey(), work)
    names = setting.sets()
    searches = {
        name: kept(SearchKey(name.recipe, name.start), partial(search, setting, name, folder))
        for name in names
    }
    found = {str(name): read_found(folder, searches[name]) for name in names}
    target = watched.entered[0].flatten().numpy()
    exact = kept(ExactKey(), partial(exact_answers, setting, target, found, folder))

    def known_of(name: SetName) -> VertexSet:
        points, start = found[str(name)], pictures.starts[name.start]
        work = partial(watched.measures, points, start, images=images.mean_distance)
        measures = kept(MeasuresKey(name.recipe, name.start), work)
        write_pngs(points, folder / PNG_FOLDER, str(name))
        return VertexSet(**vars(name), search=searches[name], measures=measures)

    return ImageResults(
        title=setting.title,
        layer_name=setting.layer,
        remarks=setting.remarks,
        device=str(watched.probe.device),
        class_names=setting.class_names,
        recipes={
            name: RecipeWords(title=RECIPES[name].title, rule=RECIPES[name].rule)
            for name in setting.options.recipes
        },
        samples=setting.options.samples,
        target=watched.picture(pictures.target),
        starts={name: watched.picture(each) for name, each in pictures.starts.items()},
        images=images,
        accuracy=known,
        layer=watched.layer(),
        exact=exact,
        exact_vertex=watched.entering(folder / VERTEX),
        sets=tuple(map(known_of, names)),
    )


def _distances(pictures: Pictures) -> ImageDistances:
    count = len(pictures.pixels)
    return ImageDistances(
        count=count,
        pairs=count * (count - 1) // 2,
        which=pictures.title,
        mean_distance=mean_distance(pictures.pixels) if count >= 2 else None,
    )


def _write_arrays(pictures: Pictures, folder: Path, sets: tuple[VertexSet, ...]) -> None:
    """All pictures of the run in one file, (…, 3, H, W) float32."""
    arrays: dict[str, Any] = {"target": pictures.target.pixels}
    arrays |= {f"start.{name}": each.pixels for name, each in pictures.starts.items()}
    arrays |= {str(one): read_found(folder, one.search).points for one in sets}
    with atomic_path(folder / "vertices.npz") as path:
        np.savez(path, **arrays)
