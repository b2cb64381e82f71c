"""What does each ONNX operator over windows or axes become?  Pools, means, sums, LRN."""

from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from experiments.models.onnx.build import Builder
from experiments.models.onnx.nodes import Node, Value
from experiments.models.onnx.ops import Made, op
from experiments.models.onnx.windows import Windows, padded_ceil, pooling_ceil, read_windows
from polytope.errors import InputError

_MAXIMA = (nn.MaxPool1d, nn.MaxPool2d, nn.MaxPool3d)
_MEANS = (nn.AvgPool1d, nn.AvgPool2d, nn.AvgPool3d)
_ZEROS = (nn.ZeroPad1d, nn.ZeroPad2d, nn.ZeroPad3d)
_CONSTANTS = (nn.ConstantPad1d, nn.ConstantPad2d, nn.ConstantPad3d)


def _windows(b: Builder, node: Node) -> tuple[Value, Windows]:
    """What a pool is given, and its windows."""
    value = b.value(node)
    kernel = [int(size) for size in node.attributes.get("kernel_shape", [])]
    if len(kernel) not in (1, 2, 3) or not value.batched or value.example.ndim != len(kernel) + 2:
        raise node.refuse("a kernel over 1 to 3 axes of a batch", kernel)
    return value, read_windows(node, kernel, value.shape[2:])


@op("MaxPool")
def _max_pool(b: Builder, node: Node) -> Made:
    value, windows = _windows(b, node)
    size, axes = value.shape[2:], len(windows.kernel)
    try:
        ceil = pooling_ceil(node, windows, size)
        half = all(p <= k // 2 for p, k in zip(windows.before, windows.kernel, strict=True))
    except InputError:
        half = False
    if not half:  # torch pads half a window at most; what is padded is less than every number
        ceil = padded_ceil(node, windows, size)
        pad = _CONSTANTS[axes - 1](windows.padding, float("-inf"))  # type: ignore[arg-type]
        value, windows = b.module(node, pad, value, name=f"{node.name}_pad"), windows.bare
    module = _MAXIMA[axes - 1](
        windows.kernel,
        windows.stride,
        padding=windows.before,
        dilation=windows.dilation,
        ceil_mode=ceil,
    )
    return b.module(node, module, value)


@op("AveragePool")
def _average_pool(b: Builder, node: Node) -> Made:
    value, windows = _windows(b, node)
    size, axes = value.shape[2:], len(windows.kernel)
    if any(step != 1 for step in windows.dilation):
        raise node.refuse("an average over neighbours", f"dilations {windows.dilation}")
    counted = bool(node.attributes.get("count_include_pad", 0))
    ceil = windows.ceil
    if counted and not windows.symmetric:
        pad = _ZEROS[axes - 1](windows.padding)  # type: ignore[arg-type]
        ceil = padded_ceil(node, windows, size)
        value, windows = b.module(node, pad, value, name=f"{node.name}_pad"), windows.bare
    elif not counted:
        ceil = pooling_ceil(node, windows, size)
    if any(p > k // 2 for p, k in zip(windows.before, windows.kernel, strict=True)):
        raise node.refuse("padding of half a window at most", windows.before)
    module = _MEANS[axes - 1](
        windows.kernel,  # type: ignore[arg-type]
        windows.stride,  # type: ignore[arg-type]
        padding=windows.before,  # type: ignore[arg-type]
        ceil_mode=ceil,
        count_include_pad=counted,
    )
    return b.module(node, module, value)


_GLOBAL = {
    "GlobalAveragePool": (nn.AdaptiveAvgPool1d, nn.AdaptiveAvgPool2d, nn.AdaptiveAvgPool3d),
    "GlobalMaxPool": (nn.AdaptiveMaxPool1d, nn.AdaptiveMaxPool2d, nn.AdaptiveMaxPool3d),
}


@op(*_GLOBAL)
def _global(b: Builder, node: Node) -> Made:
    value = b.value(node)
    if not value.batched or value.example.ndim not in (3, 4, 5):
        raise node.refuse("an input of 3 to 5 axes, the first the batch", f"shape {value.shape}")
    return b.module(node, _GLOBAL[node.op][value.example.ndim - 3](1), value)


_REDUCTIONS: dict[str, Callable[..., Any]] = {
    "ReduceMean": torch.mean,
    "ReduceSum": torch.sum,
    "ReduceMax": torch.amax,
    "ReduceMin": torch.amin,
}


@op(*_REDUCTIONS)
def _reduce(b: Builder, node: Node) -> Made:
    value, given = b.value(node), node.attributes
    axes = given.get("axes")
    if axes is None:
        found = b.constant(node, 1)
        if found is None and given.get("noop_with_empty_axes", 0):
            return value
        axes = range(len(value.shape)) if found is None else found.reshape(-1).tolist()
    places, keep = sorted(value.axis(int(axis)) for axis in axes), bool(given.get("keepdims", 1))
    if places == [2, 3] and value.example.ndim == 4 and node.op == "ReduceMean" and value.batched:
        made = b.module(node, nn.AdaptiveAvgPool2d(1), value)
        return made if keep else b.module(node, nn.Flatten(1), made, name=f"{node.name}_flatten")
    if places and places[0] == 0:
        value = b.unbatched(node, value)
        places = sorted(value.axis(int(axis)) for axis in axes)
    return b.settled(node, b.call(node, _REDUCTIONS[node.op], value, places, keep))


@op("LRN")
def _lrn(b: Builder, node: Node) -> Made:
    value, given = b.value(node), node.attributes
    size = int(given["size"])
    if not value.batched or size % 2 == 0:
        raise node.refuse("an odd number of channels", size)
    alpha, beta = float(given.get("alpha", 1e-4)), float(given.get("beta", 0.75))
    return b.module(
        node, nn.LocalResponseNorm(size, alpha, beta, float(given.get("bias", 1))), value
    )
