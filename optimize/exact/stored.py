"""Which numbers does a step hold, exactly?  Weights as stored, a BatchNorm's as a scaling.

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

from optimize.model.operations import Norm, Weighted
from optimize.model.reading import constant
from optimize.model.trace import Trace
from polytope.errors import InputError, NonFiniteError
from polytope.exact.array import ExactArray
from polytope.exact.sparse import SparseMatrix


@dataclass(frozen=True, eq=False)
class Scaling:
    """What a BatchNorm does to each channel: scale and shift, Fractions (channels,) each."""

    scale: np.ndarray
    shift: np.ndarray

    def repeated(self, count: int) -> "Scaling":
        """The same for `count` entries of each channel in a row."""
        return Scaling(np.repeat(self.scale, count), np.repeat(self.shift, count))


def same_scale(sign: int, shift: np.ndarray) -> Scaling:
    """Every entry times 1 or -1, with numbers (n,) added."""
    return Scaling(objects([Fraction(sign)] * len(shift)), shift)


@dataclass(frozen=True, eq=False)
class AffineMap:
    """Weight (N, d) and bias (N,), or a layer's own numbers (n, ...) and (n,), exactly."""

    weight: ExactArray | SparseMatrix
    bias: ExactArray

    def scaled(self, by: Scaling) -> "AffineMap":
        """The same with every row scaled and shifted afterwards."""
        bias = ExactArray(objects(self.bias.fractions()) * by.scale + by.shift, "Fraction")
        weight = self.weight
        if isinstance(weight, SparseMatrix):
            values = objects(weight.values.fractions()) * by.scale[weight.rows]
            places = (weight.shape[0], weight.shape[1])
            scaled = ExactArray(values, "Fraction")
            return AffineMap(SparseMatrix(places, weight.rows, weight.columns, scaled), bias)
        rows = objects(weight.fractions()).reshape(len(by.scale), -1) * by.scale[:, None]
        return AffineMap(ExactArray(rows.reshape(weight.data.shape), "Fraction"), bias)


def stored(value: Any, name: str) -> ExactArray:
    """A stored tensor exactly, with its axes.

    Raises:
        NonFiniteError: NaN or infinity.
    """
    tensor = torch.as_tensor(value).detach().cpu()
    if tensor.dtype == torch.bfloat16:
        tensor = tensor.float()  # widening is exact
    return ExactArray.of(tensor, name, ndim=tensor.ndim)


def stored_numbers(layer: Weighted, traced: Trace) -> AffineMap:
    """Weight (n, ...) and bias (n,) of a layer as stored; zeros where it has no bias.

    The weight of a transposed convolution is (channels in, channels out / groups, ...).
    """
    given = constant(layer.weight, traced)
    weight = stored(given.T if layer.transposed else given, f"weight of {layer.name!r}")
    bias = constant(layer.bias, traced)
    units = weight.shape[0]
    if layer.kind.startswith("ConvTranspose"):
        units = weight.shape[1] * layer.groups
    if bias is None:
        zeros = np.zeros(units, weight.data.dtype)
        return AffineMap(weight, ExactArray(zeros, weight.dtype))
    exact = stored(bias, f"bias of {layer.name!r}")
    if exact.data.size not in (1, units):
        raise InputError(
            f"model: expected a bias of {units} numbers in {layer.name!r}, got shape {exact.shape}"
        )
    return AffineMap(weight, ExactArray(np.resize(exact.data.reshape(-1), units), exact.dtype))


def scaling_of(norm: Norm, traced: Trace, channels: int) -> Scaling:
    """A BatchNorm as scale and shift of each channel, exactly.

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
    return Scaling(scale, numbers(norm.bias, "bias", 0) - numbers(norm.mean, "mean", 0) * scale)


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


def objects(values: list[Any]) -> np.ndarray:
    """Fractions as an array of objects (n,)."""
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array
