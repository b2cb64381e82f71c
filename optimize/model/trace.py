"""What does a model compute, step by step?  Its forward pass as a torch.fx graph without surprises.

The graph is traced from a private copy in evaluation mode, torch's own modules being single steps.
In-place operations are made functional: what comes after one reads its result.  Nothing here knows
what a step means; `optimize/model/operations.py` does.
"""

import contextlib
import copy
import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, fx, nn

from optimize.model.inplace import make_functional, words_set
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
        dependent: steps that need the input at all.
        varying: those of them that depend on its entries; the others are sizes and the like.
        inplace: modules that were in-place ones.
    """

    root: nn.Module
    graph: fx.Graph
    source: fx.Node
    dependent: frozenset[fx.Node]
    varying: frozenset[fx.Node]
    inplace: tuple[nn.Module, ...]

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
    model = getattr(model, "_orig_mod", model)  # what torch.compile has wrapped
    _check_signature(model)
    root = _OneInput(private_copy(model))
    inplace = tuple(module for module in root.modules() if getattr(module, "inplace", False))
    changing = {
        name for name, each in root.named_modules(remove_duplicate=False) if each in inplace
    }
    _check_hooks(model)
    set_inplace(inplace, False)  # a step changes nothing; the rewriting below keeps the meaning
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
    dependent, varying = {source}, {source}
    for node in graph.nodes:
        if any(each in dependent for each in node.all_input_nodes):
            dependent.add(node)
        if any(each in varying for each in node.all_input_nodes) and not _is_size(node):
            varying.add(node)
    return Trace(root, graph, source, frozenset(dependent), frozenset(varying), inplace)


_SIZES = words_set("size dim ndimension numel stride is_floating_point")
_FIELDS = words_set("shape ndim dtype device is_cuda requires_grad")


def _is_size(node: fx.Node) -> bool:
    """Does the step read a property of a tensor that carries none of its entries?"""
    if node.op == "call_method":
        return node.target in _SIZES
    return node.op == "call_function" and node.target is getattr and node.args[1] in _FIELDS


def private_copy(model: nn.Module) -> nn.Module:
    """A frozen copy in evaluation mode.

    Raises:
        InputError: torch cannot copy the model.
    """
    if isinstance(model, torch.jit.ScriptModule):
        raise InputError("model: expected a torch.nn.Module in Python, got a ScriptModule")
    if any(each.is_meta for each in model.parameters()):
        raise InputError("model: expected weights with numbers, got some on the meta device")
    try:
        return copy.deepcopy(model).eval().requires_grad_(False)
    except (RuntimeError, TypeError, ValueError) as problem:
        reason = str(problem).splitlines()[0]
        raise InputError(
            f"model: expected one that can be copied, got {type(problem).__name__} ({reason}); "
            "make pruned or normalised weights permanent first (torch.nn.utils.prune.remove, "
            "remove_weight_norm)"
        ) from problem


def set_inplace(modules: Sequence[nn.Module], value: bool) -> None:
    """Set the option of modules that have it."""
    for module in modules:
        setattr(module, "inplace", value)  # noqa: B010 - no attribute of nn.Module itself


def _check_hooks(model: nn.Module) -> None:
    """Raise InputError where a module does something beside its forward pass."""
    for name, module in model.named_modules():
        if module._forward_hooks or module._forward_pre_hooks or "forward" in vars(module):
            raise InputError(
                f"model: expected modules without hooks of their own, got {name!r} with one; "
                "remove it (weight_norm, spectral_norm: use torch.nn.utils.parametrizations; "
                "pruning: prune.remove)"
            )


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
        parts: step -> shapes of its tensors, where it has several.
        values: step -> its value where that does not depend on the input's entries.
        dtype: of the input.
    """

    shapes: dict[fx.Node, tuple[int, ...]]
    parts: dict[fx.Node, list[tuple[int, ...]]]
    values: dict[fx.Node, Any]
    dtype: torch.dtype


class _Last(Exception):
    """The last step that is asked for has been taken; never leaves this module."""


class _Recorder(fx.Interpreter):
    """Runs the steps in order, and refuses one that changes a tensor made before it."""

    def __init__(self, traced: Trace, dtype: torch.dtype, last: fx.Node | None) -> None:
        super().__init__(traced.root, garbage_collect_values=False, graph=traced.graph)
        self.extra_traceback = False  # it would be written into the messages of errors
        self.traced, self.record, self.last = traced, Run({}, {}, {}, dtype), last

    def run_node(self, n: fx.Node) -> Any:
        before = [
            (each, value, value._version)
            for each, value in self.env.items()
            if isinstance(value, Tensor)
        ]
        result = super().run_node(n)
        for each, value, version in before:
            # Views share the counter of what they are views of.
            if value._version != version:
                raise InputError(
                    f"model: expected a forward pass of functional steps, got step {n.name!r}, "
                    f"which changes {each.name!r} in place"
                )
        self._note(n, result)
        if n is self.last:
            raise _Last
        return result

    def _note(self, n: fx.Node, result: Any) -> None:
        if isinstance(result, Tensor):
            self.record.shapes[n] = tuple(result.shape)
        elif isinstance(result, tuple | list) and any(isinstance(each, Tensor) for each in result):
            self.record.parts[n] = [tuple(each.shape) for each in result]
        if n not in self.traced.varying:
            self.record.values[n] = result


def run_steps(traced: Trace, inputs: Tensor, *, last: fx.Node | None = None) -> Run:
    """Run the model, or its steps up to `last`, on inputs (n, *input).

    Raises:
        InputError: a step changes a tensor in place in a way that was not seen before.
    """
    recorder = _Recorder(traced, inputs.dtype, last)
    with torch.no_grad(), contextlib.suppress(_Last):
        recorder.run(inputs.clone())
    return recorder.record


def example_input(traced: Trace, example: Any) -> Tensor:
    """One random input (1, *input) of the shape of `example`, of the model's type and device."""
    shape = example_shape(example)
    like = next((each for each in traced.root.parameters() if each.is_floating_point()), None)
    drawn = torch.randn((1, *shape), generator=torch.Generator().manual_seed(0))
    return drawn.to(torch.get_default_dtype()) if like is None else drawn.to(like)


def run_example(traced: Trace, example: Any, *, last: fx.Node | None = None) -> Run:
    """Run the model, or its steps up to `last`, on one random input of the shape of `example`.

    Args:
        traced: the model.
        example: one input (*input,), an array or a tensor, or its shape as a tuple of ints.
        last: the last step to be taken; None for all.

    Raises:
        ShapeError: the model does not take an input of that shape.
        InputError: `example` is neither an array nor a shape, or a step works in place.
    """
    inputs = example_input(traced, example)
    try:
        return run_steps(traced, inputs, last=last)
    except InputError:
        raise
    except (RuntimeError, ValueError, IndexError, TypeError, AssertionError) as problem:
        reason = (str(problem).strip() or type(problem).__name__).splitlines()[0]
        raise ShapeError(
            f"example: expected one input of the model or its shape, got shape "
            f"{tuple(inputs.shape[1:])} ({reason})"
        ) from problem


def one_input(shape: tuple[int, ...], words: str) -> tuple[int, ...]:
    """The shape of one input, of a step's whole shape (1, ...).

    Raises:
        InputError: there is no batch axis of length 1 in front.
    """
    if len(shape) < 2 or shape[0] != 1:
        raise InputError(
            f"model: expected steps that keep the batch axis in front, got shape {shape} from a "
            f"batch of one at {words}"
        )
    return shape[1:]


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
