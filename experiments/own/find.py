"""How are relaxed vertices of a network of the user's own searched?  `collide find`."""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from experiments.measure.search import SearchSummary, finite
from experiments.own.kept_search import write_search
from experiments.own.network import OwnNetwork, load_network
from experiments.own.options import FindRequest
from experiments.own.results import Found, FoundVertex
from experiments.own.words import search_notes
from experiments.run.desk import Run
from experiments.run.record import Record, write_record
from experiments.run.request import recorded
from experiments.run.rows import RowFile
from experiments.show.numbers import short
from experiments.show.proof_cells import uncertified
from experiments.show.tables import Table, write_tables
from optimize import LayerReader, Objective, Stopping, VertexSearch, find_vertices
from polytope.errors import InputError
from polytope.files import atomic_path

VERTICES = "vertices.npz"
CHECKPOINT = "checkpoint"
OPTIONS = "options.jsonl"
#: Options on which a search depends; limits may be raised when it is gone on with.
ASKED = ("layer", "input_shape", "bounds", "units", "others", "alpha", "optimizer")


def find(request: FindRequest, run: Run) -> Found:
    """Searches relaxed vertices, writes record, points and tables, and returns the results.

    Raises:
        InputError: model, layer, target, units or options are not as described.
        OutputError: the folder cannot be written.
    """
    own = load_network(request, request.target, start=request.start)
    return write_found(own, request, search_vertices(own, request, run), run)


def search_vertices(own: OwnNetwork, request: FindRequest, run: Run) -> VertexSearch:
    """The search, its checkpoint in the run folder; one of other options is not gone on with.

    Raises:
        InputError: the folder's checkpoint is of other options, which are named.
    """
    asked = {name: getattr(request, name) for name in ASKED} | {"files": own.files}
    with RowFile(run.folder / OPTIONS, options=asked, schema=Found.SCHEMA):  # of no rows
        try:
            return _searched(own, request, run)
        except InputError:
            # Nothing was begun, and nothing is to be left.
            if not (run.folder / CHECKPOINT).exists():
                (run.folder / OPTIONS).unlink()
            raise


def _searched(own: OwnNetwork, request: FindRequest, run: Run) -> VertexSearch:
    limits = {} if request.steps is None else {"max_steps": request.steps}
    with run.progress.stage("search", f"relaxed vertices at {request.layer}"):
        return find_vertices(
            own.opened,
            request.layer,
            own.target,
            start="target" if own.start is None else own.start,
            units=request.units if isinstance(request.units, int) else list(request.units),
            objective=Objective(alpha=request.alpha, others=request.others),
            bounds=own.ends,
            optimizer=request.optimizer,
            stopping=Stopping(**limits, max_seconds=request.max_seconds),
            batched=False,
            device=request.device,
            checkpoint=run.folder / CHECKPOINT,
            progress=False if run.progress.quiet else None,
        )


def write_found(own: OwnNetwork, request: FindRequest, search: VertexSearch, run: Run) -> Found:
    """Writes record, points and tables of a search, and returns the results.

    Raises:
        OutputError: the folder cannot be written.
    """
    found = _found(own, request, search)
    write_search(run.folder, search)
    arrays: dict[str, Any] = {
        "points": _portable(search.points),
        "layer_inputs": _portable(search.layer_inputs),
        "units": search.units.numpy(),
        "target": _portable(own.target),
    }
    with atomic_path(run.folder / VERTICES) as temporary:
        np.savez_compressed(temporary, **arrays)
    write_record(
        run.folder,
        Record(
            experiment="find",
            options=recorded(request, FindRequest),
            seed=0,
            data=own.files,
            results=found,
            timings=run.progress.total() | {"search": round(search.seconds, 3)},
        ),
    )
    write_tables(run.folder, [find_table(found)])
    return found


def _found(own: OwnNetwork, request: FindRequest, search: VertexSearch) -> Found:
    reader = LayerReader(own.opened, request.layer, example=own.target)
    with torch.no_grad():
        pre = reader.pre_activation(own.target[None].to(reader.dtype))[0]
    return Found(
        model=request.model,
        layer=request.layer,
        weights=own.source,
        remarks=own.remarks,
        bounds=own.ends,
        search=SearchSummary.of(search),
        target_sha256=own.target_sha256,
        n_inputs=search.layer_inputs.shape[1],
        n_units=len(pre),
        n_positive=int((pre > 0).sum()),
        relu_checked=reader.relu_checked,
        vertices=tuple(
            FoundVertex(
                unit=int(search.units[i]),
                pre_activation=finite(float(search.pre_activation[i])),
                equality_residual=finite(float(search.equality_residual[i])),
                violation=finite(float(search.violation[i])),
                status=search.status[i].name.lower(),
                steps=int(search.steps[i]),
                moved=finite(float((search.points[i].double() - own.target.double()).norm())),
            )
            for i in range(len(search.units))
        ),
    )


def _portable(tensor: Tensor) -> np.ndarray:
    """An array for numpy, which knows no bfloat16 (float32 holds it exactly)."""
    kind = tensor.float() if tensor.dtype is torch.bfloat16 else tensor
    array: np.ndarray = kind.detach().cpu().numpy()
    return array


def find_table(found: Found) -> Table:
    """Returns the found vertices as a table."""
    rows = tuple(
        (
            str(each.unit),
            short(each.pre_activation, 6),
            short(each.equality_residual, 3),
            short(each.violation, 3),
            short(each.moved, 4),
            each.status.replace("_", " "),
            f"{each.steps:,}",
        )
        for each in found.vertices
    )
    notes = [
        f"N = {found.n_units:,}, d = {found.n_inputs:,}, N+ = {found.n_positive:,} "
        f"in the float run; weights: {found.weights}",
        *found.remarks,
        "pre-activation: of the unit that is pushed down; residual: largest error of an active "
        "unit; violation: largest positive pre-activation of an inactive unit; moved: l2 distance "
        "from the target in the input",
        "all of it in floats, nothing here is exact: `collide compare` is",
        *search_notes(found),
    ]
    if not found.relu_checked:
        notes.append("the model could not be traced: whether a ReLU follows was not looked at")
    return Table(
        name="vertices",
        title=f"Relaxed vertices at {found.layer} of {found.model}",
        columns=(*("unit", "pre-activation", "residual", "violation", "moved", "status", "steps"),),
        rows=rows,
        proofs=uncertified(rows),
        notes=tuple(notes),
    )
