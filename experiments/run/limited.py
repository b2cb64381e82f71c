"""What can be found in so many seconds?  Work in a process of its own; what it sent counts."""

import multiprocessing
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any, Generic, TypeVar

from experiments.run.interrupts import children_do_not_hear, end_with_parent

#: Seconds that a process may take to leave once its work is done.
_LEAVING = 10.0
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
    context = multiprocessing.get_context("spawn")
    mine, theirs = context.Pipe()
    process = context.Process(target=_send, args=(work, given, theirs), daemon=True)
    with children_do_not_hear():
        process.start()
    theirs.close()  # so that the end of the process is the end of the pipe
    deadline, items = time.monotonic() + seconds, list[_Item]()
    try:
        while True:
            if not mine.poll(max(0.0, deadline - time.monotonic())):
                return Limited(items, f"given up after {seconds:g} s", late=True)
            try:
                kind, value = mine.recv()
            except EOFError:
                process.join()
                return Limited(items, ended(process.exitcode))
            if kind == "done":
                process.join(_LEAVING)
                return Limited(items, "")
            if kind == "raised" and isinstance(value, MemoryError):
                return Limited(items, OUT_OF_MEMORY)
            if kind == "raised":
                raise value
            items.append(value)
    finally:
        process.terminate()
        process.join()
        mine.close()


def ended(code: int | None) -> str:
    """Says why a process ended without a word: SIGKILL and SIGABRT mean that memory ran out.

    >>> ended(-9)
    'out of memory, as a rule (the process ended with -9)'
    """
    words = f"the process ended with {code}"
    return f"{OUT_OF_MEMORY}, as a rule ({words})" if code in (-9, -6) else words


def _send(
    work: Callable[[_Given], Iterator[_Item]], given: _Given, pipe: "Connection[Any, Any]"
) -> None:
    """Runs in the process of its own."""
    end_with_parent()
    try:
        for item in work(given):
            pipe.send(("item", item))
        pipe.send(("done", None))
    except Exception as problem:
        pipe.send(("raised", problem))
