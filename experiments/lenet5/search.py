"""What does the gradient search find at a deep layer, and in which sense does it collide?"""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from experiments.lenet5.case import DeepCase, Pixels
from experiments.lenet5.results import Combinations, Measures, RelaxedSet, Through
from experiments.measure.collisions import collision_meanings
from experiments.measure.compared import place
from experiments.measure.interpolation import interpolate
from experiments.measure.judged import Aim, judge_entered, judge_images
from experiments.measure.probe import Probe
from experiments.measure.sampling import SCHEMES, verdicts
from experiments.measure.search import SearchSummary, relaxed_search
from experiments.run.outcomes import Key, Outcome
from optimize import exact_network
from polytope import RationalVector
from polytope.network.region import linear_region

BATCH = 512  # images a pass

Points = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class SearchOptions:
    """How far a search goes, and how many combinations are tried."""

    max_steps: int
    samples: int
    seed: int
    device: str


@dataclass(frozen=True)
class SearchKey(Key[dict[str, RelaxedSet]]):
    """Start -> what one family finds from there at one layer."""

    WORK = "relaxed"
    layer: str
    family: str


@dataclass(frozen=True, eq=False)
class SearchJob:
    """One relaxed search of the case's units from all starts at once, and exact residuals.

    Attributes:
        case: layer, target and units.
        family: of `experiments.measure.search.FAMILIES`.
        starts: name -> image (784,).
        options: limits.
    """

    case: DeepCase
    family: str
    starts: Mapping[str, Pixels]
    options: SearchOptions

    @property
    def key(self) -> SearchKey:
        """The row's key."""
        return SearchKey(self.case.name, self.family)

    def run(self, folder: Path) -> Outcome[dict[str, RelaxedSet]]:
        """Searches in pixel space, then measures exactly, start by start."""
        case, options = self.case, self.options
        (image,) = case.shaped(case.target[None])
        search = relaxed_search(
            case.opened,
            case.layer,
            image[None].expand(len(self.starts), *image.shape),
            family=self.family,
            max_steps=options.max_steps,
            start=case.shaped(np.array(list(self.starts.values()))),
            bounds=(0, 1),
            units=list(case.units),
            device=options.device,
        )
        points = search.points.flatten(1).double().numpy()
        entered = search.layer_inputs.double().numpy()
        count, results, arrays = len(case.units), {}, {}
        for row, start in enumerate(self.starts):
            part = slice(row * count, (row + 1) * count)
            results[start] = RelaxedSet(
                family=self.family,
                start=start,
                search=SearchSummary.of(search, part),
                **vars(measures(case, points[part], options)),
            )
            arrays[start] = points[part]
            arrays[f"{start}.entered"] = entered[part]
        return Outcome(results, arrays)


def measures(case: DeepCase, points: Points, options: SearchOptions) -> Measures:
    """Returns what is known of found images (k, 784), one for each unit of the case."""
    target, batch = case.shaped(case.target[None])[0], case.shaped(points)
    own = zip(case.entered(points), case.units, strict=True)
    sizes = {"samples": options.samples, "seed": options.seed}
    return Measures(
        layer=tuple(place(case.layer_polytope, point, unit) for point, unit in own),
        pixels=_through(case, points),
        meanings=collision_meanings(
            case.reader, target, batch, polytope=case.layer_polytope, bounds=(0.0, 1.0)
        ),
        combinations=combinations(case, options, images=points),
        shares={
            scheme: interpolate(case.reader, target, batch, scheme=scheme, **sizes)
            for scheme in SCHEMES
        },
    )


def _through(case: DeepCase, points: Points) -> tuple[Through, ...]:
    """Images put through the whole network in exact arithmetic, and into the target's region."""
    network = exact_network(case.opened, case.layer, case.shape)
    region = linear_region(network, case.target)
    (goal,) = network.values(RationalVector.of(map(Fraction, case.target.tolist())))[-1:]
    found = []
    for point, unit in zip(points, case.units, strict=True):
        reached = network.values(RationalVector.of(map(Fraction, point.tolist())))[-1]
        zero = Fraction(0)
        off = [abs(max(a, zero) - max(b, zero)) for a, b in zip(reached, goal, strict=True)]
        found.append(
            Through(
                unit=unit,
                found_value=reached[unit],
                smallest_tolerance=max(off),
                decisions=len(region.pattern),
                differences=len(region.differences(point)),
            )
        )
    return tuple(found)


def combinations(
    case: DeepCase,
    options: SearchOptions,
    *,
    images: Points | None = None,
    entered: Points | None = None,
) -> Combinations:
    """Returns what the network says of convex combinations, in pixels and in the layer's space.

    Args:
        case: network and layer.
        options: samples and seed.
        images: (k, 784), combined in pixels, and what enters the layer at them in its space.
        entered: (k, d) points of the layer's space alone, where no images are known.
    """
    probe = Probe(case.opened, case.layer, batch=BATCH)
    target = probe.look(case.shaped(case.target[None]))
    aim, sizes = Aim.of(target), {"samples": options.samples, "seed": options.seed}
    if images is None:
        assert entered is not None
        assert target.entered is not None
        tensor = torch.from_numpy(entered).float().reshape(-1, *target.entered.shape[1:])
        return Combinations(layer=judge_entered(probe, aim, tensor, **sizes))
    seen = probe.look(case.shaped(images))
    assert seen.entered is not None
    return Combinations(
        classes=verdicts(seen.probabilities.numpy()),
        pixels=judge_images(probe, aim, case.shaped(images), **sizes),
        layer=judge_entered(probe, aim, seen.entered, **sizes),
    )
