"""Which files of torch deceive?  Archives and pickles that ask for code, memory, endless names."""

from __future__ import annotations

import collections
import io
import os
import pickle
import pickletools
import random
import struct
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch

from tests.campaigns.fuzz_arrays import any_zip, archive, members_of, read_layer
from tests.campaigns.fuzz_mutations import NUMBERS, any_bytes
from tests.campaigns.fuzz_targets import Target

#: Written by code of a pickle, if any is ever run.
RAN = "/tmp/collide-fuzz-code-ran"
STATE = {
    "weight": torch.arange(6, dtype=torch.float32).view(2, 3),
    "bias": torch.tensor([0.5, -1.0]),
    "target": torch.tensor([1.0, 0.0, 2.0]),
}


def targets(name: str) -> Target:
    if name == "torch-legacy":
        samples, mutate = (
            [torch_file(STATE, zipped=False), torch_file(STATE["bias"], zipped=False)],
            any_legacy,
        )
    elif name == "torch-pickle":
        samples, mutate = [torch_file(STATE)], hostile
    else:
        samples = [
            torch_file(STATE),
            torch_file({"state_dict": STATE, "epoch": 3}),
            torch_file(STATE["bias"]),
        ]
        mutate = any_torch
    return Target(suffix=".pt", samples=samples, mutate=mutate, read=read, compare=same)


def torch_file(value: Any, *, zipped: bool = True) -> bytes:
    stream = io.BytesIO()
    torch.save(value, stream, _use_new_zipfile_serialization=zipped)
    return stream.getvalue()


def read(path: Path) -> Mapping[str, Any]:
    found = read_layer(path)
    if Path(RAN).exists():
        Path(RAN).unlink()
        raise SystemError("code of the file was run")
    return found


def any_torch(data: bytes, rng: random.Random) -> bytes:
    def one(member: bytes) -> bytes:
        return odd_pickle(member, rng) if member[:1] == b"\x80" else any_bytes(member, rng)

    return any_zip(data, rng, one)


def any_legacy(data: bytes, rng: random.Random) -> bytes:
    return any_bytes(data, rng) if rng.random() < 0.5 else odd_pickle(data, rng)


def odd_pickle(data: bytes, rng: random.Random) -> bytes:
    """Integers, names or single operations of a pickle replaced."""
    spots = []
    place = 0
    while place < len(data):  # a legacy file is several pickles, and then bytes
        try:
            found = list(pickletools.genops(io.BytesIO(data[place:])))
        except Exception:
            break
        spots += [(op.name, arg, place + (at or 0)) for op, arg, at in found]
        place += (found[-1][2] or 0) + 1
    if not spots:
        return any_bytes(data, rng)
    whole = {"BININT": "<i", "BININT1": "<B", "BININT2": "<H"}
    for _ in range(rng.choice((1, 1, 2, 3))):
        kind, _, at = rng.choice(spots)
        if kind in whole:
            value = struct.pack("<i", rng.choice(NUMBERS) % (1 << 32) - (1 << 31))
            size = struct.calcsize(whole[kind])
            return data[:at] + b"J" + value + data[at + 1 + size :]
        if kind == "GLOBAL":
            new = rng.choice(GLOBALS)
            end = data.index(b"\n", data.index(b"\n", at) + 1) + 1
            return data[:at] + b"c" + new.encode() + b"\n" + data[end:]
        data = data[:at] + bytes([rng.choice(b"(].}0u2bRQ)\x85\x86Nh\x81ae")]) + data[at + 1 :]
    return data


GLOBALS = (
    *("os\nsystem", "builtins\neval", "builtins\nbytearray", "builtins\nset", "builtins\nprint"),
    *("collections\nOrderedDict", "collections\nCounter", "torch\nFloatStorage", "torch\nSize"),
    *("torch\nLongStorage", "torch\nBoolStorage", "torch\nComplexDoubleStorage", "torch\ndevice"),
    *("torch._utils\n_rebuild_tensor", "torch._utils\n_rebuild_parameter", "torch\nTensor"),
    *("torch._utils\n_rebuild_sparse_tensor", "torch._utils\n_rebuild_qtensor", "torch\nfloat16"),
    *("torch._utils\n_rebuild_meta_tensor_no_storage", "torch.storage\nUntypedStorage"),
    *(
        "torch\nload",
        "torch.serialization\nload",
        "torch._utils\n_rebuild_device_tensor_from_numpy",
    ),
)


class Code:
    """Unpickled, it would run a command."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"touch {RAN}",)


def repacked(body: bytes, *, extra: dict[str, bytes] | None = None) -> bytes:
    """A file of torch whose pickle is another one."""
    members = members_of(torch_file(STATE["bias"]))
    made = [(name, body if name.endswith("data.pkl") else data) for name, data in members]
    return archive(made + [(f"archive/{name}", data) for name, data in (extra or {}).items()])


STORAGE = (
    b"ctorch._utils\n_rebuild_tensor_v2\n((X\x07\x00\x00\x00storagectorch\nFloatStorage\n"
    b"X\x01\x00\x00\x000X\x03\x00\x00\x00cpuJ%btQ"
)


def view(numel: int, *, offset: int, size: tuple[int, ...], stride: tuple[int, ...]) -> bytes:
    """The operations that make a tensor: a storage and a view of it."""

    def integer(value: int) -> bytes:
        raw = value.to_bytes(16, "little", signed=True)
        return b"\x8a\x10" + raw

    def numbers(values: tuple[int, ...]) -> bytes:
        return b"(" + b"".join(map(integer, values)) + b"t"

    storage = STORAGE.replace(b"J%b", integer(numel))
    tail = b"\x89ccollections\nOrderedDict\n)RtR"
    return storage + integer(offset) + numbers(size) + numbers(stride) + tail


def named(body: bytes) -> bytes:
    return b"\x80\x02}X\x06\x00\x00\x00target" + body + b"s."


def laughs(depth: int, width: int) -> bytes:
    """Mappings of mappings of one tensor: few bytes, width ** depth names."""
    body = view(2, offset=0, size=(2,), stride=(1,)) + b"q\x00"
    for level in range(depth):
        keys = b"".join(
            b"X\x01\x00\x00\x00" + bytes([97 + i]) + b"h" + bytes([level]) for i in range(width)
        )
        body += b"}(" + keys + b"uq" + bytes([level + 1])
    return b"\x80\x02" + body + b"."


def hostile(data: bytes, rng: random.Random) -> bytes:
    """A pickle made to do harm, or two damages of one."""
    huge = rng.choice((1 << 28, 1 << 31, 1 << 40, 1 << 62, (1 << 63) - 1, -1, 3, 1 << 70))
    made: Callable[[], bytes] = rng.choice(
        (
            lambda: torch_file({"weight": Code()}, zipped=rng.random() < 0.5),
            lambda: pickle.dumps(Code(), protocol=rng.choice((0, 1, 2, 4, 5))),
            lambda: repacked(pickle.dumps(Code(), protocol=rng.choice((2, 4)))),
            lambda: repacked(laughs(rng.choice((3, 30, 60)), rng.choice((1, 2, 9)))),
            lambda: repacked(b"\x80\x02}q\x00X\x04\x00\x00\x00selfh\x00s."),
            lambda: repacked(b"\x80\x02cbuiltins\nbytearray\n" + number(huge) + b"\x85R."),
            lambda: repacked(b"\x80\x02ctorch\nFloatStorage\n" + number(huge) + b"\x85R."),
            lambda: repacked(b"\x80\x02" + b"]" * 100_000 + b"a" * 99_999 + b"."),
            lambda: repacked(b"\x80\x02ctorch\nSize\n(" + number(huge) * 9 + b"t\x85R."),
            lambda: repacked(named(view(2, offset=0, size=(huge,), stride=(0,)))),
            lambda: repacked(named(view(2, offset=0, size=(2, huge), stride=(1, 0)))),
            lambda: repacked(named(view(huge, offset=0, size=(2,), stride=(1,)))),
            lambda: repacked(named(view(2, offset=huge, size=(1,), stride=(1,)))),
            lambda: repacked(named(view(2, offset=0, size=(2,), stride=(huge,)))),
            lambda: repacked(named(view(2, offset=0, size=(-1,), stride=(-1,)))),
            lambda: repacked(named(view(2, offset=1, size=(1,), stride=(7,)))),
            lambda: torch_file(rng.choice(ODD)(), zipped=rng.random() < 0.7),
        )
    )
    found = made()
    return odd_pickle(found, rng) if rng.random() < 0.2 else found


def number(value: int) -> bytes:
    raw = value.to_bytes(16, "little", signed=True)
    return b"\x8a\x10" + raw


ODD: tuple[Callable[[], Any], ...] = (
    lambda: {"weight": torch.eye(2).to_sparse()},
    lambda: {"weight": torch.eye(2).to_sparse_csr()},
    lambda: {"weight": torch.quantize_per_tensor(torch.ones(3), 0.1, 0, torch.qint8)},
    lambda: {"weight": torch.empty(1 << 30, device="meta")},
    lambda: {"weight": torch.ones(3, dtype=torch.complex64)},
    lambda: {"weight": torch.ones(3, dtype=torch.bfloat16), "bias": torch.ones(3).half()},
    lambda: {"weight": torch.ones(4).to(torch.float8_e4m3fn)},
    lambda: {"weight": torch.tensor([float("nan"), float("inf")])},
    lambda: {"weight": torch.ones(1).expand(5, 7), "bias": torch.arange(9).view(3, 3).T},
    lambda: {"a": {"b": torch.ones(1)}, "a.b": torch.zeros(1)},
    lambda: {1: torch.ones(1), (2, "x"): torch.ones(2), None: torch.ones(1), "a\nb": torch.ones(1)},
    lambda: {"weight": torch.nn.Parameter(torch.ones(2)), "x": torch.ones(2, requires_grad=True)},
    lambda: [torch.ones(2)],
    lambda: {"weight": torch.zeros(0, 5), "bias": torch.tensor(3.0)},
    lambda: collections.OrderedDict(STATE),
    lambda: {"x" * 5000: torch.ones(1), **{f"{i}": torch.ones(1) for i in range(300)}},
    lambda: {"weight": torch.ones((1,) * 50), "bias": torch.ones(2, dtype=torch.uint64)},
)


def same(path: Path, arrays: Mapping[str, Any]) -> str:
    """Compares with the bytes of the storages: in an archive, members data/0, data/1, ..."""
    if path.read_bytes()[:2] != b"PK":
        return ""
    stored = {name: data for name, data in members_of(path.read_bytes()) if "/data/" in name}
    for name, tensor in arrays.items():
        if tensor.layout is not torch.strided or tensor.is_meta or tensor.is_quantized:
            continue
        raw, size = bytes(tensor.untyped_storage().tolist()), tensor.element_size()
        pieces = [raw[i : i + size][::-1] for i in range(0, len(raw), size)]
        swapped = b"".join(pieces)  # a member says in which order the bytes are
        if tensor.numel() and not {raw, swapped} & set(stored.values()):
            return f"{name}: {len(raw)} bytes that are no member"
    return ""
