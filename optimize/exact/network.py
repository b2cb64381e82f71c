"""What do the layers before compute, exactly?  The model up to one layer as a `polytope.Network`.

Every step becomes an affine map, a ReLU, a maximum, a concatenation or a sum of flat vectors, with
numbers taken exactly: averages are divided by whole numbers, a BatchNorm is a diagonal map.
"""

import math
from fractions import Fraction
from typing import Any

import numpy as np
import torch
from torch import Tensor, fx, nn

from optimize.exact.affine import affine_of, along_axes, as_image
from optimize.exact.checks import check_network
from optimize.exact.constants import entries, folded_scaling
from optimize.exact.stored import Scaling, objects, same_scale, stored_numbers
from optimize.model.opened import OpenedNetwork
from optimize.model.operations import (
    AdaptivePool,
    Clip,
    Combine,
    Filled,
    Join,
    Largest,
    Leaky,
    Mean,
    Metadata,
    Move,
    Norm,
    Operation,
    Pool,
    Rectifier,
    Total,
    Unknown,
    Weighted,
)
from optimize.model.paths import entered
from optimize.model.reading import describe, read_operation
from optimize.model.steps import Run, probe
from optimize.model.trace import Trace, carriers
from optimize.model.windows import (
    Window,
    adaptive_places,
    average_sizes,
    places,
    pool_windows,
)
from polytope.errors import InputError
from polytope.exact.array import ExactArray
from polytope.exact.sparse import SparseMatrix
from polytope.network.graph import Affine, Concat, Maximum, Network, Node, Relu, Source, Sum


def exact_network(model: nn.Module | OpenedNetwork, name: str, example: Any) -> Network:
    """Everything from the model's input to the pre-activation of the layer `name`, exactly.

    Args:
        model: a torch module; it is copied, never changed, and read in evaluation mode.
        name: of a layer, as `relu_layers` lists it (or of one that is the model's output).
        example: one input (*input,) of the model, or its shape.

    Returns:
        A network whose last node is the pre-activation, a BatchNorm folded into it included.

    Raises:
        InputError: no such layer; or a step before it is no ReLU, maximum or affine map, or not
            one of those known here; the message names it.
        NonFiniteError: a weight is NaN or infinite.
        LimitError: a convolution of too many products.

    Example:
        >>> from torch import nn
        >>> net = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
        ...                     nn.Linear(8, 3), nn.ReLU())
        >>> [type(node).__name__ for node in exact_network(net, "4", (1, 6, 6)).nodes]
        ['Affine', 'Relu', 'Maximum', 'Affine']
    """
    layer = OpenedNetwork.of(model).layer(name, example)
    traced, run = layer.traced, layer.run
    if undecided := traced.before(layer.call.pre_activation):
        raise InputError(
            f"model: expected steps before {name!r} that are the same for all inputs, got "
            f"{describe(undecided[0], traced)}, by which the forward pass decides how to go on; "
            "the layer's own space can be asked about"
        )
    builder = _Builder(traced, run)
    for node in traced.needed([layer.call.pre_activation]):
        builder.add(node)
    builder.end(layer.call.pre_activation)
    network = Network(math.prod(run.shapes[traced.source]), tuple(builder.nodes))
    check_network(network, layer)
    return network


class _Builder:
    """Turns step after step into nodes; `sources` says which vector holds a step's tensor."""

    def __init__(self, traced: Trace, run: Run) -> None:
        self.traced, self.run = traced, run
        self.nodes: list[Node] = []
        self.sources: dict[fx.Node, Any] = {}

    def add(self, node: fx.Node) -> None:
        """Translate one step whose arguments are translated."""
        if node is self.traced.source:
            self.sources[node] = 0
        elif node in self.traced.varying and node not in self.run.values:
            self.sources[node] = self._translate(node)

    def end(self, node: fx.Node) -> None:
        """Let a step be the last vector, behind an affine map as `Network` asks for it."""
        source = self.sources[node]
        if source != len(self.nodes) or not isinstance(self.nodes[-1], Affine):
            count = math.prod(self.run.shapes[node])
            self._diagonal(source, same_scale(1, _filled(0, count)))

    def _append(self, node: Node) -> Source:
        self.nodes.append(node)
        return len(self.nodes)

    def _refuse(self, node: fx.Node, detail: str = "") -> InputError:
        return InputError(
            f"model: expected affine steps, ReLUs and maxima before the layer, got "
            f"{describe(node, self.traced)}{detail}"
        )

    def _shape(self, node: fx.Node) -> tuple[int, ...]:
        return self.run.one(node, describe(node, self.traced))

    def _translate(self, node: fx.Node) -> Any:
        operation = read_operation(node, self.traced)
        if isinstance(operation, Metadata):
            return None
        if isinstance(operation, Move):
            return self._move(node)
        if isinstance(operation, Join):
            return self._join(node, operation)
        if isinstance(operation, Combine):
            return self._combine(node, operation)
        if isinstance(operation, Unknown):
            raise self._refuse(node)
        if isinstance(operation, Filled):
            return self._filled_border(node, operation)
        given = operation.entered if isinstance(operation, Weighted) else None
        before = entered(node) if given is None else given
        return self._of_one(node, before, operation)

    def _of_one(self, node: fx.Node, before: fx.Node, operation: Operation) -> Any:
        """A step of one tensor."""
        source = self.sources[before]
        if isinstance(operation, Rectifier):
            return self._append(Relu(source))
        if isinstance(operation, Weighted):
            numbers = stored_numbers(operation, self.traced)
            affine = affine_of(operation, numbers, self._shape(before), self._shape(node))
            return self._append(Affine(source, affine.weight, affine.bias))
        if isinstance(operation, Norm):
            self._shape(node)  # refuses what has lost the batch axis
            return self._diagonal(source, folded_scaling(node, self.traced, self.run))
        if isinstance(operation, Pool | AdaptivePool):
            return self._pool(node, before, operation)
        if isinstance(operation, Leaky):
            return self._leaky(node, source, operation)
        if isinstance(operation, Clip):
            return self._clip(node, source, operation)
        assert isinstance(operation, Mean | Total | Largest)
        return self._reduce(node, before, operation)

    def _diagonal(self, source: Source, by: Scaling) -> Source:
        count, at = len(by.scale), np.arange(len(by.scale))
        matrix = SparseMatrix((count, count), at, at, ExactArray(by.scale, "Fraction"))
        return self._append(Affine(source, matrix, ExactArray(by.shift, "Fraction")))

    # Moves: done once on the numbers of the places, which then say where each entry comes from.

    def _places(self, node: fx.Node, offset: int = 1) -> Tensor:
        """The places of a step's entries from `offset` on, as a tensor of its shape."""
        shape = self.run.shapes[node]
        return torch.arange(offset, offset + math.prod(shape), dtype=torch.float64).view(shape)

    def _move(self, node: fx.Node) -> Any:
        before = next(each for each in node.all_input_nodes if each in self.sources)
        held = self.sources[before]
        if isinstance(held, list):  # the parts of a chunk or split, or some of them
            if getattr(node.target, "__name__", "") != "getitem":
                raise self._refuse(node, " of several tensors")
            index: Any = node.args[1]
            return held[index]
        if sum(each in self.sources for each in carriers(node)) > 1:
            raise self._refuse(node, " by places that depend on the input")
        moved = probe(node, self.traced, self.run, tensors=self._places)
        if isinstance(moved, Tensor):
            return self._select(held, math.prod(self.run.shapes[before]), moved)
        return [self._select(held, math.prod(self.run.shapes[before]), each) for each in moved]

    def _select(self, source: Source, length: int, moved: Tensor) -> Source:
        """The vector whose entries lie at the places `moved`, counted from 1; 0 stands for 0."""
        at = moved.reshape(-1).to(torch.int64).numpy() - 1
        if len(at) == length and np.array_equal(at, np.arange(length)):
            return source
        rows = np.flatnonzero(at >= 0)
        ones = ExactArray(np.ones(len(rows)), "float64")
        matrix = SparseMatrix((len(at), length), rows, at[rows], ones)
        return self._append(Affine(source, matrix, ExactArray(np.zeros(len(at)), "float64")))

    def _join(self, node: fx.Node, operation: Join) -> Source:
        sources: list[Source] = []
        shapes: list[tuple[int, ...]] = []
        given = operation.parts
        for part in [given] if isinstance(given, fx.Node) else given:
            if not isinstance(part, fx.Node) or part not in self.sources:
                raise self._refuse(node, " of parts that are constant")
            held = self.sources[part]
            sources += held if isinstance(held, list) else [held]
            shapes += self.run.parts[part] if isinstance(held, list) else [self.run.shapes[part]]
        lengths = [math.prod(shape) for shape in shapes]
        begins = [sum(lengths[:k]) + 1 for k in range(len(lengths))]
        tensors = [
            torch.arange(begin, begin + length, dtype=torch.float64).view(shape)
            for begin, length, shape in zip(begins, lengths, shapes, strict=True)
        ]
        joined = self._append(Concat(tuple(sources)))
        together = torch.stack if operation.stacked else torch.cat
        return self._select(joined, sum(lengths), together(tensors, dim=operation.axis))

    def _filled_border(self, node: fx.Node, operation: Filled) -> Source:
        """A border of one number: the entries as they are moved, and the number where none is."""
        before = entered(node)
        moved = probe(node, self.traced, self.run, tensors=self._places)
        border = entries(operation.value, self.run, (1,), f"border of step {node.name!r}")
        at = moved.reshape(-1).numpy().copy()
        # The step itself put its number there, which may be a place: a second run tells.
        again = probe(node, self.traced, self.run, tensors=lambda each: self._places(each) + 1)
        outside = again.reshape(-1).numpy() == at
        at[outside] = 0
        source = self._select(
            self.sources[before], math.prod(self.run.shapes[before]), torch.from_numpy(at)
        )
        shift = objects([border[0] if each else Fraction(0) for each in outside])
        return self._diagonal(source, same_scale(1, shift))

    # Arithmetic of two tensors, or of a tensor and a constant.

    def _combine(self, node: fx.Node, operation: Combine) -> Source:
        sides = [operation.left, operation.right]
        varying = [s for s in sides if isinstance(s, fx.Node) and s in self.sources]
        shape = self.run.shapes[node]
        count = math.prod(shape)
        if len(varying) == 2:
            if operation.sign not in "+-":
                raise self._refuse(node, " of two tensors that depend on the input")
            left, right = (self._spread(each, shape) for each in varying)
            if operation.sign == "-":
                right = self._diagonal(right, same_scale(-1, _filled(0, count)))
            return self._append(Sum((left, right)))
        constant = next(s for s in sides if not (isinstance(s, fx.Node) and s in self.sources))
        words = f"constant of step {node.name!r}"
        numbers = entries(constant, self.run, shape, words, sign=operation.sign)
        source = self._spread(varying[0], shape)
        first = sides[0] is varying[0]
        if operation.sign in "+-":
            sign = 1 if first or operation.sign == "+" else -1
            numbers = -numbers if first and operation.sign == "-" else numbers
            return self._diagonal(source, same_scale(sign, numbers))
        if operation.sign == "/":
            if not first or any(number == 0 for number in numbers):
                raise self._refuse(node, " by something other than a constant that is not 0")
            numbers = _filled(1, count) / numbers
        return self._diagonal(source, Scaling(numbers, _filled(0, count)))

    def _spread(self, node: fx.Node, shape: tuple[int, ...]) -> Source:
        """A step's entries, repeated where broadcasting does."""
        length = math.prod(self.run.shapes[node])
        return self._select(self.sources[node], length, self._places(node).expand(shape))

    # Piecewise linear functions of one entry.

    def _leaky(self, node: fx.Node, source: Source, operation: Leaky) -> Source:
        """The larger of x and a x, for a <= 1; else the smaller: one decision an entry."""
        slopes = self._slopes(node, operation)
        count, zero = len(slopes), Fraction(0)
        signs = objects([Fraction(1 if slope <= 1 else -1) for slope in slopes])
        zeros = objects([zero] * count)
        both = Concat(
            (
                self._diagonal(source, Scaling(signs, zeros)),
                self._diagonal(source, Scaling(signs * slopes, zeros)),
            )
        )
        windows = np.stack([np.arange(count), np.arange(count) + count], axis=1)
        larger = self._append(Maximum(self._append(both), windows))
        return larger if all(signs == 1) else self._diagonal(larger, Scaling(signs, zeros))

    def _slopes(self, node: fx.Node, operation: Leaky) -> np.ndarray:
        """The slope below zero of each entry, Fractions (n,)."""
        shape, slope = self.run.shapes[node], operation.slope
        if isinstance(slope, fx.Node):
            slope = self.run.values[slope]
        if isinstance(slope, Tensor) and slope.numel() > 1:
            slope = slope.reshape(-1, *[1] * (len(shape) - 2))
        return entries(slope, self.run, shape, f"slope of step {node.name!r}", sign="*")

    def _clip(self, node: fx.Node, source: Source, operation: Clip) -> Source:
        """Low + ReLU(x - low) - ReLU(x - high), or one half of it."""
        shape = self.run.shapes[node]
        words = f"end of step {node.name!r}"
        low, high = (
            None if end is None else entries(end, self.run, shape, words)
            for end in (operation.low, operation.high)
        )
        if low is not None and high is not None and low[0] >= high[0]:
            raise self._refuse(node, " with ends the other way round")
        if low is None:
            assert high is not None
            below = self._append(Relu(self._diagonal(source, same_scale(-1, high))))
            return self._diagonal(below, same_scale(-1, high))
        above = self._append(Relu(self._diagonal(source, same_scale(1, -low))))
        if high is None:
            return self._diagonal(above, same_scale(1, low))
        beyond = self._append(Relu(self._diagonal(source, same_scale(1, -high))))
        less = self._diagonal(beyond, same_scale(-1, low))
        return self._append(Sum((above, less)))

    # Pools.

    def _pool(self, node: fx.Node, before: fx.Node, operation: Pool | AdaptivePool) -> Source:
        one, axes = self._shape(before), operation.axes
        if len(one) != axes + 1:
            raise self._refuse(node, f" over an input of shape {one}")
        into = as_image(one, axes, describe(node, self.traced))
        out = as_image(self._shape(node), axes, describe(node, self.traced))
        sizes = None
        if isinstance(operation, Pool):
            window = _window(operation)
            along = [places(into[1 + k], out[1 + k], window, axis=k) for k in range(axes)]
            if operation.divisor is not None:
                sizes = np.full(math.prod(out[1:]), operation.divisor)
            elif operation.count_include_pad:
                sizes = average_sizes(window, into[1:], out[1:])
        else:
            along = [adaptive_places(into[1 + k], out[1 + k]) for k in range(axes)]
        windows = pool_windows(along, into)
        if operation.maximum:
            return self._append(Maximum(self.sources[before], windows))
        counts = (windows >= 0).sum(1) if sizes is None else np.tile(sizes, out[0])
        return self._average(self.sources[before], windows, counts, math.prod(into))

    def _average(
        self, source: Source, windows: np.ndarray, counts: np.ndarray, length: int
    ) -> Source:
        rows, at = np.nonzero(windows >= 0)
        kinds, kind = np.unique(counts, return_inverse=True)
        shares = objects([Fraction(1, int(count)) for count in kinds])[kind]
        values = ExactArray(shares[rows], "Fraction")
        matrix = SparseMatrix((len(windows), length), rows, windows[rows, at], values)
        return self._append(Affine(source, matrix, ExactArray(np.zeros(len(windows)), "float64")))

    def _reduce(self, node: fx.Node, before: fx.Node, operation: Mean | Total | Largest) -> Source:
        at = self._places(before, 0)
        axes = operation.axes
        every = range(at.ndim) if axes is None else [axes] if isinstance(axes, int) else axes
        reduced = sorted(axis % at.ndim for axis in every)
        if 0 in reduced:
            raise self._refuse(node, " over the batch")
        kept = [axis for axis in range(at.ndim) if axis not in reduced]
        windows = at.permute(*kept, *reduced).reshape(math.prod(self.run.shapes[node]), -1)
        table = windows.to(torch.int64).numpy()
        if isinstance(operation, Largest):
            return self._append(Maximum(self.sources[before], table))
        each = table.shape[1] if isinstance(operation, Mean) else 1
        counts = np.full(len(table), each)
        return self._average(self.sources[before], table, counts, at.numel())


def _filled(value: int, count: int) -> np.ndarray:
    return objects([Fraction(value)] * count)


def _window(operation: Pool) -> Window:
    options = (operation.kernel, operation.stride, operation.padding, operation.dilation)
    return Window(*(along_axes(each, operation.axes) for each in options))
