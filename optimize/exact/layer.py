"""What does a layer compute, exactly?  Its weights as stored, a convolution as a sparse matrix.

A BatchNorm in evaluation mode is folded: with the stored mean m, variance v, gamma and beta,

    y = gamma * r * (x - m) + beta,      r = the float64 nearest to 1 / sqrt(v + eps).

r is the one number of a network that is irrational in general; it is rounded once, correctly, and
taken exactly from there on, like everything else.
"""

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import torch
from torch import nn

from optimize.model.checks import check_affine, check_layer
from optimize.model.graph import find_call
from optimize.model.operations import Norm, Weighted
from optimize.model.reading import constant
from optimize.model.trace import Trace, example_input, one_input, run_example, trace
from optimize.model.windows import Pair, Window, convolution_taps, same_padding, tap_count
from polytope.errors import InputError, LimitError, NonFiniteError
from polytope.exact.brief import Brief
from polytope.exact.rational import ExactArray
from polytope.exact.sparse import SparseMatrix

#: Products of a convolution: some 70 bytes each while its matrix is made, 20 afterwards.
MOST_ENTRIES = 100_000_000


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class ExactLayer(Brief):
    """The affine map from a layer's flat input to its flat pre-activation, exactly.

    Attributes:
        weight: (N, d): the stored floats, a SparseMatrix for a convolution (without the weights
            that are 0), Fractions (dtype object) where a BatchNorm is folded.
        bias: (N,) likewise; zeros where the layer has none.
        input_shape, output_shape: of one input, without the batch axis.
    """

    weight: np.ndarray | SparseMatrix
    bias: np.ndarray
    input_shape: tuple[int, ...]
    output_shape: tuple[int, ...]


def exact_layer(model: nn.Module, name: str, example: Any) -> ExactLayer:
    """The layer `name` as an exact affine map, a BatchNorm between it and its ReLU folded.

    Args:
        model: a torch module; it is copied, never changed, and read in evaluation mode.
        name: of a layer, as `relu_layers` lists it (or of one that is the model's output).
        example: one input (*input,) of the model, or its shape.

    Raises:
        InputError: no such layer, or one that is not of the kinds described.
        NonFiniteError: a weight is NaN or infinite.
        LimitError: a convolution of more than MOST_ENTRIES products.

    Example:
        >>> import torch
        >>> conv = torch.nn.Conv2d(1, 1, 2, bias=False)
        >>> _ = conv.weight.data.copy_(torch.tensor([[[[1.0, 2.0], [3.0, 4.0]]]]))
        >>> layer = exact_layer(torch.nn.Sequential(conv, torch.nn.ReLU()), "0", (1, 2, 3))
        >>> layer.weight.shape, layer.weight.values.data.tolist()
        ((2, 6), [1.0, 2.0, 3.0, 4.0, 1.0, 2.0, 3.0, 4.0])
    """
    traced = trace(model)
    call = find_call(traced, name)
    shapes = run_example(traced, example, last=call.pre_activation).shapes
    before = one_input(shapes[call.source], f"the input of {call.name!r}")
    behind = one_input(shapes[call.node], f"layer {call.name!r}")
    numbers = stored_numbers(call.weighted, traced)
    if call.norm is None:
        weight, bias = affine_of(call.weighted, numbers, (before, behind))
    else:
        normed = shapes[call.pre_activation][1:]
        scale, shift = norm_of(call.norm, traced, normed[0])
        # Channels are rows of the weight, unless a reshape stands between (or a Linear is applied
        # to many positions, which are then the channels).
        if normed[0] == behind[0] and (call.weighted.kind != "Linear" or len(behind) == 1):
            numbers = _folded(numbers, scale, shift)
            weight, bias = affine_of(call.weighted, numbers, (before, behind))
        else:
            each = math.prod(normed[1:])
            pair_of = affine_of(call.weighted, numbers, (before, behind))
            weight, bias = _folded_rows(pair_of, np.repeat(scale, each), np.repeat(shift, each))
    inputs = example_input(traced, example)
    check_layer(traced, call, inputs)
    check_affine((weight, bias), (traced, call), inputs)
    return ExactLayer(
        weight=weight if isinstance(weight, SparseMatrix) else weight.data,
        bias=bias.data,
        input_shape=before,
        output_shape=behind,
    )


def stored(value: Any, name: str) -> ExactArray:
    """A stored tensor exactly, with its axes.

    Raises:
        NonFiniteError: NaN or infinity.
    """
    tensor = torch.as_tensor(value).detach().cpu()
    if tensor.dtype == torch.bfloat16:
        tensor = tensor.float()  # widening is exact
    return ExactArray.of(tensor, name, ndim=tensor.ndim)


def stored_numbers(layer: Weighted, traced: Trace) -> tuple[ExactArray, ExactArray]:
    """Weight (n, ...) and bias (n,) of a layer as stored; zeros where it has no bias."""
    weight = stored(constant(layer.weight, traced), f"weight of {layer.name!r}")
    given = constant(layer.bias, traced)
    if given is not None:
        return weight, stored(given, f"bias of {layer.name!r}")
    return weight, ExactArray(np.zeros(weight.shape[0], weight.data.dtype), weight.dtype)


def affine_of(
    layer: Weighted,
    numbers: tuple[ExactArray, ExactArray],
    shapes: tuple[tuple[int, ...], tuple[int, ...]],
) -> tuple[ExactArray, ExactArray]:
    """Matrix (N, d) and bias (N,) of a layer between two shapes, from its weight and bias."""
    if layer.kind == "Linear":
        return _linear(*numbers, math.prod(shapes[0][:-1]))
    axes = 1 if layer.kind == "Conv1d" else 2
    if any(len(shape) != axes + 1 for shape in shapes):
        raise InputError(
            f"model: expected a batch of {'signals' if axes == 1 else 'images'} at {layer.name!r}, "
            f"got one input of shape {shapes[0]}"
        )
    return _convolution(layer, numbers, *shapes)


def _linear(weight: ExactArray, bias: ExactArray, positions: int) -> tuple[ExactArray, ExactArray]:
    """A Linear on the last axis: one block for each position before it."""
    if positions == 1:
        return weight, bias
    units, inputs = weight.shape
    block, row, column = np.indices((positions, units, inputs)).reshape(3, -1)
    values = np.broadcast_to(weight.data, (positions, units, inputs)).reshape(-1)
    matrix = SparseMatrix(
        (positions * units, positions * inputs),
        block * units + row,
        block * inputs + column,
        ExactArray(values, weight.dtype),
    )
    return matrix, ExactArray(np.tile(bias.data, positions), bias.dtype)


def pair(value: Any, default: int = 1) -> Pair:
    """An option of an image's two axes; that of a signal stands for the second one."""
    if isinstance(value, tuple | list):
        first, second = value if len(value) == 2 else (default, value[0])
        return int(first), int(second)
    return int(value), int(value)


def as_image(shape: tuple[int, ...], name: str) -> tuple[int, int, int]:
    """(channels, height, width); a signal has height 1."""
    if len(shape) == 3:
        return shape[0], shape[1], shape[2]
    if len(shape) == 2:
        return shape[0], 1, shape[1]
    raise InputError(
        f"model: expected an image (channels, height, width) or a signal at {name}, got {shape}"
    )


def _convolution(
    layer: Weighted,
    numbers: tuple[ExactArray, ExactArray],
    before: tuple[int, ...],
    behind: tuple[int, ...],
) -> tuple[SparseMatrix, ExactArray]:
    weight, bias = numbers
    if layer.padding_mode != "zeros":
        raise InputError(
            f"layer: expected padding_mode 'zeros', got {layer.padding_mode!r} in {layer.name!r}"
        )
    into, out = as_image(before, layer.name), as_image(behind, layer.name)
    signal = layer.kind == "Conv1d"
    kernel = (1, weight.shape[2]) if signal else (weight.shape[2], weight.shape[3])

    def option(value: Any, neutral: int) -> Pair:
        first, second = pair(value, neutral)
        return (neutral, second) if signal else (first, second)

    dilation = option(layer.dilation, 1)
    if layer.padding == "valid":
        padding = (0, 0)
    elif layer.padding == "same":
        first, second = (same_padding(k, d)[0] for k, d in zip(kernel, dilation, strict=True))
        padding = (first, second)
    else:
        padding = option(layer.padding, 0)
    window = Window(kernel, option(layer.stride, 1), padding, dilation)
    image, output = into[1:], out[1:]
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
    return matrix, ExactArray(np.repeat(bias.data, positions), bias.dtype)


def inverse_root(square: Fraction) -> Fraction:
    """The float64 nearest to 1 / sqrt(square), exactly: decided by the squares of midpoints.

    Raises:
        NonFiniteError: `square` is not positive, or too small or large for a float64.
    """
    if square <= 0:
        raise NonFiniteError(f"variance: expected a positive variance + eps, got {float(square)}")
    guess = 1 / math.sqrt(square)
    while True:
        below, above = math.nextafter(guess, 0.0), math.nextafter(guess, math.inf)
        if not (below > 0 and above < math.inf):
            raise NonFiniteError(f"variance: expected a usual variance, got {float(square)}")
        low, middle, high = Fraction(below), Fraction(guess), Fraction(above)
        if ((low + middle) / 2) ** 2 * square > 1:
            guess = below
        elif ((middle + high) / 2) ** 2 * square < 1:
            guess = above
        else:
            return middle


def norm_of(norm: Norm, traced: Trace, channels: int) -> tuple[np.ndarray, np.ndarray]:
    """A BatchNorm as scale and shift of each channel, exactly: Fractions (channels,) each.

    Raises:
        NonFiniteError: a number is NaN or infinite, or a variance is not positive.
    """

    def numbers(value: Any, words: str, missing: int) -> np.ndarray:
        found = constant(value, traced)
        if found is None:
            return objects([Fraction(missing)] * channels)
        return objects(stored(found, f"{words} of {norm.name!r}").fractions())

    eps = Fraction(norm.eps)
    roots = objects([inverse_root(v + eps) for v in numbers(norm.variance, "variance", 1)])
    scale = numbers(norm.weight, "weight", 1) * roots
    return scale, numbers(norm.bias, "bias", 0) - numbers(norm.mean, "mean", 0) * scale


def objects(values: list[Any]) -> np.ndarray:
    """Fractions as an array of objects (n,)."""
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array


def _folded(
    numbers: tuple[ExactArray, ExactArray], scale: np.ndarray, shift: np.ndarray
) -> tuple[ExactArray, ExactArray]:
    """Weight (n, ...) and bias (n,) with the scale (n,) on every row and the shift (n,) added."""
    weight, bias = numbers
    rows = weight.data.shape[1:]
    columns = objects(weight.fractions()).reshape(len(scale), -1) * scale[:, None]
    new_bias = ExactArray(objects(bias.fractions()) * scale + shift, "Fraction")
    return ExactArray(columns.reshape(len(scale), *rows), "Fraction"), new_bias


def _folded_rows(
    numbers: tuple[ExactArray, ExactArray], scale: np.ndarray, shift: np.ndarray
) -> tuple[ExactArray, ExactArray]:
    """The same for the rows of the whole matrix."""
    weight, bias = numbers
    if not isinstance(weight, SparseMatrix):
        return _folded(numbers, scale, shift)
    values = objects(weight.values.fractions()) * scale[weight.rows]
    places = (weight.shape[0], weight.shape[1])
    matrix = SparseMatrix(places, weight.rows, weight.columns, ExactArray(values, "Fraction"))
    return matrix, ExactArray(objects(bias.fractions()) * scale + shift, "Fraction")
