"""Would it be noticed if the checker lost a condition?  Each is taken out by a program, in turn.

    python -m tests.campaigns.checker_conditions [--scale 1] [--jobs 2] [--function dimension]

asks each changed checker what the one in the source answers: valid, changed, exchanged and forged
certificates, damaged files, limits, the program.  The first answer that differs is enough, in its
exit code or in its words (with --codes, in its exit code: what shows in words alone is listed).
Each condition that nothing notices is explained in docs/checker-conditions.md; exit code 0 if all
of these and no other are.
"""

from __future__ import annotations

import argparse
import multiprocessing
import re
import resource
import shutil
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from time import perf_counter
from types import FrameType

from polytope import checker
from tests.campaigns.checker_changes import Change, changed, changes
from tests.campaigns.checker_scenarios import Outcome, Scenario, scenarios

PAGE = Path(__file__).resolve().parents[2] / "docs" / "checker-conditions.md"
#: Seconds and bytes of a changed checker; one that asks for more has lost a limit.
SECONDS, MEMORY = 300, 6 << 30
Asked = list[tuple[Scenario, Outcome]]


@dataclass(frozen=True)
class Found:
    """What became of one change: its "exit code", "words" or "nothing" differs, and where."""

    change: Change
    what: str
    where: str


class SlowError(BaseException):
    """The alarm rang."""


def _ring(signum: int, frame: FrameType | None) -> None:
    raise SlowError


def in_folder(scenario: Scenario, module: object, folder: Path) -> Outcome:
    """The answer, in an empty folder if it has one."""
    if scenario.files:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
    return scenario.ask(module, folder)  # type: ignore[arg-type]


def asked(scale: int) -> Asked:
    """The scenarios, and what the checker of the source answers."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "one"
        return [(each, in_folder(each, checker, folder)) for each in scenarios(scale)]


def tried(change: Change, known: Asked, *, codes: bool) -> Found:
    """Ask the changed checker, up to the first answer that differs, or has another exit code."""
    words = ""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "one"
        scenario = None
        try:
            module = changed(change.number)
            for scenario, answer in known:
                found = in_folder(scenario, module, folder)
                if found[0] != answer[0]:
                    return Found(change, "exit code", scenario.name)
                if found[1] != answer[1]:
                    words = words or scenario.name
                    if not codes:
                        break
        except (SlowError, SystemExit, Exception) as error:
            where = scenario.name if scenario else "import"
            return Found(change, "exit code", f"{where}: {type(error).__name__}")
    return Found(change, "words" if words else "nothing", words)


def bounded(change: Change, known: Asked, *, codes: bool) -> Found:
    """The same, in a process of its own whose time and memory are bounded."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    signal.signal(signal.SIGALRM, _ring)
    signal.alarm(SECONDS)
    try:
        return tried(change, known, codes=codes)
    finally:
        signal.alarm(0)


_KNOWN: Asked = []


def _one(change: Change, *, codes: bool) -> Found:
    return bounded(change, _KNOWN, codes=codes)


def run(wanted: list[Change], known: Asked, jobs: int, *, codes: bool) -> Iterator[Found]:
    """Try each change; forked processes share what is known."""
    _KNOWN[:] = known
    with multiprocessing.get_context("fork").Pool(jobs, maxtasksperchild=1) as pool:
        yield from pool.imap_unordered(partial(_one, codes=codes), wanted)


def explained() -> Counter[tuple[str, str, str]]:
    """The conditions on the page: function, condition, change; some stand in a function twice."""
    text = PAGE.read_text(encoding="utf-8")
    lines = re.findall(r"^\* `([\w.]+)`: `(.+?)`, (.+?)(?: \((\d+) times\))?: ", text, re.MULTILINE)
    found: Counter[tuple[str, str, str]] = Counter()
    for function, condition, how, times in lines:
        found[function, condition, how] += int(times or 1)
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--function", action="append")
    parser.add_argument("--codes", action="store_true")
    args = parser.parse_args()
    began = perf_counter()
    wanted = changes()
    if args.function:
        wanted = [each for each in wanted if each.function.split(".")[-1] in args.function]
    known = asked(args.scale)
    print(f"{len(known)} questions ({perf_counter() - began:.0f} s)", flush=True)
    counts: Counter[str] = Counter()
    silent: Counter[tuple[str, str, str]] = Counter()
    for found in run(wanted, known, args.jobs, codes=args.codes):
        change = found.change
        counts[found.what] += 1
        if found.what == "nothing" or (found.what == "words" and args.codes):
            silent.update([change.key] if found.what == "nothing" else [])
            where = f"{change.line:5} {change.function}"
            print(f"{found.what:8} {where}: `{change.text}`, {change.how}", flush=True)
    known_keys = explained()
    missing = silent - known_keys
    stale = known_keys - silent if not args.function else Counter()
    for what, keys in (("NOT EXPLAINED", missing), ("EXPLAINED BUT NOTICED", stale)):
        for function, text, how in keys:
            print(f"{what}: {function}: `{text}`, {how}")
    print(
        f"{counts.total()} conditions changed, one at a time: {counts['exit code']} noticed by an "
        f"exit code, {counts['words']} by words, {counts['nothing']} by nothing, of which "
        f"{missing.total()} not explained ({perf_counter() - began:.0f} s)"
    )
    return int(bool(missing or stale))


if __name__ == "__main__":
    sys.exit(main())
