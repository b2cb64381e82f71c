"""Where may the input of a layer lie?  What stands before it says: the box, x >= 0, or nothing."""

from dataclasses import dataclass
from typing import Any

from torch import fx, nn

from optimize import OpenedNetwork
from optimize.model.graph import find_call
from optimize.model.operations import (
    AdaptivePool,
    Clip,
    Combine,
    Join,
    Largest,
    Mean,
    Move,
    Pool,
    Rectifier,
    Total,
)
from optimize.model.reading import read_operation
from optimize.model.trace import Trace
from polytope import Box, Free, Nonnegative
from polytope.sets.domains import Domain

#: Ends that hold for every number of a step; None where there is none.
Range = tuple[float | None, float | None]


@dataclass(frozen=True)
class LayerDomain:
    """The domain of a layer's own input.

    Attributes:
        domain: of the exact set.
        name: "box", "nonnegative" or "free".
        words: why, for tables.
    """

    domain: Domain
    name: str
    words: str


def layer_domain(
    model: nn.Module | OpenedNetwork,
    layer: str,
    ends: tuple[float, float] | None,
    *,
    example: Any = None,
) -> LayerDomain:
    """Returns the domain in which the exact set of a layer is taken.

    Every number that enters the layer lies in it, for every input of the network within its
    bounds; the converse is not claimed: what enters a deep layer is a smaller set.

    Args:
        model: the network.
        layer: name of a layer.
        ends: bounds of the network's input, or None.
        example: one input, for a network that is read at one.

    Raises:
        InputError: no such layer.
    """
    traced = OpenedNetwork.of(model).at(example)
    sources = find_call(traced, layer).sources
    lower, upper = _hull([_range(each, traced, ends or (None, None)) for each in sources])
    if lower is not None and upper is not None:
        return LayerDomain(
            Box(lower, upper), "box", f"the box [{lower:g}, {upper:g}], as the network's input"
        )
    if lower is not None and lower >= 0:
        return LayerDomain(Nonnegative(), "nonnegative", "x >= 0: it follows a ReLU")
    return LayerDomain(Free(), "free", "all of R^d: what stands before it does not bound it")


def _range(node: fx.Node, traced: Trace, ends: Range) -> Range:
    if node is traced.source:
        return ends
    operation = read_operation(node, traced)
    # A step that nothing is known of bounds nothing.
    parts = [each for each in node.all_input_nodes if each in traced.varying]
    ranges = [_range(each, traced, ends) for each in parts]
    if isinstance(operation, Rectifier):
        return 0.0, None if ranges[0][1] is None else max(0.0, ranges[0][1])
    if isinstance(operation, Clip):
        return operation.low, operation.high
    if isinstance(operation, Total):  # of numbers >= 0
        return (0.0, None) if ranges[0][0] is not None and ranges[0][0] >= 0 else (None, None)
    if isinstance(operation, AdaptivePool | Mean | Largest) or (
        isinstance(operation, Pool) and operation.maximum
    ):
        return ranges[0]
    if isinstance(operation, Move):
        return ranges[0] if operation.in_order else _hull([*ranges, (0.0, 0.0)])  # it may pad
    if isinstance(operation, Pool) and operation.divisor is not None:
        low = ranges[0][0]  # a sum over the window, divided by anything
        return (0.0, None) if low is not None and low >= 0 < operation.divisor else (None, None)
    if isinstance(operation, Pool):
        return _hull([*ranges, (0.0, 0.0)])
    if isinstance(operation, Join) and len(parts) == len(node.all_input_nodes):
        return _hull(ranges)  # with a constant part nothing is said
    if isinstance(operation, Combine) and operation.sign == "+" and len(ranges) == 2:
        (a, b), (c, d) = ranges
        lower = None if a is None or c is None else a + c
        return lower, None if b is None or d is None else b + d
    return None, None


def _hull(ranges: list[Range]) -> Range:
    lower = [low for low, _ in ranges]
    upper = [high for _, high in ranges]
    low = None if None in lower else min(v for v in lower if v is not None)
    high = None if None in upper else max(v for v in upper if v is not None)
    return low, high
