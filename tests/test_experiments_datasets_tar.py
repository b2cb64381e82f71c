"""The tar reader: what the standard library writes is read, what is damaged is refused."""

import io
import tarfile

import pytest

from experiments.datasets.tar import plain_files
from polytope.errors import FileFormatError

LONG = "folder/" + "n" * 150


def archive(form=tarfile.PAX_FORMAT, headers=None):
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=form, pax_headers=headers) as made:
        for name, content in (("a", b"1"), ("b/../c", b"22" * 300), (LONG, b"")):
            info = tarfile.TarInfo(name)
            info.size = len(content)
            made.addfile(info, io.BytesIO(content))
        folder = tarfile.TarInfo("d")
        folder.type = tarfile.DIRTYPE
        made.addfile(folder)
    return stream.getvalue()


def resized(data, field):
    """The first header with another size, and the checksum that belongs to it."""
    made = bytearray(data)
    made[124:136] = field
    made[148:156] = b" " * 8
    made[148:156] = b"%06o\0 " % sum(made[:512])
    return bytes(made)


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_names_of_any_length_come_back(form):
    if form == tarfile.USTAR_FORMAT:  # 100 characters, and a folder of 155
        found = dict(plain_files(archive(tarfile.GNU_FORMAT), name="t"))
    else:
        found = dict(plain_files(archive(form), name="t"))
    assert {name: bytes(content) for name, content in found.items()} == {
        "a": b"1",
        "b/../c": b"22" * 300,  # a name: nothing is put anywhere
        LONG: b"",
    }


def test_a_comment_for_all_members_is_left_alone_and_a_name_is_not():
    assert "a" in dict(plain_files(archive(headers={"comment": "0" * 40}), name="t"))
    with pytest.raises(FileFormatError, match="must name each member apart"):
        list(plain_files(archive(headers={"path": "x"}), name="t"))


@pytest.mark.parametrize(
    "field",
    [
        b"\xff" * 11 + b"\x00",  # -256: in the standard library's reader a way back
        b"\x80" + b"\x00" * 10 + b"\x05",
        b"-0000000777\0",
        b"0000000000x\0",
        b"\0" * 12,
        b"77777777777\0",
    ],
)
def test_sizes_that_are_none_or_too_large(field):
    with pytest.raises(FileFormatError, match=r"t must be a tar archive"):
        list(plain_files(resized(archive(tarfile.GNU_FORMAT), field), name="t"))


def test_every_cut_and_every_flipped_bit_of_a_header_is_refused():
    whole = archive(tarfile.GNU_FORMAT)
    for size in range(0, 4096, 97):
        with pytest.raises(FileFormatError, match=r"t must be a tar archive"):
            list(plain_files(whole[:size], name="t"))
    for place in range(0, 512, 7):
        damaged = bytearray(whole)
        damaged[place] ^= 0x20
        if bytes(damaged[148:156]) == whole[148:156]:
            with pytest.raises(FileFormatError, match=r"t must be a tar archive"):
                list(plain_files(bytes(damaged), name="t"))
