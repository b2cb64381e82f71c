"""What is left of an input once it is an 8-bit image?  Grey levels, and the PNG that holds them."""

from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from polytope.errors import DomainError, InputError, ShapeError
from polytope.files import atomic_path

Rounding = Literal["round", "truncate"]
#: Values of grey levels 0 and 255.
Bounds = tuple[Any, Any]

LEVELS = 255  # the highest grey level of an 8-bit image


def grey_levels(point: Tensor, bounds: Bounds, *, rounding: Rounding = "round") -> Tensor:
    """Returns the 8-bit levels (uint8) of an input; values outside the bounds are clipped.

    A value that is a level up to the rounding of its float type is that level, also when
    truncating: what was read from an 8-bit file is written back unchanged.  Where levels are whole
    numbers, such as 0..255, they need no such room, and truncating is the cast of the authors.

    Args:
        point: any shape.
        bounds: values of level 0 and level 255, numbers or arrays that broadcast.
        rounding: "round" to the nearest level (ties to even), or "truncate" to the next lower one.

    Raises:
        InputError: another rounding.
        DomainError: an upper bound is not above its lower one.
    """
    if rounding not in ("round", "truncate"):
        raise InputError(f"rounding: expected 'round' or 'truncate', got {rounding!r}")
    lower, upper = _ends(point, bounds)
    level = (point.double() - lower) * LEVELS / (upper - lower)
    nearest = level.round()
    if rounding == "truncate":
        # A few units in the last place of the largest value the type had to hold.
        size = torch.maximum(lower.abs(), upper.abs()) / (upper - lower)
        slack = 4 * torch.finfo(point.dtype).eps * LEVELS * size.clamp(min=1)
        # None where the levels are whole numbers, which floats hold: 0..255 as the authors have it.
        step = (upper - lower) / LEVELS
        whole = (lower == lower.round()) & (step == step.round())
        slack = torch.where(whole, torch.zeros_like(slack), slack)
        nearest = torch.where((level - nearest).abs() <= slack, nearest, level.floor())
    return nearest.clamp(0, LEVELS).to(torch.uint8)


def from_levels(levels: Tensor, bounds: Bounds, *, dtype: torch.dtype) -> Tensor:
    """Returns the input that 8-bit levels stand for, in a floating type."""
    lower, upper = _ends(levels, bounds)
    return (lower + levels.double() * (upper - lower) / LEVELS).to(dtype)


def as_8_bit(point: Tensor, bounds: Bounds, *, rounding: Rounding = "round") -> Tensor:
    """Returns an input as it comes back from an 8-bit PNG: see `grey_levels`."""
    return from_levels(grey_levels(point, bounds, rounding=rounding), bounds, dtype=point.dtype)


def _ends(like: Tensor, bounds: Bounds) -> tuple[Tensor, Tensor]:
    lower, upper = (torch.as_tensor(end, dtype=torch.float64, device=like.device) for end in bounds)
    if not bool((upper > lower).all()):
        raise DomainError("bounds: expected upper > lower for an image's levels, got equal ends")
    return lower, upper


def write_png(
    path: Path, point: Tensor, bounds: Bounds, *, rounding: Rounding = "round", bgr: bool = False
) -> Path:
    """Writes one input as an 8-bit PNG, atomically.

    Args:
        path: ends in .png.
        point: (H, W) or (1, H, W) grey, (3, H, W) colours.
        bounds: as for `grey_levels`.
        rounding: as for `grey_levels`.
        bgr: the channels are blue, green, red.

    Raises:
        ShapeError: the input is no image.
        OutputError: it cannot be written.
    """
    from PIL import Image  # comes with matplotlib

    levels = grey_levels(point.detach().cpu(), bounds, rounding=rounding).numpy()
    if levels.ndim == 3 and levels.shape[0] == 1:
        levels = levels[0]
    elif levels.ndim == 3 and levels.shape[0] == 3:
        levels = np.moveaxis(levels[::-1] if bgr else levels, 0, -1)
    if not (levels.ndim == 2 or (levels.ndim == 3 and levels.shape[2] == 3)):
        raise ShapeError(f"point: expected (H, W), (1, H, W) or (3, H, W), got {levels.shape}")
    with atomic_path(Path(path)) as temporary:
        Image.fromarray(np.ascontiguousarray(levels)).save(temporary, format="PNG")
    return Path(path)
