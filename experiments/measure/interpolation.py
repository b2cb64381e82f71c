"""What lies between points that collide?  Random convex combinations of them, in two spaces."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from experiments.measure.collisions import post_activation, reader_tensor
from experiments.measure.sampling import weights
from optimize import LayerReader
from polytope.errors import ShapeError

_BATCH = 64  # convex combinations run at a time


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
    batch = reader_tensor(reader, points)
    if len(batch) < 2:
        raise ShapeError(f"points: expected at least 2 to combine, got {len(batch)}")
    wanted = post_activation(reader, reader_tensor(reader, target)).double()
    with torch.no_grad():
        entered, own = reader.run(batch)
    worst = float(_away(own.flatten(1), wanted).max()) if tolerance is None else tolerance
    limit = worst * 1.001 if tolerance is None else worst
    drawn = weights(scheme, samples=samples, points=len(batch), seed=seed)

    def share(run: Callable[[Tensor], Tensor], vectors: Tensor) -> SpaceShare:
        mixed = combinations(drawn, vectors, batch=_BATCH, dtype=vectors.dtype)
        with torch.no_grad():
            found = torch.cat([_away(run(part), wanted).cpu() for part in mixed])
        return SpaceShare(
            within=int((found <= limit).sum()),
            samples=samples,
            largest=float(found.max()),
            median=float(found.median()),
        )

    return Interpolation(
        tolerance=worst,
        scheme=scheme,
        layer=share(reader.own_pre_activation, entered),
        input=share(reader.pre_activation, batch),
    )


def _away(pre: Tensor, wanted: Tensor) -> Tensor:
    """The largest difference of post-activations from the target's, of each of n runs."""
    return (pre.clamp(min=0).double() - wanted).abs().amax(1)


def combinations(
    weights: NDArray[np.float64], vertices: Tensor, *, batch: int, dtype: torch.dtype
) -> Iterator[Tensor]:
    """Yields convex combinations of vertices (k, *shape), computed in float64.

    Args:
        weights: (n, k).
        vertices: on any device; combined there.
        batch: combinations at a time.
        dtype: that they are rounded to.
    """
    flat = vertices.flatten(1).double()
    for part in np.split(weights, range(batch, len(weights), batch)):
        mixed = torch.from_numpy(part).to(flat) @ flat
        yield mixed.view(-1, *vertices.shape[1:]).to(dtype)
