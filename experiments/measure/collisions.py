"""In which sense does a point collide?  The meanings of a collision, kept apart; interpolation.

Every number is about one layer of one network.  *Exact* speaks of the layer's real arithmetic at
its stored input; the others speak of the network's float run on the reader's device.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from experiments.measure.sampling import weights
from experiments.run.files import atomic_path
from optimize import LayerReader
from polytope import CollisionPolytope
from polytope.errors import DomainError, InputError, ShapeError

Rounding = Literal["round", "truncate"]
Bounds = tuple[Any, Any]
_Run = Callable[[Tensor], Tensor]

LEVELS = 255  # the highest grey level of an 8-bit image
_BATCH = 64  # convex combinations run at a time


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
    wanted = _tensor(reader, target)
    batch = _tensor(reader, points)
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


def _tensor(reader: LayerReader, value: Any) -> Tensor:
    tensor = value.detach() if isinstance(value, Tensor) else torch.as_tensor(np.asarray(value))
    return tensor.to(device=reader.device, dtype=reader.dtype)


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


@dataclass(frozen=True, kw_only=True)
class SpaceShare:
    """How many random convex combinations collide, taken in one space.

    Attributes:
        within: combinations whose float run differs from the target's by at most the tolerance.
        samples: combinations drawn.
        largest: largest difference met.
        median: median difference.
    """

    within: int
    samples: int
    largest: float
    median: float


@dataclass(frozen=True, kw_only=True)
class Interpolation:
    """Convex combinations of the same points, with the same weights, in two spaces.

    Proposition 1 makes the set convex in the layer's own space.  In the input space of a deeper
    layer nothing does: what is found there is an observation.

    Attributes:
        tolerance: the tolerance, the largest one of the points themselves unless given.
        scheme: how the weights were drawn, a key of `experiments.measure.sampling.SCHEMES`.
        layer: combinations of what enters the layer.
        input: combinations of the network's inputs.
    """

    tolerance: float
    scheme: str
    layer: SpaceShare
    input: SpaceShare


def interpolate(
    reader: LayerReader,
    target: Any,
    points: Any,
    *,
    tolerance: float | None = None,
    samples: int = 2000,
    scheme: str = "uniform",
    seed: int = 0,
) -> Interpolation:
    """Returns how many random convex combinations of the points collide, in both spaces.

    Args:
        reader: the layer inside its network.
        target: one input (*input,).
        points: (V, *input), V >= 2.
        tolerance: None takes the largest difference of the points themselves; combinations in the
            layer's space then stay within it in real arithmetic, and a thousandth part is allowed
            for rounding.
        samples: combinations in each space, with the same weights.
        scheme: of `experiments.measure.sampling.SCHEMES`.
        seed: of the weights.

    Raises:
        ShapeError: fewer than two points.
    """
    batch = _tensor(reader, points)
    if len(batch) < 2:
        raise ShapeError(f"points: expected at least 2 to combine, got {len(batch)}")
    wanted = post_activation(reader, _tensor(reader, target)).double()
    with torch.no_grad():
        entered = reader.run(batch)[0]
        own = reader.pre_activation(batch).clamp(min=0).double()
    worst = float((own - wanted).abs().max()) if tolerance is None else tolerance
    drawn = weights(scheme, samples=samples, points=len(batch), seed=seed)
    shares = {}
    runs: dict[str, tuple[_Run, Tensor]] = {
        "layer": (reader.own_pre_activation, entered),
        "input": (reader.pre_activation, batch),
    }
    for space, run in runs.items():
        found = torch.cat(list(_differences(run, drawn, wanted)))
        limit = worst * 1.001 if tolerance is None else worst
        shares[space] = SpaceShare(
            within=int((found <= limit).sum()),
            samples=samples,
            largest=float(found.max()),
            median=float(found.median()),
        )
    return Interpolation(tolerance=worst, scheme=scheme, **shares)


def _differences(space: tuple[_Run, Tensor], drawn: np.ndarray, wanted: Tensor) -> Iterator[Tensor]:
    """Yields the largest differences of post-activations, batch after batch of combinations."""
    run, vectors = space
    flat = vectors.flatten(1).double()
    for start in range(0, len(drawn), _BATCH):
        part = torch.from_numpy(drawn[start : start + _BATCH]).to(flat)
        mixed = (part @ flat).view(-1, *vectors.shape[1:]).to(vectors.dtype)
        with torch.no_grad():
            yield (run(mixed).clamp(min=0).double() - wanted).abs().amax(1).cpu()
