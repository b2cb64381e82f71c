"""Where does the output of a step go, and what is folded into it on the way?"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from torch import fx

from optimize.model.operations import Border, Combine, Metadata, Move, Norm, Pool, Weighted
from optimize.model.reading import read_operation
from optimize.model.trace import Trace


@dataclass(frozen=True, eq=False)
class Part:
    """One summand of a pre-activation.

    Attributes:
        source: the step that enters it.
        node: the step that is the layer; `source` itself where nothing is done to it.
        weighted: what it computes; None where it is `source` itself.
        folded: the steps that are folded into it alone, in order: BatchNorms, constants added.
        sign: 1, or -1 where it is subtracted.
    """

    source: fx.Node
    node: fx.Node
    weighted: Weighted | None
    folded: tuple[fx.Node, ...] = ()
    sign: int = 1


def weighted_part(node: fx.Node, weighted: Weighted, traced: Trace) -> Part:
    """A layer alone, zeros in front of a convolution taken as its own."""
    source = entered(node) if weighted.entered is None else weighted.entered
    while (bare := _inside(source, weighted, traced)) is not None:
        source, weighted = bare
    return Part(source, node, weighted)


def entered(node: fx.Node) -> fx.Node:
    """The step that a step is given first."""
    source = node.args[0] if node.args else node.kwargs["input"]
    assert isinstance(source, fx.Node)
    return source


def _inside(source: fx.Node, weighted: Weighted, traced: Trace) -> tuple[fx.Node, Weighted] | None:
    """What a border of zeros is put around, and the convolution with that border as its own.

    The zeros are part of the layer: as inputs of it they would be free, and no network's.
    """
    operation, kind = read_operation(source, traced), weighted.kind
    if kind not in ("Conv1d", "Conv2d", "Conv3d") or not isinstance(operation, Border):
        return None
    sizes, axes = operation.sizes, int(kind[-2])
    if not sizes or len(sizes) > 2 * axes or min(sizes) < 0 or weighted.padding_mode != "zeros":
        return None
    whole = (*sizes, *(0,) * (2 * axes - len(sizes)))
    known = weighted.border or (0,) * (2 * axes)
    border = tuple(a + b for a, b in zip(whole, known, strict=True))
    return entered(source), replace(weighted, border=border)


def ends(node: fx.Node, traced: Trace, *, pooled: bool) -> list[fx.Node]:
    """The steps in which the entries of `node` end, behind what keeps them in their order.

    With `pooled`, max-pools are passed too.
    """
    found: dict[fx.Node, None] = {}
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
                found[user] = None
    return list(found)


def varying_inputs(node: fx.Node, traced: Trace) -> list[fx.Node]:
    """The arguments of a step that depend on the entries of the model's input."""
    return [each for each in node.all_input_nodes if each in traced.varying]


def is_shift(node: fx.Node, traced: Trace) -> bool:
    """Does the step add a constant, or subtract one?"""
    operation = read_operation(node, traced)
    if not isinstance(operation, Combine) or len(varying_inputs(node, traced)) != 1:
        return False
    return operation.sign == "+" or (operation.sign == "-" and operation.left in traced.varying)


def folded_behind(node: fx.Node, traced: Trace) -> tuple[fx.Node, ...]:
    """The steps that can be folded into `node`, in order: constants added, one BatchNorm.

    Each is all that the output of the one before goes into.
    """
    folded: list[fx.Node] = []
    normalised = False
    while True:
        reached = ends(folded[-1] if folded else node, traced, pooled=False)
        if len(reached) != 1:
            break
        norm = isinstance(read_operation(reached[0], traced), Norm)
        if (norm and normalised) or (not norm and not is_shift(reached[0], traced)):
            break
        normalised = normalised or norm
        folded.append(reached[0])
    return tuple(folded)


def last_of(node: fx.Node, folded: Sequence[fx.Node]) -> fx.Node:
    """The step behind all that is folded into one."""
    return folded[-1] if folded else node
