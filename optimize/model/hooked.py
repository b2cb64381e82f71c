"""What enters and leaves a module of a model, found by a hook?  The model itself is run up to it.

This is how a graph is held against its model, and how a model that cannot be traced is read.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from polytope.errors import InputError


class _Reached(Exception):
    """Carries a module's arguments and output out of the model; never leaves this module."""

    def __init__(self, inputs: tuple[Any, ...], outputs: Tensor) -> None:
        super().__init__("reached the layer")
        self.inputs = inputs
        self.outputs = outputs


class _Used(TorchFunctionMode):
    """Ends the run of a model as soon as a tensor like the one wanted goes into a call of torch."""

    def __init__(self, like: Callable[[Tensor], bool]) -> None:
        super().__init__()
        self.like = like

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        """Look at the first argument, and run the call."""
        if args and isinstance(args[0], Tensor) and self.like(args[0]):
            raise _Reached((), args[0])
        return func(*args, **(kwargs or {}))


def is_used(model: nn.Module, inputs: Tensor, like: Callable[[Tensor], bool]) -> bool:
    """Does the model itself, run on inputs, put such a tensor into a call of torch?"""
    try:
        with torch.no_grad(), _Used(like):
            model(inputs)
    except _Reached:
        return True
    return False


class Hooked(nn.Module):
    """A model, run up to one call of a module of it and no further.

    Args:
        model: the model.
        module: of it.
        name: the layer's, for errors.
        call: which call of the module, from 1 on.
    """

    def __init__(self, model: nn.Module, module: nn.Module, name: str, *, call: int = 1) -> None:
        super().__init__()
        self.model, self.module, self.name, self.call = model, module, name, call

    def forward(self, inputs: Tensor) -> tuple[Any, Tensor]:
        """What the module is given, None where that has a name, and what it gives.

        Raises:
            InputError: it is not called so often.
        """
        left = self.call

        def stop(_module: nn.Module, given: tuple[Any, ...], outputs: Tensor) -> None:
            nonlocal left
            left -= 1
            if left == 0:
                raise _Reached(given, outputs)

        handle = self.module.register_forward_hook(stop)
        try:
            self.model(inputs)
        except _Reached as reached:
            return next(iter(reached.inputs), None), reached.outputs
        finally:
            handle.remove()
        raise InputError(f"layer: {self.name!r} is never reached in the model's forward pass")
