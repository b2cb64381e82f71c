"""Which layers of a model feed a ReLU, and what are their shapes?  `relu_layers` lists them.

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
listed; `other_layers` says why.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from torch import fx, nn

from optimize.model.operations import Metadata, Move, Norm, Pool, Rectifier, Weighted
from optimize.model.reading import describe, read_operation
from optimize.model.trace import Trace, example_shape, one_input, run_example, trace
from polytope.errors import InputError


@dataclass(frozen=True, kw_only=True)
class LayerInfo:
    """A layer whose output goes into a ReLU.

    Attributes:
        name: as torch names it; a later call of the same module is called "name#2", "name#3".
        kind: "Linear", "Conv1d" or "Conv2d".
        n_inputs: d, numbers that enter the layer.
        n_units: N, numbers that leave it.
        input_shape, output_shape: of one input, without the batch axis.
        normalised: whether a BatchNorm is folded into the pre-activation.
    """

    name: str
    kind: str
    n_inputs: int
    n_units: int
    input_shape: tuple[int, ...]
    output_shape: tuple[int, ...]
    normalised: bool


@dataclass(frozen=True, kw_only=True)
class OtherLayer:
    """A layer that is not one of `relu_layers`, and why: where its output goes."""

    name: str
    kind: str
    reason: str


@dataclass(frozen=True, eq=False)
class LayerCall:
    """One call of a layer.

    Attributes:
        name: as in `LayerInfo`.
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


def relu_layers(model: nn.Module, example: Any) -> tuple[LayerInfo, ...]:
    """The layers of `model` whose output goes into a ReLU and nowhere else, as they are run.

    Args:
        model: a torch module; it is copied, never changed, and read in evaluation mode.
        example: one input (*input,), or its shape.

    Raises:
        InputError: the forward pass cannot be traced, or takes no such input.

    Example:
        >>> from torch import nn
        >>> net = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(144, 10))
        >>> [(layer.name, layer.n_inputs, layer.n_units) for layer in relu_layers(net, (1, 8, 8))]
        [('0', 64, 144)]
        >>> [(layer.name, layer.reason) for layer in other_layers(net)]
        [('3', "goes into the model's output")]
    """
    example_shape(example)
    traced = trace(model)
    shapes = run_example(traced, example).shapes
    found = []
    for call in layer_calls(traced):
        if call.reason:
            continue
        before = one_input(shapes[call.source], f"the input of {call.name!r}")
        behind = one_input(shapes[call.node], f"layer {call.name!r}")
        found.append(
            LayerInfo(
                name=call.name,
                kind=call.weighted.kind,
                n_inputs=_product(before),
                n_units=_product(behind),
                input_shape=before,
                output_shape=behind,
                normalised=call.norm is not None,
            )
        )
    return tuple(found)


def _product(shape: Sequence[int]) -> int:
    size = 1
    for length in shape:
        size *= length
    return size


def other_layers(model: nn.Module) -> tuple[OtherLayer, ...]:
    """The layers of `model` that `relu_layers` leaves out, each with the reason.

    Raises:
        InputError: the forward pass cannot be traced.
    """
    return tuple(
        OtherLayer(name=call.name, kind=call.weighted.kind, reason=call.reason)
        for call in layer_calls(trace(model))
        if call.reason
    )


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
    source = node.args[0] if node.args else node.kwargs["input"]
    assert isinstance(source, fx.Node)
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
    for each in traced.ancestors(node):
        operation = read_operation(each, traced)
        if isinstance(operation, Norm) and operation.batch_statistics:
            raise InputError(
                f"model: expected BatchNorm with stored statistics, got {operation.name!r}, which "
                "takes them from each batch (track_running_stats=False)"
            )
