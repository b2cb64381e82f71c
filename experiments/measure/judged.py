"""What does the network say of images between found vertices, and around them?"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

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


@dataclass(frozen=True, kw_only=True)
class Judged:
    """What the network says of many images.

    Attributes:
        samples: how many.
        success: share of them in the target's class.
        second_class: share in the class behind it.
        winner_confidence: mean probability of the class that wins.
        target_class_confidence: mean probability of the target's class.
        worst_active: largest |p - p_t| over the target's active units and all of them.
        worst_inactive: largest max(0, p) over the other units and all of them.
    """

    samples: int
    success: float
    second_class: float
    winner_confidence: float
    target_class_confidence: float
    worst_active: float
    worst_inactive: float


@dataclass(frozen=True, kw_only=True)
class Ball(Judged):
    """The same of images on a sphere of this radius, in grey levels."""

    radius: float


def _judged(aim: Aim, seen: Iterable[Seen]) -> Judged:
    """Sums over all images, which are seen a batch at a time."""
    winners, confidence, wanted = list[Tensor](), list[Tensor](), list[Tensor]()
    worst_active = worst_inactive = 0.0
    for each in seen:
        off, positive = aim.errors(each.pre)
        winners.append(each.probabilities.argmax(1).cpu())
        confidence.append(each.probabilities.amax(1).cpu())
        wanted.append(each.probabilities[:, aim.first].cpu())
        worst_active = max(worst_active, float(off.max()))
        worst_inactive = max(worst_inactive, float(positive.max()))
    classes = torch.cat(winners).numpy()
    return Judged(
        samples=len(classes),
        success=float((classes == aim.first).mean()),
        second_class=float((classes == aim.second).mean()),
        winner_confidence=float(torch.cat(confidence).numpy().mean()),
        target_class_confidence=float(torch.cat(wanted).numpy().mean()),
        worst_active=worst_active,
        worst_inactive=worst_inactive,
    )


def _mixed(vertices: Tensor, *, samples: int, seed: int, batch: int) -> dict[str, Iterator[Tensor]]:
    """Random convex combinations of vertices (k, *shape) by scheme, a batch at a time."""
    found = {}
    for scheme in SCHEMES:
        drawn = weights(scheme, samples=samples, points=len(vertices), seed=seed)
        found[scheme] = combinations(drawn, vertices, batch=batch, dtype=torch.float32)
    return found


def judge_images(
    probe: Probe, aim: Aim, vertices: Tensor, *, samples: int, seed: int
) -> dict[str, Judged]:
    """Returns what the network says of convex combinations of images, by scheme.

    Args:
        probe: the network.
        aim: the target.
        vertices: (k, 3, H, W).
        samples: combinations a scheme.
        seed: of the weights.
    """
    mixed = _mixed(vertices, samples=samples, seed=seed, batch=probe.batch)
    return {
        scheme: _judged(aim, (seen for part in parts for seen in probe.images(part)))
        for scheme, parts in mixed.items()
    }


def judge_entered(
    probe: Probe, aim: Aim, entered: Tensor, *, samples: int, seed: int
) -> dict[str, Judged]:
    """Returns the same for combinations of what enters the layer, (k, *layer input).

    The weights are those of `judge_images`.  Nothing is returned where the network does not go on
    from that input alone (`probe.reason`).
    """
    if probe.reason:
        return {}
    mixed = _mixed(entered, samples=samples, seed=seed, batch=probe.batch)
    return {
        scheme: _judged(aim, (seen for part in parts for seen in probe.entering(part)))
        for scheme, parts in mixed.items()
    }


def ball(probe: Probe, aim: Aim, vertices: Tensor, *, samples: int, seed: int) -> Ball:
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

    def points() -> Iterator[Tensor]:
        for start in range(0, samples, probe.batch):
            count = min(samples - start, probe.batch)
            noise = torch.rand((count, *centre.shape), generator=generator) - 0.5
            length = noise.flatten(1).norm(dim=1).view(-1, *[1] * centre.ndim)
            yield (centre + radius * (noise / length)).float()

    found = _judged(aim, (seen for part in points() for seen in probe.images(part)))
    return Ball(radius=radius, **vars(found))
