"""Which data sets deceive?  idx files, packed or not, archives, images."""

from __future__ import annotations

import gzip
import io
import random
import struct
import tarfile
import zlib
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from experiments.datasets.fetch import gunzip
from experiments.datasets.idx import parse_idx
from experiments.datasets.images import decode_image
from experiments.datasets.tar import extract_members
from experiments.own.input import image_note, read_input
from polytope.errors import FileFormatError
from tests.campaigns.fuzz_mutations import NUMBERS, any_bytes
from tests.campaigns.fuzz_targets import Target

LIMIT = 1 << 20
WANTED = "package/data/a"
_IMAGES = bytes([0, 0, 8, 3]) + struct.pack(">3I", 2, 3, 2) + bytes(range(12))
_LABELS = bytes([0, 0, 8, 1]) + struct.pack(">I", 3) + bytes([7, 0, 9])


def targets(name: str) -> Target:
    if name == "idx":
        return Target(
            suffix="-ubyte", samples=[_IMAGES, _LABELS], mutate=any_idx, read=read_idx, compare=same
        )
    if name == "idx-gz":
        samples = [gzip.compress(data, mtime=0) for data in (_IMAGES, _LABELS)]
        return Target(suffix=".gz", samples=samples, mutate=any_gzip, read=read_packed)
    if name == "tar":
        samples = [tar(tarfile.USTAR_FORMAT), tar(tarfile.GNU_FORMAT), tar(tarfile.PAX_FORMAT)]
        return Target(
            suffix=".tar", samples=samples, mutate=any_tar, read=read_tar, compare=same_tar
        )
    samples = [picture(name, mode) for mode in ("RGB", "L")]
    if name == "png":
        samples += [picture(name, mode) for mode in ("P", "RGBA", "1", "LA", "I;16")]
    return Target(
        suffix=f".{name}",
        samples=samples[: 2 if name == "jpeg" else -1],
        mutate=any_png if name == "png" else any_bytes,
        read=read_image,
        compare=same_image,
    )


# --- idx -------------------------------------------------------------------------------------


def any_idx(data: bytes, rng: random.Random) -> bytes:
    if rng.random() < 0.4:
        return any_bytes(data, rng)
    axes = data[3]
    sizes = list(struct.unpack_from(f">{axes}I", data, 4))
    for _ in range(rng.choice((1, 2, 3, 6))):
        sizes[rng.randrange(axes)] = rng.choice((0, 0, 1, 2, 3, 4, 6, 12, -1, -1, *NUMBERS)) % (
            1 << 32
        )
    body = data[4 + 4 * axes :]
    if rng.random() < 0.5:  # no more than the sizes say
        body = body[: prod(sizes)]
    return data[:4] + struct.pack(f">{axes}I", *sizes) + body


def read_idx(path: Path) -> Any:
    data = path.read_bytes()
    return parse_idx(data, axes=1 if data[3:4] == b"\x01" else 3, name=str(path))


def same(path: Path, found: Any) -> str:
    data = path.read_bytes()
    shape = [int.from_bytes(data[4 + 4 * i : 8 + 4 * i], "big") for i in range(data[3])]
    if list(found.shape) != shape or found.tobytes() != data[4 + 4 * data[3] :]:
        return f"{found.shape} of {shape}"
    return ""


def any_gzip(data: bytes, rng: random.Random) -> bytes:
    choice, inner = rng.random(), gzip.decompress(data)
    if choice < 0.4:
        return any_bytes(data, rng)
    if choice < 0.7:
        return gzip.compress(any_idx(inner, rng), mtime=0)
    if choice < 0.8:  # a bomb
        return gzip.compress(inner + bytes(rng.choice((LIMIT, 8 << 20))), mtime=0)
    if choice < 0.9:
        return zlib.compress(inner) if choice < 0.85 else gzip.compress(data, mtime=0)
    return data + rng.choice((data, b"\0", data[:9]))


def read_packed(path: Path) -> Any:
    unpacked = gunzip(path.read_bytes(), limit=LIMIT, name=str(path))
    return parse_idx(unpacked, axes=1 if unpacked[3:4] == b"\x01" else 3, name=str(path))


# --- archives --------------------------------------------------------------------------------


def tar(form: int) -> bytes:
    stream = io.BytesIO()
    headers = {"comment": "0" * 40} if form == tarfile.PAX_FORMAT else None
    with tarfile.open(fileobj=stream, mode="w", format=form, pax_headers=headers) as made:
        names = ["package/README", WANTED, "package/" + ("b" * 99 + "/") + "c"]
        for name in names[: 2 if form == tarfile.USTAR_FORMAT else 3]:
            info = tarfile.TarInfo(name)
            info.size = len(name)
            made.addfile(info, io.BytesIO(name.encode()))
    return stream.getvalue()


def any_tar(data: bytes, rng: random.Random) -> bytes:
    """Fields of a header changed, its checksum made to fit; or bytes."""
    if rng.random() < 0.3:
        return any_bytes(data, rng)
    made = bytearray(data)
    blocks = [i for i in range(0, len(data), 512) if data[i + 257 : i + 262] == b"ustar"]
    for _ in range(rng.choice((1, 1, 2))):
        at = rng.choice(blocks)
        field, size = rng.choice(((0, 100), (124, 12), (124, 12), (156, 1), (157, 100), (345, 155)))
        value = rng.choice(
            (
                *(WANTED.encode(), b"../../" + WANTED.encode(), b"/" + WANTED.encode(), b"", b"9"),
                *(b"%o" % rng.choice((0, 1, 511, 512, 513, 1 << 33)), b"\xff" * 12, b"-0000000512"),
                *(b"\x80" + struct.pack(">xxxQ", rng.choice(NUMBERS) % (1 << 64)), b"+1", b"1_0"),
                *(b"\xff" * 9 + b"\xfe\x00", b"\xff" * 11 + b"\x00", b"1", b"2", b"3", b"5", b"6"),
                *(b"x", b"g", b"L", b"K", b"S", b"7", "é".encode(), rng.randbytes(5)),
            )
        )
        made[at + field : at + field + size] = value[:size].ljust(size, b"\0")
        made[at + 148 : at + 156] = b" " * 8
        made[at + 148 : at + 156] = b"%06o\0 " % sum(made[at : at + 512])
    if rng.random() < 0.3:  # records of extended headers: "LENGTH KEY=VALUE\n"
        records = (
            b"30 mtime=1",
            b"-1 path=a\n",
            b"0 size=5\n",
            b"99999999999 a=b\n",
            b"11 size=-9\n",
        )
        records += (b"12 size=1e9\n", b"25 GNU.sparse.map=-1,1\n", b"x", b"20 path=../../a/b\n")
        at = rng.choice(blocks) + 512
        value = rng.choice(records)
        made[at : at + len(value)] = value
    return bytes(made)


def read_tar(path: Path) -> dict[str, bytes]:
    return extract_members(path.read_bytes(), [WANTED], name=str(path))


def same_tar(path: Path, found: dict[str, bytes]) -> str:
    """What the standard library's reader finds under that name, where it finds anything."""
    try:
        with tarfile.open(path, mode="r:") as opened:
            plain = [m for m in opened.getmembers()[:100] if m.name == WANTED and m.isreg()]
            others = [opened.extractfile(member) for member in plain]
            contents = [stream.read() for stream in others if stream]
    except Exception:
        return ""
    return "" if contents == [found[WANTED]] else f"{found[WANTED]!r} of {contents}"


# --- images ----------------------------------------------------------------------------------


def picture(kind: str, mode: str) -> bytes:
    levels = np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8)
    made, stream = Image.fromarray(levels), io.BytesIO()
    if mode == "I;16":
        made = Image.fromarray(levels[..., 0].astype(np.uint16) * 250)
    else:
        made = made.convert(mode)
    made.save(stream, format=kind.upper())
    return stream.getvalue()


def any_png(data: bytes, rng: random.Random) -> bytes:
    """A chunk changed, its checksum made to fit; or bytes."""
    if rng.random() < 0.4:
        return any_bytes(data, rng)
    chunks, at = [], 8
    while at + 8 <= len(data):
        (size,) = struct.unpack_from(">I", data, at)
        chunks.append((data[at + 4 : at + 8], data[at + 8 : at + 8 + size]))
        at += 12 + size
    place = rng.randrange(len(chunks))
    kind, body = chunks[place]
    if kind == b"IHDR" and rng.random() < 0.6:
        sizes = [rng.choice((0, 1, 5, 7, 1 << 14, 1 << 20, (1 << 31) - 1)) for _ in range(2)]
        body = struct.pack(">2I", *sizes) + body[8:]
    else:
        body = any_bytes(body, rng)
    chunks[place] = (kind, body)
    if rng.random() < 0.3:
        more = (b"zTXt", b"a\0\0" + zlib.compress(bytes(4 << 20)))
        chunks.insert(
            rng.randrange(len(chunks)), rng.choice((more, chunks[place], (b"tRNS", b"9")))
        )
    made = [
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in chunks
    ]
    return data[:8] + b"".join(made)


def read_image(path: Path) -> Any:
    found = decode_image(path)
    if found.size > 1 << 20:
        return found
    read_input(path, (3, 4, 4), None)
    image_note(path, (3, 4, 4))
    return found


def same_image(path: Path, found: Any) -> str:
    if found.ndim != 3 or found.shape[2] != 3 or found.dtype != np.uint8:
        raise FileFormatError("no RGB")
    with Image.open(path) as opened:
        return "" if found.shape[:2] == opened.size[::-1] else f"{found.shape} of {opened.size}"
