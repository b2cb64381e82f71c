"""Whose is a run folder?  Opened for one run at a time, gone on with, or taken away again."""

import argparse
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from experiments.run.files import RUNS, held, next_run_folder, open_run_folder
from experiments.run.progress import Progress
from experiments.run.terminal import EXIT, complain
from polytope.errors import InputError


@contextmanager
def running(options: argparse.Namespace, name: str) -> Iterator[Path]:
    """Yields the folder of the run that the options ask for, held for this process alone.

    Where the command has `--resume`, `options.folder` is set to it, for what Ctrl-C says. When
    the run ends early, folders without a file are taken away, this one too where it did not exist.

    Args:
        options: `out`, and `resume` where the command has it.
        name: of the command, for the folder that nobody names.

    Raises:
        InputError: the folder holds files and is not to be resumed, or the other way round.
        OutputError: nothing can be written there, or another run holds the folder.
    """
    made = options.out is None or not options.out.exists()
    folder = _chosen(options, name)
    if hasattr(options, "resume"):
        options.folder = folder
    with _tidy(folder, made=made), held(folder):
        yield folder


def _chosen(options: argparse.Namespace, name: str) -> Path:
    """The folder of a new run, or of the one to be gone on with."""
    resume = getattr(options, "resume", None)  # None: the command knows no --resume
    if options.out is None:
        if resume:
            raise InputError("resume: expected --out with the run folder to go on with; got none")
        return next_run_folder(RUNS, name)
    folder = Path(options.out)
    if folder.is_dir() and any(folder.iterdir()) and not resume:
        hint = "" if resume is None else " (give --resume to go on with the run in it)"
        raise InputError(f"out: expected a new or empty folder; {folder} holds files{hint}")
    if resume and not folder.is_dir():
        raise InputError(f"out: expected the folder of a run to resume; {folder} does not exist")
    return open_run_folder(folder)


def announce(options: argparse.Namespace, folder: Path, progress: Progress) -> None:
    """Says where the run goes, and on which device where that was left to us."""
    progress.say(f"run folder {folder}")
    if getattr(options, "device", None) == "auto":
        from optimize.search.setup import read_device  # imports torch

        device = read_device("auto")
        found = "no CUDA device here" if device.type == "cpu" else "there is one"
        progress.say(f"device {device} ({found})")


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


def told(note: str) -> int:
    """Returns the exit code of a finished run, and says on stderr which limit left it incomplete.

    Args:
        note: a sentence; "" where no limit was hit.
    """
    if not note:
        return EXIT["done"]
    complain(f"{note}; raise it in a new run")
    return EXIT["limit"]
