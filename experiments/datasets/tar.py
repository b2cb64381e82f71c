"""Which plain files does a tar archive hold?  Read in memory; nothing is unpacked to a disk.

A reader of our own: the standard library's has let members out of their folder and ran in circles
on sizes below 0 (CVE-2025-4517, CVE-2025-8194), and all that is needed here is a name and bytes.
"""

import re
from collections.abc import Iterable, Iterator

from polytope.errors import FileFormatError

MAX_MEMBERS = 10_000
_BLOCK = 512
_PLAIN = (b"0", b"\0", b"7")
#: Links, devices, folders, pipes: what they stand for is in the header alone.
_EMPTY = (b"1", b"2", b"3", b"4", b"5", b"6")
_OCTAL = re.compile(rb" *([0-7]+)[\0 ]*")
_RECORD = re.compile(rb"([1-9][0-9]{0,5}) ([^=\n]+)=")


def plain_files(archive: bytes, *, name: str) -> Iterator[tuple[str, memoryview]]:
    """Yields name and content of each plain file; links, devices and folders are passed over.

    Raises:
        FileFormatError: no tar archive, damaged, truncated, or of more than `MAX_MEMBERS` members.
    """
    whole, at, longer = memoryview(archive), 0, None
    for count in range(MAX_MEMBERS + 1):
        header = archive[at : at + _BLOCK]
        if len(header) < _BLOCK:
            raise FileFormatError(
                f"{name}: expected a whole tar archive, got one that ends in member {count + 1}"
            )
        if not any(header):
            return
        size = _checked(header, name, count)
        content = whole[at + _BLOCK : at + _BLOCK + size]
        if len(content) < size:
            raise FileFormatError(
                f"{name}: expected a whole tar archive, got {len(content)} of {size} bytes of "
                f"member {count + 1}"
            )
        at += _BLOCK + -(-size // _BLOCK) * _BLOCK
        kind = header[156:157]
        if kind == b"L":  # GNU: the name of the next member
            longer = bytes(content).rstrip(b"\0")
        elif kind == b"x":  # POSIX: records of the next member
            longer = _records(bytes(content), name).get(b"path", longer)
        elif kind == b"g" and b"path" in _records(bytes(content), name):
            raise FileFormatError(
                f"{name}: expected a name for each member, got a header that names all"
            )
        elif kind in _PLAIN:
            yield _text(_name(header) if longer is None else longer), content
        if kind not in (b"L", b"x", b"g", b"K"):
            longer = None
    raise FileFormatError(f"{name}: expected at most {MAX_MEMBERS} members, got more")


def extract_members(archive: bytes, members: Iterable[str], *, name: str) -> dict[str, bytes]:
    """Returns the named plain files of an unpacked tar archive; nothing is written to the disk.

    Links, devices and names that only resemble a wanted one are passed over.

    Raises:
        FileFormatError: no tar archive, or a member is missing or stands twice.
    """
    wanted = set(members)
    found: dict[str, bytes] = {}
    for member, content in plain_files(archive, name=name):
        if member in found:
            raise FileFormatError(f"{name} holds {member} twice")
        if member in wanted:
            found[member] = bytes(content)
    missing = sorted(wanted - found.keys())
    if missing:
        raise FileFormatError(
            f"{name}: expected the plain file {missing[0]}, got an archive without it"
        )
    return found


def _checked(header: bytes, name: str, count: int) -> int:
    """The size of a member's content, its header's checksum compared."""
    total = sum(header) - sum(header[148:156]) + 8 * ord(" ")
    if header[257:262] != b"ustar" or _number(header[148:156]) != total:
        raise FileFormatError(
            f"{name}: expected a tar archive, got a damaged header of member {count + 1}"
        )
    size = _number(header[124:136])
    if size is None or (size and header[156:157] in _EMPTY):
        raise FileFormatError(
            f"{name}: expected a tar archive, got a damaged size of member {count + 1}"
        )
    return size


def _number(field: bytes) -> int | None:
    found = _OCTAL.fullmatch(field)
    return None if found is None else int(found[1], 8)


def _name(header: bytes) -> bytes:
    own, prefix = header[:100].split(b"\0")[0], header[345:500].split(b"\0")[0]
    return prefix + b"/" + own if prefix else own


def _records(content: bytes, name: str) -> dict[bytes, bytes]:
    """The records "LENGTH KEY=VALUE" of an extended header, as far as a name needs them."""
    found, at = {}, 0
    while at < len(content.rstrip(b"\0")):
        start = _RECORD.match(content, at)
        end = at + int(start[1]) if start else 0
        if start is None or end <= start.end() or content[end - 1 : end] != b"\n":
            raise FileFormatError(f"{name}: expected a tar archive, got a damaged extended header")
        if start[2] == b"size" or start[2].startswith(b"GNU.sparse"):
            raise FileFormatError(
                f"{name}: expected plain files of at most 8 GiB, got one of {_text(start[2])!r}"
            )
        found[start[2]] = content[start.end() : end - 1]
        at = end
    return found


def _text(name: bytes) -> str:
    return name.decode("utf-8", errors="surrogateescape")
