"""Whose is a run folder?  Opened for one run at a time, gone on with, or taken away again."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from experiments.run.files import RUNS, held, next_run_folder, open_run_folder
from polytope.errors import InputError


@contextmanager
def running(out: Path | None, name: str, *, resume: bool | None = None) -> Iterator[Path]:
    """Yields the folder of a run, held for this process alone.

    When the run ends early, folders without a file are taken away, this one too where it did not
    exist.

    Args:
        out: the folder; None for the next free one below `runs`.
        name: of the command, for the folder that nobody names.
        resume: whether to go on with the run in it; None where the command cannot.

    Raises:
        InputError: the folder holds files and is not to be resumed, or the other way round.
        OutputError: nothing can be written there, or another run holds the folder.
    """
    made = out is None or not out.exists()
    folder = next_run_folder(RUNS, name) if out is None and not resume else _chosen(out, resume)
    with _tidy(folder, made=made), held(folder):
        yield folder


def _chosen(out: Path | None, resume: bool | None) -> Path:
    """The folder that was named: of a new run, or of the one to be gone on with."""
    if out is None:
        raise InputError("resume: expected --out with the run folder to go on with; got none")
    if out.is_dir() and any(out.iterdir()) and not resume:
        hint = "" if resume is None else " (give --resume to go on with the run in it)"
        raise InputError(f"out: expected a new or empty folder; {out} holds files{hint}")
    if resume and not out.is_dir():
        raise InputError(f"out: expected the folder of a run to resume; {out} does not exist")
    return open_run_folder(out)


@contextmanager
def _tidy(folder: Path, *, made: bool) -> Iterator[None]:
    try:
        yield
    except BaseException:
        _remove_empty(folder, itself=made)
        raise


def _remove_empty(folder: Path, *, itself: bool) -> None:
    """Removes the folders inside, and the folder itself, as far as they hold no file."""
    with suppress(OSError):
        for path in folder.iterdir():
            if path.is_dir() and not path.is_symlink():
                _remove_empty(path, itself=True)
        if itself:
            folder.rmdir()
