"""How are the steps of a general model run?  Precision, memory layout, compiling, chunks of memory.

None of this applies to a first Linear layer, whose steps are two matrix products
(`optimize/search/problem.py`).  What a search reports is measured in the model's own floating type,
without TF32, whatever the steps were run in.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any, Literal, get_args

import torch
from torch import Tensor

from polytope.errors import InputError

Precision = Literal["float32", "mixed"]

#: Share of the free memory of a CUDA device, and of a computer's memory, that steps may fill.
_CUDA_SHARE, _HOST_SHARE = 0.7, 0.25
#: The backward pass holds gradients beside what the forward pass has saved.
_BACKWARD = 2


@dataclass(frozen=True, kw_only=True)
class Execution:
    """Options of speed and memory; the defaults are right for most.

    Args:
        precision: "float32" runs all in the model's own floating type.  "mixed" runs the steps of
            Adam and of the augmented Lagrangian under autocast to bfloat16 while their learning
            rate is in its first half, and in the model's type from there on; other methods are not
            affected.  A search that ends before that half is over ends as coarse as bfloat16 is.
        compiled: pass the model up to the layer through torch.compile.  It pays on CUDA for long
            searches; the first steps then take a minute or more.
        vertices_at_once: vertices that one forward and backward pass holds; None for what fits
            into 70 % of a CUDA device's free memory, or a quarter of the computer's.
        channels_last: memory layout of images in the steps: what convolutions are fastest in.

    Raises:
        InputError: an option is not as described.
    """

    precision: Precision = "float32"
    compiled: bool = False
    vertices_at_once: int | None = None
    channels_last: bool = True

    def __post_init__(self) -> None:
        """Check all options."""
        if self.precision not in get_args(Precision):
            known = ", ".join(repr(name) for name in get_args(Precision))
            raise InputError(f"precision: expected one of {known}, got {self.precision!r}")
        most = self.vertices_at_once
        if most is not None and (isinstance(most, bool) or not isinstance(most, int) or most < 1):
            raise InputError(f"vertices_at_once: expected at least 1 or None, got {most!r}")

    @property
    def mixed(self) -> bool:
        """Are coarse steps run in bfloat16?"""
        return self.precision == "mixed"


def coarse(device: torch.device, on: bool) -> AbstractContextManager[object]:
    """Autocast to bfloat16 where `on`."""
    return torch.autocast(device.type, torch.bfloat16) if on else nullcontext()


@contextmanager
def strict_float32(device: torch.device) -> Iterator[None]:
    """No TF32 within: cuDNN would use it for convolutions unless told otherwise."""
    if device.type != "cuda":
        yield
        return
    backends: Any = torch.backends
    parts = (backends.cuda.matmul, backends.cudnn.conv, backends.cudnn.rnn)
    before = [part.fp32_precision for part in parts]
    try:
        for part in parts:
            part.fp32_precision = "ieee"
        yield
    finally:
        for part, value in zip(parts, before, strict=True):
            part.fp32_precision = value


def saved_bytes(forward: Callable[[Tensor], Tensor], one: Tensor, kept: set[int]) -> int:
    """Bytes that a forward pass of `one` saves for the backward pass, by distinct memory.

    Args:
        forward: differentiable.
        one: (1, *input).
        kept: addresses of memory that does not grow with the batch (weights).
    """
    sizes: dict[int, int] = {}

    def note(saved: Tensor) -> Tensor:
        storage = saved.untyped_storage()
        if storage.data_ptr() not in kept:
            sizes[storage.data_ptr()] = storage.nbytes()
        return saved

    leaf = one.detach().clone().requires_grad_(True)
    with torch.enable_grad(), torch.autograd.graph.saved_tensors_hooks(note, lambda each: each):
        outputs = forward(leaf)
    return sum(sizes.values()) + outputs.numel() * outputs.element_size()


def memory_for_steps(device: torch.device) -> int:
    """Bytes that the steps may fill."""
    if device.type == "cuda":
        return int(_CUDA_SHARE * torch.cuda.mem_get_info(device)[0])
    return int(_HOST_SHARE * os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))


def fitting(bytes_each: int, device: torch.device) -> int:
    """How many vertices fit, at least 1."""
    return max(1, memory_for_steps(device) // max(1, _BACKWARD * bytes_each))
