"""What does the gradient search find at a deep layer, and in which sense does it collide?"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from experiments.lenet5.case import DeepCase, Pixels
from experiments.measure.collisions import collision_meanings
from experiments.measure.distances import mean_pairwise
from experiments.measure.entries import FAMILIES, search_entry
from experiments.measure.interpolation import interpolate
from experiments.measure.judged import Aim, judge_entered, judge_images
from experiments.measure.probe import Probe
from experiments.measure.sampling import SCHEMES
from experiments.run.jobs import Outcome
from optimize import Objective, Stopping, VertexSearch, exact_network, find_vertices
from polytope import RationalVector
from polytope.network.region import linear_region

BATCH = 512  # images a pass

Entry = dict[str, Any]
Points = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class SearchOptions:
    """How far a search goes, and how many combinations are tried."""

    max_steps: int
    samples: int
    seed: int
    device: str


@dataclass(frozen=True, eq=False)
class SearchJob:
    """One relaxed search of the case's units from all starts at once, and exact residuals.

    Attributes:
        case: layer, target and units.
        family: of `experiments.measure.entries.FAMILIES`.
        starts: name -> image (784,).
        options: limits.
    """

    case: DeepCase
    family: str
    starts: Mapping[str, Pixels]
    options: SearchOptions

    @property
    def key(self) -> str:
        """The row's name."""
        return f"relaxed.{self.case.name}.{self.family}"

    def run(self, folder: Path) -> Outcome:
        """Searches in pixel space, then measures exactly, start by start."""
        case, options = self.case, self.options
        others, optimizer = FAMILIES[self.family]
        (image,) = case.shaped(case.target[None])
        search = find_vertices(
            case.model,
            case.layer,
            image[None].expand(len(self.starts), *image.shape),
            start=case.shaped(np.array(list(self.starts.values()))),
            bounds=(0, 1),
            units=list(case.units),
            objective=Objective(others="absolute" if others == "absolute" else "hinge"),
            optimizer=optimizer,
            stopping=Stopping(max_steps=options.max_steps),
            device=options.device,
            progress=False,
        )
        found = search_entry(search)
        points = search.points.flatten(1).double().numpy()
        count, results, arrays = len(case.units), {}, {}
        for place, start in enumerate(self.starts):
            part = slice(place * count, (place + 1) * count)
            own = {name: found[name][part] for name in ("status", "steps")}
            rest = {name: found[name] for name in ("method", "penalty", "alpha")}
            measured = measures(case, points[part], options)
            results[start] = rest | own | measured
            arrays[start] = points[part]
            arrays[f"{start}.entered"] = _entered_by(search, part)
        return Outcome(results, arrays)


def _entered_by(search: VertexSearch, part: slice) -> Points:
    found: Points = search.layer_inputs[part].double().numpy()
    return found


def measures(case: DeepCase, points: Points, options: SearchOptions) -> Entry:
    """Returns what is known of found images (k, 784), one for each unit of the case."""
    own = [
        _in_layer(case, point, unit)
        for point, unit in zip(case.entered(points), case.units, strict=True)
    ]
    through = _through(case, points)
    meanings = collision_meanings(
        case.reader,
        case.shaped(case.target[None])[0],
        case.shaped(points),
        polytope=case.layer_polytope,
        bounds=(0.0, 1.0),
    )
    return {
        "layer": own,
        "pixels": through,
        "meanings": [asdict(each) for each in meanings],
        "combinations": combinations(case, options, images=points),
        "shares": _shares(case, points, options),
    }


def _in_layer(case: DeepCase, entered: NDArray[np.float32], unit: int) -> Entry:
    """What enters the layer, put into the exact set of the layer's own space."""
    found = case.layer_polytope.residuals(entered)
    tight = case.layer_polytope.tight_constraints(entered)
    return {
        "unit": unit,
        "found_value": found.pre_activation[unit],
        "worst_equality": found.worst_equality,
        "worst_inactive": found.worst_inactive,
        "worst_domain": found.worst_domain,
        "smallest_tolerance": found.smallest_tolerance,
        "n_tight": tight.count,
        "is_vertex": tight.is_vertex,
    }


def _through(case: DeepCase, points: Points) -> list[Entry]:
    """Images put through the whole network in exact arithmetic, and into the target's region."""
    shape = tuple(case.shaped(case.target[None])[0].shape)
    network = exact_network(case.model, case.layer, shape)
    region = linear_region(network, case.target)
    (goal,) = network.values(RationalVector.of(map(Fraction, case.target.tolist())))[-1:]
    entries = []
    for point, unit in zip(points, case.units, strict=True):
        reached = network.values(RationalVector.of(map(Fraction, point.tolist())))[-1]
        zero = Fraction(0)
        off = [abs(max(a, zero) - max(b, zero)) for a, b in zip(reached, goal, strict=True)]
        entries.append(
            {
                "unit": unit,
                "found_value": reached[unit],
                "smallest_tolerance": max(off),
                "decisions": len(region.pattern),
                "differences": len(region.differences(point)),
            }
        )
    return entries


def combinations(
    case: DeepCase,
    options: SearchOptions,
    *,
    images: Points | None = None,
    entered: Points | None = None,
) -> Entry:
    """Returns what the network says of convex combinations, in pixels and in the layer's space.

    Args:
        case: network and layer.
        options: samples and seed.
        images: (k, 784), combined in pixels, and what enters the layer at them in its space.
        entered: (k, d) points of the layer's space alone, where no images are known.
    """
    probe = Probe(case.model, case.layer, batch=BATCH)
    aim = Aim.of(probe.look(case.shaped(case.target[None])))
    sizes = {"samples": options.samples, "seed": options.seed}
    if images is not None:
        seen = probe.look(case.shaped(images))
        assert seen.entered is not None
        return {
            "classes": seen.probabilities.argmax(1).tolist(),
            "confidences": seen.probabilities.amax(1).tolist(),
            "pixels": judge_images(probe, aim, case.shaped(images), **sizes),
            "layer": judge_entered(probe, aim, seen.entered, **sizes),
        }
    assert entered is not None
    wanted = probe.look(case.shaped(case.target[None])).entered
    assert wanted is not None
    tensor = torch.from_numpy(entered).float().reshape(-1, *wanted.shape[1:])
    return {"layer": judge_entered(probe, aim, tensor, **sizes)}


def _shares(case: DeepCase, points: Points, options: SearchOptions) -> Entry:
    """How many combinations still collide within the points' own tolerance, by scheme."""
    target, batch = case.shaped(case.target[None])[0], case.shaped(points)
    found = {}
    for scheme in SCHEMES:
        share = interpolate(
            case.reader,
            target,
            batch,
            samples=options.samples,
            scheme=scheme,
            seed=options.seed,
        )
        found[scheme] = asdict(share)
    return found


def spread(points: Points, target: NDArray[Any]) -> Entry:
    """Returns mean distance of points (k, d), k >= 2, and their distances from the target."""
    away = np.linalg.norm(points - np.asarray(target, dtype=np.float64), axis=1)
    return {"distance": mean_pairwise(points), "from_target": away.tolist()}
