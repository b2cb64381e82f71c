"""What does one step of a traced model do?  Modules, functions and methods read into kinds.

What is not listed here is `Unknown`; `describe` says what it is.
"""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, fx, nn

from optimize.model.inplace import words_set
from optimize.model.operations import (
    AdaptivePool,
    Border,
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
_MOVES = (nn.PixelShuffle, nn.PixelUnshuffle, nn.ChannelShuffle)
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
#: Steps with numbers or windows of their own -> the arguments of the function, by position.
_ARGUMENTS = {
    "linear": "input weight bias",
    "conv": "input weight bias stride padding dilation groups padding_mode",
    "batch_norm": "input running_mean running_var weight bias training momentum eps",
    "max_pool": "input kernel_size stride padding dilation ceil_mode return_indices",
    "avg_pool": "input kernel_size stride padding ceil_mode count_include_pad divisor_override",
    "adaptive_avg_pool": "input output_size",
    "adaptive_max_pool": "input output_size return_indices",
}
_DEFAULTS: Mapping[str, Mapping[str, Any]] = {
    "conv": {"stride": 1, "padding": 0, "dilation": 1, "groups": 1},
    "batch_norm": {"eps": 1e-5},
    "max_pool": {"padding": 0, "dilation": 1},
    "avg_pool": {"padding": 0, "count_include_pad": True},
}
#: Modules -> the function that does the same; its arguments are attributes of theirs.
_MODULES: Mapping[type[nn.Module], str] = {
    nn.Linear: "linear",
    nn.Conv1d: "conv1d",
    nn.Conv2d: "conv2d",
    nn.BatchNorm1d: "batch_norm",
    nn.BatchNorm2d: "batch_norm",
    nn.MaxPool1d: "max_pool1d",
    nn.MaxPool2d: "max_pool2d",
    nn.AvgPool1d: "avg_pool1d",
    nn.AvgPool2d: "avg_pool2d",
    nn.AdaptiveAvgPool1d: "adaptive_avg_pool1d",
    nn.AdaptiveAvgPool2d: "adaptive_avg_pool2d",
    nn.AdaptiveMaxPool1d: "adaptive_max_pool1d",
    nn.AdaptiveMaxPool2d: "adaptive_max_pool2d",
}


def read_operation(node: fx.Node, traced: Trace) -> Operation:
    """What `node` does; `traced` holds the modules."""
    if node.op == "call_module":
        return _read_module(traced.module(node), own_name(str(node.target)))
    if node.op in ("call_function", "call_method"):
        return _read_call(node, traced)
    return Metadata() if node.op == "get_attr" else Unknown()


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
    if isinstance(module, nn.ReLU):
        return Rectifier()
    if isinstance(module, nn.ZeroPad1d | nn.ZeroPad2d):
        return Border(in_order=False, sizes=tuple(module.padding))
    if isinstance(module, _IN_ORDER + _MOVES):
        return Move(in_order=isinstance(module, _IN_ORDER))
    called = next((each for kind, each in _MODULES.items() if isinstance(module, kind)), None)
    if called is None:
        return Unknown()
    names = _ARGUMENTS[_kind(called)].split()
    return _read_numbers(called, {each: getattr(module, each, None) for each in names}, name)


def _kind(called: str) -> str:
    """A function's name without its axes."""
    return called.removesuffix("1d").removesuffix("2d")


def _read_numbers(called: str, given: Mapping[str, Any], name: str) -> Operation:
    """A step of `_ARGUMENTS`, whether it was a module or a function."""
    kind, axes = _kind(called), 1 if called.endswith("1d") else 2
    if kind == "linear":
        return Weighted("Linear", name, given["weight"], given["bias"])
    if kind == "conv":
        numbers = {each: given[each] for each in _ARGUMENTS["conv"].split()[1:-1]}
        mode = given["padding_mode"] or "zeros"
        return Weighted(f"Conv{axes}d", name, **numbers, padding_mode=mode)
    if kind == "batch_norm":
        mean = given["running_mean"]
        numbers = {each: given[each] for each in ("weight", "bias", "eps")}
        of_batch = bool(given["training"]) or mean is None
        return Norm(name, mean, given["running_var"], **numbers, batch_statistics=of_batch)
    if given.get("return_indices"):
        return Unknown()
    if kind.startswith("adaptive"):
        return AdaptivePool(kind == "adaptive_max_pool", axes)
    return Pool(
        kind == "max_pool",
        axes,
        given["kernel_size"],
        given["stride"] or given["kernel_size"],
        given["padding"],
        dilation=given.get("dilation", 1),
        count_include_pad=given.get("count_include_pad", True),
        divisor=given.get("divisor_override"),
    )


def _arguments(node: fx.Node, names: str, **defaults: Any) -> dict[str, Any]:
    """The arguments of a call by name."""
    given = dict(zip(names.split(), node.args, strict=False))
    return {**dict.fromkeys(names.split()), **defaults, **given, **node.kwargs}


def _read_call(node: fx.Node, traced: Trace) -> Operation:
    """A function or a method, told by the name it is called with."""
    target: Any = node.target
    called = target if node.op == "call_method" else getattr(target, "__name__", str(target))
    if node not in traced.varying:
        return Metadata()
    if node.op == "call_function" and not _is_known_library(target):
        return Unknown()
    kind = _kind(called)
    if kind in _ARGUMENTS:
        given = _arguments(node, _ARGUMENTS[kind], **_DEFAULTS.get(kind, {}))
        name = node.name if kind == "batch_norm" else _weight_name(given.get("weight"), node)
        return _read_numbers(called, given, name)
    return _read_simple(node, called)


def _is_known_library(target: Any) -> bool:
    """Is a function torch's or an operator, and not one that only has such a name?"""
    library = getattr(target, "__module__", None) or "torch"
    known = library.partition(".")[0] in ("torch", "_operator", "builtins")
    return known and target is not torch.batch_norm  # which has its arguments in another order


def _weight_name(weight: Any, node: fx.Node) -> str:
    """A layer written with functions is named after its weight."""
    if isinstance(weight, fx.Node) and weight.op == "get_attr":
        return own_name(str(weight.target)).removesuffix("weight").removesuffix(".") or node.name
    return node.name


def _read_simple(node: fx.Node, name: str) -> Operation:
    """A call without numbers or windows of its own."""
    if name == "_assert":
        return Metadata()
    if name == "relu":
        return Rectifier()
    if name in ("clamp", "clip", "clamp_min"):
        least = _arguments(node, "input min max")
        only_zero = type(least["min"]) in (int, float) and least["min"] == 0
        return Rectifier() if only_zero and least["max"] is None else Unknown()
    if name in _IN_ORDER_NAMES:
        as_type = name == "view" and isinstance(node.args[1], torch.dtype)
        return Unknown() if as_type else Move(in_order=True)
    if name in _MOVE_NAMES:
        return Move(in_order=False)
    if name in _DROPOUTS:
        training = _arguments(node, "input p training", training=name == "dropout")["training"]
        return Unknown() if training else Move(in_order=True)
    if name == "neg":
        return Combine("*", node.args[0], -1)
    if name in _JOINS:
        given = _arguments(node, "tensors dim")
        return Join(given["tensors"], given.get("axis", given["dim"]) or 0)
    if name in _SIGNS:
        given = _arguments(node, "input other", alpha=1)
        plain = given["alpha"] == 1 and given.get("rounding_mode") is None
        return Combine(_SIGNS[name], given["input"], given["other"]) if plain else Unknown()
    if name == "mean":
        given = _arguments(node, "input dim keepdim")
        return Unknown() if given.get("dtype") else Mean(given.get("axis", given["dim"]))
    if name == "pad":
        given = _arguments(node, "input pad mode value", mode="constant")
        zeros = given["mode"] == "constant" and not given["value"]
        known = isinstance(given["pad"], list | tuple) and all(
            isinstance(size, int) for size in given["pad"]
        )
        return Border(False, tuple(given["pad"]) if known else ()) if zeros else Unknown()
    return Unknown()


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
