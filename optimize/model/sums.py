"""Which ReLUs stand behind a sum of branches?  A residual connection, taken as one layer.

What enters that layer is what enters its branches: a layer in a branch, with the BatchNorm behind
it, is part of it, and a branch without one is an input as it is.
"""

from collections.abc import Iterator
from dataclasses import replace

from torch import fx

from optimize.model.operations import Combine, Move, Norm, Weighted
from optimize.model.paths import Part, is_shift, varying_inputs, weighted_part
from optimize.model.reading import read_operation
from optimize.model.trace import Trace, own_name


def summed_parts(node: fx.Node, traced: Trace) -> tuple[Part, ...]:
    """The branches that a step adds up; () where it is no such sum, or none of them has weights.

    A sum that is a summand itself, and nothing else, is left to the sum it goes into.
    """
    if not _is_sum(node, traced):
        return ()
    if len(node.users) == 1 and _is_sum(next(iter(node.users)), traced):
        return ()
    parts = tuple(_parts(node, traced, 1))
    return parts if any(part.weighted is not None for part in parts) else ()


def _is_sum(node: fx.Node, traced: Trace) -> bool:
    operation = read_operation(node, traced)
    if not isinstance(operation, Combine) or operation.sign not in "+-":
        return False
    sides = (operation.left, operation.right)
    return all(isinstance(side, fx.Node) and side in traced.varying for side in sides)


def _parts(node: fx.Node, traced: Trace, sign: int) -> Iterator[Part]:
    operation = read_operation(node, traced)
    assert isinstance(operation, Combine)
    for side, own in ((operation.left, sign), (operation.right, sign)):
        towards = -own if operation.sign == "-" and side is operation.right else own
        if len(side.users) == 1 and _is_sum(side, traced):
            yield from _parts(side, traced, towards)
        else:
            yield replace(_branch(side, traced), sign=towards)


def _branch(end: fx.Node, traced: Trace) -> Part:
    """The layer whose output ends here, with what is folded into it; else the step as it is."""
    folded: list[fx.Node] = []
    node = end
    while len(node.users) == 1:
        operation = read_operation(node, traced)
        if isinstance(operation, Weighted):
            return replace(weighted_part(node, operation, traced), folded=tuple(folded[::-1]))
        above = varying_inputs(node, traced)
        norm = isinstance(operation, Norm)
        if norm or is_shift(node, traced):
            folded.append(node)
        elif not (isinstance(operation, Move) and operation.in_order):
            break
        if len(above) != 1:
            break
        (node,) = above
    return Part(end, end, None)


def name_of(part: Part) -> str:
    """A branch by its layer, or by the step that is one of the inputs."""
    if part.weighted is not None:
        return str(part.weighted.name)
    return own_name(str(part.node.target)) if part.node.op == "call_module" else part.node.name
