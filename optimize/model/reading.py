"""What does one step of a traced model do?  Modules, functions and methods read into kinds.

What is not listed here is `Unknown`, with words that say what it is.
"""

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, fx, nn

from optimize.model.inplace import words_set
from optimize.model.operations import (
    AdaptivePool,
    Combine,
    Join,
    Mean,
    Metadata,
    Move,
    Norm,
    Operation,
    Pool,
    Rectifier,
    Unknown,
    Weighted,
)
from optimize.model.trace import Trace, own_name
from polytope.errors import InputError

_LAYERS = (nn.Linear, nn.Conv1d, nn.Conv2d)
_IN_ORDER = (
    nn.Identity,
    nn.Flatten,
    nn.Unflatten,
    nn.Dropout,
    nn.Dropout1d,
    nn.Dropout2d,
    nn.AlphaDropout,
    nn.FeatureAlphaDropout,
)
_MOVES = (nn.ZeroPad1d, nn.ZeroPad2d, nn.PixelShuffle, nn.PixelUnshuffle, nn.ChannelShuffle)
_IN_ORDER_NAMES = words_set(
    "view reshape flatten unflatten squeeze unsqueeze contiguous clone detach"
)
_MOVE_NAMES = words_set(
    "permute transpose t swapaxes movedim chunk split getitem narrow select flip "
    "roll expand pixel_shuffle channel_shuffle"
)
_DROPOUTS = words_set("dropout dropout1d dropout2d alpha_dropout feature_alpha_dropout")
_SIGNS = {"add": "+", "sub": "-", "mul": "*", "truediv": "/", "div": "/", "divide": "/"}
_SIGNS |= {"multiply": "*", "subtract": "-"}
_JOINS = words_set("cat concat concatenate")


def read_operation(node: fx.Node, traced: Trace) -> Operation:
    """What `node` does; `traced` holds the modules."""
    if node.op == "call_module":
        return _read_module(traced.module(node), own_name(str(node.target)))
    if node.op in ("call_function", "call_method"):
        return _read_call(node, traced)
    return Metadata() if node.op == "get_attr" else Unknown(node.op)


def describe(node: fx.Node, traced: Trace) -> str:
    """A step in words, for messages: what is called, and under which name."""
    if node.op == "call_module":
        kind = type(traced.module(node)).__name__
        return f"{kind} {own_name(str(node.target))!r}"
    if node.op == "output":
        return "the model's output"
    called = node.target if node.op == "call_method" else getattr(node.target, "__name__", "")
    return f"{called or node.target} (step {node.name!r})"


def _read_module(module: nn.Module, name: str) -> Operation:
    """A module that tracing takes as one step."""
    if isinstance(module, _LAYERS):
        return layer_of(module, name)
    if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
        return Norm(
            name,
            module.running_mean,
            module.running_var,
            module.weight,
            module.bias,
            module.eps,
            batch_statistics=module.running_mean is None,
        )
    if isinstance(module, nn.ReLU):
        return Rectifier()
    axes = 1 if type(module).__name__.endswith("1d") else 2
    if isinstance(module, nn.MaxPool1d | nn.MaxPool2d) and not module.return_indices:
        return Pool(
            True, axes, module.kernel_size, module.stride, module.padding, dilation=module.dilation
        )
    if isinstance(module, nn.AvgPool1d | nn.AvgPool2d):
        divisor = getattr(module, "divisor_override", None)
        numbers = (axes, module.kernel_size, module.stride, module.padding)
        counted = module.count_include_pad
        return Pool(False, *numbers, count_include_pad=counted, divisor=divisor)
    if isinstance(module, nn.AdaptiveAvgPool1d | nn.AdaptiveAvgPool2d):
        return AdaptivePool(False, axes)
    if isinstance(module, nn.AdaptiveMaxPool1d | nn.AdaptiveMaxPool2d):
        return Unknown(type(module).__name__) if module.return_indices else AdaptivePool(True, axes)
    if isinstance(module, _IN_ORDER):
        return Move(in_order=True)
    if isinstance(module, _MOVES):
        return Move(in_order=False)
    return Unknown(type(module).__name__)


def layer_of(module: nn.Linear | nn.Conv1d | nn.Conv2d, name: str) -> Weighted:
    """A layer as a step."""
    kind = next(each.__name__ for each in _LAYERS if isinstance(module, each))
    if isinstance(module, nn.Linear):
        return Weighted(kind, name, module.weight, module.bias)
    return Weighted(
        kind,
        name,
        module.weight,
        module.bias,
        module.stride,
        module.padding,
        module.dilation,
        module.groups,
        module.padding_mode,
    )


def _arguments(node: fx.Node, names: str, **defaults: Any) -> dict[str, Any]:
    """The arguments of a call by name."""
    given = dict(zip(names.split(), node.args, strict=False))
    return {**dict.fromkeys(names.split()), **defaults, **given, **node.kwargs}


def _read_call(node: fx.Node, traced: Trace) -> Operation:
    """A function or a method, told by the name it is called with."""
    target: Any = node.target
    name = target if node.op == "call_method" else getattr(target, "__name__", str(target))
    if node not in traced.varying:
        return Metadata()
    if node.op == "call_function" and not _is_known_library(target):
        return Unknown(name)
    if name == "getattr":
        return Unknown(f"getattr {node.args[1]}")
    simple = _read_simple(node, name)
    reader = _CALLS.get(name)
    if simple is not None:
        return simple
    return Unknown(name) if reader is None else reader(node)


def _is_known_library(target: Any) -> bool:
    """Is a function torch's or an operator, and not one that only has such a name?"""
    library = getattr(target, "__module__", None) or "torch"
    known = library.partition(".")[0] in ("torch", "_operator", "builtins")
    return known and target is not torch.batch_norm  # which has its arguments in another order


def _read_simple(node: fx.Node, name: str) -> Operation | None:
    """Calls that need no look at their options, or nearly so."""
    if name == "_assert":
        return Metadata()
    if name == "relu":
        return Rectifier()
    if name in ("clamp", "clip", "clamp_min"):
        least = _arguments(node, "input min max")
        only_zero = type(least["min"]) in (int, float) and least["min"] == 0
        return Rectifier() if only_zero and least["max"] is None else Unknown(name)
    if name in _IN_ORDER_NAMES:
        as_type = name == "view" and isinstance(node.args[1], torch.dtype)
        return Unknown("view as another type") if as_type else Move(in_order=True)
    if name in _MOVE_NAMES:
        return Move(in_order=False)
    if name in _DROPOUTS:
        training = _arguments(node, "input p training", training=name == "dropout")["training"]
        return Unknown(f"{name} in training mode") if training else Move(in_order=True)
    if name == "neg":
        return Combine("*", node.args[0], -1)
    if name in _JOINS:
        given = _arguments(node, "tensors dim")
        return Join(given["tensors"], given.get("axis", given["dim"]) or 0)
    if name in _SIGNS:
        given = _arguments(node, "input other", alpha=1)
        plain = given["alpha"] == 1 and given.get("rounding_mode") is None
        return Combine(_SIGNS[name], given["input"], given["other"]) if plain else Unknown(name)
    return None


def _read_linear(node: fx.Node) -> Operation:
    given = _arguments(node, "input weight bias")
    weight = given["weight"]
    return Weighted("Linear", _weight_name(weight, node), weight, given["bias"])


def _weight_name(weight: Any, node: fx.Node) -> str:
    """A layer written with functions is named after its weight."""
    if isinstance(weight, fx.Node) and weight.op == "get_attr":
        return own_name(str(weight.target)).removesuffix("weight").removesuffix(".") or node.name
    return node.name


def _read_convolution(node: fx.Node) -> Operation:
    names = "weight bias stride padding dilation groups"
    plain = {"stride": 1, "padding": 0, "dilation": 1, "groups": 1}
    given = _arguments(node, f"input {names}", **plain)
    kind = "Conv1d" if getattr(node.target, "__name__", "") == "conv1d" else "Conv2d"
    name = _weight_name(given["weight"], node)
    return Weighted(kind, name, **{key: given[key] for key in names.split()})


def _read_norm(node: fx.Node) -> Operation:
    given = _arguments(
        node,
        "input running_mean running_var weight bias training momentum eps",
        training=False,
        eps=1e-5,
    )
    return Norm(
        node.name,
        given["running_mean"],
        given["running_var"],
        given["weight"],
        given["bias"],
        given["eps"],
        batch_statistics=bool(given["training"]) or given["running_mean"] is None,
    )


def _read_max_pool(node: fx.Node) -> Operation:
    given = _arguments(
        node, "input kernel_size stride padding dilation ceil_mode", padding=0, dilation=1
    )
    if given.get("return_indices"):
        return Unknown("max_pool with indices")
    kernel = given["kernel_size"]
    return Pool(
        True,
        _axes(node),
        kernel,
        given["stride"] or kernel,
        given["padding"],
        dilation=given["dilation"],
    )


def _read_average_pool(node: fx.Node) -> Operation:
    given = _arguments(
        node,
        "input kernel_size stride padding ceil_mode count_include_pad divisor_override",
        padding=0,
        count_include_pad=True,
    )
    kernel = given["kernel_size"]
    return Pool(
        False,
        _axes(node),
        kernel,
        given["stride"] or kernel,
        given["padding"],
        count_include_pad=given["count_include_pad"],
        divisor=given["divisor_override"],
    )


def _read_mean(node: fx.Node) -> Operation:
    given = _arguments(node, "input dim keepdim")
    if given.get("dtype"):
        return Unknown("mean in another type")
    return Mean(given.get("axis", given["dim"]))


def _read_pad(node: fx.Node) -> Operation:
    given = _arguments(node, "input pad mode value", mode="constant")
    zeros = given["mode"] == "constant" and not given["value"]
    return Move(in_order=False) if zeros else Unknown(f"pad with mode {given['mode']!r}")


def _adaptive_average(node: fx.Node) -> Operation:
    return AdaptivePool(False, _axes(node))


def _axes(node: fx.Node) -> int:
    """The axes over which a pool's windows move, by the name of the call."""
    return 1 if getattr(node.target, "__name__", "").endswith("1d") else 2


_CALLS: Mapping[str, Callable[[fx.Node], Operation]] = {
    "linear": _read_linear,
    "conv1d": _read_convolution,
    "conv2d": _read_convolution,
    "batch_norm": _read_norm,
    "max_pool1d": _read_max_pool,
    "max_pool2d": _read_max_pool,
    "avg_pool1d": _read_average_pool,
    "avg_pool2d": _read_average_pool,
    "adaptive_avg_pool1d": _adaptive_average,
    "adaptive_avg_pool2d": _adaptive_average,
    "mean": _read_mean,
    "pad": _read_pad,
}


def constant(value: Any, traced: Trace) -> Any:
    """A weight, bias or number that a step names: a tensor, a number or None.

    Raises:
        InputError: it depends on the model's input.
    """
    if not isinstance(value, fx.Node):
        return value.detach() if isinstance(value, Tensor) else value
    if value in traced.dependent:
        raise InputError(
            f"model: expected numbers that do not depend on the input, got step {value.name!r}"
        )
    (found,) = traced.cut([value])(None)
    return found.detach() if isinstance(found, Tensor) else found
