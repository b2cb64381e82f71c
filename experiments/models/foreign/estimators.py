"""Which network is a fitted estimator of scikit-learn?  Multilayer perceptrons, behind scalers.

An estimator is taken as a fitted object, which a factory of the user's returns, or from an archive
of skops: its JSON and arrays are read as data, nothing in it is made.  Files of joblib and pickle
are code, and are never read.
"""

import json
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from experiments.models.foreign.network import ForeignNetwork, Scaled, chain, linear
from experiments.readers.arrays import read_arrays_of
from experiments.readers.foreign_files import check_archive, expecting, refuse_foreign
from polytope.errors import FileFormatError, InputError

_SCHEMA = "schema.json"
_LONGEST, _DEEPEST = 1 << 26, 64
_ACTIVATIONS: dict[str, type[nn.Module]] = {
    "relu": nn.ReLU,
    "tanh": nn.Tanh,
    "logistic": nn.Sigmoid,
    "identity": nn.Identity,
}
_NETWORKS = ("MLPClassifier", "MLPRegressor")
_PIPELINE, _LEFT_OUT = "Pipeline", ("passthrough", None)
#: Scaler -> its attributes: what is taken off, what is divided by.
_DIVIDED = {
    "StandardScaler": ("mean_", "scale_"),
    "RobustScaler": ("center_", "scale_"),
    "MaxAbsScaler": (None, "scale_"),
}
#: Attribute -> options that say whether it is used; StandardScaler keeps a mean it does not take.
_FLAGS = {
    "mean_": ("with_mean",),
    "center_": ("with_centering",),
    "scale_": ("with_std", "with_scaling"),
    "min_": (),
}
KNOWN = ", ".join([*_NETWORKS, f"{_PIPELINE} of one behind scalers ({', '.join(_DIVIDED)}, "])
KNOWN += "MinMaxScaler)"


@dataclass(frozen=True, eq=False)
class Estimator:
    """A class of scikit-learn, and the attributes of the object."""

    kind: str
    values: Mapping[str, Any]


def is_estimator(value: object) -> bool:
    """Whether an object is one of scikit-learn's."""
    return type(value).__module__.partition(".")[0] == "sklearn"


def from_estimator(value: Any, place: str) -> ForeignNetwork:
    """Returns the network of a fitted estimator, in the type of its weights.

    Args:
        value: the object.
        place: how errors name it.

    Raises:
        InputError: it is none that is known here, or not fitted.
    """
    return _network(_plain(value), place)


def read_skops(path: Path) -> ForeignNetwork:
    """Returns the network of an archive of skops; none of its classes is made.

    Raises:
        InputError: its estimator is none that is known here.
        FileFormatError: it is no such archive.
    """
    path = Path(path)
    with expecting(f"{path}: expected a readable archive of skops"):
        refuse_foreign(path)
        with zipfile.ZipFile(path) as archive:
            members = {member.filename: member for member in check_archive(archive, path)}
            if _SCHEMA not in members or members[_SCHEMA].file_size > _LONGEST:
                raise FileFormatError(f"{path}: expected an archive of skops, got another")
            found = json.loads(archive.read(members[_SCHEMA]))
        arrays = read_arrays_of(path, lambda name: name.endswith(".npy"))
        return _network(_decoded(found, arrays, {}, 0), str(path))


def _plain(value: Any) -> Any:
    """Objects of scikit-learn as their attributes, also those in lists and tuples."""
    if is_estimator(value):
        return Estimator(type(value).__name__, {k: _plain(v) for k, v in vars(value).items()})
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return value


def _decoded(node: Any, arrays: Mapping[str, Any], seen: dict[Any, Any], depth: int) -> Any:
    """What a node of the schema stands for; None where it is nothing that is needed."""
    if depth > _DEEPEST:
        raise FileFormatError(f"schema.json: expected at most {_DEEPEST} nodes deep, got more")
    loader, content, inner = node.get("__loader__"), node.get("content"), depth + 1
    found: Any = None
    if loader == "CachedNode":
        return seen.get(node.get("__id__"))
    if loader == "JsonNode":
        found = json.loads(content)
    elif loader == "NdArrayNode" and node.get("type") == "numpy":
        found = arrays.get(str(node.get("file")).removesuffix(".npy"))
    elif loader in ("ListNode", "TupleNode"):
        found = [_decoded(each, arrays, seen, inner) for each in content]
    elif loader == "DictNode":
        found = {key: _decoded(each, arrays, seen, inner) for key, each in content.items()}
    elif loader == "ObjectNode" and str(node.get("__module__")).partition(".")[0] == "sklearn":
        values = _decoded(content, arrays, seen, inner)
        found = Estimator(str(node.get("__class__")), values if isinstance(values, dict) else {})
    seen[node.get("__id__")] = found
    return found


def _network(found: Any, place: str) -> ForeignNetwork:
    steps = list(_steps(found, place))
    if not steps or steps[-1][1].kind not in _NETWORKS:
        raise InputError(f"{place}: expected {KNOWN} of scikit-learn, got {_shown(found)}")
    last = steps[-1][1]
    coefficients, intercepts = (
        [np.asarray(v) for v in last.values.get(name) or ()] for name in ("coefs_", "intercepts_")
    )
    if not coefficients:
        raise InputError(f"{place}: expected a fitted {last.kind}, got one without coefs_")
    sizes = [len(coefficients[0]), *(len(v) for v in intercepts)]
    shapes = [each.shape for each in coefficients]
    if shapes != list(pairwise(sizes)) or any(v.ndim != 1 for v in intercepts):
        raise FileFormatError(f"{place}: expected coefs_ and intercepts_ that fit, got {shapes}")
    dtype = np.result_type(*coefficients, *intercepts)
    modules = []
    for name, step in steps[:-1]:
        modules.append((name, _scaler(step, sizes[0], dtype, f"{place}, step {name!r}")))
    modules += _layers(last, coefficients, intercepts, place)
    return ForeignNetwork(module=chain(modules), input_shape=(sizes[0],))


def _steps(found: Any, place: str) -> Iterator[tuple[str, Estimator]]:
    """The estimators one after the other, with their names in a pipeline."""
    if isinstance(found, Estimator) and found.kind == _PIPELINE:
        for name, step in found.values.get("steps") or ():
            if step is None or (isinstance(step, str) and step in _LEFT_OUT):
                continue
            if isinstance(step, Estimator) and step.kind == _PIPELINE:
                yield from _steps(step, place)
            elif isinstance(step, Estimator):
                yield str(name).replace(".", "_"), step
            else:
                raise InputError(f"{place}: expected steps of scikit-learn, got {_shown(step)}")
    elif isinstance(found, Estimator):
        yield found.kind.lower(), found


def _shown(found: Any) -> str:
    return found.kind if isinstance(found, Estimator) else type(found).__name__


def _scaler(step: Estimator, inputs: int, dtype: Any, place: str) -> nn.Module:
    def numbers(name: str | None, usual: float) -> torch.Tensor:
        value = None
        if name and not any(step.values.get(flag) is False for flag in _FLAGS[name]):
            value = step.values.get(name)
        value = np.full(inputs, usual) if value is None else np.asarray(value, dtype=np.float64)
        if value.shape != (inputs,):
            raise FileFormatError(f"{place}: expected {inputs} numbers, got shape {value.shape}")
        return torch.from_numpy(value.astype(dtype))

    if step.kind == "MinMaxScaler" and not step.values.get("clip"):
        return Scaled(numbers("min_", 0), numbers("scale_", 1), divides=False)
    if step.kind not in _DIVIDED:
        clipped = " that clips" if step.kind == "MinMaxScaler" else ""
        raise InputError(f"{place}: expected {KNOWN} of scikit-learn, got {step.kind}{clipped}")
    shift, scale = _DIVIDED[step.kind]
    return Scaled(numbers(shift, 0), numbers(scale, 1), divides=True)


def _layers(
    last: Estimator, coefficients: list[np.ndarray], intercepts: list[np.ndarray], place: str
) -> Iterator[tuple[str, nn.Module]]:
    inside, behind = last.values.get("activation"), last.values.get("out_activation_")
    if inside not in _ACTIVATIONS:
        raise InputError(f"{place}: expected activation {', '.join(_ACTIVATIONS)}, got {inside!r}")
    ends: dict[Any, type[nn.Module]] = {**_ACTIVATIONS, "softmax": nn.Softmax}
    if behind not in ends:
        raise InputError(f"{place}: expected out_activation_ {', '.join(ends)}, got {behind!r}")
    for number, (weight, bias) in enumerate(zip(coefficients, intercepts, strict=True), start=1):
        dtype = np.result_type(*coefficients, *intercepts)
        tensors = [torch.from_numpy(np.array(v, dtype=dtype)) for v in (weight.T, bias)]
        yield f"layer{number}", linear(tensors[0].contiguous(), tensors[1])
        if number < len(coefficients):
            yield f"{inside}{number}", _ACTIVATIONS[str(inside)]()
    if behind == "softmax":
        yield "softmax", nn.Softmax(-1)
    elif behind != "identity":
        yield str(behind), ends[behind]()
