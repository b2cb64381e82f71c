"""Which input of the network does a file hold?  Arrays as they are, images by their grey levels."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import isqrt, prod
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from experiments.datasets.images import SUFFIXES, Resize, decode_image
from experiments.measure.grey_levels import from_levels
from experiments.own.places import InputPlace, place_of
from experiments.readers.arrays import Array, read_arrays
from polytope.errors import FileFormatError, InputError, NonFiniteError, ShapeError

Ends = tuple[float, float]
#: Names under which a file of several arrays may hold the input.
KEYS = ("target", "input", "x")


def read_input(
    path: Path, shape: tuple[int, ...] | None, ends: Ends | None, *, role: str = "target"
) -> Tensor:
    """Returns one input of the network, as stored (an image: float64).

    Args:
        path: .npy, .npz, .safetensors, .pt (one array, or one named target, input or x; of a data
            set the array's 17th input, from 0 on, by FILE:17 or FILE:NAME:17), or an
            image, .png or .jpg: its levels 0 and 255 become the two ends (0 and 1 without ends),
            and another size is squashed to the input's.
        shape: of one input; a leading axis of 1 in the file is dropped, and a flat array is
            brought to it.  None takes the array's own.
        ends: the bounds of the input.
        role: how errors name it.

    Raises:
        FileFormatError: the file cannot be read.
        ShapeError, NonFiniteError, InputError: it does not hold one such input.
    """
    place = place_of(Path(path), role=role)
    path = place.file
    if not path.exists():
        raise FileFormatError(f"{role}: expected a file, got {path}, which does not exist")
    if path.suffix.lower() in SUFFIXES:
        return _image(path, shape, ends or (0.0, 1.0), role)
    found = _numbers(_picked(read_arrays(path), place, role), f"{role} {path}")
    if shape is None or tuple(found.shape) == shape:
        return found
    if tuple(found.shape) == (1, *shape) or (found.ndim == 1 and len(found) == prod(shape)):
        return found.reshape(shape)
    raise ShapeError(f"{role}: expected shape {shape} in {path}, got {tuple(found.shape)}")


def _picked(arrays: Mapping[str, Array], place: InputPlace, role: str) -> Any:
    """The array that is meant, or one input of it."""
    names = [name for name in KEYS if name in arrays] or list(arrays)
    if place.name is not None:
        names = [name for name in arrays if name == place.name]
    if len(names) != 1:
        wanted = f"one array, or one named {', '.join(KEYS)}"
        if place.name is not None:
            wanted = f"an array {place.name!r}"
        raise InputError(
            f"{role}: expected {wanted}, in {place.file}, got {', '.join(sorted(arrays)) or 'none'}"
        )
    array = arrays[names[0]]
    if place.index is None:
        return array
    count = len(array) if array.ndim > 1 else 0
    if not place.index < count:
        raise InputError(
            f"{role}: expected an index below {count}, the inputs in {place.file}, "
            f"got {place.index}"
        )
    return array[place.index]


def _numbers(value: Any, name: str) -> Tensor:
    try:
        tensor = value if isinstance(value, Tensor) else torch.as_tensor(value)
    except TypeError as problem:
        raise FileFormatError(f"{name}: expected numbers, got {value.dtype}") from problem
    if tensor.is_complex() or tensor.layout is not torch.strided or tensor.dtype is torch.bool:
        raise InputError(f"{name}: expected real numbers, got {tensor.dtype} ({tensor.layout})")
    if not bool(torch.isfinite(tensor).all()):
        index = (~torch.isfinite(tensor)).nonzero()[0].tolist()
        raise NonFiniteError(f"{name}: expected finite numbers, got another one at index {index}")
    return tensor


def _image(path: Path, shape: tuple[int, ...] | None, ends: Ends, role: str) -> Tensor:
    if shape is None:
        raise InputError(f"{role}: expected --input-shape beside the image {path}, got none")
    channels, height, width = _as_image(shape, role)
    levels = Resize(height=height, width=width).apply(decode_image(path))
    if channels == 1:
        from PIL import Image

        levels = np.asarray(Image.fromarray(levels).convert("L"))[:, :, None]
    planes = torch.from_numpy(np.moveaxis(levels, -1, 0).copy())
    return from_levels(planes, ends, dtype=torch.float64).reshape(shape)


@dataclass(frozen=True, eq=False)
class Rounded:
    """An input of a file, in the model's floating type.

    Attributes:
        point: (*input,).
        path: the file.
        remarks: what reading it changed, in sentences.
    """

    point: Tensor
    path: Path
    remarks: tuple[str, ...]


def read_rounded(
    path: Path,
    shape: tuple[int, ...] | None,
    ends: Ends | None,
    dtype: torch.dtype,
    *,
    role: str = "target",
) -> Rounded:
    """Returns one input in the model's floating type `dtype`; see `read_input`.

    Nothing is said of the rounding of images, whose grey levels are rounded in any case.

    Raises:
        NonFiniteError: a number is beyond the type's range.
    """
    found = read_input(path, shape, ends, role=role)
    path = place_of(path, role=role).file
    point = found.to(dtype)
    kind, given = (str(each).removeprefix("torch.") for each in (dtype, found.dtype))
    if not bool(torch.isfinite(point).all()):
        raise NonFiniteError(f"{role}: expected numbers within {kind}, the model's, in {path}")
    change = float((point.double() - found.double()).abs().max()) if found.numel() else 0.0
    remark = ""
    if shape is not None and path.suffix.lower() in SUFFIXES:
        remark = image_note(path, shape)
    elif change:
        remark = (
            f"{path.name}: {given} numbers rounded to {kind}, the model's, by at most "
            f"{change:.2g}; what follows is about the rounded ones"
        )
    elif not found.is_floating_point():
        remark = f"{path.name}: {given} numbers, taken as they are"
    return Rounded(point, path, (remark,) if remark else ())


def image_note(path: Path, shape: tuple[int, ...]) -> str:
    """Returns what `read_input` changed of an image besides its scale, "" where nothing.

    Args:
        path: a file that `read_input` has read.
        shape: of one input.
    """
    if Path(path).suffix.lower() not in SUFFIXES:
        return ""
    from PIL import Image

    channels, height, width = _as_image(shape, "input")
    with Image.open(path) as picture:
        (wide, tall), mode = picture.size, picture.mode
    changes = []
    if (tall, wide) != (height, width):
        changes.append(f"{tall} x {wide} pixels squashed to {height} x {width}")
    if channels == 1 and mode not in ("1", "L", "LA"):
        changes.append("colours turned into grey levels")
    return f"{Path(path).name}: {', '.join(changes)}" if changes else ""


def _as_image(shape: tuple[int, ...], role: str) -> tuple[int, int, int]:
    """Channels, height and width; a flat input of a square number is a grey square."""
    if len(shape) == 3 and shape[0] in (1, 3):
        return shape[0], shape[1], shape[2]
    if len(shape) == 2:
        return 1, shape[0], shape[1]
    if len(shape) == 1 and isqrt(shape[0]) ** 2 == shape[0]:
        return 1, isqrt(shape[0]), isqrt(shape[0])
    raise InputError(
        f"{role}: expected an image only where inputs are (3, H, W), (1, H, W), (H, W) or a flat "
        f"square, got inputs of shape {shape}"
    )


def as_picture(point: Tensor) -> Tensor | None:
    """Returns a point (*input) in the shape of an image, or None where it is none."""
    try:
        channels, height, width = _as_image(tuple(point.shape), "point")
    except InputError:
        return None
    return point.reshape((height, width) if channels == 1 else (channels, height, width))
