"""Of which kind is a file of weights?  By its first bytes, or the members of an archive."""

import zipfile
from pathlib import Path

from polytope.errors import FileFormatError

NUMPY, TORCH, SAFETENSORS, AGENT = "numpy", "torch", "safetensors", "agent"

#: How files of torch begin that are no archives: a pickle of one certain integer.
_LEGACY = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."
_HDF5 = b"\x89HDF\r\n\x1a\n"
#: Starts of .npy, of a zip archive, and of an empty one.
_NPY, _ZIPS = b"\x93NUMPY", (b"PK\x03\x04", b"PK\x05\x06")
#: Suffixes whose files are of one kind: anything else under such a name is refused by its reader.
_NAMED = {
    **dict.fromkeys((".pt", ".pth", ".ckpt", ".bin"), TORCH),
    **dict.fromkeys((".npz", ".npy"), NUMPY),
    ".safetensors": SAFETENSORS,
}
#: Member of an archive -> what such an archive is, and what to do with it.
_NETWORKS = {
    "model.weights.h5": "a network of Keras, which is a MODEL of its own",
    "schema.json": "an estimator saved by skops, which is a MODEL of its own",
}
POLICY = "policy.pth"  # of an agent of stable-baselines3


def kind_of(path: Path) -> str:
    """Returns which reader a file of weights is for; suffixes that mean one kind decide.

    Raises:
        FileFormatError: it is of no kind that is read, naming what it looks like.
        Exception: whatever zipfile raises on a damaged archive.
    """
    path = Path(path)
    named = _NAMED.get(path.suffix.lower())
    if named is not None:
        return named
    with path.open("rb") as stream:
        start = stream.read(len(_LEGACY))
    if start.startswith(_ZIPS):
        return _archive(path)
    if start.startswith(_NPY):
        return NUMPY
    if start.startswith(_LEGACY):
        return TORCH
    if start[8:9] == b"{" and int.from_bytes(start[:8], "little") < path.stat().st_size:
        return SAFETENSORS
    raise FileFormatError(f"{path}: expected {_expected(start, path)}")


def _expected(start: bytes, path: Path) -> str:
    size = f" ({path.stat().st_size:,} bytes)"
    if start.startswith(_HDF5):
        return (
            f"tensors by the names of a torch module, got an HDF5 file{size}; where it holds a "
            "network of Keras, give it as the MODEL, without weights"
        )
    if start[:1] == b"\x80":
        return (
            ".npz, .safetensors or .pt; save the tensors with safetensors where the origin of this "
            f"file is trusted (an estimator of scikit-learn: by skops), got a pickle{size}, which "
            "can hold code and is never loaded"
        )
    return (
        f"a readable .npz, .npy, .safetensors or torch file, got a file that starts with "
        f"{start[:8]!r}{size}"
    )


def _archive(path: Path) -> str:
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
    if POLICY in names:
        return AGENT
    if any(name == "data.pkl" or name.endswith("/data.pkl") for name in names):
        return TORCH
    for member, words in _NETWORKS.items():
        if member in names:
            raise FileFormatError(
                f"{path}: expected tensors by the names of a torch module, got {words}"
            )
    if names and not any(name.endswith(".npy") for name in names):
        raise FileFormatError(
            f"{path}: expected an archive of numpy, torch or stable-baselines3, got one with "
            f"{names[0]!r:.60} and {len(names) - 1:,} more"
        )
    return NUMPY
