"""Which files deceive the checker?  It reads safetensors, npy, npz and idx by itself.

What it takes is compared number by number with numpy and safetensors.
"""

from __future__ import annotations

import hashlib
import json
import random
import struct
from collections.abc import Callable
from fractions import Fraction
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from polytope import checker
from tests.campaigns.fuzz_arrays import any_npy, any_npz, any_safetensors, npy, npz
from tests.campaigns.fuzz_bytes import any_idx
from tests.campaigns.fuzz_mutations import any_bytes
from tests.campaigns.fuzz_targets import Target

NAMES = ("weight", "bias", "target")
#: The unit square of inputs, one unit that fires and one that does not.
LAYER = {
    "weight": np.array([[1, 1], [-1, 0]], dtype=np.float32),
    "bias": np.array([0, 0], dtype=np.float32),
    "target": np.array([0.5, 0.25], dtype=np.float32),
}
_IDX = bytes([0, 0, 8, 3]) + struct.pack(">3I", 2, 2, 1) + bytes([0, 255, 51, 7])
_CODES = {"F16": "<f2", "F32": "<f4", "F64": "<f8"}


def typed(error: Exception) -> str | None:
    return f"code {error.code}" if isinstance(error, checker.CheckError) else None


def targets(name: str) -> Target:
    kind = name.removeprefix("checker-")
    made: dict[str, tuple[bytes, Callable[[bytes, random.Random], bytes]]] = {
        "safetensors": (save(LAYER), any_safetensors),
        "npz": (npz(LAYER), any_npz),
        "npy": (npy(LAYER["target"]), any_npy),
        "idx": (_IDX, lambda data, rng: rng.choice((any_idx, any_bytes))(data, rng)),
    }
    sample, mutate = made[kind]
    return Target(
        suffix=".gray" if kind == "idx" else f".{kind}",
        samples=[sample, npz(LAYER, 8)] if kind == "npz" else [sample],
        mutate=mutate,
        read=read,
        compare=same,
        typed=typed,
    )


def reference(path: Path, name: str) -> dict[str, str]:
    """How a certificate names an array of the file."""
    tensor = {".npy": "", ".gray": "1/255"}.get(path.suffix, name)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return {"file": path.name, "tensor": tensor, "sha256": digest}


def read(path: Path) -> dict[str, list[Fraction]]:
    """Every number that the checker takes from the file, and then a certificate on it."""
    several = path.suffix in (".safetensors", ".npz")
    shapes = {"weight": (-1, -1), "bias": (-1,), "target": (-1,)}
    found = {}
    for name in NAMES if several else ("target",):
        stored = checker.read_array(reference(path, name), path.parent, shapes[name], name)
        found[name] = stored.fractions()
    stated = {
        name: {"dtype": "F32", "shape": list(array.shape), "data": array.tobytes().hex()}
        for name, array in LAYER.items()
    }
    stated |= {name: reference(path, name) for name in found}
    document = {
        "schema": checker.SCHEMA,
        "claim": {"kind": "contains"},
        "problem": {"form": "layer", "domain": {"kind": "free"}, "tolerance": ["0", "1"]} | stated,
        "witness": {"point": {"den": "4", "num": ["2", "1"]}},
    }
    place = path.with_name("certificate.json")
    place.write_text(json.dumps(document))
    try:
        checker.check_file(place)
    except checker.CheckError as error:
        if error.code == checker.MALFORMED and several and "shape" not in str(error):
            raise
    return found


def same(path: Path, found: dict[str, list[Fraction]]) -> str:
    """Compares with numpy's or safetensors' reading."""
    for name, values in found.items():
        other = _other(path, name)
        if other is None:
            continue
        if [Fraction(v) for v in other.ravel().tolist()] != values:
            return f"{name}: {values[:4]} of {other.ravel()[:4]}"
    return ""


def _other(path: Path, name: str) -> Any:
    data = path.read_bytes()
    if path.suffix == ".gray":
        sizes = struct.unpack_from(f">{data[3]}I", data, 4)
        size = prod(sizes[1:])
        item = np.frombuffer(data, np.uint8)[4 + 4 * data[3] + size :][:size]
        return item.astype(np.float32) / np.float32(255)
    if path.suffix == ".safetensors":
        try:
            with safe_open(path, framework="np") as opened:
                kind = opened.get_slice(name).get_dtype()
                return None if kind not in _CODES else opened.get_tensor(name)
        except SafetensorError as problem:
            # Bytes that belong to no tensor; the checker looks at the one it is asked for.
            if "not fully covered" in str(problem):
                return None
            raise
    if path.suffix == ".npz" and not data.startswith(b"PK"):
        raise ValueError("the archive is behind other bytes")
    try:
        loaded = np.load(path, allow_pickle=False)
    except ValueError as problem:
        # numpy reads the sizes as Python does, and minds a comma too many; the numbers are plain.
        if path.suffix == ".npy" and "parse header" in str(problem):
            (size,) = struct.unpack("<H", data[8:10])
            kind = data[data.index(b"'descr': '") + 10 :].partition(b"'")[0].decode()
            return np.frombuffer(data, kind, offset=10 + size)
        raise
    return loaded if path.suffix == ".npy" else loaded[name]
