"""How are relaxed vertices of a network of the user's own searched?  `collide find`."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file, save

from experiments.measure.entries import search_entry
from experiments.own.network import OwnNetwork, load_network
from experiments.own.options import FindRequest
from experiments.own.words import ended_early, search_notes
from experiments.run.files import atomic_path, sha256_bytes, write_bytes
from experiments.run.progress import Progress
from experiments.run.record import FILE_NAME, Record, read_record, write_record
from experiments.run.request import recorded
from experiments.run.rows import RowFile
from experiments.show.numbers import short
from experiments.show.proof_cells import uncertified
from experiments.show.tables import Table, write_tables
from optimize import (
    History,
    LayerReader,
    Objective,
    SearchStatus,
    Stopping,
    VertexSearch,
    find_vertices,
)
from polytope.errors import FileFormatError, InputError

TENSORS = "search.safetensors"
VERTICES = "vertices.npz"
CHECKPOINT = "checkpoint"
OPTIONS = "options.jsonl"
#: Options on which a search depends; limits may be raised when it is gone on with.
ASKED = ("layer", "input_shape", "bounds", "units", "others", "alpha", "optimizer")
#: Fields of `VertexSearch` that are tensors.
FIELDS = (
    *("points", "layer_inputs", "units", "targets", "pre_activation", "objective"),
    *("equality_residual", "violation", "steps", "gap", "lower_bound"),
)
HISTORY = ("steps", "objective", "pre_activation", "equality_residual", "violation")


def find(options: FindRequest, folder: Path, progress: Progress) -> dict[str, Any]:
    """Searches relaxed vertices, writes record, points and tables, and returns the results.

    Raises:
        InputError: model, layer, target, units or options are not as described.
        OutputError: the folder cannot be written.
    """
    own = load_network(options)
    search = _of_these_options(own, options, folder, progress=progress)
    results = find_results(own, options, search)
    write_search(folder, search)
    with_arrays = {
        "points": _portable(search.points),
        "layer_inputs": _portable(search.layer_inputs),
        "units": search.units.numpy(),
        "target": _portable(own.target),
    }
    with atomic_path(folder / VERTICES) as temporary:
        np.savez_compressed(temporary, **with_arrays)
    write_record(
        folder,
        Record(
            experiment="find",
            options=recorded(options, FindRequest),
            seed=0,
            data=own.files,
            results=results,
            timings=progress.total() | {"search": round(search.seconds, 3)},
        ),
    )
    write_tables(folder, [find_table(results)])
    return results


def _of_these_options(
    own: OwnNetwork, options: FindRequest, folder: Path, *, progress: Progress
) -> VertexSearch:
    """The search; one that is gone on with under other options is refused, and they are named."""
    asked = {name: getattr(options, name) for name in ASKED} | {"files": own.files}
    with RowFile(folder / OPTIONS, options=asked):  # of no rows
        try:
            return searched(own, options, folder, progress=progress)
        except InputError:
            if not (folder / CHECKPOINT).exists():  # nothing was begun, and nothing is to be left
                (folder / OPTIONS).unlink()
            raise


def searched(
    own: OwnNetwork, options: FindRequest, folder: Path, *, progress: Progress
) -> VertexSearch:
    """Returns the search that the options ask for; its checkpoint goes into the folder."""
    if own.target is None:
        raise InputError("target: expected --target FILE, got none")
    usual = Stopping()
    stopping = Stopping(
        max_steps=usual.max_steps if options.steps is None else options.steps,
        max_seconds=options.max_seconds,
    )
    with progress.stage("search", f"relaxed vertices at {options.layer}"):
        return find_vertices(
            own.model,
            options.layer,
            own.target,
            start="target" if own.start is None else own.start,
            units=options.units if isinstance(options.units, int) else list(options.units),
            objective=Objective(alpha=options.alpha, others=options.others),
            bounds=own.ends,
            optimizer=options.optimizer,
            stopping=stopping,
            batched=False,
            device=options.device,
            checkpoint=folder / CHECKPOINT,
            progress=None if not progress.quiet else False,
        )


def find_results(own: OwnNetwork, options: FindRequest, search: VertexSearch) -> dict[str, Any]:
    """Returns what the record keeps."""
    assert own.target is not None
    reader = LayerReader(own.model, options.layer)
    with torch.no_grad():
        pre = reader.pre_activation(own.target[None].to(reader.dtype))[0]
    n_inputs, n_units = search.layer_inputs.shape[1], len(pre)
    n_positive = int((pre > 0).sum())
    vertices = [
        {
            "unit": int(search.units[i]),
            "pre_activation": finite(float(search.pre_activation[i])),
            "equality_residual": finite(float(search.equality_residual[i])),
            "violation": finite(float(search.violation[i])),
            "status": search.status[i].name.lower(),
            "steps": int(search.steps[i]),
            "moved": finite(_distance(search.points[i], own.target)),
        }
        for i in range(len(search.units))
    ]
    return {
        "model": options.model,
        "layer": options.layer,
        "weights": own.source,
        "remarks": list(own.remarks),
        "bounds": own.ends,
        "target_sha256": target_sha256(own.target),
        "n_inputs": n_inputs,
        "n_units": n_units,
        "n_positive": n_positive,
        "relu_checked": reader.relu_checked,
        "search": search_entry(search),
        "vertices": vertices,
    }


def target_sha256(target: torch.Tensor) -> str:
    """Returns the SHA-256 of a target's numbers as float64: which target, whatever its file."""
    return sha256_bytes(target.double().numpy().tobytes())


def _distance(point: torch.Tensor, target: torch.Tensor) -> float:
    return float((point.double() - target.double()).norm())


def _portable(tensor: torch.Tensor | None) -> Any:
    """An array for numpy, which knows no bfloat16 (float32 holds it exactly)."""
    if tensor is None:
        return np.empty(0)
    kind = tensor.float() if tensor.dtype is torch.bfloat16 else tensor
    return kind.detach().cpu().numpy()


def write_search(folder: Path, search: VertexSearch) -> None:
    """Writes a search so that `read_search` has it again, bit for bit."""
    tensors = {name: getattr(search, name) for name in FIELDS}
    tensors |= {f"history.{name}": getattr(search.history, name) for name in HISTORY}
    write_bytes(folder / TENSORS, save({k: v.clone().contiguous() for k, v in tensors.items()}))


def read_search(folder: Path) -> tuple[Record, VertexSearch]:
    """Returns record and search of a folder that `collide find` wrote.

    Raises:
        FileFormatError: it holds none.
    """
    record = read_record(folder)
    if record.experiment not in ("find", "compare"):
        raise FileFormatError(
            f"{folder / FILE_NAME} must be of `collide find`; got one of {record.experiment!r}"
        )
    path = Path(folder) / TENSORS
    try:
        tensors = load_file(path)
        kept, seconds = record.results["search"], record.timings["search"]
        search = VertexSearch(
            **{name: tensors[name] for name in FIELDS},
            history=History(**{name: tensors[f"history.{name}"] for name in HISTORY}),
            status=tuple(SearchStatus[name.upper()] for name in kept["status"]),
            form=Objective(alpha=kept["alpha"], others=kept["penalty"]),
            method=kept["method"],
            seconds=float(seconds),
        )
    except Exception as problem:  # whatever a file that is not ours makes of this
        raise FileFormatError(
            f"{path} must hold a search of `collide find`: {problem}"
        ) from problem
    return record, search


def limit_note(results: dict[str, Any]) -> str:
    """Says which searches a limit ended; "" where none did."""
    found = results["vertices"]
    return ended_early([each["status"] for each in found], [each["unit"] for each in found])


def find_table(results: dict[str, Any]) -> Table:
    """Returns the found vertices as a table."""
    rows = [
        (
            str(each["unit"]),
            short(each["pre_activation"], 6),
            short(each["equality_residual"], 3),
            short(each["violation"], 3),
            short(each["moved"], 4),
            each["status"].replace("_", " "),
            f"{each['steps']:,}",
        )
        for each in results["vertices"]
    ]
    search = results["search"]
    notes = [
        f"N = {results['n_units']:,}, d = {results['n_inputs']:,}, N+ = {results['n_positive']:,} "
        f"in the float run; weights: {results['weights']}",
        *results["remarks"],
        "pre-activation: of the unit that is pushed down; residual: largest error of an active "
        "unit; violation: largest positive pre-activation of an inactive unit; moved: l2 distance "
        "from the target in the input",
        "all of it in floats, nothing here is exact: `collide compare` is",
    ]
    notes += search_notes(search, bounded=results["bounds"] is not None)
    if not results["relu_checked"]:
        notes.append("the model could not be traced: whether a ReLU follows was not looked at")
    return Table(
        name="vertices",
        title=f"Relaxed vertices at {results['layer']} of {results['model']}",
        columns=(*("unit", "pre-activation", "residual", "violation", "moved", "status", "steps"),),
        rows=tuple(rows),
        proofs=uncertified(rows),
        notes=tuple(notes),
    )


def finite(value: float) -> float | None:
    """Returns a float as a record keeps it: None for NaN and infinity."""
    return value if math.isfinite(value) else None
