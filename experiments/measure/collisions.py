"""In which sense does a point collide?  The meanings of a collision, kept apart.

Every number is about one layer of one network.  *Exact* speaks of the layer's real arithmetic at
its stored input; the others speak of the network's float run on the reader's device.
"""

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import torch
from torch import Tensor

from experiments.measure.grey_levels import Bounds, as_8_bit
from optimize import LayerReader
from polytope import CollisionPolytope
from polytope.errors import ShapeError


@dataclass(frozen=True, kw_only=True)
class Meanings:
    """In which senses one point collides with the target.

    Attributes:
        exact: equal over the rationals: the layer's input at the point, as the float run stores
            it, lies in the exact collision polytope; None where no polytope was given.
        exact_tolerance: the least tolerance at which it collides over the rationals; likewise.
        bit_equal: the float run gives the same post-activations, bit for bit (a zero of either
            sign is one number): each point alone in a batch of one, as the target, on one device.
        tolerance: largest difference of post-activations in that float run.
        png_tolerance: the same after saving as an 8-bit PNG, values rounded; None without bounds.
        png_truncated: the same with values truncated, as the authors' scripts measured.
        png_bit_equal: whether the rounded PNG's post-activations are bit-equal; None likewise.
    """

    exact: bool | None
    exact_tolerance: Fraction | None
    bit_equal: bool
    tolerance: float
    png_tolerance: float | None = None
    png_truncated: float | None = None
    png_bit_equal: bool | None = None


def collision_meanings(
    reader: LayerReader,
    target: Any,
    points: Any,
    *,
    polytope: CollisionPolytope | None = None,
    bounds: Bounds | None = None,
) -> tuple[Meanings, ...]:
    """Returns in which senses each point collides with the target.

    Args:
        reader: the layer inside its network, on the device whose floats are meant.
        target: one input (*input,).
        points: (V, *input).
        polytope: the target's collision polytope in the layer's own input space; None leaves the
            exact meaning out.
        bounds: values of the input that are grey levels 0 and 255 (numbers, or arrays that
            broadcast to the input); None where the input is no image.

    Raises:
        ShapeError: points and target do not fit together.
        DomainError: an upper bound is not above its lower one.
    """
    wanted = reader_tensor(reader, target)
    batch = reader_tensor(reader, points)
    if batch.ndim != wanted.ndim + 1 or batch.shape[1:] != wanted.shape:
        raise ShapeError(
            f"points: expected shape (V, {', '.join(map(str, wanted.shape))}), "
            f"got {tuple(batch.shape)}"
        )
    reference = post_activation(reader, wanted)
    return tuple(_meanings(reader, reference, point, polytope, bounds) for point in batch)


def post_activation(reader: LayerReader, point: Tensor) -> Tensor:
    """Returns the layer's post-activation (N,) of one input (*input,), run in a batch of one.

    The size of a batch changes which float kernels run, and so the last bits: bit-equality is
    only fair between runs of the same shape.  -0.0 becomes 0.0.
    """
    with torch.no_grad():
        return reader.pre_activation(point[None]).clamp(min=0)[0] + 0.0


def _meanings(
    reader: LayerReader,
    reference: Tensor,
    point: Tensor,
    polytope: CollisionPolytope | None,
    bounds: Bounds | None,
) -> Meanings:
    found = post_activation(reader, point)
    exact = exact_tolerance = None
    if polytope is not None:
        entered = reader.layer_inputs(point[None])[0].double().cpu().numpy()
        residuals = polytope.residuals(entered)
        exact_tolerance = residuals.smallest_tolerance
        exact = exact_tolerance == 0 and residuals.worst_domain == 0
    png: dict[str, Any] = {}
    if bounds is not None:
        rounded = post_activation(reader, as_8_bit(point, bounds))
        truncated = post_activation(reader, as_8_bit(point, bounds, rounding="truncate"))
        png = {
            "png_tolerance": _difference(reference, rounded),
            "png_truncated": _difference(reference, truncated),
            "png_bit_equal": torch.equal(reference, rounded),
        }
    return Meanings(
        exact=exact,
        exact_tolerance=exact_tolerance,
        bit_equal=torch.equal(reference, found),
        tolerance=_difference(reference, found),
        **png,
    )


def _difference(one: Tensor, other: Tensor) -> float:
    return float((one.double() - other.double()).abs().max())


def reader_tensor(reader: LayerReader, value: Any) -> Tensor:
    """Returns numbers as a tensor of the reader's type, on its device."""
    tensor = value.detach() if isinstance(value, Tensor) else torch.as_tensor(np.asarray(value))
    return tensor.to(device=reader.device, dtype=reader.dtype)
