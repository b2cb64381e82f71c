"""What of a step that nothing is known of?  It and all that follows from it cannot be asked about.

Such a step stands in the module with all that it reads, so that whoever looks where a layer's
output goes finds it, and it says why when it is run.  Layers that do not depend on it are read.
"""

from typing import Any

from torch import Tensor, nn

from experiments.models.onnx.build import Builder
from experiments.models.onnx.nodes import Node, Unknown
from polytope.errors import InputError

#: Operators that hold weights, by which they are layers where everything else is known.
WEIGHTED = (
    *("Gemm", "MatMul", "Conv", "ConvTranspose", "Einsum", "DeformConv"),
    *("MatMulInteger", "ConvInteger", "QLinearMatMul", "QLinearConv", "RNN", "GRU", "LSTM"),
)


class Beyond(nn.Module):
    """A step that is never run.

    Args:
        reason: why not.
    """

    #: What traces a network does not look inside.
    one_step = True
    #: Why it is no layer, where it holds a matrix; "" where it holds none.
    weighted_reason = ""

    def __init__(self, reason: str) -> None:
        super().__init__()
        self._reason = reason

    def forward(self, *_: Tensor) -> Any:
        """Says why there is no answer."""
        raise InputError(
            f"model: expected steps that can be run, got one that cannot: {self._reason}"
        )


def take_as_unknown(b: Builder, node: Node, reason: str) -> None:
    """Adds an operator of which nothing is known but what it reads."""
    read = [b.values[name].node for name in node.reads if name in b.values]
    read += [b.beyond[name].node for name in node.reads if name in b.beyond]
    kind = type(node.op, (Beyond,), {})  # what a message calls it
    module = kind(reason)
    if is_weighted(b, node):
        module.weighted_reason = f"is, or lies behind, a step that cannot be run: {reason}"
    b.root.add_module(node.name, module)
    # What depends on no input, like random numbers, is made to: it is no constant.
    step = b.graph.call_module(node.name, tuple(read) or (b.entry,))
    for name in node.outputs:
        if name:
            b.beyond[name] = Unknown(step, reason)


def is_weighted(b: Builder, node: Node) -> bool:
    """Does an operator multiply what enters it by a matrix of the file's?"""
    matrices = [name for name in node.inputs if name in b.constants and b.constants[name].ndim > 1]
    return node.op in WEIGHTED and bool(matrices)
