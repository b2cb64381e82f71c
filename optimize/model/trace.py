"""What does a model compute, step by step?  Its forward pass as a torch.fx graph without surprises.

The graph is traced from a private copy in evaluation mode, torch's own modules being single steps.
In-place operations are made functional: what comes after one reads its result.  Nothing here knows
what a step means; `optimize/model/operations.py` does.
"""

import copy
import inspect
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, fx, nn

from optimize.model.inplace import make_functional, words_set
from polytope.errors import InputError


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

    @property
    def result(self) -> fx.Node:
        """The step whose tensor the model returns.

        Raises:
            InputError: it returns several.
        """
        (output,) = (node for node in self.graph.nodes if node.op == "output")
        last = output.args[0]
        if not isinstance(last, fx.Node):
            raise InputError("model: expected a network that returns one tensor, got more")
        return last

    def needed(self, outputs: Sequence[fx.Node], *, source: fx.Node | None = None) -> list[fx.Node]:
        """The steps that `outputs` need, in order, both included; none before `source`."""
        found, open_nodes = set(outputs), list(outputs)
        while open_nodes:
            node = open_nodes.pop()
            above = () if node is source else node.all_input_nodes
            open_nodes += [each for each in above if each not in found]
            found.update(above)
        return [node for node in self.graph.nodes if node in found]

    def cut(self, outputs: Sequence[fx.Node], *, source: fx.Node | None = None) -> fx.GraphModule:
        """The part of the model that computes these steps alone; returns them as a tuple.

        `source` is a step that is given instead of the model's input; it must be all that the
        outputs depend on (`decides`).
        """
        graph = fx.Graph()
        start = self.source if source is None else source
        copies = {start: graph.placeholder("x")}
        for node in self.needed(outputs, source=start):
            if node is not start:
                copies[node] = graph.node_copy(node, lambda each: copies[each])
        graph.output(tuple(copies[node] for node in outputs))
        return fx.GraphModule(self.root, graph)

    def decides(self, source: fx.Node, outputs: Sequence[fx.Node]) -> bool:
        """Do the outputs depend on the model's input by way of `source` alone?"""
        return source is self.source or self.source not in self.needed(outputs, source=source)

    def on(self, device: torch.device) -> "Trace":
        """The same steps, with a copy of the weights on a device; itself where they lie there."""
        place = torch.empty(0, device=device).device  # "cuda" with its number
        if all(t.device == place for t in (*self.root.parameters(), *self.root.buffers())):
            return self
        root, inplace = copy.deepcopy((self.root, self.inplace))
        return replace(self, root=root.to(place), inplace=inplace)


class _Tracer(fx.Tracer):
    """Takes a module that says so (`one_step`) as one step, as it takes torch's own."""

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        """Is the module one step?"""
        said = getattr(m, "one_step", False) is True
        return said or super().is_leaf_module(m, module_qualified_name)


def trace(model: nn.Module) -> Trace:
    """Trace a copy of `model` in evaluation mode.

    Raises:
        InputError: its forward pass depends on the data in a way that no fixed list of steps can
            say.
    """
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
        graph = _Tracer().trace(root)
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
