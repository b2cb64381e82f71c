"""Which files of arrays deceive?  Archives, headers and sizes that do not fit what they hold."""

from __future__ import annotations

import ast
import io
import json
import random
import re
import struct
import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.numpy import save

from experiments.models.weights import as_tensor
from experiments.readers.arrays import read_arrays
from polytope import CollisionPolytope
from polytope.errors import InputError
from tests.campaigns.fuzz_mutations import NUMBERS, WORDS, any_bytes, any_json
from tests.campaigns.fuzz_targets import Target

_LAYER = {
    "weight": np.arange(6, dtype=np.float32).reshape(2, 3) - 2,
    "bias": np.array([0.5, -1], dtype=np.float32),
    "target": np.array([1, 0, 2], dtype=np.float32),
}
_DTYPES = (
    *("<f4", ">f4", "<f8", ">f8", "<f2", "<f16", "|i1", ">i8", "<u8", "|b1", "|O", "<c16", "|S4"),
    *("<U3", "<M8[s]", "|V4", "<f3", "f", "", "(2,)<f8", "(1000000,)<f8", "|V1000000000", "\u0663"),
)


def targets(name: str) -> Target:
    if name == "npy":
        samples = [npy(array) for array in (*_LAYER.values(), np.asfortranarray(np.eye(2)))]
        return Target(
            suffix=".npy", samples=samples, mutate=any_npy, read=read_layer, compare=same_npy
        )
    if name == "npz":
        samples = [npz(_LAYER), npz({**_LAYER, "weight": np.asfortranarray(_LAYER["weight"])}, 8)]
        return Target(
            suffix=".npz", samples=samples, mutate=any_npz, read=read_layer, compare=same_npz
        )
    samples = [save(_LAYER), save({"target": np.float64(2.5).reshape(1)})]
    return Target(
        suffix=".safetensors",
        samples=samples,
        mutate=any_safetensors,
        read=read_layer,
        compare=same_safetensors,
    )


def read_layer(path: Path) -> Mapping[str, Any]:
    """Reads arrays as `collide certify` and as a network does."""
    arrays = read_arrays(path)
    given = [arrays.get(name) for name in _LAYER]
    try:
        for name, value in arrays.items():
            as_tensor(value, name)
        if all(value is not None for value in given):
            CollisionPolytope.from_layer(*given)
    except InputError:  # of use elsewhere, or of no use; the arrays were read all the same
        pass
    return arrays


# --- numpy -----------------------------------------------------------------------------------


def npy(array: np.ndarray) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


def npz(arrays: Mapping[str, np.ndarray], compression: int = zipfile.ZIP_STORED) -> bytes:
    return archive([(f"{name}.npy", npy(array)) for name, array in arrays.items()], compression)


def any_npy(data: bytes, rng: random.Random) -> bytes:
    return any_bytes(data, rng) if rng.random() < 0.5 else odd_header(data, rng)


def odd_header(data: bytes, rng: random.Random) -> bytes:
    """The data of an array behind a header that says something else."""
    try:
        size = struct.unpack("<H", data[8:10])[0]
        header = ast.literal_eval(data[10 : 10 + size].decode("latin1"))
    except (SyntaxError, ValueError, struct.error):  # damaged already
        return any_bytes(data, rng)
    for _ in range(rng.choice((1, 1, 2))):
        key = rng.choice(("descr", "fortran_order", "shape", "shape", "shape"))
        count = max(1, (len(data) - 10 - size) // 4)
        header[key] = rng.choice(
            {
                "descr": (*_DTYPES, [("a", "<f4"), ("b", "<f4")], [("é", "<f8")], 7, None),
                "fortran_order": (True, False, 1, None, "True", []),
                "shape": (
                    *((), (0,), (-1,), (count,), (1, count), (-1, -count), (1 << 40,), (True,)),
                    *((1 << 32, 1 << 32), (0, 1 << 62), (count + 1,), 5, None, [count], ("3",)),
                    *((1.0,), (1,) * 70, (rng.choice(NUMBERS),), (2, rng.choice(NUMBERS))),
                ),
            }[key]
        )
    text = repr(header)
    if rng.random() < 0.2:
        text = rng.choice(
            (
                *(text[:-1], text + ")", "{" * 200, "-" * 9000 + "1", "[" * 90 + "]" * 90),
                *(text.replace("3", "3L"), "__import__('os').system('true')", "(", "'" * 3),
                text.replace("}", f"{rng.choice(WORDS)!r}: 1}}"),
            )
        )
    version = rng.choice((1, 1, 1, 2, 3, 3, 4, 0))
    encoded = text.encode("utf-8" if version == 3 else "latin1", errors="replace") + b"\n"
    length = len(encoded) if rng.random() < 0.9 else rng.choice(NUMBERS) % (1 << 16)
    packed = struct.pack("<H", length % (1 << 16)) if version == 1 else struct.pack("<I", length)
    return b"\x93NUMPY" + bytes([version, 0]) + packed + encoded + data[10 + size :]


def plain_npy(data: bytes) -> tuple[tuple[int, ...], bytes]:
    """Shape and values of an array, row-major in native order: a reader of our own, for numbers."""
    wide = data[6] > 1
    (size,) = struct.unpack("<I" if wide else "<H", data[8 : 12 if wide else 10])
    start = (12 if wide else 10) + size
    text = re.sub("([0-9])L", r"\1", data[start - size : start].decode("latin1"))
    header = ast.literal_eval(" ".join(text.split()))
    shape, dtype = header["shape"], np.dtype(header["descr"])
    count = 1
    for length in shape:
        count *= length
    if count < 0 or len(data) != start + count * dtype.itemsize:
        raise ValueError(f"{len(data)} bytes for shape {shape}")
    flat = np.frombuffer(data, dtype, count, start)
    array = flat.reshape(shape, order="F" if header["fortran_order"] else "C")
    return tuple(shape), array.astype(dtype.newbyteorder("=")).tobytes()


def difference(value: Any, expected: tuple[tuple[int, ...], bytes], name: str) -> str:
    array = np.asarray(value)
    native = array.astype(array.dtype.newbyteorder("=")).tobytes()
    return "" if (array.shape, native) == expected else f"{name} differs"


def same_npy(path: Path, arrays: Mapping[str, Any]) -> str:
    return difference(arrays["target"], plain_npy(path.read_bytes()), "the array")


# --- archives --------------------------------------------------------------------------------


def archive(members: list[tuple[str, bytes]], compression: int = zipfile.ZIP_STORED) -> bytes:
    stream = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(stream, "w") as opened:
        warnings.simplefilter("ignore")  # of names that are there already
        for name, data in members:
            info = zipfile.ZipInfo(name[:9000].replace("\ud800", "?"))  # no time of day in it
            opened.writestr(info, data, compress_type=compression)
    return stream.getvalue()


def members_of(data: bytes) -> list[tuple[str, bytes]]:
    with zipfile.ZipFile(io.BytesIO(data)) as opened:
        return [(info.filename, opened.read(info)) for info in opened.infolist()]


def any_npz(data: bytes, rng: random.Random) -> bytes:
    def one(member: bytes) -> bytes:
        return any_npy(member, rng)

    return any_zip(data, rng, one)


def any_zip(data: bytes, rng: random.Random, one: Any) -> bytes:
    """An archive whose bytes, members, names or directory were changed."""
    if rng.random() < 0.35:
        return any_bytes(data, rng)
    members = members_of(data)
    for _ in range(rng.choice((1, 1, 2))):
        place = rng.randrange(len(members))
        name, content = members[place]
        choice = rng.randrange(8)
        if choice < 3:
            members[place] = (name, one(content))
        elif choice == 3:
            del members[place]
        elif choice == 4:
            members.append((name, rng.choice((content, one(content), b""))))
        elif choice == 5:
            members[place] = (odd_name(name, rng), content)
        elif choice == 6:
            inner = rng.choice((archive(members), b"\0" * (8 << 20), rng.randbytes(50), b""))
            members[place] = (name, inner)
        else:
            members.append((odd_name(name, rng), content))
        if not members:
            break
    kinds = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
    made = archive(members, rng.choice(kinds))
    return odd_directory(made, rng) if rng.random() < 0.4 else made


def odd_name(name: str, rng: random.Random) -> str:
    stem = name.removesuffix(".npy")
    return rng.choice(
        (
            *(
                f"../{name}",
                f"/tmp/{name}",
                stem,
                name.upper(),
                f"{name}/",
                f"{name}.npy",
                name * 90,
            ),
            *(rng.choice(WORDS).replace("\ud800", "?") or "?", f"a\nb{name}", f"\x1b[2J{name}"),
        )
    )


def odd_directory(data: bytes, rng: random.Random) -> bytes:
    """A field of a member's header, local or central, replaced: flags, CRC, sizes, place."""
    local = {"flags": (6, "H"), "method": (8, "H"), "crc": (14, "I"), "packed": (18, "I")}
    local |= {"size": (22, "I"), "name": (26, "H"), "extra": (28, "H")}
    central = {"flags": (8, "H"), "method": (10, "H"), "crc": (16, "I"), "packed": (20, "I")}
    central |= {"size": (24, "I"), "name": (28, "H"), "extra": (30, "H"), "offset": (42, "I")}
    changed = bytearray(data)
    marks = ((b"PK\x03\x04", local), (b"PK\x01\x02", central))
    mark, fields = rng.choice(marks)
    found = [i for i in range(len(data)) if data.startswith(mark, i)]
    if not found:
        return data
    where, kind = fields[rng.choice(sorted(fields))]
    value = rng.choice((1, 8, 9, 12, 14, 93, 0x2000, *NUMBERS)) % (1 << (8 * struct.calcsize(kind)))
    struct.pack_into("<" + kind, changed, rng.choice(found) + where, value)
    return bytes(changed)


def same_npz(path: Path, arrays: Mapping[str, Any]) -> str:
    found = dict(members_of(path.read_bytes()))
    if {name.removesuffix(".npy") for name in found} != set(arrays):
        return f"names {sorted(arrays)} of {sorted(found)}"
    each = (difference(arrays[n.removesuffix(".npy")], plain_npy(c), n) for n, c in found.items())
    return next(filter(None, each), "")


# --- safetensors -----------------------------------------------------------------------------


def any_safetensors(data: bytes, rng: random.Random) -> bytes:
    if rng.random() < 0.4:
        return any_bytes(data, rng)
    size = struct.unpack("<Q", data[:8])[0]
    header, rest = data[8 : 8 + size], data[8 + size :]
    if rng.random() < 0.5:
        document = json.loads(header)
        entry = document[rng.choice(sorted(document))]
        key = rng.choice(("dtype", "shape", "data_offsets"))
        entry[key] = rng.choice(
            {
                "dtype": (
                    "F64",
                    "F16",
                    "BF16",
                    "I32",
                    "U32",
                    "C64",
                    "F8_E4M3",
                    "F4",
                    "BOOL",
                    "F33",
                ),
                "shape": ([], [0], [-1], [len(rest)], [1 << 62, 4], [3, 2], [1] * 70, [1.0], "3"),
                "data_offsets": (
                    [0, 0],
                    [0, len(rest)],
                    [4, 0],
                    [-4, 0],
                    [0, 1 << 62],
                    [0],
                    [1, 5],
                ),
            }[key]
        )
        header = json.dumps(document).encode()
    else:
        header = any_json(header, rng)
    return struct.pack("<Q", len(header)) + header + rest


_CODES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "I16": "<i2"}
_CODES |= {"I8": "i1", "U8": "u1", "BOOL": "?", "U16": "<u2", "U32": "<u4", "U64": "<u8"}


def same_safetensors(path: Path, arrays: Mapping[str, Any]) -> str:
    data = path.read_bytes()
    size = struct.unpack("<Q", data[:8])[0]
    document = json.loads(data[8 : 8 + size], object_pairs_hook=_once)
    document.pop("__metadata__", None)
    if set(document) != set(arrays):
        return f"names {sorted(arrays)} of {sorted(document)}"
    for name, entry in document.items():
        start, end = entry["data_offsets"]
        raw, tensor = data[8 + size + start : 8 + size + end], arrays[name]
        if tuple(tensor.shape) != tuple(entry["shape"]):
            return f"{name}: shape {tensor.shape} of {entry['shape']}"
        if entry["dtype"] in _CODES:
            expected = np.frombuffer(raw, _CODES[entry["dtype"]]).reshape(entry["shape"])
            if tensor.numpy().tobytes() != expected.tobytes():
                return f"{name} differs"
        elif tensor.contiguous().view(torch.uint8).numpy().tobytes() != raw:
            return f"{name} differs in its bytes"
    return ""


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) != len(pairs):
        raise ValueError("a key stands twice")
    return dict(pairs)
