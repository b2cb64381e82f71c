"""How is an idx file read?  The format of MNIST: magic number, big-endian sizes, bytes."""

import math
import struct

import numpy as np
from numpy.typing import NDArray

from polytope.errors import FileFormatError

UNSIGNED_BYTE = 0x08  # the only element type that MNIST uses
MAX_BYTES = 2 << 30


def describe(data: bytes) -> str:
    """Returns what a file seems to be, for messages about files that are not what they should be.

    >>> describe(b"<!DOCTYPE html><html>")
    'an HTML page'
    """
    start = data[:256].lstrip().lower()
    if not data:
        return "an empty file"
    if start.startswith((b"<!doctype html", b"<html")):
        return "an HTML page"
    if start.startswith(b"version https://git-lfs"):
        return "a git-LFS pointer"
    if data.startswith(b"\x1f\x8b"):
        return "a gzip file"
    return f"a file that starts with {data[:4].hex(' ')}"


def parse_idx(data: bytes, *, axes: int, name: str = "idx file") -> NDArray[np.uint8]:
    """Returns the array of an idx file of unsigned bytes.

    The sizes declared in the header are compared with the length of the data before anything is
    allocated.

    Args:
        data: the whole, unpacked file.
        axes: the number of axes it must have: 3 for images, 1 for labels.
        name: how errors name the file.

    Returns:
        A read-only array of the declared shape that shares memory with `data`.

    Raises:
        FileFormatError: wrong magic number, wrong number of axes, truncated or overlong data.

    >>> parse_idx(bytes([0, 0, 8, 1, 0, 0, 0, 2, 7, 9]), axes=1).tolist()
    [7, 9]
    """
    magic = bytes([0, 0, UNSIGNED_BYTE, axes])
    if data[:4] != magic:
        raise FileFormatError(
            f"{name}: expected an idx file that starts with {magic.hex(' ')}, got {describe(data)}"
        )
    header = 4 + 4 * axes
    if len(data) < header:
        raise FileFormatError(f"{name}: expected a header of {header} bytes, got {len(data)} bytes")
    shape = struct.unpack(f">{axes}I", data[4:header])
    size = math.prod(shape)
    if math.prod(length for length in shape if length) > MAX_BYTES:  # also beside a size of 0
        raise FileFormatError(f"{name}: expected at most {MAX_BYTES} bytes, got shape {shape}")
    if len(data) != header + size:
        raise FileFormatError(
            f"{name}: expected {header + size} bytes, as its shape {shape} says, got {len(data)}"
        )
    return np.frombuffer(data, dtype=np.uint8, offset=header).reshape(shape)
