"""Which relaxed vertices does a recipe find for a pair of images?  Searched, kept, read again."""

import shutil
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from experiments.images.results import Searched, SetName
from experiments.images.setting import BOUNDS, RECIPES, Setting
from experiments.measure.search import SearchSummary
from experiments.readers.arrays import read_arrays
from optimize import find_vertices
from polytope.errors import ChecksumError
from polytope.files import atomic_path, sha256_file

_CHECKPOINT = "search"  # folder of a search that is under way, beside its result


@dataclass(frozen=True, eq=False)
class Found:
    """Relaxed vertices of one recipe and one start.

    Attributes:
        units: V, the unit that each pushed down.
        points: (V, 3, H, W) float32.
        entered: (V, *layer input) flattened to (V, d), float32: the same points in the layer's
            space.
    """

    units: tuple[int, ...]
    points: NDArray[np.float32]
    entered: NDArray[np.float32]


def search(setting: Setting, name: SetName, folder: Path) -> Searched:
    """Searches a set of vertices and keeps its points; returns what a record keeps.

    An interrupted search goes on from its checkpoint in the run folder.

    Raises:
        InputError: as for `find_vertices`.
        OutputError: the folder cannot be written.
    """
    options, rules = setting.options, RECIPES[name.recipe]
    stopping = rules.stopping
    if options.max_steps is not None:
        stopping = replace(
            stopping,
            max_steps=options.max_steps,
            check_every=min(stopping.check_every, options.max_steps),
        )
    if options.max_seconds is not None:
        stopping = replace(stopping, max_seconds=options.max_seconds)
    checkpoint = folder / f"{_CHECKPOINT}-{name}"
    found = find_vertices(
        setting.network,
        setting.layer,
        setting.pictures.target.pixels,
        start=setting.pictures.starts[name.start].pixels,
        units=options.units,
        objective=rules.objective,
        bounds=BOUNDS,
        optimizer=rules.optimizer,
        stopping=stopping,
        batched=False,
        device=options.device,
        checkpoint=checkpoint,
        progress=None,
    )
    path = folder / f"points-{name}.npz"
    with atomic_path(path) as temporary:
        np.savez(temporary, points=found.points.numpy(), entered=found.layer_inputs.numpy())
    shutil.rmtree(checkpoint, ignore_errors=True)
    return Searched(
        **vars(SearchSummary.of(found)),
        units=tuple(found.units.tolist()),
        file=path.name,
        sha256=sha256_file(path),
        max_steps=stopping.max_steps,
        max_seconds=stopping.max_seconds,
    )


def read_found(folder: Path, searched: Searched) -> Found:
    """Reads the points that `search` kept.

    Raises:
        ChecksumError: the file is absent or another one.
    """
    path = folder / searched.file
    got = sha256_file(path) if path.is_file() else "no file"
    if got != searched.sha256:
        raise ChecksumError(f"{path} must have SHA-256 {searched.sha256}; got {got}")
    loaded = read_arrays(path)
    return Found(searched.units, loaded["points"], loaded["entered"])
