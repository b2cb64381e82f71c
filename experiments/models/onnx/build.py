"""How does an ONNX graph become a torch module?  One torch.fx node at a time, shapes known.

Every step is run once, as soon as it is added, on torch's meta device, where tensors have shape
and type and no numbers: so every operator knows the shapes it meets, chains of sizes (Shape,
Gather, Concat) are numbers before they matter, and no size that a file declares takes memory.
"""

import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor, fx, nn

from experiments.readers.foreign_files import reason
from polytope.errors import CollisionError, FileFormatError, InputError

#: Numbers of one step, for one input; VGG-16 has 3.2 million.
LARGEST = 1 << 28
#: Bytes of constants that are computed, in all; they are sizes.
MOST_COMPUTED = 1 << 26


@dataclass(frozen=True, eq=False)
class Value:
    """What a name of the graph stands for: a step, and what it gives (no numbers)."""

    node: fx.Node
    example: Tensor


@dataclass(frozen=True, eq=False, kw_only=True)
class Node:
    """One operator of the graph.

    Attributes:
        op: its type.
        name: of the module that it becomes.
        place: how an error names it.
        inputs: names; "" for one that is left out.
        outputs: names.
        attributes: by name, as Python values and numpy arrays.
    """

    op: str
    name: str
    place: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, Any]

    def refuse(self, wanted: str, got: object) -> InputError:
        """Returns the error that this operator is used in a way that is not supported."""
        return InputError(f"{self.place}: expected {wanted}, got {got}")

    def misfit(self, problem: Exception) -> CollisionError:
        """Returns the error that a library refused this operator."""
        if isinstance(problem, CollisionError):
            return problem
        return FileFormatError(
            f"{self.place}: expected shapes and types that fit, got: {reason(problem)}"
        )


@dataclass(eq=False)
class Builder:
    """A module in the making.

    Attributes:
        opset: version of the operators.
        batch: size of the batch axis in the file; sizes equal to it stand for any batch.
        constants: name -> numbers that do not depend on the input.
        values: name -> step.
        uses: how often a name is read (a graph's outputs count).
        users: name -> the operators that read it.
    """

    opset: int
    batch: int
    constants: dict[str, np.ndarray]
    uses: Counter[str]
    users: Mapping[str, tuple[Node, ...]]
    values: dict[str, Value] = field(default_factory=dict)
    done: set[str] = field(default_factory=set)
    computed: int = 0
    root: nn.Module = field(default_factory=nn.Module)
    graph: fx.Graph = field(default_factory=fx.Graph)

    def start(self, name: str, example: Tensor) -> None:
        """Adds the input of the network."""
        self.values[name] = Value(self.graph.placeholder("x"), example)

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
        """Adds a module applied to a value."""
        name = name or node.name
        module = module.eval().requires_grad_(False)
        self.root.add_module(name, module)
        return self._run(node, self.graph.call_module(name, (value.node,)), module, value.example)

    def call(self, node: Node, function: Callable[..., Any], *arguments: Any) -> Value:
        """Adds a function; arguments that are Values are steps, the others as they are."""
        nodes, examples = _split(arguments)
        return self._run(node, self.graph.call_function(function, nodes), function, *examples)

    def method(self, node: Node, name: str, *arguments: Any) -> Value:
        """Adds a method of the first argument."""
        nodes, examples = _split(arguments)
        function = getattr(torch.Tensor, name)
        return self._run(node, self.graph.call_method(name, nodes), function, *examples)

    def _run(
        self, node: Node, step: fx.Node, function: Callable[..., Any], *examples: Any
    ) -> Value:
        try:
            with torch.no_grad():
                made = _on_meta(function, *examples)
        except Exception as problem:
            raise node.misfit(problem) from problem
        if made.numel() > LARGEST * max(1, self.batch):
            raise node.refuse(f"at most {LARGEST:,} numbers an input", f"shape {tuple(made.shape)}")
        return Value(step, made)

    def compute(self, node: Node, size: int) -> None:
        """Takes note of a constant of so many bytes that is about to be computed.

        Raises:
            InputError: there are too many.
        """
        self.computed += size
        if self.computed > MOST_COMPUTED:
            raise node.refuse(f"at most {MOST_COMPUTED:,} bytes of computed constants", "more")

    def finish(self, outputs: list[str]) -> fx.GraphModule:
        """Returns the module that computes the named outputs."""
        nodes = tuple(self.values[name].node for name in outputs)
        self.graph.output(nodes[0] if len(nodes) == 1 else nodes)
        return fx.GraphModule(self.root, self.graph)


def _on_meta(function: Callable[..., Any], *examples: Any) -> Tensor:
    """The output, without its numbers."""
    if not isinstance(function, nn.Module):
        found: Tensor = function(*examples)
        return found
    numbers = {**dict(function.named_parameters()), **dict(function.named_buffers())}
    own = examples[0].dtype  # the meta device does not always mind
    if mixed := {v.dtype for v in numbers.values() if v.is_floating_point()} - {own}:
        raise TypeError(f"an input of {own} and weights of {mixed.pop()}")
    elsewhere = {name: value.to("meta") for name, value in numbers.items()}
    made: Tensor = torch.func.functional_call(function, elsewhere, examples)
    return made


def _split(arguments: tuple[Any, ...]) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """Arguments as steps of the graph, and as examples."""

    def of(value: Any, part: str) -> Any:
        if isinstance(value, Value):
            return getattr(value, part)
        if isinstance(value, list):
            return [of(each, part) for each in value]
        return value

    return (
        tuple(of(each, "node") for each in arguments),
        tuple(of(each, "example") for each in arguments),
    )


def tensor(array: np.ndarray) -> nn.Parameter:
    """Returns a frozen parameter with the numbers of an array, in its type."""
    return nn.Parameter(torch.from_numpy(np.array(array)), requires_grad=False)


def module_name(name: str, op: str, index: int, *, taken: set[str]) -> str:
    """Returns a name for torch: the node's own, its other signs as "_", made unique.

    >>> module_name("/features/0/Conv", "Conv", 3, taken=set())
    'features_0_Conv'
    >>> module_name("", "Gemm", 3, taken={"gemm_3"})
    'gemm_3_2'
    """
    usual = re.sub(r"\W+", "_", name, flags=re.ASCII).strip("_") or f"{op.lower()}_{index}"
    found, count = usual, 1
    # Names of nn.Module's own attributes cannot be used.
    while found in taken or hasattr(nn.Module, found) or found == "x":
        count += 1
        found = f"{usual}_{count}"
    taken.add(found)
    return found
