"""What is a question to a checker, and what an answer that can be compared?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

#: Exit code and words.
Outcome = tuple[object, str]


@dataclass(frozen=True)
class Scenario:
    """A question to a checker, in an empty folder if there are files."""

    name: str
    ask: Callable[[ModuleType, Path], Outcome]
    files: bool = True


def outcome(module: ModuleType, action: Callable[[], object]) -> Outcome:
    """What it returns, or why not; what no checker may raise is told by its type."""
    try:
        return 0, str(action())
    except module.CheckError as error:
        return error.code, str(error)
    except MemoryError:
        return "out of memory", ""
    except Exception as error:
        return type(error).__name__, ""
