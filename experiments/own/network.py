"""Which network and input does the command line name?  Opened once, for all that is asked."""

import contextlib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from experiments.models.registry import load_model
from experiments.own.input import Ends, read_rounded
from experiments.own.options import ModelRequest
from optimize import OpenedNetwork, relu_layers
from polytope.errors import InputError
from polytope.files import sha256_bytes, sha256_file


@dataclass(frozen=True, eq=False, kw_only=True)
class OwnNetwork:
    """What the options name.

    Attributes:
        opened: the network.
        given: one input (*input,) in its floating type; None where none was given.
        start: likewise; None where the search starts at the target.
        shape: of one input.
        ends: the bounds of the input; None for no bounds.
        files: what was read: path -> SHA-256.
        source: where the weights are from.
        remarks: how bounds and files were changed to be those of an input, for the tables.
    """

    opened: OpenedNetwork
    given: Tensor | None
    start: Tensor | None
    shape: tuple[int, ...]
    ends: Ends | None
    files: Mapping[str, str]
    source: str
    remarks: tuple[str, ...]

    @property
    def target(self) -> Tensor:
        """The given input.

        Raises:
            InputError: none was given.
        """
        if self.given is None:
            raise InputError("target: expected --target FILE, got none")
        return self.given

    @property
    def target_sha256(self) -> str:
        """SHA-256 of the target's numbers as float64: which target, whatever its file."""
        return sha256_bytes(self.target.double().numpy().tobytes())


def load_network(
    request: ModelRequest, path: Path | None, *, role: str = "target", start: Path | None = None
) -> OwnNetwork:
    """Returns what the options of `layers`, `find` or `compare` name.

    Args:
        request: of the command.
        path: file of the input.
        role: the option that names it.
        start: file of the input that a search starts from.

    Raises:
        InputError: they do not fit together (FileFormatError, ShapeError, NonFiniteError: kinds
            of it).
    """
    loaded = load_model(
        request.model,
        request.weights,
        input_shape=request.input_shape,
        external_data=request.external_data,
    )
    opened, dtype = OpenedNetwork(loaded.module), _floating_type(loaded.module)
    bounds = request.bounds or loaded.ends
    ends = None if bounds == "none" else _in_floats(bounds, dtype)
    known = loaded.input_shape
    given = None if path is None else read_rounded(path, known, ends, dtype, role=role)
    point = None if given is None else given.point
    if point is not None and known is None:
        point = _without_batch(opened, point)
    shape = known if point is None else tuple(point.shape)
    if shape is None:
        raise InputError(
            f"input-shape: expected the sizes of one input of {request.model}, got none; "
            f"give --input-shape, e.g. 3,224,224, or --{role} FILE.npy"
        )
    begin = None if start is None else read_rounded(start, shape, ends, dtype, role="start")
    read = [each for each in (given, begin) if each is not None]
    remarks = [remark for each in read for remark in each.remarks]
    if ends is not None and ends != bounds:
        name = str(dtype).removeprefix("torch.")
        remarks.insert(0, f"bounds: rounded to {name}, the model's: {ends[0]!r} and {ends[1]!r}")
    return OwnNetwork(
        opened=opened,
        given=point,
        start=None if begin is None else begin.point,
        shape=shape,
        ends=ends,
        files={**loaded.files, **{str(each.path): sha256_file(each.path) for each in read}},
        source=loaded.source,
        remarks=tuple(remarks),
    )


def _in_floats(ends: Ends, dtype: torch.dtype) -> Ends:
    """The bounds as the model's floats hold them, which search and images do."""
    lower, upper = (float(torch.tensor(end, dtype=torch.float64).to(dtype)) for end in ends)
    if not (math.isfinite(lower) and math.isfinite(upper) and lower < upper):
        kind = str(dtype).removeprefix("torch.")
        raise InputError(f"bounds: expected two different numbers within {kind}, got {ends}")
    return lower, upper


def _without_batch(opened: OpenedNetwork, point: Tensor) -> Tensor:
    """One input; where the model alone decides, an axis of 1 in front is a batch."""
    if point.ndim < 2 or len(point) != 1:
        return point
    with contextlib.suppress(InputError):
        relu_layers(opened, point)
        return point
    return point[0]


def _floating_type(model: nn.Module) -> torch.dtype:
    kinds = {p.dtype for p in model.parameters() if p.is_floating_point()}
    if len(kinds) != 1:
        names = ", ".join(sorted(map(str, kinds))) or "no parameters"
        raise InputError(f"model: expected weights of one floating type, got {names}")
    return kinds.pop()
