"""Which files hold a whole network, and who reads them?  By suffix; all readers take data only."""

import importlib
from collections.abc import Callable
from pathlib import Path

from experiments.models.foreign.network import ForeignNetwork
from polytope.errors import InputError

_KERAS = ("experiments.models.keras.reader", "read_keras")
#: Suffix -> module and function that reads such a file.
_READERS = {
    ".nnet": ("experiments.models.foreign.nnet", "read_nnet"),
    ".keras": _KERAS,
    ".h5": _KERAS,
    ".hdf5": _KERAS,
    ".json": _KERAS,
    ".zip": ("experiments.models.foreign.agents", "read_agent"),
    ".skops": ("experiments.models.foreign.estimators", "read_skops"),
}
#: Suffixes of files that hold a network.
FORMATS = (*_READERS, ".onnx")
#: Those that hold a network without numbers, which are in a file beside it.
BESIDE = (".json",)


def format_of(spec: str) -> str | None:
    """Returns the suffix by which a word names a file that holds a network; None for another word.

    >>> format_of("Net.ONNX"), format_of("net.py:Net")
    ('.onnx', None)
    """
    suffix = Path(spec).suffix.lower()
    return suffix if suffix in FORMATS else None


def read_network(
    path: Path,
    weights: Path | None = None,
    *,
    input_shape: tuple[int, ...] | None = None,
    external_data: bool = False,
) -> ForeignNetwork:
    """Returns the network of a file.

    Args:
        path: of one of FORMATS.
        weights: the file beside one of BESIDE.
        input_shape: of one input, where the caller knows it.
        external_data: whether an ONNX file may keep tensors in files beside it.

    Raises:
        InputError: weights are missing or one too many, a package is absent, or the file uses
            what is not supported.
        FileFormatError: it is not of its format.
    """
    suffix = path.suffix.lower()
    if suffix in BESIDE and weights is None:
        raise InputError(
            f"weights: expected a file beside {path}, which holds no numbers; got none"
        )
    if suffix not in BESIDE and weights is not None:
        raise InputError(f"weights: expected none with {path}, which holds its own; got {weights}")
    if suffix == ".onnx":
        from experiments.models.onnx.reader import read_onnx

        module, shape = read_onnx(path, input_shape=input_shape, external_data=external_data)
        return ForeignNetwork(module=module, input_shape=shape)
    place, name = _READERS[suffix]
    reader: Callable[..., ForeignNetwork] = getattr(importlib.import_module(place), name)
    found = reader(path) if weights is None else reader(path, weights)
    if input_shape is not None and input_shape != found.input_shape:
        raise InputError(
            f"input-shape: expected none, or {found.input_shape} as {path} says, got {input_shape}"
        )
    return found
