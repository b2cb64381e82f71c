"""Is a file what its name says, before a library reads it?  Pointers, web pages, bombs.

What a header declares is compared with the bytes that are there before anything is allocated.
"""

import re
import stat
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import prod
from pathlib import Path
from typing import IO, Any

import numpy as np

from polytope.errors import CollisionError, FileFormatError

LFS = b"version https://git-lfs.github.com/spec/"
PAGES = (b"<!doctype html", b"<html", b"<?xml")
#: An archive may declare at most so many times its own bytes (weights hardly compress) ...
RATIO = 200
#: ... and beyond this many bytes no more than it holds.
CAP = 2 << 30
_SMALL = 1 << 20  # below this, a ratio means nothing
_BLOCK = 1 << 20
_MOST_MEMBERS = 100_000
_ENCRYPTED = 0x1
#: Of numpy's kinds of types: truth values, integers, floats and complex numbers.
_NUMBERS = "biufc"
#: Version of the npy format -> bytes that hold the header's length.  The third is for names of
#: fields, which no plain array has.
_LENGTHS = {b"\x93NUMPY\x01\x00": 2, b"\x93NUMPY\x02\x00": 4}
_KINDS = {"|O": "Python objects (a pickle, which is never loaded)"}
_LONGEST_HEADER = 10_000
#: An entry of the header, e.g. 'shape': (2, 3), with a string, a truth value or a tuple of sizes.
_ENTRY = re.compile(
    r"""\s*['"](\w+)['"]\s*:\s*"""
    r"""(?:['"]([<>=|]?[a-zA-Z?][0-9]{0,9})['"]|(True|False)|\(([0-9L,\s]*)\))\s*(?:,|$)""",
    re.ASCII,
)


def reason(problem: BaseException) -> str:
    """Returns what a library says of a file, in one line and not too long."""
    lines = str(problem).strip().splitlines()
    return f"{lines[0]:.300}" if lines else type(problem).__name__


@contextmanager
def expecting(words: str) -> Iterator[None]:
    """Makes one error of what libraries raise on damaged files, which is nearly anything.

    Args:
        words: what was expected of which file; what came is added.

    Raises:
        FileFormatError: something was raised that is neither an error of ours nor want of memory.
    """
    try:
        yield
    except (CollisionError, MemoryError):
        raise
    except Exception as problem:
        raise FileFormatError(f"{words}, got: {reason(problem)}") from problem


def check_version(package: str, installed: str, oldest: tuple[int, int], *, path: Path) -> None:
    """Refuses to read a file by a release of a package that such files are known to break.

    Raises:
        FileFormatError: naming the release that is needed.
    """
    found = re.match(r"([0-9]+)\.([0-9]+)", installed, re.ASCII)
    if found is None or (int(found[1]), int(found[2])) < oldest:
        needed = ".".join(map(str, oldest))
        raise FileFormatError(
            f"{path}: expected {package} {needed} or later, since files can make older ones run "
            f"code, corrupt memory or read other files, got {installed}; install a later release"
        )


def refuse_foreign(path: Path) -> None:
    """Refuses what stands in the place of a file: a Git LFS pointer, a web page, a pipe.

    Raises:
        FileFormatError: naming what it is, and its size.
        OSError: it cannot be read.
    """
    path = Path(path)
    found = path.stat()
    if not stat.S_ISREG(found.st_mode):  # reading a pipe might wait forever
        kind = "a folder" if stat.S_ISDIR(found.st_mode) else "a device or a pipe"
        raise FileFormatError(f"{path}: expected a file, got {kind}")
    with path.open("rb") as stream:
        start = stream.read(64)
    size = found.st_size
    if size == 0:
        raise FileFormatError(f"{path}: expected a file with content, got an empty one (0 bytes)")
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


def check_numpy(path: Path, *, wanted: Callable[[str], bool] = bool) -> None:
    """Refuses a .npy or .npz file that is not, to the byte, what its headers declare.

    Args:
        path: the file.
        wanted: which members of an archive are arrays, by name; all of them.

    Raises:
        FileFormatError: not arrays of numbers, two of one name, encrypted, or sizes that differ.
        Exception: whatever the libraries raise on a damaged file.
    """
    path = Path(path)
    with path.open("rb") as stream:
        if not stream.read(4).startswith(b"PK"):  # as numpy decides, whatever follows the array
            stream.seek(0)
            _check_array(stream, path.stat().st_size, str(path))
            return
    with zipfile.ZipFile(path) as archive:
        taken = set()
        for member in check_archive(archive, path):
            if member.filename and not wanted(member.filename):
                continue
            name = member.filename.removesuffix(".npy")
            if name in taken:
                raise FileFormatError(f"{path}: expected each array once, got {name!r} twice")
            taken.add(name)
            with archive.open(member) as array:
                _check_array(array, member.file_size, f"{path}, {name!r}")


def check_archive(
    archive: zipfile.ZipFile, path: Path, *, size: int | None = None
) -> list[zipfile.ZipInfo]:
    """Returns the members of a zip archive of numbers, none of them read yet.

    Args:
        archive: the archive.
        path: how errors name it.
        size: its bytes; those of the file where it is one of its own.

    Raises:
        FileFormatError: very many members, two of one name, encrypted, of a rare compression, or
            larger in all than the archive's own bytes explain.
    """
    members = archive.infolist()
    if len(members) > _MOST_MEMBERS:
        raise FileFormatError(f"{path}: expected at most {_MOST_MEMBERS:,} members, got more")
    taken = set()
    for member in members:
        if member.filename in taken:  # readers differ in which of the two they take
            raise FileFormatError(f"{path}: expected each name once, got {member.filename!r} twice")
        taken.add(member.filename)
        if member.flag_bits & _ENCRYPTED:
            raise FileFormatError(
                f"{path}: expected no password, got {member.filename!r} encrypted"
            )
        if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise FileFormatError(
                f"{path}: expected members that are stored or deflated, got {member.filename!r} "
                f"by method {member.compress_type}"
            )
    size = path.stat().st_size if size is None else size
    declared = sum(member.file_size for member in members)
    if declared > max(_SMALL, RATIO * size) or (declared > CAP and declared > size + _SMALL):
        raise FileFormatError(
            f"{path}: expected content of about the file's own {size:,} bytes, got headers that "
            f"declare {declared:,}"
        )
    return members


def check_sums(archive: zipfile.ZipFile, members: list[zipfile.ZipInfo]) -> None:
    """Reads every member, whose checksum (CRC-32) is compared at its end.

    Raises:
        Exception: it differs, or whatever the libraries raise on a damaged archive.
    """
    for member in members:
        with archive.open(member) as stream:
            while stream.read(_BLOCK):
                pass


def _check_array(stream: IO[bytes], size: int, name: str) -> None:
    """Compares one array's header with the bytes behind it."""
    width = _LENGTHS.get(stream.read(8))
    if width is None:
        raise FileFormatError(f"{name}: expected an array in version 1.0 or 2.0 of the npy format")
    length = int.from_bytes(stream.read(width), "little")
    if length > _LONGEST_HEADER:
        raise FileFormatError(
            f"{name}: expected a header of at most {_LONGEST_HEADER:,} bytes, got {length:,}"
        )
    shape, dtype = _header(stream.read(length).decode("latin-1"), name)
    declared, there = prod(shape) * dtype.itemsize, size - stream.tell()
    if declared != there:
        raise FileFormatError(
            f"{name}: expected {declared:,} bytes behind the header, as shape {shape!s:.60} and "
            f"type {dtype} declare, got {there:,}"
        )


def _header(text: str, name: str) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """Shape and type that a header declares; numpy would evaluate it as Python's literals."""
    inner = text.strip()
    found: dict[str, re.Match[str]] = {}
    place = 1
    while inner[-1:] == "}" and (entry := _ENTRY.match(inner, place, len(inner) - 1)):
        if entry[1] in found:
            break
        found[entry[1]], place = entry, entry.end()
    rest = inner[place:].strip()
    if inner[:1] != "{" or rest != "}" or found.keys() != {"descr", "fortran_order", "shape"}:
        raise FileFormatError(
            f"{name}: expected a header of type, order and shape of one array of numbers, got "
            f"{text.strip()!r:.80}"
        )
    kind, order, sizes = found["descr"][2], found["fortran_order"][3], found["shape"][4]
    words = [] if sizes is None else [size.strip() for size in sizes.split(",")]
    words = words[:-1] if words[-1:] == [""] else words
    known = kind is not None and order is not None and sizes is not None
    if not known or not all(re.fullmatch("[0-9]{1,19}L?", word) for word in words):
        raise FileFormatError(
            f"{name}: expected type, order and shape of one array of numbers, got "
            f"{text.strip()!r:.80}"
        )
    dtype: np.dtype[Any] = np.dtype(kind)
    if dtype.kind not in _NUMBERS:
        raise FileFormatError(f"{name}: expected an array of numbers, got {_KINDS.get(kind, kind)}")
    return tuple(int(word.rstrip("L")) for word in words), dtype
