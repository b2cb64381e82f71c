"""How does a file get onto the disk whole or not at all?  Every file of ours is written here."""

import errno
import hashlib
import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from polytope.errors import CollisionError, LimitError, OutputError

#: What stands for the system's error where there is no room.
FULL = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the quota of disk space is full",
    errno.EFBIG: "the largest size of a file is reached",
}
#: Names of what is being written, which a kill may leave behind.
SCRATCH = re.compile(r"\..+\.[0-9a-f]{8}(\.[a-z]+)?")


class DiskFullError(OutputError, LimitError):
    """The disk, a quota or the largest size of a file was reached; what was there is kept."""


def sha256_bytes(data: bytes) -> str:
    """Returns the SHA-256 of `data` as 64 hex digits.

    >>> sha256_bytes(b"")[:8]
    'e3b0c442'
    """
    return hashlib.sha256(data).hexdigest()


def sha256_file(path: Path) -> str:
    """Returns the SHA-256 of a file's bytes as 64 hex digits, reading it block by block.

    Raises:
        OSError: it cannot be read.
    """
    with Path(path).open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def output_error(path: Path | str, problem: OSError, *, needed: int | None = None) -> OutputError:
    """Returns the one sentence that says why `path` cannot be written.

    Args:
        path: of the file, or another name for what was written to.
        problem: what the system said.
        needed: bytes of what was to be written, where known.
    """
    if problem.errno in FULL:
        size = "" if needed is None else f", {max(needed / 1e6, 0.001):.3f} MB needed"
        return DiskFullError(f"{path} cannot be written: {FULL[problem.errno]}{size}")
    return OutputError(f"{path} cannot be written: {problem.strerror or problem}")


def sync_folder(folder: Path) -> None:
    """Makes a rename inside `folder` survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def atomic_path(path: Path, *, needed: int | None = None) -> Iterator[Path]:
    """Yields a temporary path beside `path`; what was written there replaces `path` at the end.

    The temporary name keeps the suffix, since `numpy.savez` and matplotlib read the format from it.
    When the body raises, the temporary file is removed and `path` stays as it was.

    Args:
        path: of the file.
        needed: its bytes, where known, for the word on a full disk.

    Raises:
        OutputError: the folder is absent or not writable, or the disk is full.
    """
    path = Path(path)
    temporary = path.with_name(f".{path.stem}.{secrets.token_hex(4)}{path.suffix}")
    try:
        try:
            yield temporary
            with temporary.open("rb+") as stream:
                os.fsync(stream.fileno())
            temporary.replace(path)
            sync_folder(path.parent)
        finally:
            temporary.unlink(missing_ok=True)
    except CollisionError:
        raise
    except OSError as problem:
        raise output_error(path, problem, needed=needed) from problem


def write_bytes(path: Path, data: bytes) -> None:
    """Writes `data` to `path` atomically.

    Raises:
        OutputError: the file cannot be written.
    """
    with atomic_path(path, needed=len(data)) as temporary:
        temporary.write_bytes(data)


def write_text(path: Path, text: str) -> None:
    """Writes `text` to `path` as UTF-8, atomically.

    Raises:
        OutputError: the file cannot be written.
    """
    write_bytes(path, text.encode())
