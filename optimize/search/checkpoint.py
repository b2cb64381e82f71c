"""How is an interrupted search continued?  A folder with the state, written atomically.

`state-<step>.safetensors` holds the tensors, `search.json` the step, a fingerprint of the request
and the state file's SHA-256.  The JSON file is written last and by rename: it decides which state
counts, and a kill at any moment leaves the previous checkpoint whole.
"""

import json
import re
from dataclasses import dataclass
from pathlib import Path

from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from torch import Tensor

from polytope.errors import ChecksumError, FileFormatError, InputError, OutputError
from polytope.files import output_error, sha256_bytes, write_bytes, write_text

_SCHEMA = "collision-polytopes/search-checkpoint/1"
_INDEX = "search.json"


@dataclass(frozen=True)
class Checkpoint:
    """A search at a check: the step and every tensor of its state, by name."""

    step: int
    tensors: dict[str, Tensor]


def save_checkpoint(folder: Path, checkpoint: Checkpoint, fingerprint: str) -> None:
    """Write a checkpoint and then remove the one before it.

    Raises:
        OutputError: the folder cannot be written.
    """
    name = f"state-{checkpoint.step}.safetensors"
    data = save_tensors(
        {key: value.cpu().contiguous() for key, value in checkpoint.tensors.items()}
    )
    index = {
        "schema": _SCHEMA,
        "step": checkpoint.step,
        "state": name,
        "sha256": sha256_bytes(data),
        "fingerprint": fingerprint,
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_bytes(folder / name, data)
        write_text(folder / _INDEX, json.dumps(index, indent=1) + "\n")
        for old in folder.glob("state-*.safetensors"):
            if old.name != name:
                old.unlink()
    except OutputError:
        raise
    except OSError as problem:
        raise output_error(folder, problem) from problem


def load_checkpoint(folder: Path, fingerprint: str) -> Checkpoint | None:
    """The checkpoint in `folder`, or None where there is none.

    Raises:
        FileFormatError: its index is not one of ours.
        ChecksumError: the state file is missing or altered.
        InputError: it belongs to another search.
    """
    path = folder / _INDEX
    if not path.exists():
        return None
    try:
        index = json.loads(path.read_text())
        schema, step, name = index["schema"], int(index["step"]), str(index["state"])
        digest, owner = index["sha256"], index["fingerprint"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError, OverflowError) as problem:
        raise FileFormatError(f"checkpoint: expected a search index, got {path}") from problem
    if schema != _SCHEMA or not re.fullmatch(r"state-[0-9]+\.safetensors", name, re.ASCII):
        raise FileFormatError(
            f"checkpoint: expected schema {_SCHEMA!r}, got {schema!r:.60} in {path}"
        )
    if owner != fingerprint:
        raise InputError(
            f"checkpoint: expected one of this very search (model, target, start, units, bounds, "
            f"objective, optimizer, seed), got another search's in {folder}; use another folder"
        )
    state = folder / name
    data = state.read_bytes() if state.exists() else b""
    if sha256_bytes(data) != digest:
        raise ChecksumError(f"checkpoint: expected SHA-256 {digest}, got another file in {state}")
    try:
        return Checkpoint(step, load_tensors(data))
    except Exception as problem:  # safetensors raises nearly anything on damaged files
        raise FileFormatError(f"checkpoint: expected tensors in {state}, got others") from problem
