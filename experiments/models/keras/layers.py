"""What does each layer of Keras become in torch?  Dense, normalisation, activations, joins."""

import operator
from collections.abc import Callable, Sequence
from functools import reduce
from math import prod
from typing import Any

import numpy as np
import torch
from torch import nn

from experiments.models.foreign.network import Scaled, linear
from experiments.models.keras.build import Builder, Layer, Value

Handler = Callable[[Builder, Layer, Sequence[Value]], Value]
#: Class of Keras -> what makes its steps.
LAYERS: dict[str, Handler] = {}


def keras(*kinds: str) -> Callable[[Handler], Handler]:
    """Registers the handler of some classes."""

    def register(handler: Handler) -> Handler:
        LAYERS.update(dict.fromkeys(kinds, handler))
        return handler

    return register


_ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "relu": nn.ReLU,
    "relu6": nn.ReLU6,
    "sigmoid": nn.Sigmoid,
    "tanh": nn.Tanh,
    "elu": nn.ELU,
    "selu": nn.SELU,
    "softplus": lambda: nn.Softplus(threshold=1e6),  # torch's is the identity beyond 20
    "softsign": nn.Softsign,
    "silu": nn.SiLU,
    "swish": nn.SiLU,
    "gelu": nn.GELU,
    "mish": nn.Mish,
    "leaky_relu": lambda: nn.LeakyReLU(0.2),
    "softmax": lambda: nn.Softmax(-1),
    "log_softmax": lambda: nn.LogSoftmax(-1),
}
_LAST = ("softmax", "log_softmax")


def only(layer: Layer, values: Sequence[Value]) -> Value:
    """Returns the one input of a layer.

    Raises:
        InputError: it has another number of inputs, or channels come first in the file.
    """
    if len(values) != 1:
        raise layer.refuse("one input", len(values))
    if layer.options.get("data_format") == "channels_first":
        raise layer.refuse("data_format channels_last", "channels_first")
    return values[0]


def activated(b: Builder, layer: Layer, value: Value, *, suffix: str = "_activation") -> Value:
    """Returns the value behind the activation that a layer's configuration names.

    Raises:
        InputError: it is none of those known here.
    """
    found: Any = layer.options.get("activation") or "linear"
    if isinstance(found, dict):  # a layer as an activation, or a function by name
        kind, config = found.get("class_name"), found.get("config")
        if isinstance(config, dict) and kind in LAYERS:
            inner = Layer(
                name=layer.name, kind=str(kind), options=config, weights=(), path=layer.path
            )
            return LAYERS[str(kind)](b, inner, [value])
        found = config if isinstance(config, str) else kind
    if found == "linear":
        return value
    if found not in _ACTIVATIONS:
        known = ", ".join(sorted(_ACTIVATIONS))
        raise layer.refuse(f"an activation among linear, {known}", repr(found)[:60])
    if found in _LAST:
        value = b.channels_last(value)
    return b.module(layer, _ACTIVATIONS[found](), value, suffix=suffix)


@keras("Dense")
def _dense(b: Builder, layer: Layer, values: Sequence[Value]) -> Value:
    value = b.channels_last(only(layer, values))
    bias = bool(layer.options.get("use_bias", True))
    kernel, *rest = layer.tensors(*((2, 1) if bias else (2,)))
    made = b.module(layer, linear(kernel.T.contiguous(), rest[0] if rest else None), value)
    return activated(b, layer, made)


@keras("Activation")
def _activation(b: Builder, layer: Layer, values: Sequence[Value]) -> Value:
    return activated(b, layer, only(layer, values), suffix="")


def _number(layer: Layer, *options: str, usual: float | None) -> float | None:
    """The first option that is there, as a number; Keras 2 writes some as arrays."""
    for option in options:
        if option in layer.options:
            found = layer.options[option]
            if isinstance(found, dict):
                found = found.get("value", found.get("config"))
            found = np.asarray(0 if found is None else found, dtype=float)
            return None if layer.options[option] is None else float(found)
    return usual


@keras("ReLU")
def _relu(b: Builder, layer: Layer, values: Sequence[Value]) -> Value:
    most, threshold = _number(layer, "max_value", usual=None), _number(layer, "threshold", usual=0)
    slope = _number(layer, "negative_slope", usual=0) or 0.0
    if threshold or (most is not None and (most != 6 or slope)):
        raise layer.refuse("a ReLU up to infinity or 6, from 0 on", f"{most}, {threshold}")
    plain = nn.ReLU() if most is None else nn.ReLU6()
    return b.module(layer, nn.LeakyReLU(slope) if slope else plain, only(layer, values))


@keras("LeakyReLU")
def _leaky(b: Builder, layer: Layer, values: Sequence[Value]) -> Value:
    slope = _number(layer, "negative_slope", "alpha", usual=0.3)
    return b.module(layer, nn.LeakyReLU(slope or 0.0), only(layer, values))


@keras("ELU")
def _elu(b: Builder, layer: Layer, values: Sequence[Value]) -> Value:
    return b.module(layer, nn.ELU(_number(layer, "alpha", usual=1.0) or 0.0), only(layer, values))


@keras("Softmax")
def _softmax(b: Builder, layer: Layer, values: Sequence[Value]) -> Value:
    if layer.options.get("axis", -1) != -1:
        raise layer.refuse("axis -1", layer.options["axis"])
    return b.module(layer, nn.Softmax(-1), b.channels_last(only(layer, values)))


@keras(
    *("Dropout", "SpatialDropout1D", "SpatialDropout2D", "AlphaDropout", "GaussianDropout"),
    *("GaussianNoise", "ActivityRegularization", "Identity"),
)
def _nothing(b: Builder, layer: Layer, values: Sequence[Value]) -> Value:
    """Evaluated networks leave out what training draws."""
    return only(layer, values)


@keras("BatchNormalization")
def _batch_norm(b: Builder, layer: Layer, values: Sequence[Value]) -> Value:
    value = only(layer, values)
    axis: Any = layer.options.get("axis", -1)
    axis = axis[0] if isinstance(axis, list) and len(axis) == 1 else axis
    axes = value.example.ndim
    if axis not in (-1, axes - 1) or not 2 <= axes <= 4:
        raise layer.refuse("the channels as axis, of one to three axes", f"{axis} of {value.shape}")
    names = [
        n
        for n, given in (("weight", "scale"), ("bias", "center"))
        if layer.options.get(given, True)
    ]
    numbers = dict(
        zip([*names, "mean", "var"], layer.tensors(*(1,) * (len(names) + 2)), strict=True)
    )
    mean, eps = numbers["mean"], float(layer.options.get("epsilon", 1e-3))
    made = (nn.BatchNorm2d if axes == 4 else nn.BatchNorm1d)(len(mean), eps=eps, dtype=mean.dtype)
    made.weight.data = numbers.get("weight", torch.ones_like(mean))
    made.bias.data = numbers.get("bias", torch.zeros_like(mean))
    made.running_mean, made.running_var = mean, numbers["var"]
    return b.module(layer, made, b.channels_first(value))


@keras("Normalization")
def _normalization(b: Builder, layer: Layer, values: Sequence[Value]) -> Value:
    value = b.channels_last(only(layer, values))
    if layer.options.get("invert") or len(layer.weights) < 2:
        raise layer.refuse("stored statistics, not inverted", "others")
    mean, variance = (torch.from_numpy(np.array(w)) for w in layer.weights[:2])
    least = torch.full_like(variance, 1e-7)
    scale = torch.maximum(variance.sqrt(), least)
    return b.module(layer, Scaled(mean, scale, divides=True), value)


@keras("Rescaling")
def _rescaling(b: Builder, layer: Layer, values: Sequence[Value]) -> Value:
    value = b.channels_last(only(layer, values))
    dtype = value.example.dtype
    shift, scale = (
        torch.as_tensor(layer.options.get(option, usual), dtype=dtype)
        for option, usual in (("offset", 0.0), ("scale", 1.0))
    )
    return b.module(layer, Scaled(shift, scale, divides=False), value)


@keras("Flatten")
def _flatten(b: Builder, layer: Layer, values: Sequence[Value]) -> Value:
    return b.module(layer, nn.Flatten(1), b.channels_last(only(layer, values)), flat=True)


@keras("Reshape")
def _reshape(b: Builder, layer: Layer, values: Sequence[Value]) -> Value:
    value = b.channels_last(only(layer, values))
    shape = [int(size) for size in layer.options["target_shape"]]
    if shape.count(-1) == 1:
        shape[shape.index(-1)] = prod(value.shape) // max(1, -prod(shape))
    if prod(shape) != prod(value.shape) or min(shape, default=1) < 1:
        raise layer.refuse(f"a shape of {prod(value.shape):,} numbers", shape)
    return b.module(
        layer, nn.Unflatten(1, shape), b.module(layer, nn.Flatten(1), value, suffix="_flat")
    )


@keras("Permute")
def _permute(b: Builder, layer: Layer, values: Sequence[Value]) -> Value:
    value, order = b.channels_last(only(layer, values)), layer.options["dims"]
    if sorted(order) != list(range(1, len(value.shape) + 1)):
        raise layer.refuse("every axis once", order)
    return b.call(torch.permute, value, (0, *order))


_COMBINED: dict[str, Callable[[Any, Any], Any]] = {
    "Add": operator.add,
    "Subtract": operator.sub,
    "Multiply": operator.mul,
}


@keras(*_COMBINED)
def _combined(b: Builder, layer: Layer, values: Sequence[Value]) -> Value:
    if len(values) < 2 or len({value.shape for value in values}) != 1:
        raise layer.refuse("several inputs of one shape", [value.shape for value in values])
    alike = b.alike(values)
    function = _COMBINED[layer.kind]
    return reduce(lambda one, other: b.call(function, one, other, first=one.first), alike)


@keras("Concatenate")
def _concatenate(b: Builder, layer: Layer, values: Sequence[Value]) -> Value:
    alike, axes = b.alike(values), values[0].example.ndim
    axis = int(layer.options.get("axis", -1)) % axes
    others = {tuple(n for k, n in enumerate(v.shape, 1) if k != axis) for v in values}
    if axis == 0 or len({v.example.ndim for v in values}) != 1 or len(others) != 1:
        raise layer.refuse("inputs that fit, not along the batch", [v.shape for v in values])
    first = alike[0].first
    place = axis if not first else 1 if axis == axes - 1 else axis + 1
    return b.call(torch.cat, alike, place, first=first)
