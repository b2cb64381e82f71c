"""What does one step of a traced model do?  Modules, functions and methods read into kinds.

What is not listed here is `Unknown`; `describe` says what it is.
"""

from collections.abc import Callable, Mapping
from types import FunctionType
from typing import Any

import torch
from torch import Tensor, fx, nn

from optimize.model.inplace import words_set
from optimize.model.operations import (
    AdaptivePool,
    Border,
    Clip,
    Combine,
    Filled,
    Join,
    Largest,
    Leaky,
    Mean,
    Metadata,
    Move,
    Norm,
    Operation,
    Pool,
    Rectifier,
    Total,
    Unknown,
    Weighted,
)
from optimize.model.products import ARGUMENTS as PRODUCTS
from optimize.model.products import read_product, weight_name
from optimize.model.trace import Trace, own_name
from polytope.errors import InputError

_IN_ORDER = (
    nn.Identity,
    nn.Flatten,
    nn.Unflatten,
    nn.Dropout,
    nn.Dropout1d,
    nn.Dropout2d,
    nn.Dropout3d,
    nn.AlphaDropout,
    nn.FeatureAlphaDropout,
)
_MOVES = (
    *(nn.PixelShuffle, nn.PixelUnshuffle, nn.ChannelShuffle, nn.Unfold),
    *(nn.ReflectionPad1d, nn.ReflectionPad2d, nn.ReflectionPad3d, nn.ReplicationPad1d),
    *(nn.ReplicationPad2d, nn.ReplicationPad3d, nn.CircularPad1d, nn.CircularPad2d),
)
_IN_ORDER_NAMES = words_set(
    "view reshape flatten unflatten squeeze unsqueeze contiguous clone detach view_as reshape_as"
)
_MOVE_NAMES = words_set(
    "permute transpose t swapaxes movedim chunk split getitem narrow select flip "
    "roll expand pixel_shuffle channel_shuffle repeat tile repeat_interleave index_select unbind "
    "gather take_along_dim swapdims moveaxis unfold tril triu expand_as pixel_unshuffle adjoint"
)
_CASTS = words_set("to float double half bfloat16 type type_as")
_DROPOUTS = words_set(
    "dropout dropout1d dropout2d dropout3d alpha_dropout feature_alpha_dropout feature_dropout"
)
_SIGNS = {"add": "+", "sub": "-", "mul": "*", "truediv": "/", "div": "/", "divide": "/"}
_SIGNS |= {"multiply": "*", "subtract": "-"}
_JOINS = words_set("cat concat concatenate stack")
#: Steps with numbers or windows of their own -> the arguments of the function, by position.
_ARGUMENTS = {
    "linear": "input weight bias",
    "conv": "input weight bias stride padding dilation groups padding_mode",
    "conv_transpose": "input weight bias stride padding output_padding groups dilation",
    "batch_norm": "input running_mean running_var weight bias training momentum eps",
    "max_pool": "input kernel_size stride padding dilation ceil_mode return_indices",
    "avg_pool": "input kernel_size stride padding ceil_mode count_include_pad divisor_override",
    "adaptive_avg_pool": "input output_size",
    "adaptive_max_pool": "input output_size return_indices",
}
#: That of torch.batch_norm and torch.ops.aten.batch_norm.
_NATIVE_NORM = "input weight bias running_mean running_var training momentum eps cudnn_enabled"
_DEFAULTS: Mapping[str, Mapping[str, Any]] = {
    "conv": {"stride": 1, "padding": 0, "dilation": 1, "groups": 1},
    "conv_transpose": {
        "stride": 1,
        "padding": 0,
        "output_padding": 0,
        "groups": 1,
        "dilation": 1,
    },
    "batch_norm": {"eps": 1e-5},
    "max_pool": {"padding": 0, "dilation": 1},
    "avg_pool": {"padding": 0, "count_include_pad": True},
}
#: Modules -> the function that does the same; its arguments are attributes of theirs.
_MODULES: Mapping[type[nn.Module], str] = {
    nn.Linear: "linear",
    nn.Conv1d: "conv1d",
    nn.Conv2d: "conv2d",
    nn.Conv3d: "conv3d",
    nn.ConvTranspose1d: "conv_transpose1d",
    nn.ConvTranspose2d: "conv_transpose2d",
    nn.ConvTranspose3d: "conv_transpose3d",
    nn.BatchNorm1d: "batch_norm",
    nn.BatchNorm2d: "batch_norm",
    nn.BatchNorm3d: "batch_norm",
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
    if isinstance(module, nn.ConstantPad1d | nn.ConstantPad2d | nn.ConstantPad3d):
        return _padded(tuple(module.padding), module.value)
    if (bent := _bent_module(module)) is not None:
        return bent
    if isinstance(module, _IN_ORDER + _MOVES):
        return Move(in_order=isinstance(module, _IN_ORDER))
    called = next((each for kind, each in _MODULES.items() if isinstance(module, kind)), None)
    if called is None:
        return Unknown()
    names = _ARGUMENTS[_kind(called)].split()
    return _read_numbers(called, {each: getattr(module, each, None) for each in names}, name)


def _kind(called: str) -> str:
    """A function's name without its axes."""
    return called.removesuffix("1d").removesuffix("2d").removesuffix("3d")


def _read_numbers(called: str, given: Mapping[str, Any], name: str) -> Operation:
    """A step of `_ARGUMENTS`, whether it was a module or a function."""
    kind, axes = _kind(called), int(called[-2]) if called.endswith("d") else 0
    if kind == "linear":
        return Weighted("Linear", name, given["weight"], given["bias"])
    if kind == "conv":
        numbers = {each: given[each] for each in _ARGUMENTS["conv"].split()[1:-1]}
        mode = given["padding_mode"] or "zeros"
        return Weighted(f"Conv{axes}d", name, **numbers, padding_mode=mode)
    if kind == "conv_transpose":
        numbers = {each: given[each] for each in _ARGUMENTS["conv_transpose"].split()[1:]}
        return Weighted(f"ConvTranspose{axes}d", name, **numbers)
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
    called, kind = called.partition(".")[0], _kind(called.partition(".")[0])
    if kind in _ARGUMENTS:
        native = kind == "batch_norm" and not isinstance(target, str | FunctionType)
        names = _NATIVE_NORM if native else _ARGUMENTS[kind]
        given = _arguments(node, names, **_DEFAULTS.get(kind, {}))
        weight = given["running_mean"] if kind == "batch_norm" else given.get("weight")
        return _read_numbers(called, given, _name(weight, node, traced))
    if called in PRODUCTS:
        return read_product(called, _arguments(node, PRODUCTS[called]), node, traced)
    if called in _CASTS:
        return Move(in_order=True) if _keeps_type(node, traced) else Unknown()
    return _read_simple(node, called)


def _keeps_type(node: fx.Node, traced: Trace) -> bool:
    """Is a cast to another type none?  Only a run can tell."""
    known = {} if traced.recorded is None else traced.recorded.tensors
    before, behind = known.get(node.all_input_nodes[0]), known.get(node)
    if not isinstance(before, Tensor) or not isinstance(behind, Tensor):
        return False
    return before.dtype == behind.dtype


def _name(weight: Any, node: fx.Node, traced: Trace) -> str:
    """A layer written with functions is named after its module or its weight."""
    path = node.meta.get("module", "")
    if path and isinstance(traced.root.get_submodule(path), tuple(_MODULES)):
        return own_name(path)
    name = weight_name(weight, node)
    return name.removesuffix("running_mean").removesuffix(".") or node.name


def _is_known_library(target: Any) -> bool:
    """Is a function torch's or an operator, and not one that only has such a name?"""
    library = getattr(target, "__module__", None) or "torch"
    return library.partition(".")[0] in ("torch", "_operator", "builtins")


def _read_simple(node: fx.Node, name: str) -> Operation:
    """A call without numbers or windows of its own."""
    if name == "_assert":
        return Metadata()
    if name == "relu":
        return Rectifier()
    if name in _BENT:
        return _bent(name, _arguments(node, _BENT[name]))
    if name == "getattr":
        field = node.args[1]
        return Move(field == "data") if field in ("data", "T", "mT", "H", "mH") else Unknown()
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
        return Join(given["tensors"], given.get("axis", given["dim"]) or 0, name == "stack")
    if name in _SIGNS:
        given = _arguments(node, "input other", alpha=1)
        plain = given["alpha"] == 1 and given.get("rounding_mode") is None
        return Combine(_SIGNS[name], given["input"], given["other"]) if plain else Unknown()
    if name in _REDUCED:
        given = _arguments(node, "input dim keepdim")
        axes = given.get("axis", given["dim"])
        return Unknown() if given.get("dtype") else _REDUCED[name](axes)
    if name in ("pad", "constant_pad_nd"):
        names = "input pad mode value" if name == "pad" else "input pad value"
        given = _arguments(node, names)
        if given.get("mode") in ("reflect", "replicate", "circular"):
            return Move(in_order=False)
        return _padded(given["pad"], given["value"])
    return Unknown()


_REDUCED: Mapping[str, Callable[[Any], Operation]] = {
    "mean": Mean,
    "sum": Total,
    "amax": Largest,
}


def _padded(sizes: Any, value: Any) -> Operation:
    """A border of one number around an image or a signal."""
    if value:
        return Filled(value)
    known = isinstance(sizes, list | tuple) and all(isinstance(size, int) for size in sizes)
    return Border(False, tuple(sizes) if known else ())


#: Piecewise linear functions -> their arguments.
_BENT: Mapping[str, str] = {
    "clamp": "input min max",
    "clip": "input min max",
    "clamp_min": "input min",
    "clamp_max": "input max",
    "hardtanh": "input min_val max_val",
    "relu6": "input inplace",
    "threshold": "input threshold value",
    "leaky_relu": "input negative_slope",
    "prelu": "input weight",
    "abs": "input",
}


def _bent(name: str, given: Mapping[str, Any]) -> Operation:
    """A piecewise linear function by its name and arguments."""
    if name == "leaky_relu":
        slope = given["negative_slope"]
        return Leaky(0.01 if slope is None else slope)
    if name in ("prelu", "abs"):
        return Leaky(given.get("weight", -1))
    if name == "threshold":
        at_zero = given["threshold"] == 0 and given["value"] == 0
        return Rectifier() if at_zero else Unknown()
    low, high = given.get("min"), given.get("max")
    if name == "relu6":
        low, high = 0, 6
    if name == "hardtanh":
        low, high = (
            missing if given[end] is None else given[end]
            for end, missing in (("min_val", -1), ("max_val", 1))
        )
    if any(type(end) not in (int, float, type(None)) for end in (low, high)):
        return Unknown()
    if low == 0 and high is None:
        return Rectifier()
    return Clip(low, high)


def _bent_module(module: nn.Module) -> Operation | None:
    """The same of modules; None for others."""
    if isinstance(module, nn.Hardtanh):  # ReLU6 is one
        return Clip(module.min_val, module.max_val)
    if isinstance(module, nn.LeakyReLU):
        return Leaky(module.negative_slope)
    if isinstance(module, nn.PReLU):
        return Leaky(module.weight)
    if isinstance(module, nn.Threshold):
        return _bent("threshold", vars(module))
    return None


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
