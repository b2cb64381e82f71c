"""What is known exactly: the found points in the exact layer, and the facts of the target's set?"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from experiments.images.facts import limited_facts
from experiments.images.results import ExactAnswers, ExactCounts, ExactPoint
from experiments.images.search import Found
from experiments.images.setting import Setting
from optimize import ExactLayer, exact_layer
from polytope import CollisionPolytope, Free, Nonnegative
from polytope.errors import LimitError


def exact_answers(
    setting: Setting,
    target: NDArray[np.float32],
    sets: Mapping[str, Found],
    folder: Path,
) -> ExactAnswers:
    """Returns what the exact layer says of the target's set and of the found points.

    Args:
        setting: the experiment.
        target: (d,) what enters the layer at the target in the float run, taken exactly.
        sets: found points by the name of their set.
        folder: the run folder, for certificates.
    """
    options = setting.options
    if not options.exact:
        return ExactAnswers(reason="not asked for here", points={})
    try:
        layer = exact_layer(setting.network, setting.layer, setting.pictures.target.pixels.shape)
    except LimitError as problem:
        return ExactAnswers(reason=str(problem), points={})
    polytope = polytope_of(layer, target)
    points = {name: exact_points(polytope, found.entered) for name, found in sets.items()}
    counts = ExactCounts(
        n_positive=polytope.n_positive,
        ties=len(polytope.ties),
        sign_disagreements=len(polytope.sign_disagreements),
    )
    del polytope  # the process that proves the facts makes its own
    seconds = options.facts_seconds
    facts = limited_facts(layer, target, folder, seconds=seconds) if seconds else None
    return ExactAnswers(counts=counts, points=points, facts=facts)


def polytope_of(layer: ExactLayer, target: NDArray[np.float32]) -> CollisionPolytope:
    """Returns the target's collision polytope in the layer's input space.

    The domain is x >= 0 where that holds for the target, so that leaving it is seen.
    """
    domain = Nonnegative() if bool((target >= 0).all()) else Free()
    return CollisionPolytope.from_layer(layer.weight, layer.bias, target, domain=domain)


def exact_points(
    polytope: CollisionPolytope, entered: NDArray[np.float32]
) -> tuple[ExactPoint, ...]:
    """Returns how far found points are from colliding, exactly, and which signs differ.

    Args:
        polytope: in the layer's input space.
        entered: (k, d) what enters the layer at the points, as the float run stores it.
    """
    active = set(polytope.active_units)
    points = []
    for point in entered:
        found = polytope.residuals(point)
        fires = {unit for unit, value in enumerate(found.pre_activation) if value > 0}
        points.append(
            ExactPoint(
                collides=found.smallest_tolerance == 0 and found.worst_domain == 0,
                smallest_tolerance=found.smallest_tolerance,
                worst_equality=found.worst_equality,
                worst_inactive=found.worst_inactive,
                worst_domain=found.worst_domain,
                newly_active=len(fires - active),
                newly_inactive=len(active - fires),
            )
        )
    return tuple(points)
