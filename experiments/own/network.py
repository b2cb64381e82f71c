"""Which network, layer and input does the command line name?  Shared by layers, find, compare."""

import contextlib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from experiments.models.registry import load_model
from experiments.own.input import (
    Ends,
    as_model_floats,
    image_note,
    read_input,
)
from experiments.own.options import ModelRequest
from experiments.run.files import sha256_file
from optimize import relu_layers
from polytope.errors import InputError


@dataclass(frozen=True, eq=False, kw_only=True)
class OwnNetwork:
    """What the options name.

    Attributes:
        model: in evaluation mode.
        target: one input (*input,) in the model's floating type; None where none was given.
        start: likewise; None where the search starts at the target.
        shape: of one input.
        ends: the bounds of the input; None for no bounds.
        files: what was read: path -> SHA-256.
        source: where the weights are from.
        remarks: how bounds and files were changed to be those of an input, for the tables.
    """

    model: nn.Module
    target: Tensor | None
    start: Tensor | None
    shape: tuple[int, ...]
    ends: Ends | None
    files: Mapping[str, str]
    source: str
    remarks: tuple[str, ...]


def load_network(options: ModelRequest, *, role: str = "target") -> OwnNetwork:
    """Returns what the options of `layers`, `find` or `compare` name.

    Args:
        options: of the command.
        role: the option that holds the input's file, "target" or "input".

    Raises:
        InputError: they do not fit together (FileFormatError, ShapeError, NonFiniteError: kinds
            of it).
    """
    path: Path | None = getattr(options, role)
    loaded = load_model(
        options.model,
        options.weights,
        input_shape=options.input_shape,
        external_data=options.external_data,
    )
    dtype = _floating_type(loaded.module)
    asked = None if options.bounds == "none" else options.bounds
    ends, remark = _in_floats(loaded.ends if options.bounds is None else asked, dtype)
    target = None if path is None else read_input(path, loaded.input_shape, ends, role=role)
    shape = loaded.input_shape if target is None else tuple(target.shape)
    if shape is None:
        raise InputError(
            f"input-shape: expected the sizes of one input of {options.model}, got none; "
            f"give --input-shape, e.g. 3,224,224, or --{role} FILE.npy"
        )
    if target is not None and loaded.input_shape is None:
        target, shape = _without_batch(loaded.module, target)
    files = dict(loaded.files)
    start_path: Path | None = getattr(options, "start", None)
    start, remarks = None, [remark]
    if path is not None and target is not None:
        target, remark = as_model_floats(target, dtype, path, role=role)
        remarks += [remark, image_note(path, shape)]
    if start_path is not None:
        start = read_input(start_path, shape, ends, role="start")
        start, remark = as_model_floats(start, dtype, start_path, role="start")
        remarks += [remark, image_note(start_path, shape)]
    for each in (path, start_path):
        if each is not None:
            files[str(each)] = sha256_file(each)
    return OwnNetwork(
        model=loaded.module,
        target=target,
        start=start,
        shape=shape,
        ends=ends,
        files=files,
        source=loaded.source,
        remarks=tuple(filter(None, remarks)),
    )


def _in_floats(ends: Ends | None, dtype: torch.dtype) -> tuple[Ends | None, str]:
    """The bounds as the model's floats hold them, which search and images do, and a remark."""
    if ends is None:
        return None, ""
    kind = str(dtype).removeprefix("torch.")
    lower, upper = (float(torch.tensor(end, dtype=torch.float64).to(dtype)) for end in ends)
    if not (math.isfinite(lower) and math.isfinite(upper) and lower < upper):
        raise InputError(f"bounds: expected two different numbers within {kind}, got {ends}")
    if (lower, upper) == ends:
        return ends, ""
    return (lower, upper), f"bounds: rounded to {kind}, the model's: {lower!r} and {upper!r}"


def _without_batch(model: nn.Module, target: Tensor) -> tuple[Tensor, tuple[int, ...]]:
    """The target as one input; where the model alone decides, an axis of 1 in front is a batch."""
    if target.ndim < 2 or len(target) != 1:
        return target, tuple(target.shape)
    with contextlib.suppress(InputError):
        relu_layers(model, tuple(target.shape))
        return target, tuple(target.shape)
    return target[0], tuple(target.shape[1:])


def _floating_type(model: nn.Module) -> torch.dtype:
    kinds = {p.dtype for p in model.parameters() if p.is_floating_point()}
    if len(kinds) != 1:
        names = ", ".join(sorted(map(str, kinds))) or "no parameters"
        raise InputError(f"model: expected weights of one floating type, got {names}")
    return kinds.pop()
