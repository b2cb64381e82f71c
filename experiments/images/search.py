"""Which relaxed vertices does a recipe find for a pair of images?  Searched, kept, read again."""

import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from experiments.images.setting import BOUNDS, RECIPES, Setting
from experiments.measure.entries import search_entry
from experiments.readers.arrays import read_arrays
from experiments.run.files import atomic_path, sha256_file
from optimize import find_vertices
from polytope.errors import ChecksumError

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


def search(setting: Setting, recipe: str, start: str, *, folder: Path) -> dict[str, Any]:
    """Searches and keeps `points-RECIPE.START.npz`; returns what a record keeps.

    An interrupted search goes on from its checkpoint in the run folder.

    Raises:
        InputError: as for `find_vertices`.
        OutputError: the folder cannot be written.
    """
    options, rules = setting.options, RECIPES[recipe]
    stopping = rules.stopping
    if options.max_steps is not None:
        stopping = replace(
            stopping,
            max_steps=options.max_steps,
            check_every=min(stopping.check_every, options.max_steps),
        )
    if options.max_seconds is not None:
        stopping = replace(stopping, max_seconds=options.max_seconds)
    checkpoint = folder / f"{_CHECKPOINT}-{recipe}.{start}"
    found = find_vertices(
        setting.model,
        setting.layer,
        setting.target.pixels,
        start=setting.starts[start].pixels,
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
    path = points_path(folder, recipe, start)
    with atomic_path(path) as temporary:
        np.savez(temporary, points=found.points.numpy(), entered=found.layer_inputs.numpy())
    shutil.rmtree(checkpoint, ignore_errors=True)
    history = found.history
    return {
        "units": found.units.tolist(),
        "file": path.name,
        "sha256": sha256_file(path),
        **search_entry(found),
        "stopping": {"max_steps": stopping.max_steps, "max_seconds": stopping.max_seconds},
        "history": {
            "steps": history.steps.tolist(),
            "objective": _finite(history.objective),
            "equality_residual": _finite(history.equality_residual),
            "violation": _finite(history.violation),
        },
    }


def _finite(values: torch.Tensor) -> list[list[float | None]]:
    """Numbers for a record, at most 200 rows: every k-th one and the last."""
    step = max(1, len(values) // 200)
    rows = sorted({*range(0, len(values), step), len(values) - 1})
    return [
        [value if np.isfinite(value) else None for value in row] for row in values[rows].tolist()
    ]


def points_path(folder: Path, recipe: str, start: str) -> Path:
    """Returns where a search keeps its points."""
    return folder / f"points-{recipe}.{start}.npz"


def read_found(folder: Path, entry: dict[str, Any]) -> Found:
    """Reads what `search` kept.

    Raises:
        ChecksumError: the file is absent or another one.
    """
    path = folder / str(entry["file"])
    got = sha256_file(path) if path.is_file() else "no file"
    if got != entry["sha256"]:
        raise ChecksumError(f"{path} must have SHA-256 {entry['sha256']}; got {got}")
    loaded = read_arrays(path)
    return Found(tuple(entry["units"]), loaded["points"], loaded["entered"])
