"""The tar reader: what the standard library writes is read, what is damaged is refused."""

import io
import tarfile

import pytest

from experiments.datasets.tar import extract_members, plain_files
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
    with pytest.raises(
        FileFormatError, match="a name for each member, got a header that names all"
    ):
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
    with pytest.raises(FileFormatError, match=r"t: expected a (whole )?tar archive"):
        list(plain_files(resized(archive(tarfile.GNU_FORMAT), field), name="t"))


def test_every_cut_and_every_flipped_bit_of_a_header_is_refused():
    whole = archive(tarfile.GNU_FORMAT)
    for size in range(0, 4096, 97):
        with pytest.raises(FileFormatError, match=r"t: expected a (whole )?tar archive"):
            list(plain_files(whole[:size], name="t"))
    for place in range(0, 512, 7):
        damaged = bytearray(whole)
        damaged[place] ^= 0x20
        if bytes(damaged[148:156]) == whole[148:156]:
            with pytest.raises(FileFormatError, match=r"t: expected a (whole )?tar archive"):
                list(plain_files(bytes(damaged), name="t"))


def tar(*members):
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for member in members:
            name, content, kind = (*member, tarfile.REGTYPE)[:3]
            info = tarfile.TarInfo(name)
            info.type = kind
            if kind == tarfile.REGTYPE:
                info.size = len(content)
                archive.addfile(info, io.BytesIO(content))
            else:
                info.linkname = content
                archive.addfile(info)
    return stream.getvalue()


def test_extract_members_takes_the_wanted_plain_files_only():
    archive = tar(("p/a", b"1"), ("../p/b", b"2"), ("/p/b", b"3"), ("p/b", b"4"), ("p/c", b"5"))
    assert extract_members(archive, ["p/a", "p/b"], name="n") == {"p/a": b"1", "p/b": b"4"}


@pytest.mark.parametrize(
    ("archive", "match"),
    [
        (tar(("p/b", b"1")), "n: expected the plain file p/a, got an archive without it"),
        (tar(("p/a", "/etc/hostname", tarfile.SYMTYPE)), "expected the plain file p/a"),
        (tar(("p/b", b"1"), ("p/a", "p/b", tarfile.LNKTYPE)), "expected the plain file p/a"),
        (tar(("p/a", b"1"), ("p/a", b"2")), "holds p/a twice"),
        (b"\xffno tar\0" * 100, "expected a (whole )?tar archive"),
        (tar(("p/a", b"1" * 3000))[:1024], "expected a (whole )?tar archive"),
    ],
)
def test_archives_that_are_refused(archive, match):
    with pytest.raises(FileFormatError, match=match):
        extract_members(archive, ["p/a"], name="n")


def test_archives_with_very_many_members(monkeypatch):
    monkeypatch.setattr("experiments.datasets.tar.MAX_MEMBERS", 2)
    with pytest.raises(FileFormatError, match="expected at most 2 members, got more"):
        extract_members(tar(*((f"p/{i}", b"") for i in range(3))), ["p/2"], name="n")
