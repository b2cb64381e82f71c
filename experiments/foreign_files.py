"""Is a file what its name says, before a library reads it?  Pointers, web pages, bombs."""

import zipfile
from math import prod
from pathlib import Path
from typing import IO

import numpy as np

from polytope.errors import FileFormatError

LFS = b"version https://git-lfs.github.com/spec/"
PAGES = (b"<!doctype html", b"<html", b"<?xml")
#: An array file may declare at most so many times its own bytes (weights hardly compress) ...
RATIO = 200
#: ... and beyond this many bytes no more than it holds.
CAP = 2 << 30
_SMALL = 1 << 20  # below this, a ratio means nothing


def refuse_foreign(path: Path) -> None:
    """Refuses what stands in the place of a file: a Git LFS pointer, or a web page.

    Raises:
        FileFormatError: naming what it is, and its size.
        OSError: it cannot be read.
    """
    with Path(path).open("rb") as stream:
        start = stream.read(64)
    size = Path(path).stat().st_size
    if start.startswith(LFS):
        raise FileFormatError(
            f"{path}: expected the file itself, got a Git LFS pointer to it ({size} bytes); "
            "run `git lfs pull` in its repository"
        )
    if start.lstrip().lower().startswith(PAGES):
        raise FileFormatError(
            f"{path}: expected the file itself, got a web page ({size} bytes of HTML or XML); "
            "download the file its link points to"
        )


def refuse_bomb(path: Path) -> None:
    """Refuses a .npy or .npz file whose arrays would not fit what the file holds.

    Nothing is allocated: the headers alone are read.

    Raises:
        FileFormatError: naming the bytes declared and the bytes there.
    """
    path = Path(path)
    size = path.stat().st_size
    with path.open("rb") as stream:
        if zipfile.is_zipfile(stream):
            stream.seek(0)
            declared = _declared_by_zip(stream)
        else:
            stream.seek(0)
            declared = _declared_by_header(stream)
    most = max(_SMALL, RATIO * size)
    if declared > most or (declared > CAP and declared > size + _SMALL):
        raise FileFormatError(
            f"{path}: expected arrays of about the file's own {size:,} bytes, got headers that "
            f"declare {declared:,}"
        )


def _declared_by_zip(stream: IO[bytes]) -> int:
    """The larger of what the members and what the headers of their arrays declare, summed up."""
    total = 0
    with zipfile.ZipFile(stream) as archive:
        for member in archive.infolist():
            with archive.open(member) as array:
                total += max(member.file_size, _declared_by_header(array))
    return total


def _declared_by_header(stream: IO[bytes]) -> int:
    """Bytes of the array that a .npy header declares; 0 where there is no such header."""
    try:
        version = np.lib.format.read_magic(stream)
        read = {
            (1, 0): np.lib.format.read_array_header_1_0,
            (2, 0): np.lib.format.read_array_header_2_0,
        }.get(version)
        if read is None:
            return 0
        shape, _, dtype = read(stream)
    except (ValueError, EOFError):
        return 0  # whoever reads the array says what is wrong with it
    return prod(shape) * dtype.itemsize
