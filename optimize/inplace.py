"""How are in-place steps of a traced model made functional, without changing what it computes?"""

import inspect
import operator
from typing import Any

import torch
from torch import Tensor, fx, nn
from torch.nn import functional

from polytope.errors import InputError


def words_set(text: str) -> frozenset[str]:
    """Names written one behind the other."""
    return frozenset(text.split())


#: Calls that change their first argument -> the same without doing so.
_FUNCTIONAL: dict[Any, Any] = {
    operator.iadd: operator.add,
    operator.isub: operator.sub,
    operator.imul: operator.mul,
    operator.itruediv: operator.truediv,
    torch.relu_: torch.relu,
    functional.relu_: functional.relu,
}
#: Steps whose result may share memory with their first argument, by the name of the call.
_VIEWS = words_set(
    "chunk contiguous detach dropout expand flatten getitem movedim narrow permute "
    "reshape select split squeeze t transpose unflatten unsqueeze view"
)
_VIEW_MODULES = (
    nn.Flatten,
    nn.Unflatten,
    nn.Identity,
    nn.Dropout,
    nn.Dropout1d,
    nn.Dropout2d,
    nn.AlphaDropout,
)


def make_functional(graph: fx.Graph, changing: set[str], root: nn.Module) -> None:
    """Replace in-place steps; whatever reads the changed tensor afterwards reads their result.

    Args:
        graph: changed.
        changing: paths of the modules that were in-place ones (and no longer are).
        root: where the graph's modules lie.

    Raises:
        InputError: a part of a tensor is assigned to, or a view of a changed tensor is read later.
    """
    order = {node: place for place, node in enumerate(graph.nodes)}
    for node in list(graph.nodes):
        if not _unmark(node, changing) or not node.all_input_nodes:
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


def _unmark(node: fx.Node, changing: set[str]) -> bool:
    """Turn the step into its functional form; was it an in-place one?"""
    if node.op == "call_module":
        return node.target in changing
    if node.op == "call_function":
        return _unmark_function(node)
    name = str(node.target)
    if node.op == "call_method" and name == "view" and not isinstance(node.args[1], torch.dtype):
        node.target = "reshape"  # the same, whatever the layout in memory
    if node.op != "call_method" or not name.endswith("_") or name.endswith("__"):
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
    if node.target in _FUNCTIONAL:
        node.target = _FUNCTIONAL[node.target]
        return True
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


def _is_view(node: fx.Node, root: nn.Module) -> bool:
    if node.op == "call_module":
        return isinstance(root.get_submodule(str(node.target)), _VIEW_MODULES)
    name = node.target if node.op == "call_method" else getattr(node.target, "__name__", "")
    return name in _VIEWS


def _read_later(
    changed: fx.Node, change: fx.Node, order: dict[fx.Node, int], root: nn.Module
) -> bool:
    """Is a view of `changed`, or what it is a view of, read behind the change?"""
    base = changed
    while _is_view(base, root) and base.all_input_nodes:
        base = base.all_input_nodes[0]
    shared, open_nodes = {base}, [base]
    while open_nodes:
        for user in open_nodes.pop().users:
            if user not in shared and _is_view(user, root) and order[user] < order[change]:
                shared.add(user)
                open_nodes.append(user)
    return any(order[user] > order[change] for node in shared - {changed} for user in node.users)
