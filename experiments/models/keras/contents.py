"""What is in an HDF5 file of Keras?  Read by `hdf5.py` in a process of its own, which may crash."""

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from experiments.readers.foreign_files import RATIO, check_version
from polytope.errors import FileFormatError, InputError

#: Earlier ones are built on releases of HDF5 that damaged files make corrupt memory.
OLDEST = (3, 12)
PROGRAM = Path(__file__).with_name("hdf5.py")
SECONDS = 300  # for one file; the largest have some GB

Arrays = list[np.ndarray]


@dataclass(frozen=True, eq=False)
class Contents:
    """What a file holds.

    Attributes:
        text: the configuration; None where there is none.
        layers: name of each layer -> its arrays, in the older format; else None.
        groups: place -> name that is stated there and arrays, in the newer format.
    """

    text: str | None
    layers: Mapping[str, Arrays] | None
    groups: Mapping[str, tuple[str | None, Arrays]]


def read_contents(source: Path | bytes, path: Path) -> Contents:
    """Returns what an HDF5 file holds, or one that is a member of an archive.

    Args:
        source: the file, or its bytes.
        path: how errors call it.

    Raises:
        InputError: h5py is not installed.
        FileFormatError: it is no such file, damaged, or holds what is not read.
    """
    try:
        import h5py
    except ImportError as problem:
        raise InputError(
            f"{path}: expected the package h5py, which reads such files, to be installed; "
            "install the extra `keras`: pip install 'collision-polytopes[keras]'"
        ) from problem
    check_version("h5py", h5py.__version__, OLDEST, path=path)
    with tempfile.TemporaryDirectory() as folder:
        place, arrays = Path(folder) / "source.h5", Path(folder) / "arrays.npz"
        if isinstance(source, bytes):
            place.write_bytes(source)
        else:
            place = source.resolve()
        found = _asked(place, arrays, path)
        numbers: list[np.ndarray] = []
        if arrays.is_file():
            with np.load(arrays, allow_pickle=False) as loaded:
                numbers = [loaded[str(k)] for k in range(len(loaded.files))]
    if "layers" in found:
        layers = {name: [numbers[k] for k in own] for name, own in found["layers"].items()}
        return Contents(found["text"], layers, {})
    groups = {
        name: (each["stated"], [numbers[k] for k in each["arrays"]])
        for name, each in found["groups"].items()
    }
    return Contents(found["text"], None, groups)


def _asked(place: Path, arrays: Path, path: Path) -> dict[str, Any]:
    """What the program says of a file."""
    try:
        done = subprocess.run(
            [sys.executable, "-P", str(PROGRAM), str(place), str(arrays), str(RATIO)],
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as problem:
        raise FileFormatError(
            f"{path}: expected an HDF5 file that is read in {SECONDS} s, got one that is not"
        ) from problem
    if done.returncode != 0:
        raise FileFormatError(
            f"{path}: expected a readable HDF5 file, got one on which the HDF5 library ended with "
            f"code {done.returncode}"
        )
    found: dict[str, Any] = json.loads(done.stdout)
    if "unfit" in found:
        raise FileFormatError(f"{path}: {found['unfit']}")
    return found


def weights_by_layer(found: Contents, kinds: Mapping[str, str], path: Path) -> dict[str, Arrays]:
    """Returns the arrays of each layer by its name.

    Args:
        found: of the file.
        kinds: name of each layer -> its class, in the order of the configuration.  In the newer
            format groups are named after classes: `dense`, `dense_1`, ...
        path: of the file.

    Raises:
        FileFormatError: a group states the name of another layer.
    """
    if found.layers is not None:
        return dict(found.layers)
    weights: dict[str, Arrays] = {}
    counts: dict[str, int] = {}
    for layer, kind in kinds.items():
        usual = snake(kind)
        count = counts[usual] = counts.get(usual, -1) + 1
        place = f"{usual}_{count}" if count else usual
        stated, weights[layer] = found.groups.get(place, (None, []))
        if stated is not None and stated != layer:
            raise FileFormatError(
                f"{path}: expected the weights of layer {layer!r} at {place!r}, got those of "
                f"{stated!r:.80}"
            )
    return weights


def snake(kind: str) -> str:
    """Returns a class's name as Keras writes it in files.

    >>> [snake(kind) for kind in ("Dense", "MaxPooling2D", "ReLU", "DepthwiseConv2D")]
    ['dense', 'max_pooling2d', 're_lu', 'depthwise_conv2d']
    """
    parts = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", re.sub(r"\W+", "", kind))
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", parts).lower()
