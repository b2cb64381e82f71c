"""What does a layer compute, exactly?  Its weights as stored, a convolution as a sparse matrix."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import nn

from optimize.exact.affine import affine_of
from optimize.exact.checks import check_affine
from optimize.exact.stored import AffineMap, scaling_of, stored_numbers
from optimize.model.opened import OpenedLayer, OpenedNetwork
from polytope.exact.brief import Brief
from polytope.exact.sparse import SparseMatrix


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


def exact_layer(model: nn.Module | OpenedNetwork, name: str, example: Any) -> ExactLayer:
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
    layer = OpenedNetwork.of(model).layer(name, example)
    affine = _affine(layer)
    check_affine(affine, layer)
    weight = affine.weight
    return ExactLayer(
        weight=weight if isinstance(weight, SparseMatrix) else weight.data,
        bias=affine.bias.data,
        input_shape=layer.input_shape,
        output_shape=layer.output_shape,
    )


def _affine(layer: OpenedLayer) -> AffineMap:
    call, traced = layer.call, layer.traced
    weighted, before, behind = call.weighted, layer.input_shape, layer.output_shape
    numbers = stored_numbers(weighted, traced)
    if call.norm is None:
        return affine_of(weighted, numbers, before, behind)
    normed = layer.run.shapes[call.pre_activation][1:]
    scaling = scaling_of(call.norm, traced, normed[0])
    # Channels are rows of the weight, unless a reshape stands between (or a Linear is applied
    # to many positions, which are then the channels).
    if normed[0] == behind[0] and (weighted.kind != "Linear" or len(behind) == 1):
        return affine_of(weighted, numbers.scaled(scaling), before, behind)
    each = math.prod(normed[1:])
    return affine_of(weighted, numbers, before, behind).scaled(scaling.repeated(each))
