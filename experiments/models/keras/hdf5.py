"""What does an HDF5 file of Keras hold?  A program of its own, as its library may crash.

    python -P hdf5.py FILE ARRAYS RATIO

writes the arrays of numbers to ARRAYS (.npz) and prints JSON: the text of the configuration, and of
each layer which arrays are its own; or {"unfit": SENTENCE}.  It imports h5py and numpy alone.

An HDF5 file can name other files (external links, external and virtual data), be much smaller than
what it stands for, and ask for filters that are loaded from elsewhere: all of that is unfit.
"""

import json
import sys
from typing import Any

import numpy as np

try:
    import h5py
except ImportError:  # the reader that starts this program says so before
    h5py = None

_SMALL = 1 << 20  # bytes of a file below which a ratio means nothing
_MOST_NAMES = 100_000
_LONGEST_TEXT = 1 << 26
_FILTERS = {1, 2, 3}  # of HDF5's own: deflate, shuffle, Fletcher's checksum
_ROOT = "model_weights"  # of a whole network in the older format


class Unfit(Exception):
    """What the file holds is not read; the sentence says what was expected."""


class Reader:
    """Reads one file.

    Attributes:
        arrays: those read so far.
    """

    def __init__(self, file: Any, ratio: int) -> None:
        self.file, self.ratio = file, ratio
        self.arrays: list[np.ndarray] = []

    def contents(self) -> dict[str, Any]:
        """Returns text, and layers by name (older format) or groups by place (newer)."""
        root = self.child(self.file, _ROOT)
        root = self.file if root is None else root
        text = self.file.attrs.get("model_config")
        text = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
        text = text if isinstance(text, str) and len(text) <= _LONGEST_TEXT else None
        layers = self.names(root, "layer_names")
        if layers or root is not self.file:
            return {"text": text, "layers": {name: self.older(root, name) for name in layers}}
        for name in ("layers", "_layer_checkpoint_dependencies"):
            group = self.child(self.file, name)
            if isinstance(group, h5py.Group):
                return {"text": text, "groups": {each: self.newer(group, each) for each in group}}
        raise Unfit("expected the weights of layers, got none")

    def older(self, root: Any, layer: str) -> list[int]:
        """Returns which arrays belong to a layer."""
        group = self.child(root, layer)
        if not isinstance(group, h5py.Group):
            raise Unfit(f"expected weights of layer {layer!r:.80}, got none")
        return [self.array(group, name) for name in self.names(group, "weight_names")]

    def newer(self, layers: Any, place: str) -> dict[str, Any]:
        """Returns the name that a group states, and which arrays belong to it."""
        group = self.child(layers, f"{place}/vars")
        if not isinstance(group, h5py.Group):
            return {"stated": None, "arrays": []}
        stated = group.attrs.get("name")
        arrays = [self.array(group, str(k)) for k in range(len(group))]
        return {"stated": stated if isinstance(stated, str) else None, "arrays": arrays}

    def child(self, group: Any, name: str) -> Any:
        """Returns what a name of a group stands for; None where there is no such name."""
        found = group
        for part in filter(None, name.split("/")):
            link = found.get(part, getlink=True) if isinstance(found, h5py.Group) else None
            if link is None:
                return None
            if not isinstance(link, h5py.HardLink):
                raise Unfit(f"expected weights in the file, got a link at {name!r:.80}")
            found = found[part]
        return found

    def array(self, group: Any, name: str) -> int:
        """Reads an array of numbers; returns its place among all."""
        found = self.child(group, name)
        if not isinstance(found, h5py.Dataset):
            raise Unfit(f"expected an array at {name!r:.80}, got none")
        properties, size = found.id.get_create_plist(), int(self.file.id.get_filesize())
        filters = {properties.get_filter(k)[0] for k in range(properties.get_nfilters())}
        if found.external or found.is_virtual or not filters <= _FILTERS:
            raise Unfit(
                f"expected arrays in the file, plain or deflated, got {name!r:.80} kept otherwise"
            )
        if found.dtype.kind not in "fiu" or found.shape is None:
            raise Unfit(f"expected numbers at {name!r:.80}, got {found.dtype}")
        stored = max(_SMALL, self.ratio * int(found.id.get_storage_size()))
        if found.nbytes > min(stored, self.ratio * (size + _SMALL)):
            raise Unfit(
                f"expected arrays of about the file's own {size:,} bytes, got {name!r:.80} that "
                f"declares {found.nbytes:,}"
            )
        numbers = np.asarray(found[()])
        self.arrays.append(numbers.astype(numbers.dtype.newbyteorder("="), copy=False))
        return len(self.arrays) - 1

    def names(self, group: Any, attribute: str) -> list[str]:
        """Returns a list of names, which Keras cuts into pieces where it is long (`name0`, ...)."""
        whole = group.attrs.get(attribute)
        pieces = [whole] if whole is not None else []
        while whole is None and (more := group.attrs.get(f"{attribute}{len(pieces)}")) is not None:
            pieces.append(more)
        names = [n for piece in pieces for n in np.asarray(piece).ravel()[:_MOST_NAMES].tolist()]
        if len(names) >= _MOST_NAMES or any(not isinstance(each, str | bytes) for each in names):
            raise Unfit(f"expected names in {attribute!r}, got something else")
        return [n.decode("utf-8", "replace") if isinstance(n, bytes) else n for n in names]


def main(source: str, arrays: str, ratio: str) -> None:
    """Reads one file."""
    found: dict[str, Any] = {}
    try:
        with h5py.File(source, "r") as file:
            reader = Reader(file, int(ratio))
            found = reader.contents()
            np.savez(arrays, **{str(k): each for k, each in enumerate(reader.arrays)})  # type: ignore[arg-type]
    except Unfit as problem:
        found = {"unfit": str(problem)}
    except Exception as problem:  # h5py raises nearly anything on damaged files
        reason = (str(problem).strip() or type(problem).__name__).splitlines()[0]
        found = {
            "unfit": f"expected a readable HDF5 file, got one that cannot be read: {reason:.200}"
        }
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
