"""Which layers does a model call, and where does the output of each go?

A layer is a Linear, a convolution, a product with a constant matrix, or a sum of such (sums.py).
The claim of a collision needs that the layer's output is used through its ReLU *only*: then
whatever has the same post-activation has the same output of the model.  So every path from the
layer must reach a ReLU, and on the way there may stand

* what keeps all entries in their order (reshapes, dropout in evaluation mode, identities);
* constants that are added, and one BatchNorm in evaluation mode, the same for all paths: they are
  folded, the output of the last of them is then the pre-activation;
* max-pools behind that: a maximum commutes with the ReLU, so nothing but the post-activation is
  used.

A layer whose output is used in another way as well (added to something, averaged, returned) is not
one of `relu_layers`; `other_layers` says why.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from weakref import WeakKeyDictionary

from torch import fx

from optimize.model.copying import of_each_batch
from optimize.model.operations import Norm, Rectifier, Weighted
from optimize.model.others import NEVER, unread_layers
from optimize.model.paths import Part, ends, folded_behind, last_of, weighted_part
from optimize.model.reading import describe, read_operation
from optimize.model.sums import name_of, summed_parts
from optimize.model.trace import Trace
from polytope.errors import InputError


@dataclass(frozen=True, eq=False, kw_only=True)
class LayerCall:
    """One call of a layer.

    Attributes:
        name: as torch names it; a later call of the same module is called "name#2", "name#3".
        kind: "Linear", "Conv2d", ..., or "Sum" where several parts are added up.
        parts: what is added up; one, mostly.
        node: the step that is the layer.
        folded: the steps folded into all of it, in order.
        reason: why it is not a layer in front of a ReLU; "" where it is one.
        is_output: whether its pre-activation is the model's output and nothing else.
        of_batch: the BatchNorm that takes statistics from each batch, where it depends on one; "".
    """

    name: str
    kind: str
    parts: tuple[Part, ...]
    node: fx.Node
    folded: tuple[fx.Node, ...]
    reason: str
    is_output: bool
    of_batch: str = ""

    @property
    def pre_activation(self) -> fx.Node:
        """The layer's own step, or that of the last thing folded into it."""
        return last_of(self.node, self.folded)

    @property
    def sources(self) -> tuple[fx.Node, ...]:
        """The steps that enter it, each once."""
        return tuple(dict.fromkeys(part.source for part in self.parts))

    @property
    def source(self) -> fx.Node:
        """The step that enters it, the first of several."""
        return self.parts[0].source

    @property
    def weighted(self) -> Weighted:
        """What the first part that has weights computes."""
        return next(part.weighted for part in self.parts if part.weighted is not None)

    def normalised(self, traced: Trace) -> bool:
        """Is a BatchNorm folded into it?"""
        steps = (*self.folded, *(each for part in self.parts for each in part.folded))
        return any(isinstance(read_operation(each, traced), Norm) for each in steps)


#: Found once for each trace, of which many layers are asked for.
_CALLS: WeakKeyDictionary[Trace, tuple[LayerCall, ...]] = WeakKeyDictionary()


def layer_calls(traced: Trace) -> tuple[LayerCall, ...]:
    """Every call of a layer on something that depends on the input, in order of execution."""
    if traced not in _CALLS:
        _CALLS[traced] = _layer_calls(traced)
    return _CALLS[traced]


def _layer_calls(traced: Trace) -> tuple[LayerCall, ...]:
    calls, seen = [], dict[str, int]()
    for node in traced.graph.nodes:
        call = _call_at(node, traced) if node in traced.varying else None
        if call is None:
            continue
        count = seen[call.name] = seen.get(call.name, 0) + 1
        calls.append(call if count == 1 else replace(call, name=f"{call.name}#{count}"))
    of_batch = _of_batch(traced)
    return tuple(_with_norm(call, of_batch.get(call.pre_activation, "")) for call in calls)


def _of_batch(traced: Trace) -> dict[fx.Node, str]:
    """Steps that depend on statistics of each batch -> the first BatchNorm that takes them."""
    found: dict[fx.Node, str] = {}
    for node in traced.graph.nodes:
        before = [found[each] for each in node.all_input_nodes if each in found]
        operation = read_operation(node, traced)
        if before:
            found[node] = before[0]
        elif isinstance(operation, Norm) and operation.batch_statistics:
            found[node] = operation.name
    return found


def _with_norm(call: LayerCall, name: str) -> LayerCall:
    """A call that depends on the statistics of the BatchNorm `name`, if there is one."""
    if not name:
        return call
    reason = call.reason or (
        f"depends on BatchNorm {name!r}, which takes its statistics from each batch "
        "(track_running_stats=False)"
    )
    return replace(call, reason=reason, of_batch=name)


def _call_at(node: fx.Node, traced: Trace) -> LayerCall | None:
    """The layer that a step is; of sums, only those in front of a ReLU are layers at all."""
    operation = read_operation(node, traced)
    if isinstance(operation, Weighted):
        part = weighted_part(node, operation, traced)
        return _call(operation.name, operation.kind, (part,), node, traced)
    if parts := summed_parts(node, traced):
        call = _call("+".join(name_of(part) for part in parts), "Sum", parts, node, traced)
        return None if call.reason else call
    return None


def _call(name: str, kind: str, parts: tuple[Part, ...], node: fx.Node, traced: Trace) -> LayerCall:
    folded = folded_behind(node, traced)
    pre = last_of(node, folded)
    plain = ends(pre, traced, pooled=False)
    reached = ends(pre, traced, pooled=True)
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
    return LayerCall(
        name=name,
        kind=kind,
        parts=parts,
        node=node,
        folded=folded,
        reason=reason,
        is_output=bool(plain) and all(each.op == "output" for each in plain),
    )


def find_call(traced: Trace, name: str) -> LayerCall:
    """The call of the layer `name`, if its output goes into a ReLU or is the model's output.

    Raises:
        InputError: there is no such layer, it is never reached, or its output goes elsewhere.
    """
    calls = layer_calls(traced)
    found = next((call for call in calls if call.name == name), None)
    possible = ", ".join(repr(call.name) for call in calls if not call.reason) or "none"
    if found is None:
        for other in unread_layers(traced, [call.name for call in calls]):
            if other.name == name and other.reason == NEVER:
                raise InputError(f"layer: {name!r} {NEVER}")
            if other.name == name:
                raise InputError(
                    f"layer: expected one whose output goes into a ReLU (this model has: "
                    f"{possible}), got {name!r} ({other.kind}), which {other.reason}"
                )
        known = ", ".join(repr(call.name) for call in calls) or "none"
        raise InputError(
            f"layer: expected the name of a Linear or Conv2d layer (this model has: {known}), "
            f"got {name!r}"
        )
    if found.of_batch:
        raise of_each_batch(found.of_batch)
    if found.reason and not found.is_output:
        raise InputError(
            f"layer: expected one whose output goes into a ReLU (this model has: {possible}), "
            f"got {name!r}, whose output {found.reason}"
        )
    return found


WIDENED = "is added to something of another shape"


def keeps_size(call: LayerCall, shapes: Mapping[fx.Node, tuple[int, ...]]) -> bool:
    """Has all that is folded or added up one and the same number of entries?"""
    parts = [step for part in call.parts for step in (part.node, *part.folded)]
    several = parts if len(call.parts) > 1 else []
    lengths = {math.prod(shapes[each]) for each in (call.node, *call.folded, *several)}
    return len(lengths) == 1


def expect_relu(traced: Trace, call: LayerCall) -> None:
    """Raise InputError for the model's output: no ReLU makes its points collide."""
    if call.reason:
        possible = ", ".join(repr(each.name) for each in layer_calls(traced) if not each.reason)
        raise InputError(
            f"layer: expected one whose output goes into a ReLU (this model has: "
            f"{possible or 'none'}), got {call.name!r}, which is the model's output: points of "
            "equal post-activation differ there.  All its outputs equal is another question: "
            'input_polytope(..., target="preactivation"), or collide certify MODEL LAYER '
            "--equal preactivation"
        )
