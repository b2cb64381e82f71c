"""Where does a command work?  What it may print, and the folder that its run goes to."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from experiments.run.progress import Progress
from experiments.run.request import Request, option
from experiments.run.terminal import EXIT, complain


@dataclass(frozen=True, kw_only=True)
class Output(Request):
    """What every command is asked about its words."""

    json: bool = option("print one JSON object on stdout", default=False, group="output")
    quiet: bool = option("no progress on stderr", default=False, group="output")
    debug: bool = option("show the traceback of an error", default=False, group="output")


@dataclass(frozen=True, kw_only=True)
class NewRun(Request):
    """Where a run goes that is over in one go."""

    out: Path | None = option(
        "new or empty folder (default: runs/COMMAND-NNN)", default=None, metavar="FOLDER"
    )


@dataclass(frozen=True, kw_only=True)
class LastingRun(NewRun):
    """Where a run goes that may be gone on with."""

    out: Path | None = option(
        "run folder (default: runs/COMMAND-NNN, a new one)",
        default=None,
        metavar="FOLDER",
        group="run",
    )
    resume: bool = option("go on with the run in --out", default=False, group="run")


@dataclass(frozen=True)
class Run:
    """A run under way.

    Attributes:
        folder: of the run, held for this process alone.
        progress: reports.
    """

    folder: Path
    progress: Progress


class Desk:
    """What a command is given beside its request.

    Args:
        output: what it is asked about its words.
        place: where its run goes, where it has one.

    Attributes:
        folder: of the run, once it is opened.
    """

    def __init__(self, output: Output, place: NewRun | None = None) -> None:
        self.output, self.place = output, place
        self.folder: Path | None = None

    @property
    def json(self) -> bool:
        """Whether one JSON object is printed in place of tables."""
        return self.output.json

    @property
    def lasts(self) -> bool:
        """Whether the run may be gone on with."""
        return isinstance(self.place, LastingRun)

    def progress(self, *, stages: int = 0) -> Progress:
        """Returns the reports of a command, silent where it is to be quiet."""
        return Progress(quiet=self.output.quiet, stages=stages)

    @contextmanager
    def running(self, name: str, *, stages: int = 0, device: str | None = None) -> Iterator[Run]:
        """Yields the run that goes to the folder asked for; see `experiments.run.folder.running`.

        Args:
            name: of the command, for the folder that nobody names.
            stages: how many there will be.
            device: of its searches: which one "auto" is, is said.
        """
        from experiments.run.folder import running  # imports the package of the errors

        place = self.place or NewRun()
        resume = place.resume if isinstance(place, LastingRun) else None
        with running(place.out, name, resume=resume) as folder:
            self.folder = folder
            run = Run(folder, self.progress(stages=stages))
            run.progress.say(f"run folder {folder}")
            if device == "auto":
                run.progress.say(_found())
            yield run


def _found() -> str:
    from optimize.search.setup import read_device  # imports torch

    device = read_device("auto")
    found = "no CUDA device here" if device.type == "cpu" else "there is one"
    return f"device {device} ({found})"


def told(note: str) -> int:
    """Returns the exit code of a finished run, and says on stderr which limit left it incomplete.

    Args:
        note: a sentence; "" where no limit was hit.
    """
    if not note:
        return EXIT["done"]
    complain(f"{note}; raise it in a new run")
    return EXIT["limit"]
