"""Which products of matrices are layers?  `x @ W`, mm, addmm, einsum with one side constant."""

from collections.abc import Mapping
from typing import Any

from torch import Tensor, fx

from optimize.model.operations import Operation, Unknown, Weighted
from optimize.model.trace import Trace, own_name

#: Called name -> its arguments: what is added, what enters and what it is multiplied by.
ARGUMENTS: Mapping[str, str] = {
    "matmul": "input other",
    "mm": "input mat2",
    "addmm": "added input mat2",
    "einsum": "equation operands",
}


def read_product(called: str, given: Mapping[str, Any], node: fx.Node, traced: Trace) -> Operation:
    """A product of `ARGUMENTS`, a layer where what it multiplies by is a constant matrix.

    The constant's number of axes is checked where it is known, by the values of a run.
    """
    if called == "einsum":
        return _einsum(node, traced)
    added = given.get("added")
    if given.get("alpha", 1) != 1 or given.get("beta", 1) != 1 or _varies(added, traced):
        return Unknown()
    first, second = given["input"], given.get("other", given.get("mat2"))
    if not _varies(first, traced) or _varies(second, traced) or axes_of(second, traced) != 2:
        return Unknown()
    name = weight_name(second, node)
    return Weighted("Linear", name, second, added, transposed=True, entered=first)


def _varies(value: Any, traced: Trace) -> bool:
    return isinstance(value, fx.Node) and value in traced.varying


def axes_of(value: Any, traced: Trace) -> int | None:
    """How many axes a constant has; None where only a run would say."""
    if not isinstance(value, fx.Node):
        return value.ndim if isinstance(value, Tensor) else None
    if value in traced.dependent:
        return None
    if "axes" not in value.meta:
        (tensor,) = traced.cut([value])(None)
        value.meta["axes"] = tensor.ndim if isinstance(tensor, Tensor) else None
    axes: int | None = value.meta["axes"]
    return axes


def _einsum(node: fx.Node, traced: Trace) -> Operation:
    """`...i,oi->...o` and `...i,io->...o`, whatever the letters; the input on either side."""
    equation, *operands = node.args
    if len(operands) == 1 and isinstance(operands[0], tuple | list):
        operands = list(operands[0])
    if not isinstance(equation, str) or len(operands) != 2 or "->" not in equation:
        return Unknown()
    left, _, out = equation.replace(" ", "").partition("->")
    sides = dict(zip(left.split(","), operands, strict=False))
    if len(sides) != 2 or left.count(",") != 1:
        return Unknown()
    moved = [text for text in sides if _varies(sides[text], traced)]
    if len(moved) != 1 or not moved[0]:
        return Unknown()
    (moving,) = moved
    (fixed,) = [text for text in sides if text != moving]
    lead, summed = moving[:-1], moving[-1:]
    unit = fixed.replace(summed, "")
    plain = len(fixed) == 2 and len(unit) == 1 and unit.isalpha() and unit not in moving
    if not plain or summed in lead or not summed.isalpha() or out != lead + unit:
        return Unknown()
    weight = sides[fixed]
    return Weighted(
        "Linear",
        weight_name(weight, node),
        weight,
        None,
        transposed=fixed == summed + unit,
        entered=sides[moving],
    )


def weight_name(weight: Any, node: fx.Node) -> str:
    """A layer written with functions is named after its weight, by way of what is made of that."""
    while isinstance(weight, fx.Node) and weight.op != "get_attr":
        if len(weight.all_input_nodes) != 1:
            return node.name
        (weight,) = weight.all_input_nodes
    made = ("constant_", "_tensor_constant")  # by the one or the other way of tracing
    if isinstance(weight, fx.Node) and not str(weight.target).startswith(made):
        return own_name(str(weight.target)).removesuffix("weight").removesuffix(".") or node.name
    return node.name
