"""Which function reads which operator?  A registry; what is not in it is taken as it is."""

from collections.abc import Callable

from experiments.models.onnx.build import Builder
from experiments.models.onnx.nodes import Node, Value

#: What a function makes: the first output, or all of them that are in use, by name.
Made = Value | dict[str, Value]
Handler = Callable[[Builder, Node], Made]
OPERATORS: dict[str, Handler] = {}


def op(*names: str) -> Callable[[Handler], Handler]:
    """Registers the function that reads the named operators."""

    def register(handler: Handler) -> Handler:
        OPERATORS.update(dict.fromkeys(names, handler))
        return handler

    return register
