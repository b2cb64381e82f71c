"""What does each ONNX operator with weights become?  Linear layers, convolutions, BatchNorm."""

import numpy as np
import torch
from torch import nn

from experiments.models.onnx.build import Builder, tensor
from experiments.models.onnx.nodes import Node, Value
from experiments.models.onnx.ops import Made, op
from experiments.models.onnx.windows import Windows, read_windows

_CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
_TRANSPOSED = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)
_PADS = (nn.ZeroPad1d, nn.ZeroPad2d, nn.ZeroPad3d)
_NORMS = {2: nn.BatchNorm1d, 3: nn.BatchNorm1d, 4: nn.BatchNorm2d, 5: nn.BatchNorm3d}


@op("Gemm")
def _gemm(b: Builder, node: Node) -> Made:
    given = node.attributes
    value, weight, bias = b.value(node), b.needed(node, 1), b.constant(node, 2)
    if given.get("transA", 0):
        value = b.unbatched(node, value)
        value = b.settled(node, b.method(node, "transpose", value, 1, 2))
    weight = weight if given.get("transB", 0) else weight.T
    weight = _times(node, "alpha", weight)
    bias = None if bias is None else _times(node, "beta", bias)
    return _linear(b, node, value, weight, bias)


def _times(node: Node, name: str, array: np.ndarray) -> np.ndarray:
    """The numbers times a factor of the file's: folded only where no bit is rounded."""
    factor = float(node.attributes.get(name, 1.0))
    product = array * array.dtype.type(factor)
    wide = array.astype(np.longdouble) * np.longdouble(factor)
    if factor != array.dtype.type(factor) or not np.array_equal(product, wide):
        raise node.refuse(f"{name} times the numbers without rounding", factor)
    return np.asarray(product, dtype=array.dtype)


@op("MatMul")
def _matmul(b: Builder, node: Node) -> Made:
    if node.inputs[0] in b.constants:
        return _weight_on_the_left(b, node)
    value, weight = b.value(node), b.needed(node, 1)
    if weight.ndim == 1:
        made = _linear(b, node, value, weight[None], None)
        return b.settled(node, b.laid_out(node, made, value.shape[:-1]))
    if weight.ndim != 2:
        raise node.refuse("a matrix as second factor", f"shape {weight.shape}")
    bias, add = bias_behind(b, node, weight.shape[1:])
    return _with_add(b, _linear(b, node, value, weight.T, bias), add)


def _weight_on_the_left(b: Builder, node: Node) -> Made:
    """``W x``: x of shape (d,), or (d, 1) and more columns, for each of which it is the same."""
    weight, value = b.needed(node, 0), b.value(node, 1)
    axes = len(value.shape)
    if weight.ndim != 2 or axes not in (1, 2, 3) or (axes == 3 and not value.batched):
        raise node.refuse("a matrix times a vector or matrix", f"{weight.shape} x {value.shape}")
    if axes == 1:
        bias, add = bias_behind(b, node, weight.shape[:1])
        return _with_add(b, _linear(b, node, value, weight, bias), add)
    value = value if axes == 3 else b.unbatched(node, value)
    bias, add = bias_behind(b, node, (len(weight), 1))
    if value.example.shape[2] == 1:
        value = b.method(node, "squeeze", value, 2)
        made = b.method(node, "unsqueeze", _linear(b, node, value, weight, bias), 2)
    else:  # columns are the places of a signal
        module = nn.Conv1d(weight.shape[1], len(weight), 1, bias=bias is not None, device="meta")
        _fill(module, weight[:, :, None], bias)
        made = b.module(node, module, value)
    return _with_add(b, b.settled(node, made), add)


def _linear(
    b: Builder, node: Node, value: Value, weight: np.ndarray, bias: np.ndarray | None
) -> Value:
    """weight (N, d); bias (N,), or a shape that is broadcast to it."""
    units, inputs = weight.shape
    module = nn.Linear(inputs, units, bias=bias is not None, device="meta")
    module.weight = tensor(np.ascontiguousarray(weight))
    if bias is not None:
        if bias.ndim > 1 and bias.size != bias.shape[-1]:
            raise node.refuse(f"one bias for each of {units} units", f"shape {bias.shape}")
        module.bias = tensor(np.broadcast_to(bias.reshape(-1), (units,)))
    return b.module(node, module, value)


def bias_behind(
    b: Builder, node: Node, shape: tuple[int, ...]
) -> tuple[np.ndarray | None, Node | None]:
    """A constant that the only reader of this operator adds, one number for each of its units.

    Without it a layer that a file writes as product and sum would have its bias behind it.
    """
    users = b.users.get(node.outputs[0], ())
    if b.uses[node.outputs[0]] != 1 or len(users) != 1 or users[0].op != "Add":
        return None, None
    other = [name for name in users[0].inputs if name != node.outputs[0]]
    if len(other) != 1 or other[0] not in b.constants:
        return None, None
    bias = b.constants[other[0]]
    longer = bias.ndim > len(shape) and bias.shape[0] == 1
    trimmed = bias.reshape(bias.shape[1:]) if longer else bias
    return (trimmed.reshape(-1), users[0]) if trimmed.shape == shape else (None, None)


def _with_add(b: Builder, made: Value, add: Node | None) -> Value:
    """Says that the sum behind a layer is the layer's bias."""
    if add is not None:
        b.done.add(add.place)
        b.values[add.outputs[0]] = made
    return made


@op("Conv")
def _conv(b: Builder, node: Node) -> Made:
    value, weight, bias = b.value(node), b.needed(node, 1), b.constant(node, 2)
    axes = weight.ndim - 2
    if axes not in (1, 2, 3) or not value.batched or value.example.ndim != weight.ndim:
        raise node.refuse("a convolution over 1 to 3 axes of a batch", f"a weight {weight.shape}")
    windows = read_windows(node, weight.shape[2:], value.shape[2:])
    value, windows = _padded(b, node, value, windows)
    groups = int(node.attributes.get("group", 1))
    if groups < 1 or len(weight) % groups or value.shape[1] != weight.shape[1] * groups:
        got = f"{groups} groups, weight {weight.shape}, {value.shape[1]} channels"
        raise node.misfit(ValueError(f"channels that do not fit the weight: {got}"))
    bias, add = bias_behind(b, node, (len(weight), *(1,) * axes)) if bias is None else (bias, None)
    _check_bias(node, bias, len(weight))
    module = _CONVOLUTIONS[axes - 1](
        weight.shape[1] * groups,
        len(weight),
        windows.kernel,  # type: ignore[arg-type]
        stride=windows.stride,  # type: ignore[arg-type]
        padding=windows.before,  # type: ignore[arg-type]
        dilation=windows.dilation,  # type: ignore[arg-type]
        groups=groups,
        bias=bias is not None,
        device="meta",
    )
    _fill(module, weight, bias)
    return _with_add(b, b.module(node, module, value), add)


def _padded(b: Builder, node: Node, value: Value, windows: Windows) -> tuple[Value, Windows]:
    """Padding that differs at both ends is a step of its own."""
    if windows.symmetric:
        return value, windows
    pad = _PADS[len(windows.kernel) - 1](windows.padding)  # type: ignore[arg-type]
    return b.module(node, pad, value, name=f"{node.name}_pad"), windows.bare


def _check_bias(node: Node, bias: np.ndarray | None, channels: int) -> None:
    if bias is not None and bias.shape != (channels,):
        raise node.misfit(ValueError(f"a bias {bias.shape} that does not fit {channels} channels"))


def _fill(module: nn.Module, weight: np.ndarray, bias: np.ndarray | None) -> None:
    module.weight = tensor(weight)
    if bias is not None:
        module.bias = tensor(bias)


@op("ConvTranspose")
def _conv_transpose(b: Builder, node: Node) -> Made:
    value, weight, bias = b.value(node), b.needed(node, 1), b.constant(node, 2)
    axes, given = weight.ndim - 2, node.attributes
    if axes not in (1, 2, 3) or not value.batched or "output_shape" in given:
        raise node.refuse("a transposed convolution of given pads", f"a weight {weight.shape}")
    windows = read_windows(node, weight.shape[2:], value.shape[2:])
    groups = int(given.get("group", 1))
    if not windows.symmetric or given.get("auto_pad", b"NOTSET") not in (b"NOTSET", "NOTSET"):
        raise node.refuse("the same pads at both ends", f"{windows.before} and {windows.after}")
    channels = weight.shape[1] * groups
    _check_bias(node, bias, channels)
    module = _TRANSPOSED[axes - 1](
        len(weight),
        channels,
        windows.kernel,  # type: ignore[arg-type]
        stride=windows.stride,  # type: ignore[arg-type]
        padding=windows.before,  # type: ignore[arg-type]
        output_padding=tuple(given.get("output_padding", [0] * axes)),
        groups=groups,
        bias=bias is not None,
        dilation=windows.dilation,  # type: ignore[arg-type]
        device="meta",
    )
    _fill(module, weight, bias)
    return b.module(node, module, value)


@op("BatchNormalization")
def _batch_norm(b: Builder, node: Node) -> Made:
    given = node.attributes
    if not given.get("spatial", 1):
        raise node.refuse("one number a channel", "spatial = 0")
    value = b.value(node)
    scale, shift, mean, variance = (b.needed(node, i) for i in range(1, 5))
    channels = value.shape[1] if len(value.shape) > 1 else 0
    if any(each.shape != (channels,) for each in (scale, shift, mean, variance)):
        raise node.refuse(f"one number for each of {channels} channels", f"shape {scale.shape}")
    if not value.batched or value.example.ndim not in _NORMS:
        raise node.refuse("an input of 2 to 5 axes, the first the batch", f"shape {value.shape}")
    eps = float(given.get("epsilon", np.float32(1e-5)))
    module = _NORMS[value.example.ndim](len(scale), eps=eps, device="meta")
    module.weight, module.bias = tensor(scale), tensor(shift)
    if given.get("training_mode", 0):  # what it stores is not what it uses
        module.running_mean = module.running_var = module.num_batches_tracked = None
    else:
        module.running_mean, module.running_var = tensor(mean).data, tensor(variance).data
        module.num_batches_tracked = torch.tensor(0)
    return b.module(node, module, value)
