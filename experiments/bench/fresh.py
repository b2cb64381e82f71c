"""What does one measurement need?  A process of its own, seconds and peak memory by stage."""

import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, TypeVar

from experiments.run.limited import in_time
from polytope import checker
from polytope.errors import CollisionError

Given = TypeVar("Given")
Found = TypeVar("Found")
#: Kilobytes of ru_maxrss to gigabytes of 10^9 bytes.
_GB = 1024 / 1e9
_DAY = 86_400.0


@dataclass(frozen=True)
class _Asked(Generic[Given, Found]):
    work: Callable[[Given], Found]
    given: Given


def fresh(work: Callable[[Given], Found], given: Given, *, words: str) -> Found:
    """Returns `work(given)`, done in a process of its own, so that its peak memory is its own.

    Args:
        work: defined at the top of a module.
        given: picklable, as is what is found.
        words: what an error says the process was for.

    Raises:
        CollisionError: the process ended early.
    """
    done = in_time(_once, _Asked(work, given), seconds=_DAY)
    if not done.items:
        raise CollisionError(f"for {words}: {done.reason}")
    return done.items[0]


def _once(asked: _Asked[Given, Found]) -> Iterator[Found]:
    yield asked.work(asked.given)


def _peak_gb(who: int = resource.RUSAGE_SELF) -> float:
    """The most resident memory that this process, or one of its children, ever had."""
    return resource.getrusage(who).ru_maxrss * _GB


@dataclass(frozen=True)
class Stages:
    """Seconds of each stage, and peak resident memory at its end."""

    seconds: dict[str, float] = field(default_factory=dict)
    peak_gb: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def measure(self, name: str) -> Iterator[None]:
        """Measures what runs inside."""
        began = time.perf_counter()
        yield
        self.add(name, time.perf_counter() - began)

    def add(self, name: str, seconds: float, peak: float | None = None) -> None:
        """Adds a stage that was measured elsewhere and has just ended."""
        self.seconds[name] = seconds
        self.peak_gb[name] = _peak_gb() if peak is None else peak


@dataclass(frozen=True)
class Checked:
    """What the stand-alone checker said of a saved certificate.

    Attributes:
        claim: the last line that it printed.
        seconds: of the whole process, reading included.
        peak_gb: most memory of any such process so far.
    """

    claim: str
    seconds: float
    peak_gb: float


def checked(path: Path) -> Checked:
    """Checks a certificate as a stranger would: `python -I -S checker.py`, a process of its own.

    Raises:
        CollisionError: the checker refuses it.
    """
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-I", "-S", str(checker.__file__), path.name],
        cwd=path.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    seconds = time.perf_counter() - began
    if done.returncode != 0:
        raise CollisionError(f"{path.name}: expected a proof, got {done.stdout.strip()}")
    claim = done.stdout.strip().splitlines()[-1]
    return Checked(claim, seconds, _peak_gb(resource.RUSAGE_CHILDREN))
