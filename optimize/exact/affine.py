"""Which affine map is a layer between two shapes?  A Linear dense, a convolution sparse."""

import math
from typing import Any

import numpy as np

from optimize.exact.stored import AffineMap
from optimize.model.operations import Weighted
from optimize.model.windows import Pair, Window, convolution_taps, same_padding, tap_count
from polytope.errors import InputError, LimitError
from polytope.exact.array import ExactArray
from polytope.exact.sparse import SparseMatrix

#: Products of a convolution: some 70 bytes each while its matrix is made, 20 afterwards.
MOST_ENTRIES = 100_000_000

Shape = tuple[int, ...]


def affine_of(layer: Weighted, numbers: AffineMap, before: Shape, behind: Shape) -> AffineMap:
    """Matrix (N, d) and bias (N,) of a layer between two shapes, from its own numbers.

    Raises:
        InputError: the shapes, or the padding, are not those of such a layer.
        LimitError: a convolution of more than MOST_ENTRIES products.
    """
    if layer.kind == "Linear":
        return _linear(numbers, math.prod(before[:-1]))
    axes = 1 if layer.kind == "Conv1d" else 2
    if len(before) != axes + 1 or len(behind) != axes + 1:
        raise InputError(
            f"model: expected a batch of {'signals' if axes == 1 else 'images'} at {layer.name!r}, "
            f"got one input of shape {before}"
        )
    return _convolution(layer, numbers, before, behind)


def _linear(numbers: AffineMap, positions: int) -> AffineMap:
    """A Linear on the last axis: one block for each position before it."""
    if positions == 1:
        return numbers
    weight, bias = numbers.weight, numbers.bias
    units, inputs = weight.shape
    block, row, column = np.indices((positions, units, inputs)).reshape(3, -1)
    values = np.broadcast_to(weight.data, (positions, units, inputs)).reshape(-1)
    matrix = SparseMatrix(
        (positions * units, positions * inputs),
        block * units + row,
        block * inputs + column,
        ExactArray(values, weight.dtype),
    )
    return AffineMap(matrix, ExactArray(np.tile(bias.data, positions), bias.dtype))


def axes_pair(value: Any, neutral: int, *, signal: bool) -> Pair:
    """An option of an image's two axes; that of a signal stands for the second one."""
    if isinstance(value, tuple | list):
        first, second = value if len(value) == 2 else (neutral, value[0])
    else:
        first = second = value
    return (neutral, int(second)) if signal else (int(first), int(second))


def as_image(shape: Shape, name: str) -> tuple[int, int, int]:
    """(channels, height, width); a signal has height 1."""
    if len(shape) == 3:
        return shape[0], shape[1], shape[2]
    if len(shape) == 2:
        return shape[0], 1, shape[1]
    raise InputError(
        f"model: expected an image (channels, height, width) or a signal at {name}, got {shape}"
    )


def _window(layer: Weighted, kernel: Pair) -> Window:
    """How the kernel of a convolution moves."""
    signal = layer.kind == "Conv1d"
    dilation = axes_pair(layer.dilation, 1, signal=signal)
    if layer.padding == "valid":
        padding = (0, 0)
    elif layer.padding == "same":
        first, second = (same_padding(k, d)[0] for k, d in zip(kernel, dilation, strict=True))
        padding = (first, second)
    else:
        padding = axes_pair(layer.padding, 0, signal=signal)
    if layer.border:  # of what is behind, only how many windows there are says anything
        first = layer.border[0]
        padding = (padding[0] + (0 if signal else layer.border[2]), padding[1] + first)
    return Window(kernel, axes_pair(layer.stride, 1, signal=signal), padding, dilation)


def _convolution(layer: Weighted, numbers: AffineMap, before: Shape, behind: Shape) -> AffineMap:
    weight, bias = numbers.weight, numbers.bias
    if layer.padding_mode != "zeros":
        raise InputError(
            f"layer: expected padding_mode 'zeros', got {layer.padding_mode!r} in {layer.name!r}"
        )
    into, out = as_image(before, layer.name), as_image(behind, layer.name)
    kernel = (1, weight.shape[2]) if len(weight.shape) == 3 else (weight.shape[2], weight.shape[3])
    window, image, output = _window(layer, kernel), into[1:], out[1:]
    table = weight.data.reshape(*weight.shape[:2], *kernel)
    used = np.count_nonzero(table, axis=(0, 1))
    count = tap_count(window, image, output, used=used)
    if count > MOST_ENTRIES:
        raise LimitError(
            f"layer: expected a convolution of at most {MOST_ENTRIES:,} products, got {count:,} in "
            f"{layer.name!r}; use a smaller input"
        )
    taps = convolution_taps(window, image, output, channels=into[0], weight=table)
    values = weight.data.reshape(-1)[taps.entries]
    matrix = SparseMatrix(
        (math.prod(out), math.prod(into)), taps.rows, taps.columns, ExactArray(values, weight.dtype)
    )
    positions = output[0] * output[1]
    return AffineMap(matrix, ExactArray(np.repeat(bias.data, positions), bias.dtype))
