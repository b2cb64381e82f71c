"""How far apart are found images, what does the network see in each, and how well does it see?"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from experiments.measure.distances import mean_pairwise
from experiments.measure.judged import Aim
from experiments.measure.probe import Probe, Seen


@dataclass(frozen=True, kw_only=True)
class SeenPoint:
    """What the network says of one point.

    Attributes:
        winner: the class that wins.
        confidence: its probability.
        target_class_confidence: probability of the target's class.
        worst_active: largest |p - p_t| over the target's active units.
        worst_inactive: largest max(0, p) over the others.
    """

    winner: int
    confidence: float
    target_class_confidence: float
    worst_active: float
    worst_inactive: float


@dataclass(frozen=True, kw_only=True)
class SeenVertex(SeenPoint):
    """The same of a vertex, the unit that it pushed down, and that unit's pre-activation."""

    unit: int
    pre_activation: float


def describe(seen: Seen, aim: Aim) -> tuple[SeenPoint, ...]:
    """Returns for each point its class, its confidences and how far its units are off.

    Args:
        seen: of the points.
        aim: the target.
    """
    off, positive = aim.errors(seen.pre)
    return tuple(
        SeenPoint(
            winner=int(table.argmax()),
            confidence=float(table.max()),
            target_class_confidence=float(table[aim.first]),
            worst_active=float(off[row]),
            worst_inactive=float(positive[row]),
        )
        for row, table in enumerate(seen.probabilities)
    )


def describe_vertices(seen: Seen, aim: Aim, units: Sequence[int]) -> tuple[SeenVertex, ...]:
    """Returns the same for vertices, one for each of the units that they pushed down."""
    return tuple(
        SeenVertex(**vars(point), unit=unit, pre_activation=float(seen.pre[row, unit]))
        for row, (point, unit) in enumerate(zip(describe(seen, aim), units, strict=True))
    )


@dataclass(frozen=True, kw_only=True)
class Spread:
    """Distances of k vertices in l2, in grey levels.

    Attributes:
        distance: mean over all pairs.
        ratio: of it to the mean distance of images, where that is known.
        from_target, from_start, from_mean: (k,) of each vertex.
    """

    distance: float
    ratio: float | None
    from_target: tuple[float, ...]
    from_start: tuple[float, ...]
    from_mean: tuple[float, ...]


def spread(
    points: Tensor,
    target: NDArray[np.float32],
    start: NDArray[np.float32],
    *,
    images: float | None,
) -> Spread:
    """Returns the distances of vertices (k, 3, H, W), in grey levels.

    Args:
        points: the vertices.
        target: (3, H, W).
        start: (3, H, W).
        images: mean distance of images, or None.
    """
    flat = points.flatten(1).double().numpy()
    distance = mean_pairwise(flat)
    return Spread(
        distance=distance,
        ratio=None if images is None else distance / images,
        from_target=_lengths(flat - target.reshape(1, -1)),
        from_start=_lengths(flat - start.reshape(1, -1)),
        from_mean=_lengths(flat - flat.mean(axis=0)),
    )


def _lengths(moves: NDArray[np.float64]) -> tuple[float, ...]:
    return tuple(np.linalg.norm(moves, axis=1).tolist())


@dataclass(frozen=True, kw_only=True)
class Accuracy:
    """Shares of labelled images whose class is the first, or among the first five."""

    images: int
    top1: float | None
    top5: float | None


def accuracy(probe: Probe, images: NDArray[np.uint8], labels: Sequence[int | None]) -> Accuracy:
    """Returns how well the network knows labelled images.

    Args:
        probe: the network.
        images: (n, H, W, 3) RGB.
        labels: n classes; images without one are left out.
    """
    known = [place for place, label in enumerate(labels) if label is not None]
    first = fifth = 0
    for start in range(0, len(known), probe.batch):
        part = known[start : start + probe.batch]
        moved = np.ascontiguousarray(np.moveaxis(images[part], -1, 1))
        (seen,) = probe.images(torch.from_numpy(moved))
        wanted = torch.tensor([labels[place] for place in part], device=seen.probabilities.device)
        best = seen.probabilities.topk(min(5, seen.probabilities.shape[1]), dim=1).indices
        hits = best == wanted[:, None]
        first += int(hits[:, 0].sum())
        fifth += int(hits.sum())
    count = len(known)
    return Accuracy(
        images=count,
        top1=first / count if count else None,
        top5=fifth / count if count else None,
    )
