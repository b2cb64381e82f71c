"""How are in-place steps of a traced model made functional, without changing what it computes?

What is not recognised here is found when the steps are run (`optimize/model/checks.py`), and
refused.
"""

import inspect
import operator
from collections.abc import Collection
from typing import Any

import torch
from torch import Tensor, fx, nn
from torch.nn import functional
from torch.nn.modules import activation, batchnorm, conv, pooling

from polytope.errors import InputError


def words_set(text: str) -> frozenset[str]:
    """Names written one behind the other."""
    return frozenset(text.split())


#: Operators that change their first argument -> the same without doing so.
_OPERATORS: dict[Any, Any] = {
    getattr(operator, f"i{name}"): getattr(operator, name)
    for name in ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul")
}
#: Steps whose result never shares memory with an argument, by the name of the call.
_FRESH = words_set(
    "add sub mul truediv div neg relu sigmoid tanh softmax log_softmax clamp clamp_min cat concat "
    "stack linear matmul conv1d conv2d batch_norm layer_norm max_pool1d max_pool2d avg_pool1d "
    "avg_pool2d adaptive_avg_pool1d adaptive_avg_pool2d mean sum clone size dim numel eq"
)
_FRESH_MODULES = (nn.Linear, conv._ConvNd, batchnorm._BatchNorm, nn.Sigmoid, nn.Tanh)
_FRESH_FILES = (activation.__name__, pooling.__name__)


def make_functional(graph: fx.Graph, changing: set[str], root: nn.Module) -> None:
    """Replace in-place steps; whatever reads the changed tensor afterwards reads their result.

    Args:
        graph: changed.
        changing: paths of the modules that were in-place ones (and no longer are).
        root: where the graph's modules lie.

    Raises:
        InputError: a step writes into a tensor in a way not known here, or what may be a view of a
            changed tensor is read later.
    """
    order = {node: place for place, node in enumerate(graph.nodes)}
    for node in list(graph.nodes):
        if not unmark(node, changing) or not node.all_input_nodes:
            continue
        changed = node.all_input_nodes[0]
        for user in [user for user in changed.users if order[user] > order[node]]:
            user.replace_input_with(changed, node)
        if _read_later(changed, node, order, root):
            raise InputError(
                f"model: expected a forward pass without in-place changes of a tensor whose view "
                f"is read again, got one at step {node.name!r}"
            )
    graph.lint()


def unmark(node: fx.Node, changing: Collection[str] = ()) -> bool:
    """Turn the step into its functional form; was it an in-place one?

    Raises:
        InputError: no such form is known.
    """
    if node.op == "call_module":
        return node.target in changing
    if node.op == "call_function":
        return _unmark_function(node)
    if node.op != "call_method":
        return False
    name = str(node.target)
    if name == "view" and not isinstance(node.args[1], torch.dtype):
        node.target = "reshape"  # the same, whatever the layout in memory
    if not name.endswith("_") or name.endswith("__"):
        return False
    if not hasattr(Tensor, name.removesuffix("_")):
        raise _refused(node)
    node.target = name.removesuffix("_")
    return True


def _refused(node: fx.Node) -> InputError:
    return InputError(
        f"model: expected a forward pass of functional steps, got an assignment at step "
        f"{node.name!r} ({getattr(node.target, '__name__', node.target)})"
    )


def _unmark_function(node: fx.Node) -> bool:
    if "out" in node.kwargs:
        raise _refused(node)
    target: Any = node.target
    name = getattr(target, "__name__", "")
    if isinstance(target, torch._ops.OpOverload):
        return _unmark_overload(node, target)
    if target in _OPERATORS:
        node.target = _OPERATORS[target]
        return True
    if name.endswith("_") and not name.endswith("__"):
        functional_form = getattr(torch, name[:-1], getattr(functional, name[:-1], None))
        if functional_form is None:
            raise _refused(node)
        node.target = functional_form
        return True
    return _unmark_option(node)


def _unmark_overload(node: fx.Node, target: torch._ops.OpOverload) -> bool:
    """Operators of torch.ops, such as exported models are made of."""
    name = target._schema.name.rpartition("::")[2]
    if not name.endswith("_") or name.endswith("__"):
        return False
    packet = getattr(torch.ops.aten, name[:-1], None)
    functional_form = getattr(packet, target._overloadname, None)
    if functional_form is None:
        raise _refused(node)
    node.target = functional_form
    return True


def _unmark_option(node: fx.Node) -> bool:
    """Calls with an option `inplace`."""
    if node.kwargs.get("inplace"):
        node.kwargs = {key: value for key, value in node.kwargs.items() if key != "inplace"}
        return True
    try:
        names = list(inspect.signature(node.target).parameters)  # type: ignore[arg-type]
    except (TypeError, ValueError):  # built in: those have no option of that name
        return False
    at = names.index("inplace") if "inplace" in names else len(node.args)
    if at < len(node.args) and node.args[at] is True:
        node.args = (*node.args[:at], False, *node.args[at + 1 :])
        return True
    return False


def _is_fresh(node: fx.Node, root: nn.Module) -> bool:
    """Is its result surely no view of an argument?"""
    if node.op == "call_module":
        module = root.get_submodule(str(node.target))
        return isinstance(module, _FRESH_MODULES) or type(module).__module__ in _FRESH_FILES
    if node.op not in ("call_function", "call_method"):
        return True
    name = node.target if node.op == "call_method" else getattr(node.target, "__name__", "")
    return name in _FRESH


def _read_later(
    changed: fx.Node, change: fx.Node, order: dict[fx.Node, int], root: nn.Module
) -> bool:
    """Is anything that may share memory with `changed` read behind the change?"""
    shared, open_nodes = {changed}, [changed]
    while open_nodes:
        node = open_nodes.pop()
        above = () if _is_fresh(node, root) else node.all_input_nodes
        below = [user for user in node.users if not _is_fresh(user, root)]
        for each in (*above, *below):
            if each not in shared and order[each] < order[change]:
                shared.add(each)
                open_nodes.append(each)
    return any(order[user] > order[change] for node in shared - {changed} for user in node.users)
