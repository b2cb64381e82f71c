"""Which readers are fuzzed?  For each: valid files, damage that fits, a second reader."""

from __future__ import annotations

import importlib
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from polytope.errors import CollisionError

#: Reader -> module of tests/ whose `targets()` has it.
READERS = {
    "npy": "fuzz_arrays",
    "npz": "fuzz_arrays",
    "safetensors": "fuzz_arrays",
    "torch": "fuzz_torch",
    "torch-pickle": "fuzz_torch",
    "torch-legacy": "fuzz_torch",
    "onnx": "fuzz_networks",
    "squeezenet": "fuzz_networks",
    "trained": "fuzz_networks",
    "search": "fuzz_networks",
    "idx": "fuzz_bytes",
    "idx-gz": "fuzz_bytes",
    "tar": "fuzz_bytes",
    "png": "fuzz_bytes",
    "jpeg": "fuzz_bytes",
    "ine": "fuzz_texts",
    "ext": "fuzz_texts",
    "polymake": "fuzz_texts",
    "polymake-json": "fuzz_texts",
    "normaliz": "fuzz_texts",
    "polyhedron-json": "fuzz_texts",
    "certificate": "fuzz_texts",
    "checker-safetensors": "fuzz_checker_files",
    "checker-npy": "fuzz_checker_files",
    "checker-npz": "fuzz_checker_files",
    "checker-idx": "fuzz_checker_files",
    "record": "fuzz_texts",
    "rows": "fuzz_texts",
}
NAMES = tuple(READERS)
#: A reader with every fault, for the fuzzer's own test.
FAULTY = "faults"
#: Of the inputs of a reader, this share are truncations of its smallest valid file, evenly cut.
CUTS = 0.2


def our_error(error: Exception) -> str | None:
    """The kind of one of our errors; None for a foreign exception."""
    return type(error).__name__ if isinstance(error, CollisionError) else None


@dataclass(frozen=True, kw_only=True)
class Target:
    """A reader.

    Attributes:
        suffix: of the files.
        samples: valid files.
        mutate: damages one of them.
        read: what is under test; takes the path of a file.
        compare: what another reader finds otherwise, or "" where both agree; takes path and value.
        typed: the kind of an error that is allowed.
    """

    suffix: str
    samples: Sequence[bytes]
    mutate: Callable[[bytes, random.Random], bytes]
    read: Callable[[Path], Any]
    compare: Callable[[Path, Any], str] | None = None
    typed: Callable[[Exception], str | None] = our_error

    def input(self, rng: random.Random, number: int, total: int) -> bytes:
        """One damaged file."""
        cuts = int(CUTS * total)
        if number < cuts:
            smallest = min(self.samples, key=len)
            return smallest[: number * len(smallest) // cuts]
        return self.mutate(rng.choice(self.samples), rng)


def target(name: str) -> Target:
    """The reader of a name; imports what it needs."""
    module = importlib.import_module(f"tests.campaigns.{READERS.get(name, 'fuzz_faults')}")
    found: Target = module.targets(name)
    return found
