"""Does the fuzzer see what it looks for?  A reader that does everything a reader must not do."""

from __future__ import annotations

import os
from pathlib import Path

from polytope.errors import CollisionError, FileFormatError
from tests.campaigns.fuzz_targets import Target

FAULTS = (b"crash", b"foreign", b"memory", b"touched", b"text", b"wrong", b"fine", b"answered")


class OldError(CollisionError):
    """An error as it was, with its text as it came."""

    def __str__(self) -> str:
        return str(self.args[0])


def targets(name: str) -> Target:
    return Target(
        suffix=".fault",
        samples=[b"fine"],
        mutate=lambda data, rng: FAULTS[rng.randrange(len(FAULTS))],
        read=read,
        compare=lambda path, value: "another value" if value == b"wrong" else "",
    )


def read(path: Path) -> bytes:
    word = path.read_bytes()
    if word == b"crash":
        os.abort()
    if word == b"foreign":
        raise KeyError("not one of ours")
    if word in (b"memory", b"touched"):
        try:
            bytearray(1 << 40) if word == b"memory" else b"x" * (1 << 31)
        except MemoryError as problem:
            raise FileFormatError("swallowed") from problem
    if word == b"text":
        raise OldError("two\nlines")
    if word == b"answered":
        raise FileFormatError("as it should be")
    return word
