"""Which layers with weights does no step of a graph stand for?  Each with the true reason."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from torch import fx, nn

from optimize.model.inplace import words_set
from optimize.model.operations import Unknown
from optimize.model.reading import describe, read_operation
from optimize.model.trace import Trace, own_name

NEVER = "is never reached in the model's forward pass"
_WEIGHTED = (nn.Linear, nn.modules.conv._ConvNd, nn.Bilinear, nn.RNNBase, nn.RNNCellBase)
#: Weights with as many axes as a matrix that multiply nothing.
_NORMS = words_set("layer_norm rms_norm group_norm instance_norm prelu")


@dataclass(frozen=True, kw_only=True)
class UnreadLayer:
    """A layer that is no step of the graph as a layer.

    Attributes:
        name: of its module or weight.
        kind: of module or step.
        reason: the rest of a sentence that its name begins.
    """

    name: str
    kind: str
    reason: str


def unread_layers(traced: Trace, named: Collection[str]) -> tuple[UnreadLayer, ...]:
    """Weights that enter steps of another kind, and layers that no step reaches.

    Args:
        traced: the model.
        named: the layers that are steps.
    """
    found = list(_steps(traced))
    known = {name.partition("#")[0] for name in named} | {each.name for each in found}
    used = {
        own_name(str(node.target)): list(node.users)
        for node in traced.graph.nodes
        if node.op == "get_attr"
    }
    whole = {
        own_name(str(node.target)): node for node in traced.graph.nodes if node.op == "call_module"
    }
    for name, module in traced.root.get_submodule("model").named_modules():
        if name in known or not isinstance(module, _WEIGHTED):
            continue
        within = next((node for path, node in whole.items() if _lies_in(name, path)), None)
        reason = NEVER
        users = [each for tensor in sorted(used) if _lies_in(tensor, name) for each in used[tensor]]
        step = within or next(iter(users), None)
        if step is not None and step not in traced.varying:
            reason = "is given nothing that depends, by steps of torch, on the model's input"
        elif within is not None:
            reason = f"is inside {describe(within, traced)}, a step taken as a whole"
        elif step is not None:
            words = describe(step, traced)
            reason = f"has weights that go into a step of another kind than a layer ({words})"
        found.append(UnreadLayer(name=name, kind=type(module).__name__, reason=reason))
    return tuple(found)


def _lies_in(name: str, path: str) -> bool:
    return name == path or name.startswith(f"{path}.") or not path


def _steps(traced: Trace) -> Iterator[UnreadLayer]:
    """Steps of unknown kinds that hold or are given a matrix of the model."""
    for node in traced.graph.nodes:
        if node not in traced.varying or not isinstance(read_operation(node, traced), Unknown):
            continue
        matrix = _matrix(node, traced)
        if matrix:
            words = describe(node, traced)
            kind = words.partition(" ")[0]
            reason = f"is a step of another kind than a layer ({words})"
            yield UnreadLayer(name=matrix, kind=kind, reason=reason)


def _matrix(node: fx.Node, traced: Trace) -> str:
    """The name of the first weight with at least two axes that a step has; "" where none."""
    if node.op == "call_module":
        module = traced.module(node)
        some = any(each.ndim >= 2 for each in module.parameters())
        return own_name(str(node.target)) if some else ""
    if getattr(node.target, "__name__", node.target) in _NORMS:
        return ""
    parameters = dict(traced.root.named_parameters(remove_duplicate=False))
    for each in node.all_input_nodes:
        stored = parameters.get(str(each.target)) if each.op == "get_attr" else None
        if stored is not None and stored.ndim >= 2:
            path, _, last = own_name(str(each.target)).rpartition(".")
            return path or last
    return ""
