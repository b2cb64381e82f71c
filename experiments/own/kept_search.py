"""How is a relaxed search kept?  Its tensors beside the record of `collide find`, bit for bit."""

from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file, save

from experiments.own.network import OwnNetwork
from experiments.own.options import CompareRequest
from experiments.own.results import Found
from experiments.run.record import Record, read_record
from optimize import History, LayerReader, Objective, SearchStatus, VertexSearch
from polytope.errors import FileFormatError, InputError
from polytope.files import write_bytes

NAME = "search.safetensors"
#: Fields of `VertexSearch` that are tensors.
_FIELDS = (
    *("points", "layer_inputs", "units", "targets", "pre_activation", "objective"),
    *("equality_residual", "violation", "steps", "gap", "lower_bound"),
)
_HISTORY = ("steps", "objective", "pre_activation", "equality_residual", "violation")


@dataclass(frozen=True, eq=False)
class KeptSearch:
    """What a folder of `collide find` holds."""

    record: Record[Found]
    search: VertexSearch


def write_search(folder: Path, search: VertexSearch) -> None:
    """Writes a search so that `read_search` has it again, bit for bit."""
    tensors = {name: getattr(search, name) for name in _FIELDS}
    tensors |= {f"history.{name}": getattr(search.history, name) for name in _HISTORY}
    write_bytes(folder / NAME, save({k: v.clone().contiguous() for k, v in tensors.items()}))


def read_search(folder: Path) -> KeptSearch:
    """Reads what `collide find` wrote.

    Raises:
        FileFormatError: the folder holds no search.
    """
    record, path = read_record(folder, Found), Path(folder) / NAME
    try:
        tensors, kept = load_file(path), record.results.search
        search = VertexSearch(
            **{name: tensors[name] for name in _FIELDS},
            history=History(**{name: tensors[f"history.{name}"] for name in _HISTORY}),
            status=tuple(SearchStatus[name.upper()] for name in kept.status),
            form=Objective(alpha=kept.alpha, others=kept.penalty),
            method=kept.method,
            seconds=float(record.timings["search"]),
        )
    except Exception as problem:  # whatever a file that is not ours makes of this
        raise FileFormatError(
            f"{path} must hold a search of `collide find`: {problem}"
        ) from problem
    return KeptSearch(record, search)


def search_of(own: OwnNetwork, request: CompareRequest) -> VertexSearch:
    """Returns the search of the folder that is named, which must be of this network and target.

    Raises:
        InputError: it is of another layer, target or network.
        FileFormatError: the folder holds no search.
    """
    assert request.search is not None
    kept = read_search(request.search)
    found, search = kept.record.results, kept.search
    if found.layer != request.layer:
        raise InputError(
            f"search: expected one at layer {request.layer!r}, got one at {found.layer!r} in "
            f"{request.search}"
        )
    if found.target_sha256 != own.target_sha256:
        raise InputError(
            f"target: expected that of the search in {request.search}, "
            f"{kept.record.options.get('target')}, got other numbers in {request.target}"
        )
    _check_search(own, request, search)
    return search


def _check_search(own: OwnNetwork, request: CompareRequest, search: VertexSearch) -> None:
    """Raise InputError where the search's points do not belong to this network."""
    if tuple(search.points.shape[1:]) != own.shape:
        raise InputError(
            f"search: expected points of shape {own.shape}, got {tuple(search.points.shape[1:])}"
        )
    reader = LayerReader(own.opened, request.layer, example=own.target)
    reader.expect_relu()
    entered = reader.layer_inputs(search.points.to(reader.dtype)).double()
    scale = 1 + float(search.layer_inputs.double().abs().max())
    if entered.shape != search.layer_inputs.shape or not torch.allclose(
        entered, search.layer_inputs.double(), rtol=0, atol=1e-3 * scale
    ):
        raise InputError(
            f"search: expected one of this very network, got points in {request.search} that reach "
            "the layer with other values (other weights, or another model)"
        )
