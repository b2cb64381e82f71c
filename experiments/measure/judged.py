"""How large is the polytope between found images, and what does the network say inside it?"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from experiments.measure.distances import mean_pairwise
from experiments.measure.interpolation import combinations
from experiments.measure.probe import Probe, Seen
from experiments.measure.sampling import SCHEMES, weights


@dataclass(frozen=True, eq=False)
class Aim:
    """What the target gives, as every other image is compared with it.

    Attributes:
        pre: (N,) pre-activations on the CPU.
        active: (N,) bool, where they are positive.
        probabilities: (classes,).
    """

    pre: Tensor
    active: Tensor
    probabilities: Tensor

    @staticmethod
    def of(seen: Seen) -> "Aim":
        """The first image of what was seen."""
        pre = seen.pre[0].cpu()
        return Aim(pre, pre > 0, seen.probabilities[0].cpu())

    @property
    def first(self) -> int:
        """The class that wins."""
        return int(self.probabilities.argmax())

    @property
    def second(self) -> int:
        """The class behind it."""
        return int(self.probabilities.argsort(descending=True)[1])

    def errors(self, pre: Tensor) -> tuple[Tensor, Tensor]:
        """Worst |p - p_t| over active units and worst positive p over inactive ones, (n,) each."""
        wanted, active = self.pre.to(pre), self.active.to(pre.device)
        off = torch.where(active, (pre - wanted).abs(), 0.0).amax(1)
        positive = torch.where(active, 0.0, pre.clamp(min=0)).amax(1)
        return off, positive


@dataclass
class _Tally:
    """Sums over many images."""

    aim: Aim
    winners: list[NDArray[np.int64]] = field(default_factory=list)
    confidence: list[NDArray[np.float64]] = field(default_factory=list)
    wanted: list[NDArray[np.float64]] = field(default_factory=list)
    off: float = 0.0
    positive: float = 0.0

    def add(self, seen: Iterable[Seen]) -> None:
        for each in seen:
            table = each.probabilities
            off, positive = self.aim.errors(each.pre)
            self.winners.append(table.argmax(1).cpu().numpy())
            self.confidence.append(table.amax(1).cpu().numpy())
            self.wanted.append(table[:, self.aim.first].cpu().numpy())
            self.off = max(self.off, float(off.max()))
            self.positive = max(self.positive, float(positive.max()))

    def entry(self) -> dict[str, Any]:
        winners = np.concatenate(self.winners)
        return {
            "samples": len(winners),
            "success": float((winners == self.aim.first).mean()),
            "second_class": float((winners == self.aim.second).mean()),
            "winner_confidence": float(np.concatenate(self.confidence).mean()),
            "target_class_confidence": float(np.concatenate(self.wanted).mean()),
            "worst_active": self.off,
            "worst_inactive": self.positive,
        }


def judge_images(
    probe: Probe, aim: Aim, vertices: Tensor, *, samples: int, seed: int
) -> dict[str, Any]:
    """Returns what the network says of convex combinations of images, by scheme.

    Args:
        probe: the network.
        aim: the target.
        vertices: (k, 3, H, W).
        samples: combinations a scheme.
        seed: of the weights.
    """
    return _judge(probe.images, aim, vertices, (samples, seed, probe.batch))


def judge_entered(
    probe: Probe, aim: Aim, entered: Tensor, *, samples: int, seed: int
) -> dict[str, Any]:
    """Returns the same for combinations of what enters the layer, (k, *layer input).

    The weights are those of `judge_images`.  Where the network does not go on from that input
    alone, the entry is `{"reason": ...}`.
    """
    if probe.reason:
        return {"reason": probe.reason}
    return _judge(probe.entering, aim, entered, (samples, seed, probe.batch))


def _judge(
    run: Callable[[Tensor], Iterable[Seen]], aim: Aim, vertices: Tensor, sizes: tuple[int, int, int]
) -> dict[str, Any]:
    samples, seed, batch = sizes
    found = {}
    for scheme in SCHEMES:
        drawn = weights(scheme, samples=samples, points=len(vertices), seed=seed)
        tally = _Tally(aim)
        for points in combinations(drawn, vertices, batch=batch, dtype=torch.float32):
            tally.add(run(points))
        found[scheme] = tally.entry()
    return found


def ball(probe: Probe, aim: Aim, vertices: Tensor, *, samples: int, seed: int) -> dict[str, Any]:
    """Returns the authors' control: random images on a sphere around the vertices' mean.

    Its radius is the least distance from the mean to a vertex, its directions are noise uniform in
    a cube, scaled to length 1; nothing is clipped.  So is `compareball.py` of the released scripts.

    Args:
        probe: the network.
        aim: the target.
        vertices: (k, 3, H, W).
        samples: points on the sphere.
        seed: of the directions.
    """
    centre = vertices.double().mean(0)
    radius = float((vertices.double() - centre).flatten(1).norm(dim=1).min())
    generator = torch.Generator().manual_seed(seed)
    tally, left = _Tally(aim), samples
    while left:
        count = min(left, probe.batch)
        noise = torch.rand((count, *centre.shape), generator=generator) - 0.5
        length = noise.flatten(1).norm(dim=1).view(-1, *[1] * centre.ndim)
        tally.add(probe.images((centre + radius * (noise / length)).float()))
        left -= count
    return {"radius": radius, **tally.entry()}


def describe_vertices(seen: Seen, aim: Aim, units: Sequence[int]) -> list[dict[str, Any]]:
    """Returns, for each vertex, its class, its confidences and how far its units are off.

    Args:
        seen: of the vertices.
        aim: the target.
        units: the unit that each pushed down.
    """
    off, positive = aim.errors(seen.pre)
    return [
        {
            "unit": unit,
            "pre_activation": float(seen.pre[row, unit]),
            "class": int(seen.probabilities[row].argmax()),
            "confidence": float(seen.probabilities[row].max()),
            "target_class_confidence": float(seen.probabilities[row, aim.first]),
            "worst_active": float(off[row]),
            "worst_inactive": float(positive[row]),
        }
        for row, unit in enumerate(units)
    ]


def spread(
    points: Tensor,
    target: NDArray[np.float32],
    start: NDArray[np.float32],
    *,
    images: float | None,
) -> dict[str, Any]:
    """Returns the distances of vertices (k, 3, H, W), in grey levels.

    Args:
        points: the vertices.
        target: (3, H, W).
        start: (3, H, W).
        images: mean distance of images, or None.
    """
    flat = points.flatten(1).double().numpy()
    distance = mean_pairwise(flat)
    centre = flat.mean(axis=0)
    return {
        "distance": distance,
        "ratio": None if images is None else distance / images,
        "rms_levels": distance / flat.shape[1] ** 0.5,
        "from_target": _lengths(flat - target.reshape(1, -1)),
        "from_start": _lengths(flat - start.reshape(1, -1)),
        "from_mean": _lengths(flat - centre),
        "target_to_start": float(np.linalg.norm(target.astype(np.float64) - start)),
    }


def _lengths(moves: NDArray[np.float64]) -> list[float]:
    found: list[float] = np.linalg.norm(moves, axis=1).tolist()
    return found


def accuracy(
    probe: Probe, images: NDArray[np.uint8], labels: Sequence[int | None], *, bgr: bool
) -> dict[str, Any]:
    """Returns the shares of labelled images whose class is the first, or of the first five.

    Args:
        probe: the network.
        images: (n, H, W, 3) RGB.
        labels: n classes; images without one are left out.
        bgr: whether the network's colours are blue, green, red.
    """
    known = [place for place, label in enumerate(labels) if label is not None]
    first = fifth = 0
    for start in range(0, len(known), probe.batch):
        part = known[start : start + probe.batch]
        moved = np.moveaxis(images[part][..., ::-1] if bgr else images[part], -1, 1)
        (seen,) = probe.images(torch.from_numpy(np.ascontiguousarray(moved)))
        wanted = torch.tensor([labels[place] for place in part], device=seen.probabilities.device)
        best = seen.probabilities.topk(min(5, seen.probabilities.shape[1]), dim=1).indices
        hits = best == wanted[:, None]
        first += int(hits[:, 0].sum())
        fifth += int(hits.sum())
    count = len(known)
    return {
        "images": count,
        "top1": first / count if count else None,
        "top5": fifth / count if count else None,
    }
