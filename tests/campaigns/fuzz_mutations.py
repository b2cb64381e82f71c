"""How is a valid file damaged?  Mutations of bytes, of text, and of JSON, each from a seed."""

from __future__ import annotations

import json
import random
import re
import struct
from typing import Any

#: Numbers at which readers go wrong.
NUMBERS = (
    *(0, 1, -1, 2, 3, 7, 127, 128, 255, 256, 32767, 65535, 65536, 1 << 20, (1 << 31) - 1),
    *(1 << 31, (1 << 32) - 1, 1 << 32, 1 << 40, (1 << 62) + 1, (1 << 63) - 1, -(1 << 63)),
    *(1 << 63, (1 << 64) - 1, 10**30, -(10**30)),
)
#: Words at which readers go wrong.
WORDS = (
    *("", " ", "0", "-0", "+1", "1/0", "-1/2", "1e400", "1e-400", "1e999999999", "nan", "NaN"),
    *("inf", "-Infinity", "0x10", "1_000", "٣", "½", "1,5", "null", "true", "{}", "[]", '"'),
    *("../../etc/passwd", "/etc/passwd", "C:\\x", "a\x00b", "\x1b[31mred", "a\nb", "\u2028"),
    *("\ud800", "é" * 50, "<script>alert(1)</script>", "%s%n", "9" * 5000, "x" * 3000, "__class__"),
)


def truncated(data: bytes, rng: random.Random) -> bytes:
    return data[: rng.randrange(len(data) + 1)]


def flipped(data: bytes, rng: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 5, 20))):
        if changed:
            changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def overwritten(data: bytes, rng: random.Random) -> bytes:
    """Some bytes replaced: by noise, zeros, ones, or bytes of elsewhere in the file."""
    place, size = rng.randrange(len(data) + 1), rng.choice((1, 1, 2, 4, 8, 64))
    new = rng.choice(
        (rng.randbytes(size), b"\0" * size, b"\xff" * size, data[place // 2 :][:size], b"\x80")
    )
    return data[:place] + new + data[place + len(new) :]


def moved(data: bytes, rng: random.Random) -> bytes:
    """A piece left out, doubled, or put elsewhere."""
    start = rng.randrange(len(data) + 1)
    piece = data[start : start + rng.choice((1, 2, 8, 100, 4096))]
    rest = data[:start] + data[start + len(piece) :]
    place = rng.randrange(len(rest) + 1)
    moved_on = rest[:place] + piece + rest[place:]
    return rng.choice((rest, data[:start] + piece + data[start:], moved_on))


def number_field(data: bytes, rng: random.Random) -> bytes:
    """Two, four or eight bytes replaced by a number at which readers go wrong."""
    kind = rng.choice("HIQ")
    size = struct.calcsize(kind)
    place = rng.randrange(max(1, min(len(data), rng.choice((16, 128, 1 << 20)))))
    value = rng.choice(NUMBERS) % (1 << (8 * size))
    return data[:place] + struct.pack(rng.choice("<>") + kind, value) + data[place + size :]


def longer(data: bytes, rng: random.Random) -> bytes:
    more = rng.choice((b"\0", b"\n", rng.randbytes(9), data, b"\0" * 4096))
    return rng.choice((data + more, more + data))


def noise(data: bytes, rng: random.Random) -> bytes:
    """Bytes of no format, perhaps behind the beginning of one."""
    return data[: rng.choice((0, 0, 4, 8, 16))] + rng.randbytes(rng.choice((0, 1, 8, 100, 2000)))


def stand_in(data: bytes, rng: random.Random) -> bytes:
    """What lies in the place of a file that was not fetched."""
    return rng.choice(
        (
            b"",
            b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 9\n",
            b"<!DOCTYPE html>\n<html><body>404</body></html>\n",
            b'<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>',
            b'{"message": "Not Found"}',
            b"\x1f\x8b\x08\x00" + data,
            b"PK\x03\x04" + data,
            b"\x80\x04cposix\nsystem\n",
        )
    )


BYTES = (truncated, flipped, flipped, overwritten, moved, number_field, number_field, longer)
RARE = (noise, stand_in)


def any_bytes(data: bytes, rng: random.Random) -> bytes:
    """One to three mutations of bytes; now and then a file of no format."""
    if rng.random() < 0.05:
        return rng.choice(RARE)(data, rng)
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        data = rng.choice(BYTES)(data, rng)
    return data


def any_text(data: bytes, rng: random.Random) -> bytes:
    """Words and lines of a text replaced, left out, doubled or exchanged."""
    text = data.decode("utf-8", errors="replace")
    for _ in range(rng.choice((1, 1, 2, 4))):
        pieces = re.split(rng.choice((r"(\s+)", r"(\n)", r"([-+]?[0-9]+)", r"(\W)")), text)
        place = rng.randrange(len(pieces))
        choice = rng.randrange(5)
        if choice == 0:
            pieces[place] = rng.choice(WORDS)
        elif choice == 1:
            pieces[place] = str(rng.choice(NUMBERS))
        elif choice == 2:
            del pieces[place]
        elif choice == 3:
            pieces.insert(place, pieces[rng.randrange(len(pieces))])
        else:
            other = rng.randrange(len(pieces))
            pieces[place], pieces[other] = pieces[other], pieces[place]
        text = "".join(pieces)
    return text.encode("utf-8", errors="surrogatepass")


def any_json(data: bytes, rng: random.Random) -> bytes:
    """A JSON document with some of its values, keys or brackets changed."""
    try:
        document = json.loads(data)
    except ValueError:
        return any_text(data, rng)
    for _ in range(rng.choice((1, 1, 2))):
        document = changed_value(document, rng)
    if rng.random() < 0.1:
        depth = rng.choice((10, 1000, 100_000))
        opening, closing = rng.choice((("[", "]"), ('{"a":', "}")))
        return (opening * depth + json.dumps(document) + closing * depth).encode()
    text = json.dumps(document, ensure_ascii=rng.random() < 0.5)
    if rng.random() < 0.15:  # a key twice
        text = re.sub(r'"(\w+)": ', r'"\1": 1, "\1": ', text, count=1)
    return text.encode("utf-8", errors="surrogatepass")


def odd_value(rng: random.Random) -> Any:
    kinds: tuple[Any, ...] = (
        rng.choice(NUMBERS),
        rng.choice(WORDS),
        rng.choice((None, True, False, 1.5, -0.0, 1e308, float("nan"), float("inf"))),
        rng.choice(([], {}, [[]], [0] * 1000, {"": {}}, [None], ["0"] * 3)),
        format(rng.getrandbits(200), "x"),
    )
    return rng.choice(kinds)


def changed_value(value: Any, rng: random.Random) -> Any:
    """Walks down to a random place and changes what stands there."""
    if isinstance(value, (dict, list)) and value and rng.random() < 0.85:
        keys = list(value) if isinstance(value, dict) else list(range(len(value)))
        key, choice = rng.choice(keys), rng.random()
        copy = value.copy()
        if choice < 0.1:
            del copy[key]
        elif choice < 0.2:
            other = rng.choice(keys)
            copy[key], copy[other] = copy[other], copy[key]
        elif choice < 0.25 and isinstance(copy, dict):
            copy[rng.choice(WORDS)] = copy.pop(key)
        elif choice < 0.3 and isinstance(copy, list):
            copy.insert(0, copy[key])
        else:
            copy[key] = changed_value(copy[key], rng)
        return copy
    if isinstance(value, int) and rng.random() < 0.5:
        return value + rng.choice((-1, 1))
    if isinstance(value, str) and value and rng.random() < 0.5:
        place = rng.randrange(len(value))
        return value[:place] + rng.choice("0123456789abcdef-zZ é\n/") + value[place + 1 :]
    return odd_value(rng)
