"""Where does a run keep its files?  Run folders: made, numbered, held, swept."""

import fcntl
import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from polytope.errors import OutputError
from polytope.files import SCRATCH, output_error, write_bytes, write_text

RUNS = Path("runs")  # where run folders go that nobody named
_PROBE = ".probe."


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
    probe = folder / f"{_PROBE}{secrets.token_hex(4)}"
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
        if SCRATCH.fullmatch(path.name) and path.is_file():
            path.unlink(missing_ok=True)
