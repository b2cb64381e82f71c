"""What does one damaged file do to a reader?  One process, its memory and its time bounded.

A process of its own takes input after input.  RLIMIT_AS lets its address space grow by 1 GiB, so
that asking for more fails at once, touched or not; what was touched is read from VmHWM, which
Linux sets back for each input (/proc/self/clear_refs).  An alarm ends an input after 10 seconds;
where even that does not help, the parent ends the process.
"""

from __future__ import annotations

import json
import os
import random
import re
import resource
import signal
import sys
import tempfile
import time
import traceback
import warnings
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Any

from tests.campaigns.fuzz_targets import Target, target

SECONDS = 10
MEMORY = 1 << 30
#: How libraries say that memory could not be had.
ALLOCATION = re.compile(r"allocate|bad_alloc|out of memory", re.IGNORECASE)
ASKED = "asks for more memory than"
LONGEST = 1500  # characters of an error


class HangError(BaseException):
    """The alarm rang; no reader catches it."""


def _ring(signum: int, frame: FrameType | None) -> None:
    raise HangError


def status(name: str) -> int:
    """A number of /proc/self/status, in bytes."""
    text = Path("/proc/self/status").read_text()
    found = re.search(rf"^{name}:\s+([0-9]+) kB", text, re.MULTILINE)
    return 1024 * int(found[1]) if found else 0


def chain(error: BaseException | None) -> list[BaseException]:
    """An error and what it was raised from."""
    found: list[BaseException] = []
    while error is not None and error not in found:
        found.append(error)
        error = error.__cause__ or error.__context__
    return found


def judge(of: Target, error: Exception) -> dict[str, Any]:
    """Whether an error is one of ours, in one line, and not for want of memory."""
    kind = of.typed(error)
    if kind is None:
        where = "".join(traceback.format_exception(error)[-4:])
        return {"foreign": f"{type(error).__name__}: {str(error)[:200]}", "where": where}
    found: dict[str, Any] = {"error": kind}
    text = str(error)
    if not text.strip() or len(text) > LONGEST or not text.isprintable():
        found["text"] = f"{len(text)} characters: {text[:200]!a}"
    for cause in chain(error):
        if ASKED in text:
            break  # a bound of the reader's own stopped it, far below ours
        if isinstance(cause, MemoryError) or ALLOCATION.search(str(cause)):
            found["memory"] = f"{type(cause).__name__}: {str(cause)[:200]}"
    return found


def attempt(of: Target, path: Path) -> dict[str, Any]:
    """Reads one file under the alarm; what is accepted is compared with another reader."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")
    before, start = status("VmRSS"), time.monotonic()
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    try:
        value = of.read(path)
        found: dict[str, Any] = {"accepted": 1}
    except HangError:
        found = {"hang": 1}
    except Exception as error:
        found = judge(of, error)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    found["seconds"] = time.monotonic() - start
    found["peak"] = max(0, status("VmHWM") - before)
    if found["peak"] > MEMORY:
        found["memory"] = f"{found['peak'] >> 20} MiB"
    if "accepted" in found and of.compare is not None:
        try:
            found["wrong"] = of.compare(path, value)
        except Exception as error:  # the other reader refuses what ours takes
            found["wrong"] = f"the other reader: {type(error).__name__}: {str(error)[:200]}"
    return found


def limit_memory() -> None:
    most = status("VmSize") + MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def serve(name: str, *, seed: int, numbers: range, total: int) -> None:
    """Prints a JSON line for each input."""
    warnings.simplefilter("ignore")
    signal.signal(signal.SIGALRM, _ring)
    of = target(name)
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print is no answer
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"fuzzed{of.suffix}"
        for sample in of.samples:  # everything is imported, and every seed is read
            path.write_bytes(sample)
            found = attempt(of, path)
            if "accepted" not in found or found.get("wrong"):
                print(f"{name}: a valid file is not read: {found}", file=sys.stderr)
        limit_memory()
        for number in numbers:
            data = of.input(random.Random(f"{seed} {name} {number}"), number, total)
            path.write_bytes(data)
            out.write(json.dumps({"number": number, **attempt(of, path)}) + "\n")
            out.flush()
