"""How many networks in files of weights that others published are read, and rightly?

    python -m tests.campaigns.public_weights FOLDER [--refused]

Looks through a folder (checkouts of public repositories) for `.nnet`, agents of stable-baselines3
(`.zip`), Keras's `.keras`, `.h5` and `.json` with `*_weights.h5`, and `.skops`; reads each as
`collide layers` does, and holds every layer in front of a ReLU, and the output, at one random input
against another evaluation: of `.nnet` files line by line, of agents by numpy from the tensors, of
Keras's (the output) layer by layer by numpy.  `--refused` lists what was not read, and why.
"""

import argparse
import json
import zipfile
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from experiments.models.registry import LoadedModel, load_model
from experiments.readers.arrays import read_arrays
from optimize import LayerReader, relu_layers
from polytope.errors import CollisionError
from tests.examples import keras_files

SUFFIXES = (".nnet", ".zip", ".keras", ".h5", ".hdf5", ".skops")
#: Relative to the largest number; files of Keras and agents are of float32.
TOLERANCE = 1e-4


@dataclass
class Row:
    """What came of the files of one suffix."""

    files: int = 0
    read: int = 0
    with_relu: int = 0
    layers: int = 0
    compared: int = 0
    worst: float = 0.0
    different: list[str] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)


def found_in(folder: Path) -> Iterator[Path]:
    """Files of the suffixes; archives only where they are an agent's."""
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() not in SUFFIXES or not path.is_file():
            continue
        if path.suffix == ".zip" and not (zipfile.is_zipfile(path) and _is_agent(path)):
            continue
        yield path


def _is_agent(path: Path) -> bool:
    with zipfile.ZipFile(path) as archive:
        return "policy.pth" in archive.namelist()


def beside(path: Path) -> Path | None:
    """The configuration beside a file of Keras's weights alone."""
    if path.suffix != ".h5":
        return None
    found = path.with_name(path.name.replace("_weights.h5", ".json"))
    return found if found != path and found.is_file() else None


def load(path: Path) -> LoadedModel:
    configuration = beside(path)
    if configuration is None:
        return load_model(str(path))
    return load_model(str(configuration), path)


def nnet(path: Path, x: np.ndarray) -> list[np.ndarray]:
    """Pre-activations of the layers, and the output, from the lines of the file."""
    lines = [line.strip().strip(",") for line in path.read_text("latin-1").splitlines()]
    lines = [line for line in lines if line and not line.startswith("//")]
    sizes = [int(v) for v in lines[1].split(",")]
    means, ranges = (np.array(lines[k].split(","), dtype=float) for k in (5, 6))
    y, place, pre = (x - means[: len(x)]) / ranges[: len(x)], 7, []
    for units in sizes[1:]:
        rows = [np.array(line.split(","), dtype=float) for line in lines[place : place + 2 * units]]
        place += 2 * units
        pre.append(np.stack(rows[:units]) @ y + np.concatenate(rows[units:]))
        y = np.maximum(pre[-1], 0)
    return [*pre[:-1], pre[-1] * ranges[-1] + means[-1]]


def agent(path: Path, x: np.ndarray) -> list[np.ndarray] | None:
    """Likewise of an agent with ReLUs; None for other activations, of which no layer is asked."""
    numbers = {name: np.asarray(v, dtype=float) for name, v in read_arrays(path).items()}
    with zipfile.ZipFile(path) as archive:
        text = json.dumps(json.loads(archive.read("data")).get("policy_kwargs"))
    ways = ("mlp_extractor.policy_net", "actor.latent_pi", "actor.mu", "q_net.q_net")
    ways += ("quantile_net.quantile_net", "action_net")
    way = next(way for way in ways if any(name.startswith(way + ".") for name in numbers))
    names = [n.removesuffix(".weight") for n in numbers if n.startswith(way) and "weight" in n]
    names.sort(key=lambda name: [int(part) for part in name.split(".") if part.isdigit()])
    if way == "mlp_extractor.policy_net":
        if "activation.ReLU" not in text:
            return None
        names.append("action_net")
    if way == "actor.latent_pi":
        names.append("actor.mu.0" if "actor.mu.0.weight" in numbers else "actor.mu")
    y, pre = x, []
    for name in names:
        pre.append(numbers[f"{name}.weight"] @ y + numbers.get(f"{name}.bias", 0))
        y = np.maximum(pre[-1], 0)
    return pre


def keras(path: Path, x: np.ndarray) -> list[np.ndarray] | None:
    """The output alone, layer by layer with numpy; None where a layer is of a rarer class."""
    import h5py

    configuration = beside(path)
    with h5py.File(path, "r") as file:
        text = file.attrs["model_config"] if configuration is None else configuration.read_text()
        root = file.get("model_weights", file)
        weights = {
            name: [root[name][each][()] for each in root[name].attrs["weight_names"]]
            for name in root
            if "weight_names" in root[name].attrs
        }
    config = json.loads(text)["config"]
    for layer in config if isinstance(config, list) else config["layers"]:
        options, nodes = layer["config"], layer.get("inbound_nodes") or [[0]]
        if len(nodes) > 1 or len(nodes[0]) > 1 or layer["class_name"] not in STEPS:
            return None  # a graph with branches
        name = options.get("name", layer.get("name"))
        x = STEPS[layer["class_name"]](np.asarray(x, float), options, weights.get(name, []))
        if "activation" in options:
            x = ACTIVATIONS[options["activation"]](x)
    return [x]


def _flat(x: np.ndarray, sizes: object) -> tuple[np.ndarray, tuple[int, ...]]:
    """A signal as a picture of one row, and a window's sizes with it."""
    found = tuple(sizes) if isinstance(sizes, list | tuple) else (sizes,) * (x.ndim - 1)
    return (x[None], (1, *found)) if x.ndim == 2 else (x, found)


def _conv(x: np.ndarray, options: dict[str, Any], arrays: list[np.ndarray]) -> np.ndarray:
    image, stride = _flat(x, options["strides"])
    kernel = arrays[0] if x.ndim == 3 else arrays[0][None]
    bias = arrays[1] if len(arrays) > 1 else 0
    found = keras_files.conv(image, kernel, bias, stride, options["padding"])
    return found if x.ndim == 3 else found[0]


def _pool(x: np.ndarray, options: dict[str, Any], arrays: list[np.ndarray]) -> np.ndarray:
    image, extent = _flat(x, options["pool_size"])
    _, stride = _flat(x, options["strides"])
    found = keras_files.pool(image, extent, stride, options["padding"])
    return found if x.ndim == 3 else found[0]


def _norm(x: np.ndarray, options: dict[str, Any], arrays: list[np.ndarray]) -> np.ndarray:
    assert options["scale"]
    assert options["center"]
    return keras_files.norm(x, arrays, options["epsilon"])


def _same(x: np.ndarray, options: dict[str, Any], arrays: list[np.ndarray]) -> np.ndarray:
    return x


STEPS = {
    "InputLayer": _same,
    "Activation": _same,
    "Dropout": _same,
    "Flatten": lambda x, options, arrays: x.ravel(),
    "Dense": lambda x, options, arrays: x @ arrays[0] + (arrays[1] if len(arrays) > 1 else 0),
    "Conv1D": _conv,
    "Conv2D": _conv,
    "MaxPooling1D": _pool,
    "MaxPooling2D": _pool,
    "BatchNormalization": _norm,
}
ACTIVATIONS = {
    "linear": lambda x: x,
    "relu": lambda x: np.maximum(x, 0),
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "tanh": np.tanh,
    "softmax": lambda x: np.exp(x - x.max()) / np.exp(x - x.max()).sum(),
}
EVALUATIONS: dict[str, Callable[[Path, np.ndarray], list[np.ndarray] | None]] = {
    ".nnet": nnet,
    ".zip": agent,
    ".h5": keras,
}


def look_at(path: Path, row: Row) -> None:
    """Reads one file, and compares."""
    row.files += 1
    try:
        loaded = load(path)
        assert loaded.input_shape is not None
        layers = relu_layers(loaded.module, loaded.input_shape)
    except CollisionError as problem:
        row.refused[str(problem).replace(f"{path.parent}/", "")] += 1
        return
    row.read += 1
    row.with_relu += bool(layers)
    row.layers += len(layers)
    drawn = np.random.default_rng(0).random(loaded.input_shape)
    x = loaded.ends[0] + (loaded.ends[1] - loaded.ends[0]) * drawn
    evaluation = EVALUATIONS.get(path.suffix)
    wanted = None if evaluation is None else evaluation(path, x)
    if wanted is None:
        return
    row.compared += 1
    kind = next(loaded.module.parameters()).dtype
    point = torch.tensor(x, dtype=kind)[None]
    with torch.no_grad():
        found = [loaded.module(point)]
        if len(wanted) == len(layers) + 1:
            found = [
                *(LayerReader(loaded.module, e.name).pre_activation(point) for e in layers),
                *found,
            ]
    wanted = wanted[-len(found) :]
    for one, other in zip(found, wanted, strict=True):
        error = np.abs(one[0].double().numpy().ravel() - other.ravel()).max()
        size = float(error / max(1.0, np.abs(other).max()))
        row.worst = max(row.worst, size)
        if not size < TOLERANCE:
            row.different.append(str(path))


def report(rows: dict[str, Row], *, refused: bool) -> list[str]:
    """The table, and with `refused` the reasons."""
    lines = ["| files | read | with ReLU layers | these layers | compared | largest difference |"]
    lines.append("|---|---|---|---|---|---|")
    for suffix, row in rows.items():
        worst = f"{row.worst:.1e}" if row.compared else ""
        cells = [f"{row.files} `{suffix}`", str(row.read), str(row.with_relu), str(row.layers)]
        lines.append(f"| {' | '.join([*cells, str(row.compared), worst])} |")
    if refused:
        for row in rows.values():
            lines += [f"{count} x {reason}" for reason, count in row.refused.most_common()]
    return lines


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--refused", action="store_true")
    options = parser.parse_args()
    rows: dict[str, Row] = defaultdict(Row)
    for path in found_in(options.folder):
        look_at(path, rows[path.suffix.lower()])
    print("\n".join(report(dict(sorted(rows.items())), refused=options.refused)))
    different = [path for row in rows.values() for path in row.different]
    print("\n".join(f"DIFFERENT: {path}" for path in different) or "0 differences")
    return bool(different)


if __name__ == "__main__":
    raise SystemExit(main())
