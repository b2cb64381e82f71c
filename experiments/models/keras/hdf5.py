"""What does an HDF5 file of Keras hold?  Text and arrays of numbers, by h5py.

An HDF5 file can name other files (external links, external and virtual data), be much smaller than
what it stands for, and ask for filters that are loaded from elsewhere: all of that is refused.
"""

import io
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from experiments.readers.foreign_files import RATIO, check_version, reason
from polytope.errors import CollisionError, FileFormatError, InputError

if TYPE_CHECKING:
    import h5py

#: Earlier ones are built on releases of HDF5 that damaged files make corrupt memory.
OLDEST = (3, 12)
_SMALL = 1 << 20  # bytes of a file below which a ratio means nothing
_MOST_NAMES = 100_000
_LONGEST_TEXT = 1 << 26
_FILTERS = {1, 2, 3}  # of HDF5's own: deflate, shuffle, Fletcher's checksum

Arrays = list[np.ndarray]


@contextmanager
def opened(source: Path | bytes, path: Path) -> "Iterator[h5py.File]":
    """Opens an HDF5 file, or one that is a member of an archive; errors call it `path`.

    Raises:
        InputError: h5py is not installed.
        FileFormatError: it is no such file, or damaged.
    """
    try:
        import h5py
    except ImportError as problem:
        raise InputError(
            f"{path}: expected the package h5py, which reads such files, to be installed; "
            "install the extra `keras`: pip install 'collision-polytopes[keras]'"
        ) from problem
    check_version("h5py", h5py.__version__, OLDEST, path=path)
    try:
        with h5py.File(io.BytesIO(source) if isinstance(source, bytes) else source, "r") as file:
            yield file
    except (CollisionError, MemoryError):
        raise
    except Exception as problem:  # h5py raises nearly anything on damaged files
        raise FileFormatError(
            f"{path}: expected a readable HDF5 file, got one that cannot be read: {reason(problem)}"
        ) from problem


def text_of(found: "h5py.File", name: str) -> str | None:
    """Returns an attribute that is text; None where there is none."""
    value = found.attrs.get(name)
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    return value if isinstance(value, str) and len(value) <= _LONGEST_TEXT else None


def child(group: "h5py.Group", name: str, path: Path) -> "h5py.Group | h5py.Dataset | None":
    """Returns what a name of a group stands for; None where there is no such name.

    Raises:
        FileFormatError: it is a link to another place or file.
    """
    import h5py

    found: Any = group
    for part in filter(None, name.split("/")):
        link = found.get(part, getlink=True) if isinstance(found, h5py.Group) else None
        if link is None:
            return None
        if not isinstance(link, h5py.HardLink):
            raise FileFormatError(f"{path}: expected weights in the file, got a link at {name!r}")
        found = found[part]
    return found


def array_of(group: "h5py.Group", name: str, path: Path) -> np.ndarray:
    """Returns an array of numbers.

    Raises:
        FileFormatError: there is none of that name, or it is not in the file as it is.
    """
    import h5py

    found, size = child(group, name, path), _size(group)
    if not isinstance(found, h5py.Dataset):
        raise FileFormatError(f"{path}: expected an array at {name!r}, got none")
    properties = found.id.get_create_plist()
    filters = {properties.get_filter(k)[0] for k in range(properties.get_nfilters())}
    if found.external or found.is_virtual or not filters <= _FILTERS:
        raise FileFormatError(
            f"{path}: expected arrays in the file, plain or deflated, got {name!r} kept otherwise"
        )
    if found.dtype.kind not in "fiu" or found.shape is None:
        raise FileFormatError(f"{path}: expected numbers at {name!r}, got {found.dtype}")
    if found.nbytes > max(_SMALL, RATIO * found.id.get_storage_size()) or found.nbytes > RATIO * (
        size + _SMALL
    ):
        raise FileFormatError(
            f"{path}: expected arrays of about the file's own {size:,} bytes, got {name!r} that "
            f"declares {found.nbytes:,}"
        )
    numbers = np.asarray(found[()])
    return numbers.astype(numbers.dtype.newbyteorder("="), copy=False)


def _size(group: "h5py.Group") -> int:
    return int(group.file.id.get_filesize())


def names_in(group: "h5py.Group", attribute: str, path: Path) -> list[str]:
    """Returns a list of names, which Keras cuts into pieces where it is long (`name0`, `name1`).

    Raises:
        FileFormatError: it is no list of names, or a very long one.
    """
    whole = group.attrs.get(attribute)
    pieces = [whole] if whole is not None else []
    while whole is None and (piece := group.attrs.get(f"{attribute}{len(pieces)}")) is not None:
        pieces.append(piece)
    names = [each for piece in pieces for each in np.asarray(piece).ravel()[:_MOST_NAMES].tolist()]
    if len(names) >= _MOST_NAMES or any(not isinstance(each, str | bytes) for each in names):
        raise FileFormatError(f"{path}: expected names in {attribute!r}, got something else")
    return [each.decode("utf-8", "replace") if isinstance(each, bytes) else each for each in names]


def weights_by_layer(root: "h5py.Group", path: Path) -> dict[str, Arrays]:
    """Returns the arrays of each layer by its name, of a file of the older format.

    Raises:
        FileFormatError: it is not laid out so.
    """
    import h5py

    found = {}
    for layer in names_in(root, "layer_names", path):
        group = child(root, layer, path)
        if not isinstance(group, h5py.Group):
            raise FileFormatError(f"{path}: expected weights of layer {layer!r}, got none")
        names = names_in(group, "weight_names", path)
        found[layer] = [array_of(group, name, path) for name in names]
    return found


def weights_by_place(root: "h5py.Group", kinds: Mapping[str, str], path: Path) -> dict[str, Arrays]:
    """Returns the arrays of each layer by its name, of a file of the newer format.

    Args:
        root: of the file.
        kinds: name of each layer -> its class, in the order of the configuration.  Groups are
            named after classes: `dense`, `dense_1`, ...; where they state names, these decide.
        path: of the file.

    Raises:
        FileFormatError: it is not laid out so.
    """
    import h5py

    for name in ("layers", "_layer_checkpoint_dependencies"):
        layers = child(root, name, path)
        if isinstance(layers, h5py.Group):
            break
    else:
        raise FileFormatError(f"{path}: expected the weights of layers, got none")
    found: dict[str, Arrays] = {}
    counts: dict[str, int] = {}
    for layer, kind in kinds.items():
        usual = snake(kind)
        count = counts[usual] = counts.get(usual, -1) + 1
        place = f"{usual}_{count}" if count else usual
        group = child(layers, f"{place}/vars", path)
        if not isinstance(group, h5py.Group):
            found[layer] = []
            continue
        stated = group.attrs.get("name")
        if isinstance(stated, str) and stated != layer:
            raise FileFormatError(
                f"{path}: expected the weights of layer {layer!r} at {place!r}, got those of "
                f"{stated!r:.80}"
            )
        found[layer] = [array_of(group, str(k), path) for k in range(len(group))]
    return found


def snake(kind: str) -> str:
    """Returns a class's name as Keras writes it in files.

    >>> [snake(kind) for kind in ("Dense", "MaxPooling2D", "ReLU", "DepthwiseConv2D")]
    ['dense', 'max_pooling2d', 're_lu', 'depthwise_conv2d']
    """
    parts = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", re.sub(r"\W+", "", kind))
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", parts).lower()
