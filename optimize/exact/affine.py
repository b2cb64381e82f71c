"""Which affine map is a layer between two shapes?  A Linear dense, a convolution sparse."""

import math
from typing import Any

import numpy as np

from optimize.exact.stored import AffineMap
from optimize.model.operations import Weighted
from optimize.model.windows import Sizes, Window, convolution_taps, same_padding, tap_count
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
    axes = int(layer.kind[-2])
    if len(before) != axes + 1 or len(behind) != axes + 1:
        words = {1: "signals", 2: "images", 3: "volumes"}[axes]
        raise InputError(
            f"model: expected a batch of {words} at {layer.name!r}, got one input of shape {before}"
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


def along_axes(value: Any, axes: int) -> Sizes:
    """An option with one number for all axes, or one for each."""
    if isinstance(value, tuple | list):
        return tuple(int(each) for each in (value if len(value) == axes else value * axes))
    return (int(value),) * axes


def as_image(shape: Shape, axes: int, name: str) -> Shape:
    """(channels, *sizes) of a step with that many axes.

    Raises:
        InputError: the shape has others.
    """
    if len(shape) == axes + 1:
        return shape
    words = {1: "a signal (channels, length)", 2: "an image (channels, height, width)"}
    raise InputError(
        f"model: expected {words.get(axes, 'a volume (channels, depth, height, width)')} at "
        f"{name}, got {shape}"
    )


def _window(layer: Weighted, kernel: Sizes) -> Window:
    """How the kernel of a convolution moves."""
    axes = len(kernel)
    dilation = along_axes(layer.dilation, axes)
    if layer.padding == "valid":
        padding: Sizes = (0,) * axes
    elif layer.padding == "same":
        padding = tuple(same_padding(k, d)[0] for k, d in zip(kernel, dilation, strict=True))
    else:
        padding = along_axes(layer.padding, axes)
    if layer.border:  # of what is behind, only how many windows there are says anything
        first = layer.border[::2][::-1]  # the last axis stands first in it
        padding = tuple(a + b for a, b in zip(padding, first, strict=True))
    return Window(kernel, along_axes(layer.stride, axes), padding, dilation)


def _convolution(layer: Weighted, numbers: AffineMap, before: Shape, behind: Shape) -> AffineMap:
    weight, bias = numbers.weight, numbers.bias
    if layer.padding_mode != "zeros":
        raise InputError(
            f"layer: expected padding_mode 'zeros', got {layer.padding_mode!r} in {layer.name!r}"
        )
    kernel = tuple(weight.shape[2:])
    turned = layer.kind.startswith("ConvTranspose")
    into = as_image(before, len(kernel), layer.name)
    out = as_image(behind, len(kernel), layer.name)
    # A transposed convolution is the transposed matrix of the one with the same weight, which goes
    # from its output to its input.
    image, output = (out, into) if turned else (into, out)
    window, table = _window(layer, kernel), weight.data
    used = np.count_nonzero(table, axis=(0, 1))
    count = tap_count(window, image[1:], output[1:], used=used)
    if count > MOST_ENTRIES:
        raise LimitError(
            f"layer: expected a convolution of at most {MOST_ENTRIES:,} products, got {count:,} in "
            f"{layer.name!r}; use a smaller input"
        )
    taps = convolution_taps(window, image[1:], output[1:], channels=image[0], weight=table)
    rows, columns = (taps.columns, taps.rows) if turned else (taps.rows, taps.columns)
    values = weight.data.reshape(-1)[taps.entries]
    matrix = SparseMatrix(
        (math.prod(out), math.prod(into)), rows, columns, ExactArray(values, weight.dtype)
    )
    return AffineMap(matrix, ExactArray(np.repeat(bias.data, math.prod(out[1:])), bias.dtype))
