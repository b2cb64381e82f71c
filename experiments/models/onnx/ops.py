"""What does each ONNX operator become?  One function an operator; others are refused by name."""

import operator
from collections.abc import Callable

import numpy as np
import torch
from torch import nn

from experiments.models.onnx.build import Builder, Node, Value, tensor
from experiments.models.onnx.windows import padded_ceil, pooling_ceil, read_windows

Made = Value | np.ndarray
Handler = Callable[[Builder, Node], Made]
OPERATORS: dict[str, Handler] = {}
#: Operators of which more than the first output is never needed here.
FIRST_OUTPUT = ("Dropout", "BatchNormalization", "MaxPool")


def op(*names: str) -> Callable[[Handler], Handler]:
    """Registers the function that reads the named operators."""

    def register(handler: Handler) -> Handler:
        OPERATORS.update(dict.fromkeys(names, handler))
        return handler

    return register


@op("Gemm")
def _gemm(b: Builder, node: Node) -> Made:
    given = node.attributes
    for name, usual in (("alpha", 1.0), ("beta", 1.0), ("transA", 0)):
        if given.get(name, usual) != usual:
            raise node.refuse(f"{name} = {usual}", given[name])
    value, weight, bias = b.value(node), b.needed(node, 1), b.constant(node, 2)
    return _linear(b, node, value, weight if given.get("transB", 0) else weight.T, bias=bias)


@op("MatMul")
def _matmul(b: Builder, node: Node) -> Made:
    value, weight = b.value(node), b.needed(node, 1)
    if weight.ndim != 2:
        raise node.refuse("a matrix as second factor", f"shape {weight.shape}")
    bias, add = _bias_behind(b, node, weight.shape[1:])
    made = _linear(b, node, value, weight.T, bias=bias)
    if add is not None:
        b.done.add(add.place)
        b.values[add.outputs[0]] = made
    return made


def _linear(
    b: Builder, node: Node, value: Value, weight: np.ndarray, *, bias: np.ndarray | None
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


def _bias_behind(
    b: Builder, node: Node, shape: tuple[int, ...]
) -> tuple[np.ndarray | None, Node | None]:
    """A constant that the only reader of this operator adds, one number for each of its units."""
    users = b.users.get(node.outputs[0], ())
    if b.uses[node.outputs[0]] != 1 or len(users) != 1 or users[0].op != "Add":
        return None, None
    other = [name for name in users[0].inputs if name != node.outputs[0]]
    if len(other) != 1 or other[0] not in b.constants:
        return None, None
    bias = b.constants[other[0]]
    trimmed = bias.reshape(bias.shape[1:]) if bias.ndim == len(shape) + 1 else bias
    return (trimmed.reshape(-1), users[0]) if trimmed.shape == shape else (None, None)


@op("Conv")
def _conv(b: Builder, node: Node) -> Made:
    value, weight, bias = b.value(node), b.needed(node, 1), b.constant(node, 2)
    if weight.ndim != 4 or value.example.ndim != 4:
        raise node.refuse("a convolution over height and width", f"a weight {weight.shape}")
    windows = read_windows(node, weight.shape[2:], value.example.shape[2:])
    if not windows.symmetric:
        pad = nn.ZeroPad2d(windows.zero_pad())
        value = b.module(node, pad, value, name=f"{node.name}_pad")
    add = None
    if bias is None:
        bias, add = _bias_behind(b, node, (len(weight), 1, 1))
    groups = int(node.attributes.get("group", 1))
    if groups < 1 or len(weight) % groups or value.example.shape[1] != weight.shape[1] * groups:
        got = f"{groups} groups, weight {weight.shape}, {value.example.shape[1]} channels"
        raise node.refuse("channels that fit the weight", got)
    if bias is not None and bias.shape != (len(weight),):
        raise node.refuse(f"one bias for each of {len(weight)} channels", f"shape {bias.shape}")
    module = nn.Conv2d(
        weight.shape[1] * groups,
        len(weight),
        windows.kernel,
        stride=windows.stride,
        padding=windows.before if windows.symmetric else 0,
        dilation=windows.dilation,
        groups=groups,
        bias=bias is not None,
        device="meta",
    )
    module.weight = tensor(weight)
    if bias is not None:
        module.bias = tensor(bias)
    made = b.module(node, module, value)
    if add is not None:
        b.done.add(add.place)
        b.values[add.outputs[0]] = made
    return made


@op("BatchNormalization")
def _batch_norm(b: Builder, node: Node) -> Made:
    given = node.attributes
    if given.get("training_mode", 0) or not given.get("spatial", 1):
        raise node.refuse("evaluation mode, one number a channel", "training_mode or spatial = 0")
    value = b.value(node)
    scale, shift, mean, variance = (b.needed(node, i) for i in range(1, 5))
    channels = value.example.shape[1] if value.example.ndim > 1 else 0
    if any(each.shape != (channels,) for each in (scale, shift, mean, variance)):
        raise node.refuse(f"one number for each of {channels} channels", f"shape {scale.shape}")
    kinds = {2: nn.BatchNorm1d, 4: nn.BatchNorm2d}
    if value.example.ndim not in kinds:
        raise node.refuse("an input of 2 or 4 axes", f"{value.example.ndim}")
    eps = float(given.get("epsilon", np.float32(1e-5)))
    module = kinds[value.example.ndim](len(scale), eps=eps, device="meta")
    module.weight, module.bias = tensor(scale), tensor(shift)
    module.running_mean, module.running_var = tensor(mean).data, tensor(variance).data
    module.num_batches_tracked = torch.tensor(0)
    return b.module(node, module, value)


@op("Relu")
def _relu(b: Builder, node: Node) -> Made:
    return b.module(node, nn.ReLU(), b.value(node))


@op("MaxPool")
def _max_pool(b: Builder, node: Node) -> Made:
    value = b.value(node)
    windows = read_windows(node, _kernel(node), value.example.shape[2:])
    ceil = pooling_ceil(node, windows, value.example.shape[2:])
    module = nn.MaxPool2d(
        windows.kernel,
        windows.stride,
        padding=windows.before,
        dilation=windows.dilation,
        ceil_mode=ceil,
    )
    return b.module(node, module, value)


@op("AveragePool")
def _average_pool(b: Builder, node: Node) -> Made:
    value = b.value(node)
    windows = read_windows(node, _kernel(node), value.example.shape[2:])
    if windows.dilation != (1, 1):
        raise node.refuse("an average over neighbours", f"dilations {windows.dilation}")
    counted = bool(node.attributes.get("count_include_pad", 0))
    before, ceil = windows.before, windows.ceil
    if counted and not windows.symmetric:
        pad = nn.ZeroPad2d(windows.zero_pad())
        ceil = padded_ceil(node, windows, value.example.shape[2:])
        value, before = b.module(node, pad, value, name=f"{node.name}_pad"), (0, 0)
    elif not counted:
        ceil = pooling_ceil(node, windows, value.example.shape[2:])
    module = nn.AvgPool2d(
        windows.kernel,
        windows.stride,
        padding=before,
        ceil_mode=ceil,
        count_include_pad=counted,
    )
    return b.module(node, module, value)


def _kernel(node: Node) -> list[int]:
    kernel = [int(size) for size in node.attributes.get("kernel_shape", [])]
    if len(kernel) != 2:
        raise node.refuse("a kernel over height and width", kernel)
    return kernel


@op("GlobalAveragePool")
def _global_average(b: Builder, node: Node) -> Made:
    value = b.value(node)
    if value.example.ndim != 4:
        raise node.refuse("an input of 4 axes", value.example.ndim)
    return b.module(node, nn.AdaptiveAvgPool2d(1), value)


@op("ReduceMean")
def _reduce_mean(b: Builder, node: Node) -> Made:
    value = b.value(node)
    axes = node.attributes.get("axes")
    if axes is None:
        axes = b.needed(node, 1).tolist()
    if value.example.ndim != 4 or sorted(axis % 4 for axis in axes) != [2, 3]:
        raise node.refuse("a mean over height and width", f"axes {list(axes)}")
    made = b.module(node, nn.AdaptiveAvgPool2d(1), value)
    if node.attributes.get("keepdims", 1):
        return made
    return b.module(node, nn.Flatten(1), made, name=f"{node.name}_flatten")


@op("Add")
def _add(b: Builder, node: Node) -> Made:
    one, other = b.value(node, 0), b.value(node, 1)
    if one.example.shape != other.example.shape:
        shapes = f"{tuple(one.example.shape)} and {tuple(other.example.shape)}"
        raise node.refuse("a sum of equal shapes", shapes)
    return b.call(node, operator.add, one, other)


@op("Softmax", "LogSoftmax")
def _softmax(b: Builder, node: Node) -> Made:
    value = b.value(node)
    old = b.opset < 13  # there the axes from `axis` on were one
    axis = int(node.attributes.get("axis", 1 if old else -1)) % value.example.ndim
    if axis == 0 or (old and axis != value.example.ndim - 1):
        raise node.refuse("a softmax over one axis that is not the batch", f"axis {axis}")
    kind = nn.Softmax if node.op == "Softmax" else nn.LogSoftmax
    return b.module(node, kind(dim=axis), value)


@op("Identity", "Dropout")
def _identity(b: Builder, node: Node) -> Made:
    training = b.constant(node, 2) if node.op == "Dropout" else None
    if training is not None and bool(training):
        raise node.refuse("evaluation mode", "training_mode = true")
    name = node.inputs[0]
    return b.constants[name] if name in b.constants else b.value(node)
