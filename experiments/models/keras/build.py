"""How is a graph of Keras's layers built in torch?  Steps, and which axis of each is the channel.

Keras keeps channels last, torch's convolutions take them first.  A step says which of the two its
tensor is, and axes are moved only where a layer needs the other: so a convolution and its ReLU, or
pool, stay neighbours.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, fx, nn

from experiments.models.foreign.network import on_meta
from experiments.models.keras.config import module_name
from experiments.readers.foreign_files import expecting
from polytope.errors import FileFormatError, InputError

#: Numbers of one step, for one input; VGG-16 has 3.2 million.
LARGEST = 1 << 28


@dataclass(frozen=True, eq=False)
class Value:
    """A step, and what it gives for one input.

    Attributes:
        node: the step.
        example: (1, ...) its tensor without numbers.
        first: whether channels come first in it, and not last as Keras has them.
    """

    node: fx.Node
    example: Tensor
    first: bool = False

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one input, as Keras has it."""
        channels, *rest = self.example.shape[1:]
        return (*rest, channels) if self.first else (channels, *rest)


@dataclass(frozen=True, eq=False, kw_only=True)
class Layer:
    """A layer of the file.

    Attributes:
        name: as the file has it.
        kind: its class.
        options: its configuration.
        weights: its arrays, in Keras's order.
        path: of the file.
    """

    name: str
    kind: str
    options: Mapping[str, Any]
    weights: Sequence[np.ndarray]
    path: Path

    def refuse(self, wanted: str, got: object) -> InputError:
        """Returns the error that the layer is used in a way that is not supported."""
        return InputError(
            f"{self.path}, layer {self.name!r} ({self.kind}): expected {wanted}, got {got}"
        )

    def tensors(self, *axes: int) -> list[Tensor]:
        """Returns the weights, of so many axes each.

        Raises:
            FileFormatError: there are others.
        """
        if [array.ndim for array in self.weights] != [*axes]:
            shapes = ", ".join(str(array.shape) for array in self.weights) or "none"
            raise FileFormatError(
                f"{self.path}, layer {self.name!r} ({self.kind}): expected weights of "
                f"{', '.join(map(str, axes)) or 'no'} axes, got {shapes:.120}"
            )
        return [torch.from_numpy(np.array(array)) for array in self.weights]

    def sizes(self, option: str, axes: int, *, usual: int = 1) -> tuple[int, ...]:
        """Returns an option that is one number or one for each axis.

        Raises:
            InputError: it is neither.
        """
        value = self.options.get(option, usual)
        value = usual if value is None else value
        found = tuple(value) if isinstance(value, list | tuple) else (value,) * axes
        if len(found) != axes or not all(type(n) is int and 0 < n < 1 << 16 for n in found):
            raise self.refuse(f"{option} of {axes} positive numbers", repr(value)[:60])
        return found


@dataclass(eq=False)
class Builder:
    """A module in the making."""

    root: nn.Module = field(default_factory=nn.Module)
    graph: fx.Graph = field(default_factory=fx.Graph)

    def start(self, shape: tuple[int, ...], dtype: torch.dtype) -> Value:
        """Adds the network's input."""
        example = torch.empty((1, *shape), device="meta", dtype=dtype)
        return Value(self.graph.placeholder("x"), example)

    def module(
        self, layer: Layer, module: nn.Module, value: Value, *, suffix: str = "", flat: bool = False
    ) -> Value:
        """Adds a module applied to a value, named after the layer.

        Args:
            layer: whose.
            module: to be added.
            value: what it is applied to.
            suffix: behind the layer's name.
            flat: whether its result has one axis, whatever the value had.
        """
        name = self._free(module_name(layer.name) + suffix)
        self.root.add_module(name, module.eval().requires_grad_(False))
        place = f"{layer.path}, layer {layer.name!r} ({layer.kind})"
        with expecting(f"{place}: expected shapes that fit"):
            example = on_meta(module, value.example)
        if example.numel() > LARGEST:
            raise layer.refuse(f"at most {LARGEST:,} numbers an input", tuple(example.shape))
        node = self.graph.call_module(name, (value.node,))
        return Value(node, example, value.first and not flat)

    def call(self, function: Any, *arguments: Any, first: bool = False) -> Value:
        """Adds a function; arguments that are Values are steps, the others as they are."""

        def split(part: str) -> list[Any]:
            def of(each: Any) -> Any:
                return getattr(each, part) if isinstance(each, Value) else each

            return [[*map(of, a)] if isinstance(a, list) else of(a) for a in arguments]

        return Value(
            self.graph.call_function(function, tuple(split("node"))),
            function(*split("example")),
            first,
        )

    def channels_first(self, value: Value) -> Value:
        """Returns the value as torch's convolutions take it."""
        axes = value.example.ndim
        if value.first or axes < 3:
            return value
        return self._permuted(value, (0, axes - 1, *range(1, axes - 1)), first=True)

    def channels_last(self, value: Value) -> Value:
        """Returns the value as Keras has it."""
        axes = value.example.ndim
        if not value.first or axes < 3:
            return value
        return self._permuted(value, (0, *range(2, axes), 1), first=False)

    def _permuted(self, value: Value, order: tuple[int, ...], *, first: bool) -> Value:
        node = self.graph.call_method("permute", (value.node, *order))
        return Value(node, value.example.permute(*order), first)

    def alike(self, values: Sequence[Value]) -> list[Value]:
        """Returns values that all have channels first, or all last."""
        if all(value.first for value in values):
            return [*values]
        return [self.channels_last(value) for value in values]

    def _free(self, name: str) -> str:
        found, count = name, 1
        while hasattr(self.root, found) or found == "x":
            count += 1
            found = f"{name}_{count}"
        return found

    def finish(self, outputs: Sequence[Value]) -> fx.GraphModule:
        """Returns the module that computes the outputs, as Keras lays them out."""
        nodes = tuple(self.channels_last(value).node for value in outputs)
        self.graph.output(nodes[0] if len(nodes) == 1 else nodes)
        return fx.GraphModule(self.root, self.graph).eval()
