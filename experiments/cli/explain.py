"""What does an error mean to the one who typed the command?  One line, a hint and an exit code."""

import errno
from collections.abc import Sequence
from dataclasses import dataclass

from experiments.run.request import Request, options_of
from experiments.run.terminal import EXIT
from polytope.errors import (
    CertificateError,
    CollisionError,
    DownloadError,
    LimitError,
    OutputError,
)
from polytope.files import FULL, DiskFullError, output_error

#: What other errors say when memory ran out: torch, a thread's stack, a library to be loaded.
_NO_MEMORY = ("can't allocate memory", "can't start new thread", "failed to map segment")
_USUAL = "`collide COMMAND --help` lists what is accepted; --debug shows the traceback"


@dataclass(frozen=True)
class Explained:
    """What is said of an error.

    Attributes:
        sentence: what is wrong.
        hint: what to do.
        code: the command's exit code.
        may_go_on: whether the same command may do better later, with what it kept.
    """

    sentence: str
    hint: str
    code: int
    may_go_on: bool = False


def explain(problem: Exception, command: str, requests: Sequence[type[Request]]) -> Explained:
    """Returns what to say of an error that ended a command.

    Args:
        problem: the error.
        command: its name.
        requests: whose options it takes.
    """
    if isinstance(problem, CollisionError):
        return _ours(problem, fetching=command == "fetch")
    if is_memory(problem):
        return _memory(problem, {each.flag for kind in requests for each in options_of(kind)})
    if isinstance(problem, OSError) and problem.errno is not None:
        return _system(problem)
    return Explained(
        f"{type(problem).__name__}: {problem}",
        "this is a fault of ours; --debug shows where",
        EXIT["fault"],
    )


def _ours(problem: CollisionError, *, fetching: bool) -> Explained:
    sentence = str(problem)
    if isinstance(problem, DiskFullError):
        return Explained(sentence, "free some space, then go on", EXIT["limit"], may_go_on=True)
    if isinstance(problem, LimitError):
        return Explained(sentence, "raise the limit that is named", EXIT["limit"], may_go_on=True)
    if isinstance(problem, CertificateError):
        return Explained(sentence, "the claim is not proved; do not rely on it", EXIT["refused"])
    hint = _USUAL
    if isinstance(problem, OutputError):
        hint = "name another folder with --out"
    elif isinstance(problem, DownloadError):
        hint = (
            "--from FOLDER takes the files from a folder that holds them; else they are downloaded"
            if fetching
            else "`collide fetch` fills the cache; --data or COLLIDE_DATA names its folder"
        )
    return Explained(sentence, hint, EXIT["bad input"])


def is_memory(problem: BaseException) -> bool:
    """Whether memory ran out: Python's, numpy's, a library's, torch's on a CPU or on a GPU."""
    if isinstance(problem, OSError) and problem.errno == errno.ENOMEM:
        return True
    return (
        isinstance(problem, MemoryError)
        or type(problem).__name__ == "OutOfMemoryError"  # torch's; torch may not be imported
        or (
            isinstance(problem, RuntimeError | ImportError)
            and any(words in str(problem) for words in _NO_MEMORY)
        )
    )


def _memory(problem: Exception, flags: set[str]) -> Explained:
    """Names the options that make the command smaller."""
    on_gpu = type(problem).__name__ == "OutOfMemoryError"
    smaller = [
        flag for flag in ("--batch", "--units", "--workers", "--max-memory") if flag in flags
    ]
    ways = [f"lower {' or '.join(smaller)} in a new run"] if smaller else []
    ways += ["give --device cpu in a new run"] if on_gpu else []
    first = str(problem).partition("\n")[0].partition(". GPU")[0].rstrip(".")
    details = f" ({first})" if first else ""
    where = "the GPU's memory" if on_gpu else "the memory"
    return Explained(
        f"{where} ran out{details}; " + (", or ".join(ways) or "give it a smaller set"),
        f"once {where} is free, the same command may go on" if smaller else _USUAL,
        EXIT["limit"],
        may_go_on=True,
    )


def _system(problem: OSError) -> Explained:
    """A file or a stream that is not there, or not for us: nothing of our making."""
    if problem.errno in FULL:
        return _ours(output_error(problem.filename or "standard output", problem), fetching=False)
    name = "standard output or error" if problem.filename is None else problem.filename
    sentence = f"{name}: {problem.strerror}"
    return Explained(sentence, _USUAL, EXIT["bad input"])
