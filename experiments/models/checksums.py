"""Is it the file of weights that was published?  Compared with what is known of its SHA-256."""

import re
from pathlib import Path

from polytope.errors import ChecksumError, FileFormatError

#: torchvision's files end in the first 8 hex digits of their SHA-256.
_NAMED = re.compile(r"-([0-9a-f]{8})\.pth", re.ASCII)


def check_sha256(digest: str, path: Path, wanted: str | None = None) -> str:
    """Compares a checksum with what is known of it, and says in words with what.

    Args:
        digest: of the file, 64 hex digits.
        path: whose name may carry eight digits, as torchvision's files do.
        wanted: checksum given by the user, at least 8 digits; None for none.

    Raises:
        ChecksumError: it differs.
        FileFormatError: `wanted` is no checksum.
    """
    said = []
    if wanted is not None:
        given = wanted.lower()
        if re.fullmatch(r"[0-9a-f]{8,64}", given, re.ASCII) is None:
            raise FileFormatError(f"sha256: expected 8 to 64 hex digits, got {wanted!r}")
        if not digest.startswith(given):
            raise ChecksumError(f"{path}: expected SHA-256 {given}, got {digest}")
        said.append(f"the given {len(given)} digits")
    named = _NAMED.search(path.name)
    if named is not None:
        if not digest.startswith(named[1]):
            raise ChecksumError(
                f"{path}: expected a SHA-256 that begins with {named[1]}, as its name says, "
                f"got {digest}"
            )
        said.append("the 8 digits in its name")
    if not said:
        return "nothing: no checksum is known for it; names, shapes and finiteness were checked"
    return " and ".join(said)
