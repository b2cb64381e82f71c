"""Is what the caller gave usable?  Targets, starts, units and bounds, checked before any work."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from optimize.model.layers import LayerReader
from optimize.model.opened import OpenedNetwork
from polytope.errors import DomainError, InputError, NonFiniteError, ShapeError, UnitError

Units = int | Sequence[int] | Sequence[Sequence[int]]
Bounds = tuple[Any, Any] | None


@dataclass(frozen=True)
class Request:
    """Checked arguments of a search, on the reader's device.

    Attributes:
        targets: (T, *input) in the model's floating type.
        lower, upper: (D,) float64, possibly infinite.
    """

    targets: Tensor
    lower: Tensor
    upper: Tensor

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of one input."""
        return tuple(self.targets.shape[1:])


def read_tensor(name: str, value: Any, like: LayerReader) -> Tensor:
    """A finite tensor in the model's floating type from a tensor, an array or nested numbers."""
    if isinstance(value, Tensor):
        tensor = value.detach()
    else:
        try:
            tensor = torch.as_tensor(np.asarray(value))
        except (TypeError, ValueError) as problem:
            raise InputError(
                f"{name}: expected a tensor or an array of numbers, got {type(value).__name__}"
            ) from problem
    if tensor.is_complex():
        raise InputError(f"{name}: expected real numbers, got {tensor.dtype}")
    tensor = tensor.to(device=like.device, dtype=like.dtype)
    if not bool(torch.isfinite(tensor).all()):
        raise NonFiniteError(f"{name}: expected finite numbers, got NaN or infinity")
    return tensor


def read_layer(
    model: nn.Module | OpenedNetwork,
    layer: str,
    target: Any,
    *,
    batched: bool | None = None,
    device: torch.device,
) -> LayerReader:
    """The layer in front of a ReLU; where the model is read at an example, that is a target.

    Raises:
        InputError: there is no such layer, or no ReLU behind it.
        ShapeError: the model takes neither the target nor the first of several.
    """
    opened = OpenedNetwork.of(model)
    if opened.untraced is None:
        reader = LayerReader(opened, layer, device)
    else:
        reader = _read_at(opened, layer, target, batched=batched, device=device)
    reader.expect_relu()
    return reader


def _read_at(
    opened: OpenedNetwork,
    layer: str,
    target: Any,
    *,
    batched: bool | None,
    device: torch.device,
) -> LayerReader:
    """The layer at the first of a batch of targets, where the model takes it so; else at one."""
    tensor = target if isinstance(target, Tensor) else torch.as_tensor(np.asarray(target))
    if batched is not False and tensor.ndim > 1 and len(tensor):
        try:
            reader = LayerReader(opened, layer, device, example=tensor[0])
            given = tensor.to(device=reader.device, dtype=reader.dtype)
            if batched or reader.accepts_batch(given):
                return reader
        except ShapeError:
            if batched:
                raise
    return LayerReader(opened, layer, device, example=tensor)


def read_request(
    reader: LayerReader, target: Any, bounds: Bounds, *, batched: bool | None = None
) -> Request:
    """Tell one target from a batch, and check it against the model and the bounds.

    A target is read as a batch (T, *input) where the model takes it so, each input for itself, else
    as one input; `batched` overrides this.

    Raises:
        ShapeError: the model takes the target neither as a batch nor as one input.
        NonFiniteError, DomainError, InputError: NaN or infinity, outside the bounds, no numbers.
    """
    tensor = read_tensor("target", target, reader)
    # A Linear on several vectors of each input is taken where the caller says what a batch is.
    for positions in (False, True) if batched is not None else (False,):
        if batched is not False and reader.accepts_batch(tensor, positions=positions):
            targets = tensor
            break
        if batched is not True and reader.accepts_batch(tensor[None], positions=positions):
            targets = tensor[None]
            break
    else:
        raise ShapeError(
            f"target: expected one input of the model or a batch of them, up to layer "
            f"{reader.name!r}, got shape {tuple(tensor.shape)} (say batched=True or False where a "
            "layer is given several vectors of each input)"
        )
    reader.check(targets[:1])
    reader.confirm(targets)
    lower, upper = _read_bounds(bounds, tuple(targets.shape[1:]), reader)
    request = Request(targets, lower, upper)
    check_inside("target", targets.flatten(1), request)
    return request


def _read_bounds(
    bounds: Bounds, shape: tuple[int, ...], reader: LayerReader
) -> tuple[Tensor, Tensor]:
    """Lower and upper bounds (D,) in float64."""
    if bounds is None:
        bounds = (None, None)
    if not isinstance(bounds, tuple | list) or len(bounds) != 2:
        raise InputError(f"bounds: expected None or a pair (lower, upper), got {bounds!r}")
    ends = []
    for name, value, missing in zip(("lower", "upper"), bounds, (-np.inf, np.inf), strict=True):
        source = value.detach().cpu() if isinstance(value, Tensor) else value
        try:
            array = np.asarray(missing if source is None else source, dtype=np.float64)
        except (TypeError, ValueError) as problem:
            raise InputError(
                f"bounds: expected numbers or None as {name} end, got {type(value).__name__}"
            ) from problem
        if np.isnan(array).any():
            raise NonFiniteError(f"bounds: expected numbers as {name} end, got NaN")
        try:
            whole = np.broadcast_to(array, shape).reshape(-1)
        except ValueError as problem:
            raise ShapeError(
                f"bounds: expected a {name} end that fits inputs of shape {shape}, "
                f"got shape {array.shape}"
            ) from problem
        ends.append(torch.tensor(whole, dtype=torch.float64, device=reader.device))
    lower, upper = ends
    if bool((lower > upper).any()):
        at = int((lower > upper).nonzero()[0])
        raise DomainError(
            f"bounds: expected lower <= upper, got {float(lower[at])} > {float(upper[at])} "
            f"at coordinate {at}"
        )
    if bool((lower == torch.inf).any()) or bool((upper == -torch.inf).any()):
        raise DomainError("bounds: expected a lower end < inf and an upper end > -inf, got neither")
    return lower, upper


def check_inside(name: str, points: Tensor, request: Request) -> None:
    """Raise DomainError unless every point (n, D) lies in the bounds."""
    exact = points.double()
    outside = (exact < request.lower) | (exact > request.upper)
    if bool(outside.any()):
        row, at = (int(i) for i in outside.nonzero()[0])
        raise DomainError(
            f"{name}: expected values within the bounds [{float(request.lower[at])}, "
            f"{float(request.upper[at])}], got {float(exact[row, at])} at coordinate {at} "
            f"of input {row}"
        )


def read_start(reader: LayerReader, start: Any, request: Request) -> Tensor:
    """Starting points (T, D): the targets, one shared input, or one input per target.

    Raises:
        ShapeError, NonFiniteError, DomainError, InputError: as for the target.
    """
    if isinstance(start, str):
        if start != "target":
            raise InputError(f"start: expected an array or the word 'target', got {start!r}")
        return request.targets.flatten(1)
    tensor = read_tensor("start", start, reader)
    count = len(request.targets)
    if tuple(tensor.shape) == request.shape:
        tensor = tensor[None].expand(count, *request.shape)
    elif tuple(tensor.shape) == (1, *request.shape):
        tensor = tensor.expand(count, *request.shape)
    elif tuple(tensor.shape) != (count, *request.shape):
        raise ShapeError(
            f"start: expected shape {request.shape} or {(count, *request.shape)}, "
            f"got {tuple(tensor.shape)}"
        )
    points = tensor.flatten(1)
    check_inside("start", points, request)
    return points


def read_units(units: Units | Tensor, target_pre: Tensor) -> Tensor:
    """Units (T, U) for T targets with pre-activations (T, N), each inactive for its target.

    An int asks for the first so many inactive units of each target (the paper's choice, with 5).

    Raises:
        UnitError: a unit does not exist or is active, or a target has too few inactive units.
        ShapeError: the list is empty, or its rows do not fit the targets.
        InputError: not whole numbers.
    """
    count, width = target_pre.shape
    inactive = target_pre <= 0
    if isinstance(units, int) and not isinstance(units, bool):
        return _first_inactive(units, inactive)
    try:
        array = np.asarray(units.detach().cpu() if isinstance(units, Tensor) else units)
    except ValueError as problem:
        raise ShapeError(
            "units: expected the same number of units for every target, got rows of unequal length"
        ) from problem
    if array.size == 0 or array.ndim not in (1, 2):
        raise ShapeError(f"units: expected a list, or one list per target, got {units!r}")
    if not np.issubdtype(array.dtype, np.integer):
        raise InputError(f"units: expected whole numbers, got {units!r}")
    if array.ndim == 2 and len(array) != count:
        raise ShapeError(f"units: expected {count} rows, one per target, got {len(array)}")
    table = torch.tensor(np.broadcast_to(array, (count, array.shape[-1])).astype(np.int64))
    outside = (table < 0) | (table >= width)
    if bool(outside.any()):
        raise UnitError(f"units: expected units 0 to {width - 1}, got {int(table[outside][0])}")
    table = table.to(target_pre.device)
    active = ~inactive.gather(1, table)
    if bool(active.any()):
        row, at = (int(i) for i in active.nonzero()[0])
        raise UnitError(
            f"units: expected inactive units, got unit {int(table[row, at])}, which is active "
            f"(pre-activation {float(target_pre[row, table[row, at]]):.6g}) for target {row}"
        )
    return table


def _first_inactive(units: int, inactive: Tensor) -> Tensor:
    if units < 1:
        raise InputError(f"units: expected at least 1, got {units}")
    least = inactive.sum(1)
    if int(least.min()) < units:
        row = int(least.argmin())
        raise UnitError(
            f"units: expected at most {int(least.min())}, the inactive units of target {row}, "
            f"got {units}"
        )
    # A stable descending sort of the mask lists the inactive units first, in index order.
    return torch.sort(inactive.to(torch.int8), dim=1, descending=True, stable=True)[1][:, :units]
