"""Which tensors are in a folder as Hugging Face lays it out?  One file, or shards with an index."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from polytope.errors import FileFormatError

#: The first that is there is read: safetensors before files of torch.
_NAMES = ("model.safetensors", "diffusion_pytorch_model.safetensors", "pytorch_model.bin")
_INDEX = ".index.json"
_LONGEST, _MOST_SHARDS = 1 << 26, 1_000
_PLAIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.\-]{0,200}", re.ASCII)


@dataclass(frozen=True)
class Shards:
    """The files of a folder that hold its tensors.

    Attributes:
        files: every file that is read, the index among them.
        places: name of each tensor -> its file; None where one file holds all.
    """

    files: tuple[Path, ...]
    places: Mapping[str, Path] | None = None


def shards_of(folder: Path) -> Shards:
    """Returns which files of a folder hold its tensors; none of them is read but the index.

    Raises:
        FileFormatError: there are none, or the index names files of other folders.
    """
    for name in _NAMES:
        if (folder / f"{name}{_INDEX}").is_file():
            return _indexed(folder, folder / f"{name}{_INDEX}")
        if (folder / name).is_file():
            return Shards((folder / name,))
    found = sorted(folder.glob("*.safetensors"))
    if len(found) == 1:
        return Shards((found[0],))
    got = f"with {len(found)} files of safetensors" if found else "without"
    raise FileFormatError(
        f"{folder}: expected a file, got a folder {got} "
        f"{'and no index' if found else 'one of ' + ', '.join(_NAMES)}"
    )


def _indexed(folder: Path, index: Path) -> Shards:
    try:
        if index.stat().st_size > _LONGEST:
            raise FileFormatError(f"{index}: expected at most {_LONGEST:,} bytes, got more")
        places = json.loads(index.read_text(encoding="utf-8"))["weight_map"]
        names = sorted(set(places.values()))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as problem:
        if isinstance(problem, FileFormatError):
            raise
        raise FileFormatError(
            f"{index}: expected an index of tensors (weight_map), got {type(problem).__name__}"
        ) from problem
    if not names or len(names) > _MOST_SHARDS or not all(map(_is_plain, names)):
        raise FileFormatError(
            f"{index}: expected 1 to {_MOST_SHARDS:,} files of the same folder, got "
            f"{', '.join(map(repr, names[:3]))!s:.120}"
        )
    if missing := [name for name in names if not (folder / name).is_file()]:
        raise FileFormatError(f"{index}: expected {len(names)} files, got none named {missing[0]}")
    return Shards(
        (index, *(folder / name for name in names)),
        {str(tensor): folder / name for tensor, name in places.items()},
    )


def _is_plain(name: Any) -> bool:
    return isinstance(name, str) and _PLAIN.fullmatch(name) is not None


def read_folder(folder: Path, read: Callable[[Path], dict[str, Any]]) -> dict[str, Any]:
    """Returns the tensors of a folder by name.

    Args:
        folder: of `model.safetensors`, or of shards and their index.
        read: reads one file.

    Raises:
        FileFormatError: there are none, or a shard holds others than the index says.
    """
    shards = shards_of(folder)
    if shards.places is None:
        return read(shards.files[0])
    found: dict[str, Any] = {}
    for path in shards.files[1:]:
        wanted = {name for name, place in shards.places.items() if place == path}
        arrays = read(path)
        if wanted != arrays.keys():
            odd = sorted(wanted ^ arrays.keys())[0]
            raise FileFormatError(
                f"{path}: expected the {len(wanted):,} tensors that the index names, got "
                f"{len(arrays):,}; {odd!r:.80} is in one of the two alone"
            )
        found |= arrays
    return found
