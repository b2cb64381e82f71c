"""What can be found in so many seconds?  Work in a process of its own; what it sent counts."""

import multiprocessing
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any, Generic, Self, TypeVar

from experiments.run.interrupts import children_do_not_hear, end_with_parent

OUT_OF_MEMORY = "out of memory"

_Given = TypeVar("_Given")
_Item = TypeVar("_Item")


@dataclass(frozen=True)
class Limited(Generic[_Item]):
    """What a limited piece of work sent.

    Attributes:
        items: in order; all of them where `reason` is empty.
        reason: why there are no more, else "": the time or the memory was not enough.
        late: whether it was the time.
    """

    items: list[_Item]
    reason: str
    late: bool = False


def in_time(
    work: Callable[[_Given], Iterator[_Item]], given: _Given, *, seconds: float
) -> Limited[_Item]:
    """Returns what `work(given)` yields in time.

    Args:
        work: defined at the top of a module, so that a fresh process finds it.
        given: picklable, as is everything yielded.
        seconds: after which the process is ended; starting it counts.

    Raises:
        Exception: whatever the work raises, after the items before are dropped.
    """
    with Helper() as helper:
        return helper.in_time(work, given, seconds=seconds)


class Helper:
    """A process of its own for one piece of work after another, which pays its start once.

    One that ran out of time or memory, or ended, is ended; the next piece of work has a fresh one.
    """

    def __init__(self) -> None:
        self._process: BaseProcess | None = None
        self._pipe: Connection[Any, Any]

    def in_time(
        self, work: Callable[[_Given], Iterator[_Item]], given: _Given, *, seconds: float
    ) -> Limited[_Item]:
        """Returns what `work(given)` yields in time; see :func:`in_time`."""
        process = self._started()
        deadline, items, whole = time.monotonic() + seconds, list[_Item](), False
        try:
            with suppress(BrokenPipeError):  # it ended meanwhile, and is read to be so
                self._pipe.send((work, given))
            while True:
                if not self._pipe.poll(max(0.0, deadline - time.monotonic())):
                    return Limited(items, f"given up after {seconds:g} s", late=True)
                try:
                    kind, value = self._pipe.recv()
                except (EOFError, ConnectionResetError):
                    process.join()
                    return Limited(items, ended(process.exitcode))
                if kind == "raised" and isinstance(value, MemoryError):
                    return Limited(items, OUT_OF_MEMORY)
                whole = kind in ("done", "raised")
                if kind == "done":
                    return Limited(items, "")
                if kind == "raised":
                    raise value
                items.append(value)
        finally:
            if not whole:
                self.close()

    def _started(self) -> BaseProcess:
        if self._process is None:
            context = multiprocessing.get_context("spawn")
            self._pipe, theirs = context.Pipe()
            self._process = context.Process(target=_serve, args=(theirs,), daemon=True)
            with children_do_not_hear():
                self._process.start()
            theirs.close()  # so that the end of the process is the end of the pipe
        return self._process

    def close(self) -> None:
        """Ends the process, where there is one."""
        if self._process is not None:
            self._process.terminate()
            self._process.join()
            self._pipe.close()
            self._process = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def ended(code: int | None) -> str:
    """Says why a process ended without a word: SIGKILL and SIGABRT mean that memory ran out.

    >>> ended(-9)
    'out of memory, as a rule (the process ended with -9)'
    """
    words = f"the process ended with {code}"
    return f"{OUT_OF_MEMORY}, as a rule ({words})" if code in (-9, -6) else words


def _serve(pipe: "Connection[Any, Any]") -> None:
    """Runs in the process of its own, until nobody asks any more."""
    end_with_parent()
    with suppress(EOFError):
        while True:
            work, given = pipe.recv()
            pipe.send(_sent(work, given, pipe))


def _sent(
    work: Callable[[_Given], Iterator[_Item]], given: _Given, pipe: "Connection[Any, Any]"
) -> tuple[str, Exception | None]:
    """Sends what the work yields, and returns how it ended."""
    try:
        for item in work(given):
            pipe.send(("item", item))
    except Exception as problem:
        return "raised", problem
    return "done", None
