"""How does an ONNX graph become a torch module?  One torch.fx node at a time, shapes known.

Every step is run once, as soon as it is added, on torch's meta device, where tensors have shape
and type and no numbers: so every operator knows the shapes it meets, and no size that a file
declares takes memory.

Torch's module always takes a batch, the file's network need not: it may have no batch axis, or
lose it in a reshape.  A `Value` says which of the two it is; operators speak of the file's axes.
"""

import operator
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor, fx, nn

from experiments.models.onnx.nodes import Node, TooLargeError, Unknown, Value

#: Numbers of one step, for one input; VGG-16 has 3.2 million.
LARGEST = 1 << 28
#: Bytes of constants that are computed, in all; they are sizes, and weights laid out anew.
MOST_COMPUTED = 1 << 28


@dataclass(eq=False)
class Builder:
    """A module in the making.

    Attributes:
        opset: version of the operators.
        batch: size of the batch axis in the file; sizes equal to it stand for any batch.
        constants: name -> numbers that do not depend on the input.
        known: name -> shape and type that ONNX itself infers, sizes 0 where they are open.
        uses: how often a name is read (a graph's outputs count).
        users: name -> the operators that read it.
        values: name -> what depends on the input.
        beyond: name -> what nothing is known of (`take_as_unknown`).
    """

    opset: int
    batch: int
    constants: dict[str, np.ndarray]
    known: Mapping[str, Tensor]
    uses: Counter[str]
    users: Mapping[str, tuple[Node, ...]]
    values: dict[str, Value] = field(default_factory=dict)
    beyond: dict[str, Unknown] = field(default_factory=dict)
    done: set[str] = field(default_factory=set)
    computed: int = 0
    root: nn.Module = field(default_factory=nn.Module)
    graph: fx.Graph = field(default_factory=fx.Graph)

    def value(self, node: Node, index: int = 0) -> Value:
        """Returns an input that depends on the network's input."""
        name = node.inputs[index] if index < len(node.inputs) else ""
        if name not in self.values:
            kind = "a constant" if name in self.constants else "none"
            raise node.refuse(f"input {index} to depend on the network's input", kind)
        return self.values[name]

    def constant(self, node: Node, index: int) -> np.ndarray | None:
        """Returns an input that is a constant; None where it is left out."""
        name = node.inputs[index] if index < len(node.inputs) else ""
        if not name:
            return None
        if name not in self.constants:
            raise node.refuse(f"input {index} ({name!r}) to be a constant", "a computed one")
        return self.constants[name]

    def needed(self, node: Node, index: int) -> np.ndarray:
        """Returns an input that must be there and constant."""
        found = self.constant(node, index)
        if found is None:
            raise node.refuse(f"an input {index}", "none")
        return found

    def module(self, node: Node, module: nn.Module, value: Value, *, name: str = "") -> Value:
        """Adds a module applied to a value; axis 0 stays what it is."""
        name = name or node.name
        module = module.eval().requires_grad_(False)
        self.root.add_module(name, module)
        step = self.graph.call_module(name, (value.node,))
        return self._run(node, step, module, (value.example,), batched=value.batched)

    def call(self, node: Node, function: Callable[..., Any], *arguments: Any) -> Value:
        """Adds a function; arguments that are Values are steps, the others as they are."""
        parts = _split(arguments)
        step = self.graph.call_function(function, parts.nodes)
        return self._run(node, step, function, parts.examples, batched=parts.batched)

    def method(self, node: Node, name: str, *arguments: Any, batched: bool | None = None) -> Value:
        """Adds a method of the first argument; `batched` says what comes of it, if it changes."""
        parts = _split(arguments)
        step = self.graph.call_method(name, parts.nodes)
        kept = parts.batched if batched is None else batched
        return self._run(node, step, getattr(torch.Tensor, name), parts.examples, batched=kept)

    def part(self, node: Node, value: Value, index: int, example: Tensor) -> Value:
        """Adds the choice of one tensor of a step that gives several."""
        step = self.graph.call_function(operator.getitem, (value.node, index))
        return Value(step, example, value.batched)

    def getitem(self, node: Node, value: Value, index: tuple[slice, ...]) -> Value:
        """Adds the part of a tensor along torch's axes."""
        step = self.graph.call_function(operator.getitem, (value.node, index))
        return self._run(
            node, step, lambda given: given[index], (value.example,), batched=value.batched
        )

    @property
    def entry(self) -> fx.Node:
        """The module's input."""
        found: fx.Node = next(iter(self.graph.nodes))
        return found

    def free_label(self, node: Node) -> str:
        """Returns a label under which the node has no constant yet."""
        return self.free(f"{node.name}_constant").removeprefix(f"{node.name}_")

    def number(self, node: Node, array: np.ndarray, *, label: str = "constant") -> Value:
        """Adds constant numbers as they are; of no batch, so only for functions of several."""
        name = f"{node.name}_{label}"
        self.root.register_buffer(name, torch.from_numpy(np.array(array)))
        example = torch.empty(array.shape, dtype=_torch(array), device="meta")
        return Value(self.graph.get_attr(name), example)

    def unbatched(self, node: Node, value: Value) -> Value:
        """Returns the value with the batch axis in front of all of the file's axes.

        Raises:
            InputError: the file was made for several inputs at once, which could mix.
        """
        if not value.batched:
            return value
        if self.batch != 1:
            raise node.refuse("an operator that keeps the batch axis", f"batches of {self.batch}")
        return self.method(node, "unsqueeze", value, 1, batched=False)

    def settled(self, node: Node, value: Value) -> Value:
        """Returns the value with the file's first axis as the batch, where that has size 1.

        The one axis of a vector is never a batch: its numbers belong together.
        """
        if value.batched and len(value.shape) == 1 and self.batch == 1:
            return self.method(node, "unsqueeze", value, 1, batched=False)
        if value.batched or self.batch != 1 or value.shape[:1] != (1,) or len(value.shape) == 1:
            return value
        return self.method(node, "squeeze", value, 1, batched=True)

    def laid_out(self, node: Node, value: Value, shape: tuple[int, ...]) -> Value:
        """Returns the same numbers in the same order, in another shape of the file's."""
        batched = len(shape) > 1 and shape[0] == self.batch and (value.batched or shape[0] == 1)
        if not batched:
            value = self.unbatched(node, value)
        rest = shape[1:] if batched else shape
        if len(rest) == 1 and value.example.ndim > 1:
            made = self.module(node, nn.Flatten(1), value, name=self.free(node.name))
        else:
            made = self.method(node, "reshape", value, -1, *rest)
        return Value(made.node, made.example, batched)

    def free(self, name: str) -> str:
        """Returns a name of the root's that nothing has yet."""
        found, count = name, 1
        while hasattr(self.root, found):
            count += 1
            found = f"{name}_{count}"
        return found

    def _run(
        self,
        node: Node,
        step: fx.Node,
        function: Callable[..., Any],
        examples: tuple[Any, ...],
        *,
        batched: bool,
    ) -> Value:
        try:
            with torch.no_grad():
                made = _on_meta(function, *examples)
        except Exception as problem:
            raise node.misfit(problem) from problem
        if isinstance(made, Tensor):
            self.check_size(node, made)
        return Value(step, made, batched)

    def check_size(self, node: Node, made: Tensor) -> None:
        """Raise InputError where a step has more numbers than a network's."""
        if made.numel() > LARGEST * max(1, self.batch):
            raise self.too_large(node, f"{LARGEST:,} numbers an input", tuple(made.shape))

    def compute(self, node: Node, size: int) -> None:
        """Takes note of a constant of so many bytes that is about to be computed.

        Raises:
            InputError: there are too many.
        """
        self.computed += size
        if self.computed > MOST_COMPUTED:
            raise self.too_large(node, f"{MOST_COMPUTED:,} bytes of computed constants", "more")

    @staticmethod
    def too_large(node: Node, limit: str, got: object) -> TooLargeError:
        """Returns the error that a step would take too much memory."""
        return TooLargeError(f"{node.place}: expected at most {limit}, got {got}")

    def finish(self, outputs: list[str]) -> fx.GraphModule:
        """Returns the module that computes the named outputs."""
        nodes = tuple(
            self.values[name].node if name in self.values else self.beyond[name].node
            for name in outputs
        )
        self.graph.output(nodes[0] if len(nodes) == 1 else nodes)
        return fx.GraphModule(self.root, self.graph)


def _torch(array: np.ndarray) -> torch.dtype:
    kind: torch.dtype = torch.from_numpy(np.zeros(0, array.dtype)).dtype
    return kind


def _on_meta(function: Callable[..., Any], *examples: Any) -> Any:
    """The output, without its numbers."""
    if not isinstance(function, nn.Module):
        return function(*examples)
    numbers = {**dict(function.named_parameters()), **dict(function.named_buffers())}
    own = examples[0].dtype  # the meta device does not always mind
    if mixed := {v.dtype for v in numbers.values() if v.is_floating_point()} - {own}:
        raise TypeError(f"an input of {own} and weights of {mixed.pop()}")
    elsewhere = {name: value.to("meta") for name, value in numbers.items()}
    return torch.func.functional_call(function, elsewhere, examples)


@dataclass(frozen=True, eq=False)
class _Parts:
    """Arguments as steps of the graph, and as examples."""

    nodes: tuple[Any, ...]
    examples: tuple[Any, ...]
    batched: bool


def _split(arguments: tuple[Any, ...]) -> _Parts:
    found: list[Value] = []

    def of(value: Any, part: str) -> Any:
        if isinstance(value, Value):
            found.append(value)
            return getattr(value, part)
        if isinstance(value, list):
            return [of(each, part) for each in value]
        return value

    nodes = tuple(of(each, "node") for each in arguments)
    examples = tuple(of(each, "example") for each in arguments)
    # Constants are of no batch: what depends on the input says what the result is.
    steps = [each.batched for each in found if each.node.op != "get_attr"]
    return _Parts(nodes, examples, all(steps))


def tensor(array: np.ndarray) -> nn.Parameter:
    """Returns a frozen parameter with the numbers of an array, in its type."""
    return nn.Parameter(torch.from_numpy(np.array(array)), requires_grad=False)
