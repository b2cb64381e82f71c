"""Which layers does a configuration of Keras name, and what does each get?  Keras 2 and 3."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from polytope.errors import FileFormatError, InputError

_LONGEST = 1 << 26
_GRAPHS = ("Functional", "Model")
_INPUT = "InputLayer"

#: A tensor of the graph: the layer that made it, in which of its calls, and which of its outputs.
Place = tuple[str, int, int]


@dataclass(frozen=True, kw_only=True)
class Call:
    """A call of a layer.

    Attributes:
        layer: its name.
        number: how many calls of it come before.
        inputs: what it is given.
    """

    layer: str
    number: int
    inputs: tuple[Place, ...]


@dataclass(frozen=True, kw_only=True)
class Configuration:
    """A network, without numbers.

    Attributes:
        kinds: name of each layer -> its class, in the order of the file.
        options: name of each layer -> its own configuration.
        calls: in the order of the file, the input layer's among them.
        input: the input layer.
        input_shape: of one input, channels last.
        outputs: what the network gives.
    """

    kinds: Mapping[str, str]
    options: Mapping[str, Mapping[str, Any]]
    calls: tuple[Call, ...]
    input: str
    input_shape: tuple[int, ...]
    outputs: tuple[Place, ...]


def read_configuration(text: str, path: Path) -> Configuration:
    """Returns what JSON text of Keras says.

    Raises:
        InputError: a network of another kind than layers one after the other, or a graph of them
            with one input.
        FileFormatError: it is not such text.
    """
    try:
        if len(text) > _LONGEST:
            raise FileFormatError(f"{path}: expected a configuration of at most {_LONGEST:,} bytes")
        found = json.loads(text)
        kind, config = found["class_name"], found["config"]
        if kind == "Sequential":
            return _sequential(config, path)
        if kind in _GRAPHS and isinstance(config.get("layers"), list):
            return _functional(config, path)
    except (KeyError, IndexError, TypeError, ValueError, AttributeError, RecursionError) as problem:
        if isinstance(problem, InputError):  # ours are kinds of ValueError, too
            raise
        raise FileFormatError(
            f"{path}: expected a configuration as Keras writes it, got one without "
            f"{type(problem).__name__}: {str(problem)[:80]!r}"
        ) from problem
    raise InputError(
        f"{path}: expected a network of Keras that is Sequential or Functional, got class "
        f"{kind!r:.60}, whose forward pass is code"
    )


def _sequential(config: Any, path: Path) -> Configuration:
    layers = config["layers"] if isinstance(config, dict) else config
    kinds, options = _layers(layers, path)
    stated = [shape for shape in map(_input_shape, layers) if shape is not None]
    if not stated:
        raise InputError(f"{path}: expected the shape of the input in the first layer, got none")
    before, calls = "", []
    if not layers or layers[0]["class_name"] != _INPUT:
        before = _free("input", kinds)
        calls.append(Call(layer=before, number=0, inputs=()))
    for name in options:
        inputs = ((before, 0, 0),) if before else ()
        calls.append(Call(layer=name, number=0, inputs=inputs))
        before = name
    return Configuration(
        kinds=kinds,
        options=options,
        calls=tuple(calls),
        input=calls[0].layer,
        input_shape=_known(stated[0], path),
        outputs=((before, 0, 0),),
    )


def _functional(config: Mapping[str, Any], path: Path) -> Configuration:
    layers = config["layers"]
    kinds, options = _layers(layers, path)
    calls = []
    for layer in layers:
        name = layer["config"].get("name", layer.get("name"))
        nodes = layer["inbound_nodes"]
        if layer["class_name"] == _INPUT:
            calls.append(Call(layer=name, number=0, inputs=()))
        calls += [
            Call(layer=name, number=k, inputs=tuple(_places(node, name, path)))
            for k, node in enumerate(nodes)
            if node or layer["class_name"] != _INPUT
        ]
    inputs = [name for name, kind in kinds.items() if kind == _INPUT]
    if len(inputs) != 1:
        raise InputError(f"{path}: expected a network with one input, got {len(inputs)}")
    (first,) = (layer for layer in layers if layer["class_name"] == _INPUT)
    shape = _input_shape(first)
    if shape is None:
        raise InputError(f"{path}: expected the shape of the input {inputs[0]!r}, got none")
    return Configuration(
        kinds=kinds,
        options=options,
        calls=tuple(calls),
        input=inputs[0],
        input_shape=_known(shape, path),
        outputs=tuple(_ends(config["output_layers"])),
    )


def _layers(
    layers: Sequence[Any], path: Path
) -> tuple[dict[str, str], dict[str, Mapping[str, Any]]]:
    kinds: dict[str, str] = {}
    options: dict[str, Mapping[str, Any]] = {}
    for place, layer in enumerate(layers):
        kind, config = str(layer["class_name"]), layer["config"]
        name = str(config.get("name") or layer.get("name") or f"{kind.lower()}_{place}")
        if name in kinds:
            raise FileFormatError(f"{path}: expected each layer once, got {name!r:.60} twice")
        kinds[name], options[name] = kind, config
    return kinds, options


def _free(name: str, taken: Mapping[str, Any]) -> str:
    while name in taken:
        name += "_"
    return name


def _input_shape(layer: Mapping[str, Any]) -> Any:
    config = layer["config"]
    for key in ("batch_shape", "batch_input_shape"):
        if config.get(key) is not None:
            return config[key]
    return (layer.get("build_config") or {}).get("input_shape")


def _known(shape: Any, path: Path) -> tuple[int, ...]:
    sizes = tuple(shape[1:])
    if not sizes or not all(type(size) is int and 0 < size < 1 << 24 for size in sizes):
        raise InputError(
            f"{path}: expected an input of known sizes behind the batch, got {shape!s:.60}"
        )
    return sizes


def _places(node: Any, name: str, path: Path) -> list[Place]:
    """What a call is given: of Keras 3 (a mapping) or of Keras 2 (a list for each tensor)."""
    if isinstance(node, dict):
        found = [*_tensors(node["args"])]
        if [*_tensors(list(node.get("kwargs", {}).values()))]:
            raise InputError(
                f"{path}: expected layers with tensors as arguments by position, got {name!r}"
            )
        return found
    if node and isinstance(node[0], str):
        node = [node]
    if any(len(each) > 3 and each[3] for each in node):
        raise InputError(
            f"{path}: expected layers with tensors as their only arguments, got {name!r}"
        )
    return [_place(each) for each in node]


def _tensors(value: Any) -> list[Place]:
    if isinstance(value, dict):
        if value.get("class_name") == "__keras_tensor__":
            return [_place(value["config"]["keras_history"])]
        return []
    if isinstance(value, list):
        return [place for each in value for place in _tensors(each)]
    return []


def _place(value: Sequence[Any]) -> Place:
    return str(value[0]), int(value[1]), int(value[2])


def _ends(value: Any) -> list[Place]:
    """One place, or a list or a mapping of them."""
    if isinstance(value, dict):
        return [place for each in value.values() for place in _ends(each)]
    if value and isinstance(value[0], str):
        return [_place(value)]
    return [place for each in value for place in _ends(each)]


def module_name(name: str) -> str:
    """Returns a layer's name with what torch takes in one; others are "_".

    >>> module_name("block1/conv.1")
    'block1_conv_1'
    """
    plain = re.sub(r"\W+", "_", name, flags=re.ASCII).strip("_")
    return plain if plain and not plain[0].isdigit() else f"layer_{plain}"
