"""How is a relaxed search kept?  Its tensors beside the record of `collide find`, bit for bit."""

from dataclasses import dataclass
from pathlib import Path

from safetensors.torch import load_file, save

from experiments.own.results import Found
from experiments.run.record import Record, read_record
from optimize import History, Objective, SearchStatus, VertexSearch
from polytope.errors import FileFormatError
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
