import struct

import numpy as np
import pytest

from experiments.datasets.idx import describe, parse_idx
from polytope.errors import FileFormatError


def idx(shape, data, magic=(0, 0, 8)):
    return bytes([*magic, len(shape)]) + struct.pack(f">{len(shape)}I", *shape) + data


def test_images_and_labels():
    found = parse_idx(idx((2, 2, 3), bytes(range(12))), axes=3)
    assert np.array_equal(found, np.arange(12).reshape(2, 2, 3))
    assert parse_idx(idx((0,), b""), axes=1).shape == (0,)


@pytest.mark.parametrize(
    ("data", "match"),
    [
        (b"", "00 00 08 03, got an empty file"),
        (b"<!DOCTYPE html>...", "got an HTML page"),
        (b"version https://git-lfs.github.com/spec/v1", "got a git-LFS pointer"),
        (b"\x1f\x8b\x08\x00", "got a gzip file"),
        (idx((1, 1, 1), b"x", magic=(0, 0, 9)), "got a file that starts with 00 00 09 03"),
        (idx((3,), b"xyz"), "got a file that starts with 00 00 08 01"),
        (idx((1, 1, 1), b"x")[:15], "header of 16 bytes, got 15 bytes"),
        (idx((2, 2, 2), b"1234567"), r"expected 24 bytes, as its shape \(2, 2, 2\) says, got 23"),
        (idx((2, 2, 2), b"123456789"), "expected 24 bytes, .* got 25"),
        (
            idx((2**32 - 1, 28, 28), b"x"),
            r"at most 2147483648 bytes, got shape \(4294967295, 28, 28",
        ),
        (idx((2**32 - 1,) * 3, b""), "expected at most 2147483648 bytes"),
    ],
)
def test_damaged_files_are_refused(data, match):
    with pytest.raises(FileFormatError, match=f"digits: .*{match}"):
        parse_idx(data, axes=3, name="digits")


def test_every_truncation_is_refused():
    data = idx((2, 3), b"abcdef")
    for cut in range(len(data)):
        with pytest.raises(FileFormatError):
            parse_idx(data[:cut], axes=2)


def test_describe_does_not_choke_on_bytes():
    assert describe(b"\xff\xfe") == "a file that starts with ff fe"
