"""What does a layer compute, exactly?  Its weights as stored, a convolution as a sparse matrix."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import fx, nn

from optimize.exact.affine import affine_of
from optimize.exact.checks import check_affine
from optimize.exact.constants import folded_scaling
from optimize.exact.stored import AffineMap, stored_numbers
from optimize.exact.summed import Branch, added_up, identity
from optimize.model.graph import WIDENED, keeps_size
from optimize.model.opened import OpenedLayer, OpenedNetwork
from optimize.model.paths import Part
from polytope.errors import InputError
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
    call = layer.call
    if not keeps_size(call, layer.run.shapes):
        raise InputError(
            f"layer: expected a sum of equal shapes, got {call.name!r}, which {WIDENED}"
        )
    if len(call.parts) == 1 and call.parts[0].weighted is not None:
        affine = _part(layer, call.parts[0])
    else:
        affine = _sum(layer)
    return _folded(affine, layer, call.folded)


def _sum(layer: OpenedLayer) -> AffineMap:
    sizes = [math.prod(shape) for shape in layer.source_shapes]
    first = dict(zip(layer.call.sources, np.cumsum([0, *sizes]).tolist(), strict=False))
    branches = [
        Branch(_folded(_part(layer, part), layer, part.folded), first[part.source], part.sign)
        for part in layer.call.parts
    ]
    return added_up(branches, sum(sizes))


def _part(layer: OpenedLayer, part: Part) -> AffineMap:
    """A layer by its own numbers, or the input as it is."""
    words = f"layer {layer.call.name!r}"
    before, behind = (layer.run.one(each, words) for each in (part.source, part.node))
    if part.weighted is None:
        return identity(math.prod(behind))
    return affine_of(part.weighted, stored_numbers(part.weighted, layer.traced), before, behind)


def _folded(affine: AffineMap, layer: OpenedLayer, steps: tuple[fx.Node, ...]) -> AffineMap:
    for step in steps:
        affine = affine.scaled(folded_scaling(step, layer.traced, layer.run))
    return affine
