"""Which layers does a model call, and where does the output of each go?

A layer is a Linear, Conv1d or Conv2d (or its functional form).  The claim of a collision needs that
the layer's output is used through its ReLU *only*: then whatever has the same post-activation has
the same output of the model.  So every path from the layer must reach a ReLU, and on the way there
may stand

* what keeps all entries in their order (reshapes, dropout in evaluation mode, identities);
* one BatchNorm in evaluation mode, the same for all paths: it is folded, its output is then the
  pre-activation;
* max-pools behind that: a maximum commutes with the ReLU, so nothing but the post-activation is
  used.

A layer whose output is used in another way as well (added to something, averaged, returned) is not
one of `relu_layers`; `other_layers` says why.
"""

from dataclasses import dataclass, replace

from torch import fx, nn

from optimize.model.operations import Border, Metadata, Move, Norm, Pool, Rectifier, Weighted
from optimize.model.reading import describe, read_operation
from optimize.model.trace import Trace
from polytope.errors import InputError


@dataclass(frozen=True, eq=False)
class LayerCall:
    """One call of a layer.

    Attributes:
        name: as torch names it; a later call of the same module is called "name#2", "name#3".
        node: the step that is the layer.
        source: the step that enters it.
        pre_activation: the layer's own step, or that of the BatchNorm folded into it.
        weighted: what it computes.
        norm: the folded BatchNorm.
        reason: why it is not a layer in front of a ReLU; "" where it is one.
        is_output: whether its pre-activation is the model's output and nothing else.
    """

    name: str
    node: fx.Node
    source: fx.Node
    pre_activation: fx.Node
    weighted: Weighted
    norm: Norm | None
    reason: str
    is_output: bool


def layer_calls(traced: Trace) -> tuple[LayerCall, ...]:
    """Every call of a layer on something that depends on the input, in order of execution."""
    calls, seen = [], dict[str, int]()
    for node in traced.graph.nodes:
        operation = read_operation(node, traced)
        if not isinstance(operation, Weighted) or node not in traced.varying:
            continue
        count = seen[operation.name] = seen.get(operation.name, 0) + 1
        name = operation.name if count == 1 else f"{operation.name}#{count}"
        calls.append(_call(name, node, operation, traced))
    return tuple(calls)


def _call(name: str, node: fx.Node, weighted: Weighted, traced: Trace) -> LayerCall:
    source = _entered(node)
    while (bare := _inside(source, weighted, traced)) is not None:
        source, weighted = bare
    pre, norm, reached = node, None, _ends(node, traced, pooled=False)
    if len(reached) == 1:
        operation = read_operation(reached[0], traced)
        if isinstance(operation, Norm):
            pre, norm = reached[0], operation
            reached = _ends(pre, traced, pooled=False)
    is_output = bool(reached) and all(each.op == "output" for each in reached)
    reached = _ends(pre, traced, pooled=True)
    others = [
        describe(each, traced)
        for each in reached
        if not isinstance(read_operation(each, traced), Rectifier)
    ]
    reason = f"goes into {', '.join(dict.fromkeys(others))}" if others else ""
    if others and len(others) < len(reached):
        reason += " as well as into a ReLU"
    if not reached:
        reason = "is not used"
    return LayerCall(name, node, source, pre, weighted, norm, reason, is_output)


def _entered(node: fx.Node) -> fx.Node:
    """The step that a step is given first."""
    source = node.args[0] if node.args else node.kwargs["input"]
    assert isinstance(source, fx.Node)
    return source


def _inside(source: fx.Node, weighted: Weighted, traced: Trace) -> tuple[fx.Node, Weighted] | None:
    """What a border of zeros is put around, and the convolution with that border as its own.

    The zeros are part of the layer: as inputs of it they would be free, and no network's.
    """
    operation, axes = read_operation(source, traced), 2 if weighted.kind == "Conv2d" else 1
    if weighted.kind == "Linear" or not isinstance(operation, Border):
        return None
    sizes = operation.sizes
    if not sizes or len(sizes) > 2 * axes or min(sizes) < 0 or weighted.padding_mode != "zeros":
        return None
    whole = (*sizes, *(0,) * (2 * axes - len(sizes)))
    known = weighted.border or (0,) * (2 * axes)
    border = tuple(a + b for a, b in zip(whole, known, strict=True))
    return _entered(source), replace(weighted, border=border)


def _ends(node: fx.Node, traced: Trace, *, pooled: bool) -> list[fx.Node]:
    """The steps in which the entries of `node` end, behind what keeps them in their order.

    With `pooled`, max-pools are passed too.
    """
    ends: dict[fx.Node, None] = {}
    open_nodes = [node]
    while open_nodes:
        for user in open_nodes.pop().users:
            operation = read_operation(user, traced)
            passed = isinstance(operation, Move) and operation.in_order
            if isinstance(operation, Pool) and operation.maximum and pooled:
                passed = True
            if isinstance(operation, Metadata):
                continue
            if passed:
                open_nodes.append(user)
            else:
                ends[user] = None
    return list(ends)


def find_call(traced: Trace, name: str) -> LayerCall:
    """The call of the layer `name`, if its output goes into a ReLU or is the model's output.

    Raises:
        InputError: there is no such layer, it is never reached, or its output goes elsewhere.
    """
    calls = layer_calls(traced)
    found = next((call for call in calls if call.name == name), None)
    possible = ", ".join(repr(call.name) for call in calls if not call.reason) or "none"
    if found is None:
        if name in {module for module, _ in traced.root.get_submodule("model").named_modules()}:
            named = traced.root.get_submodule(f"model.{name}" if name else "model")
            if isinstance(named, nn.Linear | nn.Conv1d | nn.Conv2d):
                raise InputError(f"layer: {name!r} is never reached in the model's forward pass")
        known = ", ".join(repr(call.name) for call in calls) or "none"
        raise InputError(
            f"layer: expected the name of a Linear or Conv2d layer (this model has: {known}), "
            f"got {name!r}"
        )
    if found.reason and not found.is_output:
        raise InputError(
            f"layer: expected one whose output goes into a ReLU (this model has: {possible}), "
            f"got {name!r}, whose output {found.reason}"
        )
    check_norms(traced, found.pre_activation)
    return found


def check_norms(traced: Trace, node: fx.Node) -> None:
    """Raise InputError where `node` depends on statistics of a batch instead of stored ones."""
    for each in traced.needed([node]):
        operation = read_operation(each, traced)
        if isinstance(operation, Norm) and operation.batch_statistics:
            raise of_each_batch(operation.name)


def of_each_batch(name: str) -> InputError:
    """The error for a BatchNorm whose outputs depend on what else is in a batch."""
    return InputError(
        f"model: expected BatchNorm with stored statistics, got {name!r}, which takes them from "
        "each batch (track_running_stats=False)"
    )
