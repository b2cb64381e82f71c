"""Can a file crash, hang or mislead a reader?  Damaged files of every format, counted.

    python -m tests.campaigns.fuzz_readers --count 10000 --seed 0 [--reader NAME]

prints a row for each reader: inputs, how many were taken (and agree with another reader, where
there is one), how many were answered by which of our errors, and what must be 0: foreign
exceptions, dead processes, inputs of more than 10 s or 1 GiB, errors of several lines, and values
that another reader does not find.  Exit code 0 if those are 0.  `--show NUMBER` runs one input of
a reader, and `--keep FOLDER` writes it there.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import select
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.campaigns.fuzz_child import SECONDS, serve
from tests.campaigns.fuzz_targets import FAULTY, NAMES, target

ROOT = Path(__file__).resolve().parents[2]
BAD = ("foreign", "crash", "hang", "memory", "text", "wrong")
SHOWN = 5


@dataclass
class Row:
    """The counts of one reader."""

    name: str
    inputs: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    slowest: float = 0.0
    peak: int = 0
    bad: dict[str, list[str]] = field(default_factory=dict)

    def add(self, found: dict[str, Any]) -> None:
        self.inputs += 1
        self.slowest = max(self.slowest, found.get("seconds", 0.0))
        self.peak = max(self.peak, found.get("peak", 0))
        if "accepted" in found:
            self.counts["accepted"] += 1
            self.counts["compared"] += "wrong" in found
        if "error" in found:
            self.errors[found["error"]] += 1
        for kind in BAD:
            if found.get(kind):
                self.counts[kind] += 1
                line = f"{self.name} {found['number']}: {kind}: {found[kind]}"
                self.bad.setdefault(kind, []).append(f"{line}\n{found.get('where', '')}".rstrip())

    @property
    def failed(self) -> bool:
        return any(self.counts[kind] for kind in BAD)

    def cells(self) -> list[str]:
        errors = ", ".join(f"{kind} {n}" for kind, n in self.errors.most_common())
        return [
            self.name,
            str(self.inputs),
            f"{self.counts['accepted']} ({self.counts['compared']})",
            *(str(self.counts[kind]) for kind in BAD),
            f"{self.slowest:.2f}",
            str(self.peak >> 20),
            errors,
        ]


def fuzz(name: str, *, count: int, seed: int) -> Row:
    """Feeds a reader; a process that dies or falls silent is started anew behind that input."""
    row, start = Row(name), 0
    while start < count:
        words = ["--child", name, "--start", str(start), "--count", str(count), "--seed", str(seed)]
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.campaigns.fuzz_readers", *words],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            env={**os.environ, "OMP_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "1"},
        )
        start = _follow(process, row, start, count)
    return row


def _follow(process: subprocess.Popen[bytes], row: Row, start: int, count: int) -> int:
    """Collects the lines of one process; returns the first input that it has not answered."""
    assert process.stdout is not None
    number, pending = start, b""
    patience = 60.0  # imports
    while number < count:
        ready, _, _ = select.select([process.stdout], [], [], patience)
        data = os.read(process.stdout.fileno(), 1 << 16) if ready else b""
        if not data:
            process.kill()
            code = process.wait()
            process.stdout.close()
            if code > 0 and number == start:
                raise SystemExit(f"{row.name}: the process ended with {code} before any input")
            kind = "crash" if ready else "hang"
            row.add({"number": number, kind: f"the process ended with {code}"})
            return number + 1
        patience = SECONDS + 10.0
        *lines, pending = (pending + data).split(b"\n")
        for line in lines:
            row.add(json.loads(line))
            number += 1
    process.wait()
    process.stdout.close()
    return number


def table(rows: list[Row]) -> str:
    head = ["reader", "inputs", "taken (compared)", *BAD, "slowest s", "peak MiB", "answered"]
    cells = [head, *(row.cells() for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in cells
    )


def main(argv: list[str] | None = None) -> int:
    words = argparse.ArgumentParser(description="Damaged files into every reader.")
    words.add_argument("--count", type=int, default=12_000, help="inputs in all (or of --reader)")
    words.add_argument("--seed", type=int, default=0)
    words.add_argument("--reader", choices=NAMES, action="append", help="one reader (repeatable)")
    words.add_argument("--start", type=int, default=0, help=argparse.SUPPRESS)
    words.add_argument("--child", choices=[*NAMES, FAULTY], help=argparse.SUPPRESS)
    words.add_argument("--show", type=int, metavar="NUMBER", help="one input of --reader")
    words.add_argument("--keep", type=Path, metavar="FOLDER", help="where --show writes it")
    options = words.parse_args(argv)
    if options.child:
        numbers = range(options.start, options.count)
        serve(options.child, seed=options.seed, numbers=numbers, total=options.count)
        return 0
    readers = options.reader or list(NAMES)
    each = -(-options.count // len(readers))
    if options.show is not None:
        return _show(readers[0], options.show, each, options)
    rows = [fuzz(name, count=each, seed=options.seed) for name in readers]
    for row in rows:
        for lines in row.bad.values():
            print("\n".join(lines[:SHOWN]))
    print(table(rows))
    bad = sum(row.counts[kind] for row in rows for kind in BAD)
    print(f"{sum(row.inputs for row in rows)} inputs, {bad} findings")
    return 1 if any(row.failed for row in rows) else 0


def _show(name: str, number: int, total: int, options: argparse.Namespace) -> int:
    """Reads one input in this process, without limits, for a traceback or a debugger."""
    of = target(name)
    data = of.input(random.Random(f"{options.seed} {name} {number}"), number, total)
    folder = options.keep or Path.cwd()
    path = folder / f"fuzzed{of.suffix}"
    path.write_bytes(data)
    print(f"{path}: {len(data)} bytes")
    print(of.read(path))
    return 0


if __name__ == "__main__":
    sys.exit(main())
