"""Which network does a file of Keras hold?  `.keras`, `.h5`, or `.json` with weights beside it.

The configuration says which layers there are, arrays are their weights.  No code of a file is run:
a layer of a class that is not known here is refused by name.
"""

import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from experiments.models.foreign.network import ForeignNetwork
from experiments.models.keras import windows  # noqa: F401 - it registers its layers
from experiments.models.keras.build import Builder, Layer, Value
from experiments.models.keras.config import Configuration, read_configuration
from experiments.models.keras.contents import Arrays, Contents, read_contents, weights_by_layer
from experiments.models.keras.layers import LAYERS
from experiments.readers.foreign_files import check_archive, expecting, refuse_foreign
from polytope.errors import FileFormatError, InputError

_CONFIG, _WEIGHTS = "config.json", "model.weights.h5"
#: Options of Keras 1, which mean what others mean in later releases.
_OLD = ("border_mode", "dim_ordering", "subsample", "nb_filter", "nb_row")


@dataclass(frozen=True, eq=False)
class _Read:
    """Configuration, and the arrays of each layer."""

    configuration: Configuration
    weights: Mapping[str, Arrays]


def read_keras(path: Path, weights: Path | None = None) -> ForeignNetwork:
    """Returns the network of a file of Keras; inputs have channels last, as there.

    Args:
        path: `.keras`, `.h5` or `.hdf5`; or `.json`, as `model.to_json()` writes it.
        weights: with `.json`: what `model.save_weights` wrote.

    Raises:
        InputError: h5py is absent, or a layer is of a class or used in a way not known here.
        FileFormatError: it is no such file.
    """
    with expecting(f"{path}: expected a network of Keras"):
        found = _read(Path(path), weights)
    return _network(found, Path(path))


def _read(path: Path, weights: Path | None) -> _Read:
    refuse_foreign(path)
    if weights is not None:
        refuse_foreign(weights)
        text = path.read_bytes().decode("utf-8", "replace")
        return _put_together(text, read_contents(weights, weights), path, weights)
    if not zipfile.is_zipfile(path):
        found = read_contents(path, path)
        if found.text is None:
            raise InputError(
                f"{path}: expected a network with its configuration, got weights alone; give "
                "the network's .json (model.to_json()) as MODEL and this file as --weights"
            )
        return _put_together(found.text, found, path, path)
    with zipfile.ZipFile(path) as archive:
        members = {member.filename: member for member in check_archive(archive, path)}
        if missing := [name for name in (_CONFIG, _WEIGHTS) if name not in members]:
            raise FileFormatError(
                f"{path}: expected an archive of Keras, got one without {missing[0]}"
            )
        text = archive.read(members[_CONFIG]).decode("utf-8", "replace")
        data = archive.read(members[_WEIGHTS])
    return _put_together(text, read_contents(data, path), path, path)


def _put_together(text: str, found: Contents, path: Path, weights: Path) -> _Read:
    """Configuration of one file and weights of another, or of the same."""
    configuration = read_configuration(text, path)
    return _Read(configuration, weights_by_layer(found, configuration.kinds, weights))


def _network(found: _Read, path: Path) -> ForeignNetwork:
    configuration = found.configuration
    floats = [a.dtype for arrays in found.weights.values() for a in arrays if a.dtype.kind == "f"]
    dtype = np.result_type(*floats) if floats else np.dtype(np.float32)
    unknown = [kind for kind in configuration.kinds.values() if kind not in (*LAYERS, "InputLayer")]
    if unknown:
        names = [name for name, kind in configuration.kinds.items() if kind == unknown[0]]
        raise InputError(
            f"{path}: expected layers of classes known here, got {names[0]!r:.60} of class "
            f"{unknown[0]!r:.60}"
        )
    builder = Builder()
    start = builder.start(configuration.input_shape, torch.from_numpy(np.zeros(0, dtype)).dtype)
    values: dict[tuple[str, int, int], Value] = {}
    waiting = list(configuration.calls)
    while waiting:  # files need not be in order
        ready = [call for call in waiting if all(place in values for place in call.inputs)]
        if not ready:
            shown = ", ".join(repr(call.layer) for call in waiting[:3])
            raise FileFormatError(
                f"{path}: expected a graph without circles, got one around {shown}"
            )
        for call in ready:
            kind, given = configuration.kinds.get(call.layer), [values[p] for p in call.inputs]
            if call.layer == configuration.input or kind == "InputLayer":
                values[call.layer, call.number, 0] = given[0] if given else start
                continue
            arrays = [a.astype(dtype) for a in found.weights.get(call.layer, [])]
            layer = Layer(
                name=call.layer,
                kind=str(kind),
                options=configuration.options[call.layer],
                weights=arrays,
                path=path,
            )
            values[call.layer, call.number, 0] = _made(builder, layer, given)
        waiting = [call for call in waiting if call not in ready]
    missing = [place for place in configuration.outputs if place not in values]
    if missing:
        raise FileFormatError(f"{path}: expected outputs of its layers, got {missing[0]}")
    module = builder.finish([values[place] for place in configuration.outputs])
    return ForeignNetwork(module=module, input_shape=configuration.input_shape)


def _made(builder: Builder, layer: Layer, given: list[Value]) -> Value:
    if old := [option for option in _OLD if option in layer.options]:
        raise layer.refuse("options of Keras 2 or later", f"{old[0]}, of Keras 1")
    place = f"{layer.path}, layer {layer.name!r} ({layer.kind})"
    with expecting(f"{place}: expected a configuration as Keras writes it"):  # odd types in it
        return LAYERS[layer.kind](builder, layer, given)
