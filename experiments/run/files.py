"""How does a file get onto the disk whole or not at all?  Atomic writes and run folders."""

import errno
import fcntl
import hashlib
import json
import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from polytope.errors import CollisionError, InputError, LimitError, OutputError

BLOCK = 1 << 20  # bytes a read while hashing
#: What stands for the system's error where there is no room.
FULL = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the quota of disk space is full",
    errno.EFBIG: "the largest size of a file is reached",
}
RUNS = Path("runs")  # where run folders go that nobody named
#: Names of what is being written: by us, by `Certificate.save`, by a search's checkpoint.
_SCRATCH = re.compile(r"\.(probe-[0-9a-f]{8}|.+\.([0-9a-z_]{8}(\.[a-z]+)?|[0-9]+))")


def sha256_bytes(data: bytes) -> str:
    """Returns the SHA-256 of `data` as 64 hex digits.

    >>> sha256_bytes(b"")[:8]
    'e3b0c442'
    """
    return hashlib.sha256(data).hexdigest()


def sha256_file(path: Path) -> str:
    """Returns the SHA-256 of a file's bytes as 64 hex digits, reading it block by block."""
    digest = hashlib.sha256()
    with Path(path).open("rb") as stream:
        while block := stream.read(BLOCK):
            digest.update(block)
    return digest.hexdigest()


class DiskFullError(OutputError, LimitError):
    """The disk, a quota or the largest size of a file was reached; what was there is kept."""


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


def write_json(path: Path, document: Any) -> None:
    """Writes a JSON document to `path`, atomically and with NaN refused.

    Raises:
        OutputError: the file cannot be written.
    """
    write_text(path, json.dumps(document, indent=1, allow_nan=False) + "\n")


def open_run_folder(folder: Path) -> Path:
    """Makes `folder` where it is absent and proves, by writing, that results can be kept there.

    Called before any work starts, so that hours are not lost to a folder that refuses the result.

    Raises:
        OutputError: the folder cannot be made, or nothing can be written into it.
    """
    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except FileExistsError as problem:
        raise OutputError(f"the run folder {folder} is a file; name a folder") from problem
    except OSError as problem:
        raise output_error(folder, problem) from problem
    probe = folder / f".probe-{secrets.token_hex(4)}"
    write_bytes(probe, b"")
    probe.unlink()
    return folder


def next_run_folder(root: Path, name: str) -> Path:
    """Makes and returns the first free folder `root/name-000`, `root/name-001`, and so on.

    Raises:
        OutputError: the folder cannot be made, or nothing can be written into it.
    """
    open_run_folder(root)
    number = 0
    while True:
        folder = Path(root) / f"{name}-{number:03d}"
        try:
            folder.mkdir()
        except FileExistsError:
            number += 1
            continue
        except OSError as problem:
            raise output_error(folder, problem) from problem
        return open_run_folder(folder)


def new_run_folder(out: Path | None, name: str) -> Path:
    """Returns the folder of a run that starts afresh: `out`, or the next `runs/name-NNN`.

    Raises:
        InputError: `out` holds files.
        OutputError: it cannot be written.
    """
    if out is None:
        return next_run_folder(RUNS, name)
    folder = Path(out)
    if folder.is_dir() and any(folder.iterdir()):
        raise InputError(f"out: expected a new or empty folder; {folder} holds files")
    return open_run_folder(folder)


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Holds a run folder for this process alone; removes what a killed run left half-written.

    The lock is the system's, on the folder itself: it leaves no file, and ends with the process.

    Raises:
        OutputError: another process holds the folder.
    """
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as problem:
            raise OutputError(f"{folder} is being written by another run") from problem
        except OSError:  # a file system without locks on folders; those of rows remain
            pass
        else:
            sweep(folder)
        yield
    finally:
        os.close(descriptor)


def sweep(folder: Path) -> None:
    """Removes the half-written files of a run that was killed; nobody may be writing there."""
    for path in Path(folder).rglob(".*"):
        if _SCRATCH.fullmatch(path.name) and path.is_file():
            path.unlink(missing_ok=True)
