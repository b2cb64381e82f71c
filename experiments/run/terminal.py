"""What if the terminal is closed, or knows no such letter?  Streams that a command can rely on."""

import os
import select
import sys
from contextlib import suppress
from typing import TextIO

EXIT = {"done": 0, "fault": 1, "bad input": 2, "refused": 3, "limit": 4, "interrupted": 130}


def ready_streams() -> None:
    """Makes sure that there are three streams, and that every text can be written.

    A closed one becomes the null device: else the first file that is opened takes its number, and
    what a library prints goes into a result. A letter that the terminal lacks is written as an
    escape: a name in a path must not end a run.
    """
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free number, which is this one
    if sys.stdout is None:
        sys.stdout = open(1, "w", closefd=False)  # noqa: SIM115 - of a number, for good
    if sys.stderr is None:
        sys.stderr = open(2, "w", closefd=False)  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if getattr(stream, "errors", None) == "strict":
            with suppress(AttributeError):
                stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]


def complain(text: str) -> None:
    """Writes a line on stderr, where that is read."""
    with suppress(OSError):
        print(text, file=sys.stderr, flush=True)


def has_no_reader(stream: TextIO) -> bool:
    """Whether a stream is a pipe whose reader has gone, e.g. `head`."""
    poll = select.poll()
    try:
        poll.register(stream.fileno(), select.POLLOUT)
    except (OSError, ValueError):  # no stream of the system's
        return False
    return any(event & select.POLLERR for _, event in poll.poll(0))


def settle(stream: TextIO) -> None:
    """Writes what waits; where that cannot be delivered it goes nowhere, now and at the end."""
    try:
        stream.flush()
    except OSError:
        drop(stream)


def drop(stream: TextIO) -> None:
    """Sends a stream nowhere from now on."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
