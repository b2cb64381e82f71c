"""Which numbers does `collide scales` record?  One entry a network, one a deviation."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from experiments.scales.job import Apart, TargetResults
from experiments.scales.looks import Look


@dataclass(frozen=True, kw_only=True)
class Network:
    """A trained network.

    Attributes:
        deviation: of its initial weights and biases; None for the usual start.
        seed: of its training.
        accuracy: on the test images.
        confidence: median over the test images.
        steps: of training.
        weight_scale: standard deviation of the first layer's trained weights on pixels that at
            least 1 % of the training images light.
        sha256: of the checkpoint.
    """

    deviation: float | None
    seed: int
    accuracy: float
    confidence: float
    steps: int
    weight_scale: float
    sha256: str


@dataclass(frozen=True, kw_only=True)
class Row:
    """One target of one network, and what its collisions look like, in the order of `near`."""

    deviation: float | None
    seed: int
    target: int
    found: TargetResults
    looks: tuple[Look, ...]


@dataclass(frozen=True, kw_only=True)
class Share:
    """How many of the collisions of some rows look like the start, the target, or neither."""

    start: int
    target: int
    other: int

    @property
    def of_start(self) -> float:
        """The share that looks like the start; NaN of none."""
        count = self.start + self.target + self.other
        return self.start / count if count else float("nan")


@dataclass(frozen=True, kw_only=True)
class Summary:
    """All rows of one deviation.

    Attributes:
        deviation: None for the usual start.
        accuracies, confidences, weight_scales: of its networks, in the order of seeds.
        exact, rarely: mean distance of the vertices, a number a row.
        nearest: upper bound of the distance to the nearest collision, a number a start.
        neighbours, convolutional: what the collisions look like, by the two judges.
        by_seed: the share that keeps the start's class by the neighbours, a number a network.
        verified, asked: exact vertices with an accepted certificate, and all.
        bounds_verified, bounds_asked: the same of the distances.
    """

    deviation: float | None
    accuracies: tuple[float, ...]
    confidences: tuple[float, ...]
    weight_scales: tuple[float, ...]
    exact: tuple[float, ...]
    rarely: tuple[float, ...]
    nearest: tuple[float, ...]
    neighbours: Share
    convolutional: Share
    by_seed: tuple[float, ...]
    verified: int
    asked: int
    bounds_verified: int
    bounds_asked: int


@dataclass(frozen=True, kw_only=True)
class ScalesResults:
    """Everything that tables and figure show."""

    SCHEMA: ClassVar[str] = "collision-polytopes/scales/1"

    networks: tuple[Network, ...]
    judge_accuracy: float
    image_distance: float
    rarely_lit: int
    rows: tuple[Row, ...]
    summaries: tuple[Summary, ...]


def deviation_text(deviation: float | None) -> str:
    """Names a deviation; None is the start that torch gives a layer."""
    return "torch's default" if deviation is None else f"{deviation:g}"


def summarise(networks: Sequence[Network], rows: Sequence[Row]) -> tuple[Summary, ...]:
    """Returns one summary a deviation, in the order of the networks."""
    return tuple(
        _summary(
            [net for net in networks if net.deviation == deviation],
            [row for row in rows if row.deviation == deviation],
        )
        for deviation in dict.fromkeys(net.deviation for net in networks)
    )


def _summary(networks: Sequence[Network], rows: Sequence[Row]) -> Summary:
    parts: list[Apart] = [part for row in rows for part in (row.found.exact, row.found.rarely)]
    near = [each for row in rows for each in row.found.near]
    own = [[row for row in rows if row.seed == net.seed] for net in networks]
    return Summary(
        deviation=networks[0].deviation,
        accuracies=tuple(net.accuracy for net in networks),
        confidences=tuple(net.confidence for net in networks),
        weight_scales=tuple(net.weight_scale for net in networks),
        exact=_known([row.found.exact for row in rows]),
        rarely=_known([row.found.rarely for row in rows]),
        nearest=tuple(each.upper for each in near),
        neighbours=share(rows, "neighbours"),
        convolutional=share(rows, "convolutional"),
        by_seed=tuple(share(each, "neighbours").of_start for each in own),
        verified=sum(part.verified for part in parts),
        asked=sum(part.asked for part in parts),
        bounds_verified=sum(each.verified for each in near),
        bounds_asked=len(near),
    )


def _known(parts: Sequence[Apart]) -> tuple[float, ...]:
    return tuple(part.distance for part in parts if part.distance is not None)


def share(rows: Sequence[Row], judge: str) -> Share:
    """Counts collisions that look like the start's digit, the target's, or another.

    Args:
        rows: any.
        judge: "neighbours" or "convolutional", a field of `Look`.
    """
    seen = [
        (getattr(look, judge), near.digit, row.found.label)
        for row in rows
        for near, look in zip(row.found.near, row.looks, strict=True)
    ]
    kept = sum(label == start for label, start, _ in seen)
    lost = sum(label == target for label, _, target in seen)
    return Share(start=kept, target=lost, other=len(seen) - kept - lost)
