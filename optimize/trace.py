"""What does a model compute, step by step?  Its forward pass as a torch.fx graph without surprises.

The graph is traced from a private copy in evaluation mode, torch's own modules being single steps.
In-place operations are made functional: what comes after one reads its result.  Nothing here knows
what a step means; `optimize/operations.py` does.
"""

import copy
import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, fx, nn

from optimize.inplace import make_functional
from polytope.errors import InputError, ShapeError


class _OneInput(nn.Module):
    """The model called with one tensor: gives a bare layer a name, and options their defaults."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, x: Tensor) -> Any:
        """The model itself."""
        return self.model(x)


def own_name(path: str) -> str:
    """The name of a module or parameter within the caller's model."""
    return path.removeprefix("model").removeprefix(".")


@dataclass(frozen=True, eq=False)
class Trace:
    """The forward pass of a model.

    Attributes:
        root: holds the private copy as `root.model`.
        graph: its steps in order, functional.
        source: the step that is the model's input.
        varying: steps whose tensors depend on the input.
    """

    root: nn.Module
    graph: fx.Graph
    source: fx.Node
    varying: frozenset[fx.Node]

    def module(self, node: fx.Node) -> nn.Module:
        """The module that a `call_module` step calls."""
        return self.root.get_submodule(str(node.target))

    def ancestors(self, node: fx.Node) -> list[fx.Node]:
        """The steps that `node` needs, itself included, in order."""
        needed, open_nodes = {node}, [node]
        while open_nodes:
            for each in open_nodes.pop().all_input_nodes:
                if each not in needed:
                    needed.add(each)
                    open_nodes.append(each)
        return [each for each in self.graph.nodes if each in needed]

    def cut(self, outputs: Sequence[fx.Node], *, source: fx.Node | None = None) -> fx.GraphModule:
        """The part of the model that computes these steps alone; returns them as a tuple.

        `source` is a step that is given instead of the model's input.
        """
        graph = fx.Graph()
        start = self.source if source is None else source
        copies = {start: graph.placeholder("x")}
        needed = set(outputs)
        open_nodes = list(outputs)
        while open_nodes:
            node = open_nodes.pop()
            above = () if node is start else node.all_input_nodes
            open_nodes += [each for each in above if each not in needed]
            needed.update(above)
        for node in self.graph.nodes:
            if node in needed and node is not start:
                copies[node] = graph.node_copy(node, lambda each: copies[each])
        graph.output(tuple(copies[node] for node in outputs))
        return fx.GraphModule(self.root, graph)


def trace(model: nn.Module) -> Trace:
    """Trace a copy of `model` in evaluation mode.

    Raises:
        InputError: `model` is no module, or its forward pass depends on the data in a way that no
            fixed list of steps can say.
    """
    if not isinstance(model, nn.Module):
        raise InputError(f"model: expected a torch.nn.Module, got {type(model).__name__}")
    root = _OneInput(copy.deepcopy(model)).eval().requires_grad_(False)
    _check_signature(model)
    for module in root.modules():
        if getattr(module, "inplace", False):
            setattr(module, "inplace", False)  # noqa: B010 - a step changes nothing; the rewriting below keeps the meaning
    changing = {
        f"model.{name}" if name else "model"
        for name, module in model.named_modules()
        if getattr(module, "inplace", False)
    }
    try:
        graph = fx.Tracer().trace(root)
    except Exception as problem:  # whatever the caller's forward raises on a symbolic input
        reason = (str(problem).strip() or "no reason given").splitlines()[0]
        raise InputError(
            f"model: expected a forward pass that torch.fx can trace, got {type(problem).__name__} "
            f"({reason}); write branches and loops over the data as modules or fixed steps"
        ) from problem
    make_functional(graph, changing, root)
    (source,) = [node for node in graph.nodes if node.op == "placeholder"]
    varying = {source}
    for node in graph.nodes:
        if any(each in varying for each in node.all_input_nodes):
            varying.add(node)
    return Trace(root, graph, source, frozenset(varying))


def _check_signature(model: nn.Module) -> None:
    needed = [
        parameter.name
        for parameter in inspect.signature(model.forward).parameters.values()
        if parameter.default is parameter.empty
        and parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD)
    ]
    if len(needed) > 1:
        raise InputError(
            f"model: expected a forward pass of one tensor, got one that needs {', '.join(needed)}"
        )


@dataclass(frozen=True, eq=False)
class Run:
    """What one input made of the steps.

    Attributes:
        shapes: step -> shape of its tensor, the batch axis of length 1 included.
        values: step -> its value where it is no tensor (sizes), or does not depend on the input.
        dtype: of the input.
    """

    shapes: dict[fx.Node, tuple[int, ...]]
    values: dict[fx.Node, Any]
    dtype: torch.dtype


class _Recorder(fx.Interpreter):
    def __init__(self, traced: Trace, dtype: torch.dtype) -> None:
        super().__init__(traced.root, graph=traced.graph)
        self.traced, self.record = traced, Run({}, {}, dtype)

    def run_node(self, n: fx.Node) -> Any:
        result = super().run_node(n)
        if isinstance(result, Tensor):
            self.record.shapes[n] = tuple(result.shape)
            if n not in self.traced.varying:
                self.record.values[n] = result
        elif not _holds_tensors(result):
            self.record.values[n] = result
        return result


def _holds_tensors(value: Any) -> bool:
    return isinstance(value, tuple | list) and any(isinstance(each, Tensor) for each in value)


def run_example(traced: Trace, example: Any) -> Run:
    """Run the model on one input of the shape of `example`; shapes include the batch axis, 1.

    Args:
        traced: the model.
        example: one input (*input,), an array or a tensor, or its shape as a tuple of ints.

    Raises:
        ShapeError: the model does not take an input of that shape.
        InputError: `example` is neither an array nor a shape.
    """
    shape = example_shape(example)
    like = next((each for each in traced.root.parameters() if each.is_floating_point()), None)
    zeros = torch.zeros(
        (1, *shape),
        dtype=torch.get_default_dtype() if like is None else like.dtype,
        device=None if like is None else like.device,
    )
    recorder = _Recorder(traced, zeros.dtype)
    try:
        with torch.no_grad():
            recorder.run(zeros)
    except (RuntimeError, ValueError, IndexError, TypeError, AssertionError) as problem:
        reason = (str(problem).strip() or type(problem).__name__).splitlines()[0]
        raise ShapeError(
            f"example: expected one input of the model or its shape, got shape {shape} ({reason})"
        ) from problem
    return recorder.record


def example_shape(example: Any) -> tuple[int, ...]:
    """The shape of one input, from such an input or from the shape itself."""
    if isinstance(example, tuple | list) and example and all(type(n) is int for n in example):
        if min(example) < 1:
            raise InputError(f"example: expected positive lengths, got {tuple(example)}")
        return tuple(example)
    if hasattr(example, "shape"):
        return tuple(int(n) for n in example.shape)
    try:
        return np.asarray(example, dtype=np.float64).shape
    except (TypeError, ValueError):
        raise InputError(
            f"example: expected one input of the model or its shape, got {type(example).__name__}"
        ) from None


def probe(node: fx.Node, traced: Trace, run: Run, *, tensors: Callable[[fx.Node], Tensor]) -> Any:
    """Do one step again on other tensors: each varying tensor argument as `tensors` gives it."""

    def argument(each: fx.Node) -> Any:
        return run.values[each] if each in run.values else tensors(each)

    args = fx.node.map_arg(node.args, argument)
    kwargs = fx.node.map_arg(node.kwargs, argument)
    if node.op == "call_module":
        return traced.module(node)(*args, **kwargs)
    if node.op == "call_method":
        return getattr(args[0], str(node.target))(*args[1:], **kwargs)
    assert callable(node.target)
    return node.target(*args, **kwargs)
