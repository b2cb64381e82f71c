"""Files of Keras, written as its formats say, and what such networks compute, by numpy alone."""

import io
import json
import zipfile
from math import ceil

import numpy as np


def layer(kind, name, weights=(), **options):
    """A layer: class, configuration with its name, and arrays in Keras's order."""
    return {"kind": kind, "config": {"name": name, **options}, "weights": list(weights)}


def sequential(layers, shape):
    """The configuration of layers one after the other, as Keras 3 writes it."""
    first = {"class_name": "InputLayer", "config": {"name": "input", "batch_shape": [None, *shape]}}
    rest = [{"class_name": each["kind"], "config": each["config"]} for each in layers]
    return {"class_name": "Sequential", "config": {"name": "net", "layers": [first, *rest]}}


def functional(layers, shape, inputs, *, newer):
    """The configuration of a graph; `inputs`: name of a layer -> names of what it is given."""

    def history(name):
        return {"class_name": "__keras_tensor__", "config": {"keras_history": [name, 0, 0]}}

    def node(names):
        if newer:
            given = [history(name) for name in names]
            return {"args": given if len(names) == 1 else [given], "kwargs": {}}
        return [[name, 0, 0, {}] for name in names]

    key = "batch_shape" if newer else "batch_input_shape"
    first = {"class_name": "InputLayer", "name": "input", "inbound_nodes": []}
    first["config"] = {"name": "input", key: [None, *shape]}
    rest = [
        {
            "class_name": each["kind"],
            "name": each["config"]["name"],
            "config": each["config"],
            "inbound_nodes": [node(inputs[each["config"]["name"]])],
        }
        for each in layers
    ]
    ends = [[layers[-1]["config"]["name"], 0, 0]]
    config = {"layers": [first, *rest], "input_layers": [["input", 0, 0]], "output_layers": ends}
    return {"class_name": "Functional" if newer else "Model", "config": config}


def older(layers, config):
    """Bytes of an .h5 file; without a configuration, of its weights alone."""
    import h5py

    stream = io.BytesIO()
    with h5py.File(stream, "w") as file:
        root = file
        if config is not None:
            file.attrs["model_config"] = json.dumps(config)
            root = file.create_group("model_weights")
        root.attrs["layer_names"] = [each["config"]["name"].encode() for each in layers]
        for each in layers:
            name = each["config"]["name"]
            group = root.create_group(name)
            names = [f"{name}/array_{k}:0" for k in range(len(each["weights"]))]
            group.attrs["weight_names"] = [n.encode() for n in names]
            for place, array in zip(names, each["weights"], strict=True):
                group.create_dataset(place, data=array)
    return stream.getvalue()


def newer(layers, config, places, *, stated=True):
    """Bytes of a .keras file; `places`: of the layers, the names Keras gives their groups."""
    import h5py

    stream = io.BytesIO()
    with h5py.File(stream, "w") as file:
        for each, place in zip(layers, places, strict=True):
            group = file.create_group(f"layers/{place}/vars")
            if stated:
                group.attrs["name"] = each["config"]["name"]
            for k, array in enumerate(each["weights"]):
                group.create_dataset(str(k), data=array)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("metadata.json", "{}")
        archive.writestr("config.json", json.dumps(config))
        archive.writestr("model.weights.h5", stream.getvalue())
    return packed.getvalue()


def zeros_around(x, extent, stride, padding, fill=0.0):
    """x (H, W, C) with what `padding` puts around it."""
    if padding == "valid":
        return x
    sizes = []
    for size, k, step in zip(x.shape, extent, stride, strict=False):
        missing = max((ceil(size / step) - 1) * step + k - size, 0)
        sizes.append((missing // 2, missing - missing // 2))
    return np.pad(x, [*sizes, (0, 0)], constant_values=fill)


def windows(x, extent, stride):
    """The places of windows, and what is in each."""
    rows, columns = ((n - k) // s + 1 for n, k, s in zip(x.shape, extent, stride, strict=False))
    for i in range(rows):
        for j in range(columns):
            top, left = i * stride[0], j * stride[1]
            yield (i, j), x[top : top + extent[0], left : left + extent[1]]


def moved(x, extent, stride, padding, function, fill=0.0):
    """A function of each window, (H, W, result)."""
    found = dict(windows(zeros_around(x, extent, stride, padding, fill), extent, stride))
    rows, columns = (max(place[k] for place in found) + 1 for k in (0, 1))
    return np.array([[function(found[i, j]) for j in range(columns)] for i in range(rows)])


def conv(x, kernel, bias, stride=(1, 1), padding="valid"):
    """x (H, W, C), kernel (h, w, C, N), bias (N,)."""
    sums = moved(x, kernel.shape, stride, padding, lambda part: np.tensordot(part, kernel, 3))
    return sums + bias


def norm(x, numbers, eps):
    """gamma, beta, mean and variance of the last axis."""
    gamma, beta, mean, variance = numbers
    return (x - mean) / np.sqrt(variance + eps) * gamma + beta


def pool(x, extent, stride, padding, *, mean=False):
    """Maxima, or means of what lies in the picture."""
    kind = np.nanmean if mean else np.nanmax
    return moved(x, extent, stride, padding, lambda part: kind(part, axis=(0, 1)), fill=np.nan)
