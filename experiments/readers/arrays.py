"""Which arrays are in a file?  Every format the commands take, each size checked first."""

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.torch

from experiments.readers import kinds
from experiments.readers.folders import read_folder, shards_of
from experiments.readers.foreign_files import check_numpy, reason, refuse_foreign
from polytope.errors import CollisionError, FileFormatError

Array = Any  # numpy arrays, or torch tensors from .safetensors and .pt


STARTS = (b"PK\x03\x04", b"PK\x05\x06", b"\x93NUMPY")  # of .npz, of an empty one, of .npy


_MOST_AXES = 32


def read_arrays(path: Path) -> dict[str, Array]:
    """Returns the arrays of a .npz, .npy ("target"), .safetensors or torch file, by name.

    What a file is follows from a usual suffix (.npz, .npy, .safetensors, .pt, .pth, .ckpt, .bin),
    else from its content.  A file of torch is read with `weights_only`: it may hold tensors, and no
    code.  Of an agent of stable-baselines3 (.zip) the tensors of its policy are read, of a folder
    those of its model.safetensors, in one file or in shards with an index.

    Raises:
        FileFormatError: the file is absent or not of its format; other pickles are refused.
    """
    try:
        arrays = _arrays(path)
    except (CollisionError, MemoryError):
        raise
    except Exception as problem:  # libraries raise nearly anything on damaged files
        raise FileFormatError(
            f"{path}: expected a readable .npz, .npy, .safetensors or .pt file, got one that "
            f"cannot be read{_size(path)}: {reason(problem)}"
        ) from problem
    for name, array in arrays.items():
        if array.ndim > _MOST_AXES:  # torch reads some that it can do nothing with
            raise FileFormatError(
                f"{path}, {name!r}: expected at most {_MOST_AXES} axes, got {array.ndim}"
            )
    return arrays


def _arrays(path: Path) -> dict[str, Array]:
    if path.is_dir():
        return read_folder(path, read_arrays)
    refuse_foreign(path)
    kind = kinds.kind_of(path)
    if kind in (kinds.TORCH, kinds.AGENT):
        from experiments.readers.torch_files import read_agent, read_torch

        return dict(read_torch(path) if kind == kinds.TORCH else read_agent(path))
    if kind == kinds.SAFETENSORS:
        return dict(safetensors.torch.load_file(path))  # numpy has no bfloat16
    return _numpy_arrays(path)


def _size(path: Path) -> str:
    return f" ({path.stat().st_size:,} bytes)" if path.is_file() else ""


def files_of(path: Path) -> tuple[Path, ...]:
    """Returns the files that `read_arrays` reads: those of a folder that hold its tensors.

    Raises:
        FileFormatError: it is a folder without such files.
    """
    return shards_of(path).files if path.is_dir() else (path,)


def _numpy_arrays(path: Path) -> dict[str, Array]:
    with path.open("rb") as stream:
        start = stream.read(8)
        if not start.startswith(STARTS):
            raise FileFormatError(
                f"{path}: expected a readable .npz, .npy or .safetensors file with arrays saved by "
                f"numpy, got a file that starts with {start!r}{_size(path)}"
            )
        check_numpy(path)
        stream.seek(0)
        loaded = np.load(stream, allow_pickle=False)
        if isinstance(loaded, np.ndarray):
            return {"target": _native(loaded)}
        with loaded:
            return {name: _native(loaded[name]) for name in loaded.files}


def read_arrays_of(path: Path, wanted: Callable[[str], bool]) -> dict[str, Array]:
    """Returns the arrays among the members of an archive, by name; others may lie beside them.

    Args:
        path: the archive.
        wanted: whether a member, by its whole name, is such an array; names come without ".npy".

    Raises:
        FileFormatError: a member is not, to the byte, what its header declares.
        Exception: whatever the libraries raise on a damaged archive.
    """
    check_numpy(path, wanted=wanted)
    with zipfile.ZipFile(path) as archive:
        found = {}
        for name in filter(wanted, archive.namelist()):
            with archive.open(name) as stream:
                array = np.lib.format.read_array(stream, allow_pickle=False)
            found[name.removesuffix(".npy")] = _native(array)
    return found


def _native(array: np.ndarray) -> np.ndarray:
    """The same numbers in this machine's order of bytes, the only one torch takes."""
    return array.astype(array.dtype.newbyteorder("="), copy=False)
