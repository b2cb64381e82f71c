"""Is anything torn by a kill between two system calls of a write, or in the middle of one?

    python -m tests.campaigns.kill_writes

ends a process at each boundary in turn (before and after each call, and half-way through each
write), looks at what is on the disk, goes on, and prints how many ends there were of each kind of
write.  Exit code 0 if every one left what was before or what was to be, and nothing else.
"""

import io
import json
import os
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from experiments.run.files import held, write_json
from experiments.run.outcomes import Key, Outcome
from experiments.run.rows import RowFile
from optimize.search.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from polytope import Box, CollisionPolytope, verify
from polytope.files import atomic_path
from tests.examples.run_folders import scratch_of

CALLS = ("open", "write", "fsync", "replace", "rename", "ftruncate", "close", "unlink")


class Boundaries:
    """Counts the boundaries of system calls, and ends the process at one of them."""

    def __init__(self, last: int) -> None:
        self.last, self.count = last, 0
        for name in CALLS:
            setattr(os, name, self._watched(getattr(os, name), name == "write"))
        io.FileIO = self._file()  # type: ignore[misc]

    def tick(self) -> None:
        self.count += 1
        if self.count == self.last:
            os._exit(9)

    def _watched(self, call: Callable[..., Any], writes: bool) -> Callable[..., Any]:
        def watched(*given: Any, **more: Any) -> Any:
            self.tick()
            if writes and len(given[1]) > 1:
                done = call(given[0], given[1][: len(given[1]) // 2])
                self.tick()  # half of it is there
                return done
            result = call(*given, **more)
            self.tick()
            return result

        return watched

    def _file(self) -> Any:
        """`Path.write_bytes` and the like write without `os.write`."""
        boundaries = self

        class Watched(io.FileIO):
            def write(self, data: Any) -> int:
                done = super().write(bytes(data)[: (len(data) + 1) // 2])
                boundaries.tick()
                return done

        def opened(path: Any, mode: str = "r", *given: Any, **more: Any) -> Any:
            if "w" in mode and "b" in mode:
                boundaries.tick()
                return io.BufferedWriter(Watched(path, "w"))
            return original(path, mode, *given, **more)

        original, io.open = io.open, opened
        return io.FileIO


@dataclass(frozen=True)
class Write:
    """A kind of write.

    Attributes:
        before: makes what is there at first.
        write: what is ended in the middle.
        states: what may be seen afterwards, as `look` returns it.
        look: reads what is there; raises where it is damaged.
    """

    before: Callable[[Path], Any]
    write: Callable[[Path], Any]
    look: Callable[[Path], Any]
    states: tuple[Any, ...]


@dataclass(frozen=True)
class NumberKey(Key[dict[str, str]]):
    """Names a row by its number."""

    WORK = "number"
    number: int


def _rows(folder: Path, *, count: int = 3) -> list[str]:
    with RowFile(folder / "rows.jsonl", options={"a": 1}, schema="numbers/1") as rows:
        for key in map(NumberKey, range(count)):
            if key not in rows:
                rows.append(key, Outcome({"x": "y" * 50}))
        return [key.rpartition(".")[2] for key in rows.seconds()]


def _json(number: int) -> Callable[[Path], Any]:
    return lambda folder: write_json(folder / "a.json", {"n": number, "more": "z" * 100})


def _array(number: int) -> Callable[[Path], Any]:
    def write(folder: Path) -> None:
        with atomic_path(folder / "a.bin") as path:
            path.write_bytes(bytes([number]) * 64)

    return write


def _certificate(folder: Path) -> Any:
    polytope = CollisionPolytope.from_layer([[1, 1]], [0], [1, 1], domain=Box(0, 2))
    certificate = polytope.minimize([1, 0]).certificate
    assert certificate is not None
    return certificate.save(folder / "one.json")


def _saved(step: int) -> Callable[[Path], Any]:
    state = {"x": torch.arange(4.0) + step}
    return lambda folder: save_checkpoint(folder / "search", Checkpoint(step, state), "f")


def _step(folder: Path) -> int:
    found = load_checkpoint(folder / "search", "f")
    assert found is not None
    assert found.tensors["x"].tolist() == [float(i + found.step) for i in range(4)]
    return found.step


def _claim(folder: Path) -> str | None:
    path = folder / "one.json"
    return "proved" if path.exists() and verify(path) else None


WRITES = {
    "rows": Write(
        lambda folder: None,
        _rows,
        lambda folder: tuple(_rows(folder, count=0)),
        ((), ("0",), ("0", "1"), ("0", "1", "2")),
    ),
    "record": Write(
        _json(1), _json(2), lambda f: json.loads((f / "a.json").read_bytes())["n"], (1, 2)
    ),
    "arrays": Write(
        _array(1), _array(2), lambda f: (f / "a.bin").read_bytes(), (b"\1" * 64, b"\2" * 64)
    ),
    "certificate": Write(lambda folder: None, _certificate, _claim, (None, "proved")),
    "checkpoint": Write(_saved(1), _saved(2), _step, (1, 2)),
}


def ended_at(write: Write, folder: Path, last: int) -> bool:
    """Ends a write at a boundary; whether it came so far."""
    child = os.fork()
    if child == 0:
        try:
            Boundaries(last)
            write.write(folder)
            os._exit(0)
        except BaseException as problem:
            print(f"{type(problem).__name__}: {problem}", file=sys.stderr, flush=True)
            os._exit(1)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert code in (0, 9), code
    return code == 9


def every_end(name: str, place: Path) -> tuple[int, set[Any], list[str]]:
    """Returns the number of boundaries, the states that were seen, and what was wrong."""
    write, last, seen, wrong = WRITES[name], 0, set(), []
    while True:
        last += 1
        folder = place / f"{name}-{last}"
        folder.mkdir()
        write.before(folder)
        more = ended_at(write, folder, last)
        try:
            state = write.look(folder)
            seen.add(state)
            if state not in write.states:
                wrong.append(f"{name}, boundary {last}: {state!r}")
            with held(folder):  # the next run: sweeps, writes again
                write.write(folder)
            if write.look(folder) != write.states[-1] or scratch_of(folder):
                wrong.append(f"{name}, boundary {last}: {sorted(folder.rglob('*'))} at the end")
        except Exception as problem:
            wrong.append(f"{name}, boundary {last}: {type(problem).__name__}: {problem}")
        if not more:
            return last - 1, seen, wrong


def main() -> int:
    faults = []
    with tempfile.TemporaryDirectory(prefix="kill-writes-") as place:
        for name, write in WRITES.items():
            count, seen, wrong = every_end(name, Path(place))
            faults += wrong
            print(f"{name:12} {count:4} ends, {len(seen)} of {len(write.states)} states seen")
            if seen != set(write.states):
                faults.append(f"{name}: states {seen}")
    print("\n".join([*faults, f"{len(faults)} torn or lost"]))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
