"""Where do the numbers of a layer come from?  From a file of the user's, named by its SHA-256.

A certificate that names the file instead of repeating the numbers says whose layer it is about: the
checker reads the same file by itself.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np

from polytope.errors import FileFormatError, InputError
from polytope.exact.array import ExactArray
from polytope.exact.matrix import Matrix
from polytope.files import atomic_path, sha256_file

if TYPE_CHECKING:
    from polytope.sets.rows import Rows

_NAME = re.compile(r"(?!.*\.\.)\w[\w.-]*", re.ASCII)


#: What files were found to hold an array: hundreds of certificates name the same ones.
_SAME: WeakKeyDictionary[Matrix | ExactArray, set[tuple[str, ...]]] = WeakKeyDictionary()


@dataclass(frozen=True)
class Source:
    """An array in a file.

    Attributes:
        path: .safetensors, .npz or .npy; any other file must be an idx file of unsigned bytes.
        tensor: its name in a .safetensors or .npz file; of an idx file the item along the first
            axis, flattened, as "7" or "7/255" (each byte as the float32 nearest to byte / 255).
            A .npy file has one array and no name.
    """

    path: Path | str
    tensor: str = ""

    def sha256(self) -> str:
        """SHA-256 of the whole file, as 64 hex digits.

        Raises:
            FileFormatError: if it cannot be read.
        """
        return _sha256(Path(self.path), _stamp(Path(self.path)))


def _stamp(path: Path) -> tuple[int, int]:
    """What changes when a file does: hundreds of certificates name the same ones."""
    try:
        found = path.stat()
    except OSError as problem:
        raise FileFormatError(f"{path} cannot be read: {problem.strerror}") from problem
    return found.st_mtime_ns, found.st_size


@lru_cache(maxsize=64)
def _sha256(path: Path, _: tuple[int, int]) -> str:
    try:
        return sha256_file(path)
    except OSError as problem:
        raise FileFormatError(f"{path} cannot be read: {problem.strerror}") from problem


def references(
    layer: Rows, sources: Mapping[str, Source], folder: Path
) -> dict[str, dict[str, Any]]:
    """Put the files beside the certificates and name them; each must hold the layer's own numbers.

    A file is copied into the folder, once.

    Args:
        layer: of the certificate.
        sources: by role, of those in `Rows.arrays`; a role that is left out is stated.
        folder: of the certificate.

    Returns:
        The array documents, by role.

    Raises:
        InputError: if a role is unknown, a file's name is not plain, or its numbers are others.
        FileFormatError: if a file cannot be read.
        OutputError: if the folder cannot be written.
    """
    if not isinstance(sources, Mapping):
        raise InputError(f"sources: expected a mapping by role, got {type(sources).__name__}")
    found = {}
    for role, source in sources.items():
        if not isinstance(source, Source):
            raise InputError(f"sources: expected a Source for {role}, got {type(source).__name__}")
        array = layer.arrays.get(role)
        if array is None:
            known = ", ".join(layer.arrays)
            raise InputError(f"sources: expected some of {known}, got {role!r}")
        name = Path(source.path).name
        if not _NAME.fullmatch(name):
            raise InputError(
                f"sources: expected a file name of letters, digits, '_', '-' and '.', got {name!r}"
            )
        found[role] = {"file": name, "tensor": source.tensor, "sha256": source.sha256()}
        _compare(array, found[role], Path(source.path).parent)
        found[role]["file"] = _place(Path(source.path), folder, found[role]["sha256"])
    return found


def read(source: Source, shape: tuple[int, ...]) -> np.ndarray:
    """The numbers of a source as the checker reads them, in the type they are stored in.

    Raises:
        FileFormatError: if the checker does not read them, or they have another shape.
    """
    from polytope import checker

    path = Path(source.path)
    document = {"file": path.name, "tensor": source.tensor, "sha256": source.sha256()}
    try:
        found = checker.read_array(document, path.parent, shape, path.name)
        kind = {"F": "f", "I": "i", "U": "u"}[found.dtype[0]] + str(int(found.dtype[1:]) // 8)
        return np.array(found.values(), kind).reshape(shape)
    except (checker.CheckError, KeyError, TypeError) as problem:
        raise FileFormatError(f"{path} {source.tensor!r}: {problem}") from problem


def readable(layer: Rows, sources: Mapping[str, Source]) -> dict[str, Source]:
    """The sources that a certificate may name, as the checker reads the layer's numbers there.

    It does not read every file that numpy or torch do: not .pt files, nor .npy files in Fortran
    order or of big-endian numbers.
    """
    found = {}
    for role, source in sources.items():
        array, name = layer.arrays[role], Path(source.path).name
        try:
            document = {"file": name, "tensor": source.tensor, "sha256": source.sha256()}
            _compare(array, document, Path(source.path).parent)
        except (InputError, FileFormatError):
            continue
        found[role] = source
    return found


def _compare(array: Matrix | ExactArray, document: dict[str, Any], folder: Path) -> None:
    """Require the file's numbers to be the array's, a row at a time; once for each array."""
    # The checker's own reader: what it reads is what a certificate is about.
    from polytope import checker

    key, shown = tuple(document.values()), f"{document['file']} {document['tensor']}".strip()
    if key in _SAME.setdefault(array, set()):
        return
    rows = array.data.reshape(-1, array.shape[-1]) if array.data.size else array.data[:0]
    width = array.shape[-1]
    try:
        stored = checker.read_array(document, folder, array.shape, "sources")
        same = all(
            list(stored.values(k * width, (k + 1) * width)) == row.tolist()
            for k, row in enumerate(rows)
        )
    except checker.CheckError as problem:
        raise FileFormatError(f"{shown}: {problem}") from problem
    if not same:
        raise InputError(f"sources: expected the numbers of the layer in {shown}, got others")
    _SAME[array].add(key)


def _place(source: Path, folder: Path, digest: str) -> str:
    """Copy a file into the folder, and return its name there."""
    place = folder / source.name
    if place.exists() and Source(place).sha256() != digest:  # another file of that name
        place = folder / f"{source.stem}-{digest[:16]}{source.suffix}"
    if not (place.exists() and Source(place).sha256() == digest):
        with atomic_path(place) as scratch:
            shutil.copyfile(source, scratch)  # a link would change with the user's own file
    return place.name
