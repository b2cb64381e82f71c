"""What does each layer of Keras over windows become in torch?  Convolutions, pools, zeros."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

import torch
from torch import Tensor, nn

from experiments.models.foreign.network import Scaled
from experiments.models.keras.build import Builder, Layer, Value
from experiments.models.keras.layers import activated, keras, only

_CONVOLUTIONS: tuple[type[nn.Conv1d] | type[nn.Conv2d], ...] = (nn.Conv1d, nn.Conv2d)
_ZEROS = (nn.ZeroPad1d, nn.ZeroPad2d)
_CONSTANTS = (nn.ConstantPad1d, nn.ConstantPad2d)


@dataclass(frozen=True)
class _Border:
    """What stands around each axis, in front and behind."""

    before: tuple[int, ...]
    after: tuple[int, ...]

    @property
    def torch_order(self) -> tuple[int, ...]:
        """The last axis first, its beginning before its end."""
        pairs = list(zip(self.before, self.after, strict=True))
        return tuple(size for pair in reversed(pairs) for size in pair)

    def __bool__(self) -> bool:
        return any(self.before + self.after)


def _border(layer: Layer, sizes: Sequence[int], windows: Sequence[Sequence[int]]) -> _Border:
    """Zeros that `padding` stands for, at these sizes of the axes.

    Args:
        layer: whose.
        sizes: of the axes.
        windows: extent, stride and dilation of the window along each axis.
    """
    padding, axes = layer.options.get("padding", "valid"), len(sizes)
    if padding == "valid":
        return _Border((0,) * axes, (0,) * axes)
    if padding == "causal" and axes == 1:
        extent, _, dilation = windows[0]
        return _Border((dilation * (extent - 1),), (0,))
    if padding != "same":
        raise layer.refuse("padding valid or same", repr(padding)[:40])
    missing = [
        max((-(-size // step) - 1) * step + dilation * (extent - 1) + 1 - size, 0)
        for size, (extent, step, dilation) in zip(sizes, windows, strict=True)
    ]
    return _Border(tuple(m // 2 for m in missing), tuple(m - m // 2 for m in missing))


def _axes(layer: Layer, value: Value) -> int:
    """How many axes its windows move along, by its name."""
    axes = int(layer.kind.rpartition("D")[0][-1])
    if value.example.ndim != axes + 2:
        raise layer.refuse(f"an input of {axes} axes and channels", value.shape)
    return axes


def _convolved(
    b: Builder, layer: Layer, value: Value, weight: Tensor, bias: Tensor | None, *, groups: int
) -> Value:
    """The convolution with its zeros, which are its own padding where both ends have as many."""
    axes = _axes(layer, value)
    stride, dilation = layer.sizes("strides", axes), layer.sizes("dilation_rate", axes)
    windows = list(zip(weight.shape[2:], stride, dilation, strict=True))
    border = _border(layer, value.shape[:-1], windows)
    padding: tuple[int, ...] = border.before
    value = b.channels_first(value)
    if border.before != border.after:
        value = b.module(layer, _ZEROS[axes - 1](border.torch_order), value, suffix="_zeros")  # type: ignore[arg-type]
        padding = (0,) * axes
    made = _CONVOLUTIONS[axes - 1](
        weight.shape[1] * groups,
        len(weight),
        weight.shape[2:],  # type: ignore[arg-type]
        stride=stride,  # type: ignore[arg-type]
        padding=padding,  # type: ignore[arg-type]
        dilation=dilation,  # type: ignore[arg-type]
        groups=groups,
        bias=bias is not None,
        device="meta",
        dtype=weight.dtype,
    )
    made.weight = nn.Parameter(weight.contiguous(), requires_grad=False)
    if bias is not None:
        made.bias = nn.Parameter(bias, requires_grad=False)
    return b.module(layer, made, value)


@keras("Conv1D", "Conv2D")
def _convolution(b: Builder, layer: Layer, values: Sequence[Value]) -> Value:
    value = only(layer, values)
    axes = _axes(layer, value)
    kernel, bias = _numbers(layer, axes + 2)
    groups = int(layer.options.get("groups") or 1)
    if groups < 1 or kernel.shape[-1] % groups or value.shape[-1] != kernel.shape[-2] * groups:
        raise layer.refuse("a kernel that fits the channels", tuple(kernel.shape))
    weight = kernel.permute(axes + 1, axes, *range(axes))
    return activated(b, layer, _convolved(b, layer, value, weight, bias, groups=groups))


def _numbers(layer: Layer, axes: int) -> tuple[Tensor, Tensor | None]:
    """Kernel and bias, where there is one."""
    with_bias = bool(layer.options.get("use_bias", True))
    kernel, *rest = layer.tensors(*((axes, 1) if with_bias else (axes,)))
    return kernel, rest[0] if rest else None


@keras("DepthwiseConv2D")
def _depthwise(b: Builder, layer: Layer, values: Sequence[Value]) -> Value:
    value = only(layer, values)
    kernel, bias = _numbers(layer, 4)
    channels = value.shape[-1]
    if kernel.shape[2] != channels:
        raise layer.refuse("a kernel that fits the channels", tuple(kernel.shape))
    weight = kernel.permute(2, 3, 0, 1).reshape(-1, 1, *kernel.shape[:2])
    return activated(b, layer, _convolved(b, layer, value, weight, bias, groups=channels))


@dataclass(frozen=True, eq=False, kw_only=True)
class _Pooled:
    """A pool's input with channels first, and its windows.

    Attributes:
        value: the input.
        extent, stride: of the windows.
        border: around the input; never counted by Keras, and less than every number in a maximum.
        at_end: whether it is what torch's `ceil_mode` adds at the end.
    """

    value: Value
    extent: tuple[int, ...]
    stride: tuple[int, ...]
    border: _Border
    at_end: bool

    @property
    def fits(self) -> bool:
        """Whether torch's own padding does it."""
        before, after = self.border.before, self.border.after
        half = all(p <= k // 2 for p, k in zip(before, self.extent, strict=True))
        return self.at_end or (before == after and half)

    @property
    def options(self) -> dict[str, object]:
        """Of torch's pool."""
        padding = self.border.before if self.fits else (0,) * len(self.extent)
        sizes = {"kernel_size": self.extent, "stride": self.stride, "padding": padding}
        return {**sizes, "ceil_mode": self.at_end}


def _pooled(b: Builder, layer: Layer, value: Value) -> _Pooled:
    axes = _axes(layer, value)
    extent = layer.sizes("pool_size", axes, usual=2)
    stride = extent if layer.options.get("strides") is None else layer.sizes("strides", axes)
    windows = [(k, step, 1) for k, step in zip(extent, stride, strict=True)]
    border = _border(layer, value.shape[:-1], windows)
    at_end = bool(border) and not any(border.before)
    for size, (k, step, _) in zip(value.shape[:-1], windows, strict=True):
        at_end = at_end and -(-(size - k) // step) + 1 == -(-size // step)
    return _Pooled(
        value=b.channels_first(value), extent=extent, stride=stride, border=border, at_end=at_end
    )


@keras("MaxPooling1D", "MaxPooling2D")
def _max_pool(b: Builder, layer: Layer, values: Sequence[Value]) -> Value:
    found = _pooled(b, layer, only(layer, values))
    value, axes = found.value, len(found.extent)
    if not found.fits:
        pad = _CONSTANTS[axes - 1](found.border.torch_order, float("-inf"))  # type: ignore[arg-type]
        value = b.module(layer, pad, value, suffix="_border")
    kind = (nn.MaxPool1d, nn.MaxPool2d)[axes - 1]
    return b.module(layer, kind(**found.options), value)  # type: ignore[arg-type]


@keras("AveragePooling1D", "AveragePooling2D")
def _average_pool(b: Builder, layer: Layer, values: Sequence[Value]) -> Value:
    found = _pooled(b, layer, only(layer, values))
    axes, options = len(found.extent), found.options
    kind = (nn.AvgPool1d, nn.AvgPool2d)[axes - 1]
    if found.fits:
        made = kind(**options, count_include_pad=False)  # type: ignore[arg-type]
        return b.module(layer, made, found.value)
    zeros = _ZEROS[axes - 1](found.border.torch_order)  # type: ignore[arg-type]
    ones = torch.ones((1, 1, *found.value.example.shape[2:]))
    volume = prod(found.extent)
    share = kind(**options)(zeros(ones))  # type: ignore[arg-type]
    dtype = found.value.example.dtype
    counts, whole = (share * volume).round().to(dtype), torch.tensor(volume, dtype=dtype)
    value = b.module(layer, zeros, found.value, suffix="_zeros")
    value = b.module(layer, kind(**options), value)  # type: ignore[arg-type]
    sums = Scaled(torch.zeros_like(whole), whole, divides=False)
    value = b.module(layer, sums, value, suffix="_sums")
    means = Scaled(torch.zeros_like(whole), counts[0], divides=True)
    return b.module(layer, means, value, suffix="_means")


@keras(
    *("GlobalAveragePooling1D", "GlobalAveragePooling2D"),
    *("GlobalMaxPooling1D", "GlobalMaxPooling2D"),
)
def _global(b: Builder, layer: Layer, values: Sequence[Value]) -> Value:
    value = only(layer, values)
    axes, mean = _axes(layer, value), "Average" in layer.kind
    kinds = (
        (nn.AdaptiveAvgPool1d, nn.AdaptiveAvgPool2d)
        if mean
        else (nn.AdaptiveMaxPool1d, nn.AdaptiveMaxPool2d)
    )
    made = b.module(layer, kinds[axes - 1](1), b.channels_first(value))
    if layer.options.get("keepdims"):
        return made
    return b.module(layer, nn.Flatten(1), made, suffix="_flat", flat=True)


@keras("ZeroPadding1D", "ZeroPadding2D")
def _zeros(b: Builder, layer: Layer, values: Sequence[Value]) -> Value:
    value = only(layer, values)
    axes = _axes(layer, value)
    found = torch.tensor(layer.options.get("padding", 1), dtype=torch.int64)
    pairs = found.reshape(1, 2) if axes == 1 and found.numel() == 2 else found
    try:
        pairs = (pairs[:, None] if pairs.ndim == 1 else pairs).expand(axes, 2)
    except RuntimeError:
        raise layer.refuse("sizes of zeros for each axis", layer.options["padding"]) from None
    if not 0 <= int(pairs.min()) <= int(pairs.max()) < 1 << 16:
        raise layer.refuse("sizes of zeros from 0 on", layer.options["padding"])
    border = _Border(tuple(pairs[:, 0].tolist()), tuple(pairs[:, 1].tolist()))
    module = _ZEROS[axes - 1](border.torch_order)  # type: ignore[arg-type]
    return b.module(layer, module, b.channels_first(value))
