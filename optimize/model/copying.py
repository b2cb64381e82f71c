"""How is the caller's model left alone?  Private copies, and what others have wrapped around it."""

import copy
import inspect
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from polytope.errors import InputError

_PARALLEL = (nn.DataParallel, nn.parallel.DistributedDataParallel)


def inside_of(module: nn.Module) -> nn.Module:
    """What torch.compile, DataParallel or DistributedDataParallel have wrapped; else itself."""
    while True:
        name = "module" if isinstance(module, _PARALLEL) else "_orig_mod"
        inner = getattr(module, name, None)
        if not isinstance(inner, nn.Module) or (name == "_orig_mod" and not _is_compiled(module)):
            return module
        module = inner


def _is_compiled(module: nn.Module) -> bool:
    return type(module).__module__.startswith("torch._dynamo")


def unwrapped(model: nn.Module) -> nn.Module:
    """A private copy in which no module at all is wrapped; names are those without the wrapping.

    Raises:
        InputError: torch cannot copy the model, or a part of it is no Python any more.
    """
    copied = private_copy(inside_of(model))
    for module in list(copied.modules()):
        for name, child in list(module.named_children()):
            if inside_of(child) is not child:
                setattr(module, name, inside_of(child))
    return copied


def private_copy(model: nn.Module) -> nn.Module:
    """A frozen copy in evaluation mode.

    Raises:
        InputError: torch cannot copy the model, or a part of it is no Python any more.
    """
    refuse_scripts(model)
    if any(each.is_meta for each in model.parameters()):
        raise InputError("model: expected weights with numbers, got some on the meta device")
    try:
        copied = copy.deepcopy(model)
    except (RuntimeError, TypeError, ValueError) as problem:
        reason = str(problem).splitlines()[0]
        raise InputError(
            f"model: expected one that can be copied, got {type(problem).__name__} ({reason}); "
            "make pruned or normalised weights permanent first (torch.nn.utils.prune.remove, "
            "remove_weight_norm)"
        ) from problem
    return copied.eval().requires_grad_(False)


def refuse_scripts(model: nn.Module) -> None:
    """Raise InputError where a module is torch.jit's, whose steps are no Python."""
    for name, module in model.named_modules():
        if isinstance(module, torch.jit.ScriptModule):
            where = f" at {name!r}" if name else ""
            raise InputError(
                f"model: expected a torch.nn.Module in Python, got a ScriptModule{where} (made by "
                "torch.jit.script, trace or load); give the module that it was made from"
            )


def set_inplace(modules: Sequence[nn.Module], value: bool) -> None:
    """Set the option of modules that have it."""
    for module in modules:
        setattr(module, "inplace", value)  # noqa: B010 - no attribute of nn.Module itself


def check_hooks(model: nn.Module) -> None:
    """Raise InputError where a module does something beside its forward pass."""
    for name, module in model.named_modules():
        if type(module).__module__.startswith("torch.export"):  # its guards look at shapes
            continue
        if module._forward_hooks or module._forward_pre_hooks or "forward" in vars(module):
            raise InputError(
                f"model: expected modules without hooks of their own, got {name!r} with one; "
                "remove it (weight_norm, spectral_norm: use torch.nn.utils.parametrizations; "
                "pruning: prune.remove)"
            )


def refuse_batch_statistics(model: nn.Module) -> None:
    """Raise InputError where a BatchNorm has no statistics of its own."""
    for name, module in model.named_modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm) and module.running_mean is None:
            raise of_each_batch(name)


def of_each_batch(name: str) -> InputError:
    """The error for a BatchNorm whose outputs depend on what else is in a batch."""
    return InputError(
        f"model: expected BatchNorm with stored statistics, got {name!r}, which takes them from "
        "each batch (track_running_stats=False)"
    )


def check_signature(model: nn.Module) -> None:
    """Raise InputError where the forward pass needs more than one tensor."""
    refuse_scripts(model)  # whose signature nobody can read
    model = inside_of(model)
    needed = [
        parameter.name
        for parameter in inspect.signature(model.forward).parameters.values()
        if parameter.default is parameter.empty
        and parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD)
    ]
    if len(needed) > 1:
        raise InputError(
            f"model: expected a forward pass of one tensor, got one that needs {', '.join(needed)}"
        )


class OneInput(nn.Module):
    """The model called with one tensor: gives a bare layer a name, and options their defaults."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, x: Tensor) -> Any:
        """The model itself."""
        return self.model(x)
