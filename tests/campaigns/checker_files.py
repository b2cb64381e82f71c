"""What is asked of a checker's readers of files?  Damaged ones, and such as break one rule each."""

from __future__ import annotations

import hashlib
import io
import json
import random
import struct
import zipfile
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from tests.campaigns.checker_questions import Outcome, Scenario, outcome
from tests.campaigns.fuzz_checker_files import reference, targets

TWO = np.array([[1, 2], [3, 4]], np.uint8)


def arrays(times: int) -> Iterator[Scenario]:
    """Damaged files, read as the library does."""
    for kind in ("safetensors", "npz", "npy", "idx"):
        target = targets(f"checker-{kind}")
        rng = random.Random(f"conditions {kind}")
        for k in range(times):
            sample = rng.choice(target.samples)
            data = target.mutate(sample, rng) if k > 3 else sample
            yield _array(
                f"{kind} {k}", data, f"stored{target.suffix}", rng.choice(["weight", "bias"])
            )


def _array(name: str, data: bytes, file: str, tensor: str) -> Scenario:
    def ask(module: ModuleType, folder: Path) -> Outcome:
        (folder / file).write_bytes(data)
        stated = reference(folder / file, tensor)
        shape = (-1, -1) if tensor == "weight" and file.endswith(("npz", "safetensors")) else (-1,)
        return outcome(module, lambda: module.read_array(stated, folder, shape, tensor).fractions())

    return Scenario(name, ask)


def _read(name: str, data: bytes, file: str, tensor: str, *shape: int, **low: int) -> Scenario:
    """A file is read, its hash stated; with limits set low, if any are given."""

    def ask(module: ModuleType, folder: Path) -> Outcome:
        (folder / file).write_bytes(data)
        digest = hashlib.sha256(data).hexdigest()
        stated = {"file": file, "tensor": tensor, "sha256": digest}
        before = {limit: getattr(module, limit) for limit in low}
        vars(module).update(low)
        try:
            return outcome(
                module, lambda: module.read_array(stated, folder, shape or (2, 2)).fractions()
            )
        finally:
            vars(module).update(before)

    return Scenario(f"{file}: {name}", ask)


def crafted() -> Iterator[Scenario]:
    """Files that keep all rules of their format, or all but one."""
    for name, data, shape in _safetensors():
        yield _read(name, data, "w.safetensors", "w", *shape)
    for name, data in _npy():
        yield _read(name, data, "w.npy", "")
    for name, data, member in _npz():
        yield _read(name, data, "w.npz", member)
    for name, data, item in _idx():
        yield _read(name, data, "pictures", item, 2)
    plain, packed = _saved(TWO), _archive({"w.npy": _saved(TWO)}, zipfile.ZIP_DEFLATED)
    header, data, _ = next(_safetensors())
    size = struct.unpack("<Q", data[:8])[0]
    for less in (0, 1):
        yield _read(f"{less} below", plain, "w.npy", "", MAX_TENSOR_FILE_BYTES=len(plain) - less)
        yield _read(f"{less} below", plain, "w.npy", "", MAX_ELEMENTS=4 - less)
        yield _read(f"{less} below", packed, "w.npz", "w", MAX_UNPACKED_BYTES=len(plain) - less)
        yield _read(
            f"{header} {less}", data, "w.safetensors", "w", MAX_CERTIFICATE_BYTES=size - less
        )
    ratio = -(-len(plain) // len(packed))
    for least in (ratio, ratio - 1):
        yield _read(f"ratio {least}", packed, "w.npz", "w", MAX_UNPACKED_RATIO=least)


def _safetensors() -> Iterator[tuple[str, bytes, tuple[int, ...]]]:
    plain: dict[str, Any] = {"dtype": "U8", "shape": [2, 2], "data_offsets": [0, 4]}

    def stored(header: object, data: bytes = bytes(TWO)) -> bytes:
        text = header if isinstance(header, bytes) else json.dumps(header).encode()
        return struct.pack("<Q", len(text)) + text + data

    yield "plain", stored({"w": plain}), (2, 2)
    empty = {**plain, "shape": [0], "data_offsets": [0, 0]}
    yield "no numbers", stored({"w": empty}, b""), (0,)
    yield "no numbers among some", stored({"w": {**empty, "data_offsets": [2, 2]}}), (0,)
    for offsets in ([0], [0, 4, 4], [4, 0], [0, 5], [1, 5], [0, 3], [-1, 3], [], "04", [0, 4.0]):
        yield f"{offsets}", stored({"w": {**plain, "data_offsets": offsets}}), (2, 2)
    for name, header in (
        *(("a list", [plain]), ("another", {"v": plain}), ("no type", {"w": {"shape": [4]}})),
        *(("empty", b""), ("no JSON", b"{"), ("text", b'"w"'), ("twice", b'{"w": 1, "w": 1}')),
    ):
        yield name, stored(header), (2, 2)
    for length in (0, 7, 8, 9):
        yield f"{length} bytes", stored({"w": plain})[:length], (2, 2)
    whole = stored({"w": plain}, b"")
    yield "header to the end", whole, (2, 2)
    yield "header beyond the end", struct.pack("<Q", len(whole) - 7) + whole[8:], (2, 2)


def _saved(values: np.ndarray) -> bytes:
    out = io.BytesIO()
    np.save(out, values)
    return out.getvalue()


def _npy() -> Iterator[tuple[str, bytes]]:
    plain = _saved(TWO)
    yield "plain", plain
    for kind in ("<f2", "<f4", "<f8", "<i8", "<u4", ">f4", "<c8", "|b1", "<U1"):
        yield kind, _saved(TWO.astype(kind))
    yield "columns first", _saved(np.asfortranarray(TWO))
    for shape in ("(2,02)", "(2 2)", "(,2, 2)", "(2, 2,)", "(2,2)", "(4,)", "(2, 3)", "(2, 1)"):
        other = plain.replace(b"'shape': (2, 2)", f"'shape': {shape}".encode())
        spaces = len(plain) - len(other)
        yield shape, other.replace(b" \n", b" " * (1 + spaces) + b"\n") if spaces >= 0 else other
    yield from (
        *(("longer", plain + b"\0"), ("shorter", plain[:-1]), ("cut", plain[:40]), ("none", b"")),
        ("version 2", plain.replace(b"NUMPY\1", b"NUMPY\2")),
        ("other magic", plain.replace(b"NUMPY", b"NUMPI")),
    )


def _archive(members: dict[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return out.getvalue()


def _npz() -> Iterator[tuple[str, bytes, str]]:
    plain, other = _saved(TWO), _saved(TWO + 1)
    stored = _archive({"w.npy": plain, "v.npy": other})
    yield "stored", stored, "w"
    yield "another member", stored, "v"
    yield "no such member", stored, "u"
    for method in (zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        yield f"method {method}", _archive({"w.npy": plain}, method), "w"
    yield "behind other bytes", b"xx" + stored, "w"
    yield "two names that differ by npy", _archive({"w.npy": plain, "w": other}), "w"
    yield "the same name twice", stored.replace(b"v.npy", b"w.npy"), "w"
    zeros = _saved(np.zeros((2, 2), np.uint8)) + bytes(100_000)
    yield "too far unpacked", _archive({"w.npy": zeros}, zipfile.ZIP_DEFLATED), "w"
    yield "cut", stored[:-5], "w"
    yield "no archive", plain, "w"
    lying = bytearray(_archive({"w.npy": plain + bytes(50)}, zipfile.ZIP_DEFLATED))
    for mark, at in ((b"PK\3\4", 22), (b"PK\1\2", 24)):
        place = lying.index(mark) + at
        lying[place : place + 4] = len(plain).to_bytes(4, "little")
    yield "unpacks to more than it says", bytes(lying), "w"


def _idx() -> Iterator[tuple[str, bytes, str]]:
    body = bytes([0, 51, 255, 7, 1, 2])
    plain = b"\0\0\x08\2" + struct.pack(">2I", 3, 2) + body
    for item in ("0", "2", "3", "1/255", "1/1", "1/0", "1/999999", "1/1000000", "", "x", "-1"):
        yield f"item {item}", plain, item
    for item in ("1/", "01", "1/0255", " 1", "1\n", "\u0661", "1/\u0661", "1" * 10):
        yield f"item {item!r}", plain, item
    for name, data in (
        *(("longer", plain + b"\0"), ("shorter", plain[:-1]), ("magic", b"\1" + plain[1:])),
        *(("floats", plain[:2] + b"\x0d" + plain[3:]), ("four bytes", plain[:4])),
        *(("three bytes", plain[:3]), ("no bytes", b""), ("header alone", plain[:12])),
        *(("no axes", b"\0\0\x08\0"), ("no axes, a byte", b"\0\0\x08\0a")),
        ("one axis", b"\0\0\x08\1" + struct.pack(">I", 2) + b"ab"),
        ("three axes", b"\0\0\x08\3" + struct.pack(">3I", 3, 1, 2) + body),
    ):
        yield name, data, "1"


def named() -> Iterator[Scenario]:
    """Names of files: those that lead elsewhere, what lies there being what is stated."""
    for name in (
        *("../w.npy", "w..npy", "-w.npy", ".w.npy", "w w.npy", "w.npy\n", "w\n.npy", "\u00e9.npy"),
        *("_w.npy", "W-w_1.2.npy", "inner/w.npy", "w\0.npy", "", "."),
    ):
        yield Scenario(f"name {name!r}", _named(name))
    yield Scenario("no folder", lambda m, _: _asked(m, None, "w.npy"))
    yield Scenario("no file", lambda m, folder: _asked(m, folder, "w.npy"))


def _named(name: str) -> Any:
    def ask(module: ModuleType, folder: Path) -> Outcome:
        inner = folder / "inner"
        (inner / "inner").mkdir(parents=True)
        if "\0" not in name and name not in ("", "."):
            (inner / name).write_bytes(_saved(TWO))
        return _asked(module, inner, name)

    return ask


def _asked(module: ModuleType, folder: Path | None, name: str) -> Outcome:
    stated = {"file": name, "tensor": "", "sha256": hashlib.sha256(_saved(TWO)).hexdigest()}
    code, said = outcome(module, lambda: module.read_array(stated, folder, (2, 2)).fractions())
    return code, said.replace(str(folder), "FOLDER")
