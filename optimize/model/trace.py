"""What does a model compute, step by step?  Its forward pass as a torch.fx graph without surprises.

The graph is traced from a private copy in evaluation mode, torch's own modules being single steps.
In-place operations are made functional: what comes after one reads its result.  Nothing here knows
what a step means; `optimize/model/operations.py` does.
"""

import copy
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, fx, nn

from optimize.model.copying import OneInput, check_hooks, check_signature, set_inplace, unwrapped
from optimize.model.inplace import make_functional, words_set
from polytope.errors import InputError


def own_name(path: str) -> str:
    """The name of a module or parameter within the caller's model."""
    return path.removeprefix("model").removeprefix(".")


@dataclass(frozen=True, eq=False)
class Recorded:
    """The one run that a trace is made of, where symbols could not do it.

    Attributes:
        inputs: (1, *input).
        tensors: step -> what it gave: a tensor, or several.
        decisions: steps whose entries were read as plain numbers or truth values, on which the
            way through the model may depend.
    """

    inputs: Tensor
    tensors: Mapping[fx.Node, Any]
    decisions: tuple[fx.Node, ...]


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
        recorded: the run that it was made of; None where symbols made it, for all inputs.
    """

    root: nn.Module
    graph: fx.Graph
    source: fx.Node
    dependent: frozenset[fx.Node]
    varying: frozenset[fx.Node]
    inplace: tuple[nn.Module, ...]
    recorded: Recorded | None = None

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

    def needed(
        self, outputs: Sequence[fx.Node], *, sources: Collection[fx.Node] = ()
    ) -> list[fx.Node]:
        """The steps that `outputs` need, in order, both included; none before the `sources`."""
        found, open_nodes = set(outputs), list(outputs)
        while open_nodes:
            node = open_nodes.pop()
            above = () if node in sources else node.all_input_nodes
            open_nodes += [each for each in above if each not in found]
            found.update(above)
        return [node for node in self.graph.nodes if node in found]

    def cut(
        self, outputs: Sequence[fx.Node], *, source: fx.Node | Sequence[fx.Node] | None = None
    ) -> fx.GraphModule:
        """The part of the model that computes these steps alone; returns them as a tuple.

        `source` is a step that is given instead of the model's input, or several, one argument
        each; they must be all that the outputs depend on (`decides`).
        """
        graph = fx.Graph()
        starts = self._starts(source)
        names = ("x", *(f"x_{k}" for k in range(1, len(starts))))
        copies = {start: graph.placeholder(name) for start, name in zip(starts, names, strict=True)}
        for node in self.needed(outputs, sources=starts):
            if node not in copies:
                copies[node] = graph.node_copy(node, lambda each: copies[each])
        graph.output(tuple(copies[node] for node in outputs))
        return fx.GraphModule(self.root, graph)

    def _starts(self, source: fx.Node | Sequence[fx.Node] | None) -> tuple[fx.Node, ...]:
        if source is None:
            return (self.source,)
        return (source,) if isinstance(source, fx.Node) else tuple(source)

    def decides(self, source: fx.Node | Sequence[fx.Node], outputs: Sequence[fx.Node]) -> bool:
        """Do the outputs depend on the model's input by way of `source` alone?"""
        starts = self._starts(source)
        return self.source in starts or self.source not in self.needed(outputs, sources=starts)

    def before(self, node: fx.Node) -> tuple[fx.Node, ...]:
        """The steps before `node` on which the way through the model may depend, by its entries."""
        decisions = () if self.recorded is None else self.recorded.decisions
        order = {each: place for place, each in enumerate(self.graph.nodes)}
        return tuple(each for each in decisions if order[each] < order[node])

    def on(self, device: torch.device) -> "Trace":
        """The same steps, with a copy of the weights on a device; itself where they lie there."""
        place = torch.empty(0, device=device).device  # "cuda" with its number
        if all(t.device == place for t in (*self.root.parameters(), *self.root.buffers())):
            return self
        root, inplace = copy.deepcopy((self.root, self.inplace))
        recorded = self.recorded
        if recorded is not None:
            recorded = replace(recorded, inputs=recorded.inputs.to(place))
        return replace(self, root=root.to(place), inplace=inplace, recorded=recorded)


class _Tracer(fx.Tracer):
    """Takes a module that says so (`one_step`) as one step, as it takes torch's own.

    It looks into those of torch in which layers and their ReLUs stand together.
    """

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        """Is the module one step?"""
        if getattr(m, "one_step", False) is True:
            return True
        inside = type(m).__module__ == _TRANSFORMER
        return super().is_leaf_module(m, module_qualified_name) and not inside


_TRANSFORMER = nn.Transformer.__module__


def trace(model: nn.Module) -> Trace:
    """Trace a copy of `model` in evaluation mode.

    Raises:
        InputError: its forward pass depends on the data in a way that no fixed list of steps can
            say.
    """
    check_signature(model)
    root = OneInput(unwrapped(model))
    inplace = tuple(module for module in root.modules() if getattr(module, "inplace", False))
    changing = {
        name for name, each in root.named_modules(remove_duplicate=False) if each in inplace
    }
    check_hooks(root.model)
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
        if any(each in varying for each in carriers(node)) and not _is_size(node):
            varying.add(node)
    return Trace(root, graph, source, frozenset(dependent), frozenset(varying), inplace)


#: Methods that give a size, fields that hold one, and what makes another tensor of the same shape.
SIZES = words_set("size dim ndimension numel stride is_floating_point")
FIELDS = words_set("shape ndim dtype device is_cuda requires_grad")
LIKE = words_set(
    "zeros_like ones_like empty_like full_like new_zeros new_ones new_empty new_full new_tensor"
)


#: Methods that are given another tensor for its shape, type or device alone.
_AFTER = words_set("to type_as expand_as view_as reshape_as")


def carriers(node: fx.Node) -> Sequence[fx.Node]:
    """The arguments whose entries a step may take."""
    if node.op == "call_method" and node.target in _AFTER:
        return [each for each in node.args[:1] if isinstance(each, fx.Node)]
    return node.all_input_nodes


def _is_size(node: fx.Node) -> bool:
    """Does the step read a property of a tensor that carries none of its entries?"""
    if node.op == "call_method":
        return node.target in SIZES | LIKE
    if node.op != "call_function":
        return False
    field = node.target is getattr and node.args[1] in FIELDS
    return field or getattr(node.target, "__name__", "") in LIKE
