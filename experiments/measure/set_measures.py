"""How large is a listed set?  Its measures as a record keeps them, each with what is proved."""

import re
from collections.abc import Callable
from typing import Any

import numpy as np

from experiments.run.proofs import Proofs
from polytope import CollisionPolytope
from polytope.answers.generators import Bound, Generators, Halfspace
from polytope.errors import LimitError

#: Points up to which "auto" measures: all together take a few seconds.
CHEAP_POINTS = 5_000
#: Inputs up to which "auto" asks for the largest ball: one exact linear program.
CHEAP_INPUTS = 64
LEVELS = ("auto", "all", "none")


def halfspace_name(halfspace: Halfspace) -> str:
    """Returns a name for people: "unit 3" or "x[2] upper bound".

    >>> halfspace_name(Bound("upper", 2))
    'x[2] upper bound'
    """
    if isinstance(halfspace, Bound):
        return f"x[{halfspace.coordinate}] {halfspace.side} bound"
    return f"unit {halfspace.unit}" if halfspace.kind == "upper" else f"unit {halfspace.unit} lower"


def facet_entry(generators: Generators) -> dict[str, Any]:
    """Returns which inequalities define facets, and which could be left out.

    An inequality that is tight on the whole set is neither and not counted.  One that defines the
    same facet as an earlier one could be left out.
    """
    from polytope.measures.skeleton import facets

    found = facets(generators).facets
    first = {id(facet.halfspaces[0]) for facet in found}
    rest = [halfspace_name(h) for h in generators.halfspaces if id(h) not in first]
    return {
        "count": len(found),
        "inequalities": len(generators.halfspaces),
        "facets": [halfspace_name(facet.halfspaces[0]) for facet in found],
        "redundant": rest,
    }


def redundancy_entry(polytope: CollisionPolytope, proofs: Proofs, name: str) -> dict[str, Any]:
    """Returns which inequalities all the others imply, with a certificate for each verdict.

    Args:
        polytope: a small set; two exact linear programs an inequality.
        proofs: where certificates go.
        name: their names start with it.
    """
    found = polytope.redundancy()

    def entry(halfspace: Halfspace) -> dict[str, Any]:
        title = halfspace_name(halfspace)
        file = f"{name}-implied-{re.sub('[^a-z0-9]+', '-', title)}"
        return {"name": title, "certificate": proofs.keep(file, found.certificates[halfspace])}

    return {
        "redundant": [entry(h) for h in found.redundant],
        "irredundant": [entry(h) for h in found.irredundant],
        "minimal": [halfspace_name(h) for h in found.minimal],
        "implicit": [halfspace_name(h) for h in found.implicit],
        "undecided": len(found.undecided),
        "reason": found.reason,
    }


def extents_entry(generators: Generators, n_inputs: int) -> list[list[float | None]]:
    """Returns the least and largest value of every coordinate; None where there is no end.

    They are the exact ends, correctly rounded: rounding keeps the order of the exact coordinates.
    """
    points = generators.points_float()
    ends: list[list[float | None]] = []
    for j in range(n_inputs):
        low: float | None = float(points[:, j].min())
        high: float | None = float(points[:, j].max())
        if any(line[j] for line in generators.lines):
            low = high = None
        if any(ray[j] < 0 for ray in generators.rays):
            low = None
        if any(ray[j] > 0 for ray in generators.rays):
            high = None
        ends.append([low, high])
    return ends


def measures(polytope: CollisionPolytope, generators: Generators, *, level: str) -> dict[str, Any]:
    """Returns volume, diameter, mean pairwise distance, extents and largest ball.

    Args:
        polytope: the set.
        generators: its complete, not empty list.
        level: "auto" leaves out what may take long, "all" nothing, "none" everything.
    """
    small = len(generators.points) <= CHEAP_POINTS
    bounded = not (generators.rays or generators.lines)
    wanted: dict[str, tuple[bool, Callable[[], dict[str, Any]]]] = {
        "volume": (small, lambda: volume_entry(polytope, generators)),
        "diameter": (small, lambda: diameter_entry(polytope, generators)),
        "mean_pairwise_distance": (small and bounded, lambda: distance_entry(polytope, generators)),
        "ball": (polytope.n_inputs <= CHEAP_INPUTS, lambda: ball_entry(polytope)),
    }
    found: dict[str, Any] = {"extents": extents_entry(generators, polytope.n_inputs)}
    for name, (cheap, compute) in wanted.items():
        if level == "all" or (level == "auto" and cheap):
            found[name] = compute()
    return found


def _finite(value: float) -> float | None:
    return value if np.isfinite(value) else None


def volume_entry(polytope: CollisionPolytope, generators: Generators) -> dict[str, Any]:
    """Returns the k-dimensional volume between proved bounds."""
    try:
        volume = polytope.volume(generators=generators)
    except LimitError as problem:
        return {"status": "limit", "reason": str(problem)}
    return {
        "status": volume.status.name.lower(),
        "dimension": volume.dimension,
        "value": _finite(volume.value),
        "lower": _finite(volume.lower),
        "upper": _finite(volume.upper),
        "method": volume.method,
    }


def diameter_entry(polytope: CollisionPolytope, generators: Generators) -> dict[str, Any]:
    """Returns the diameter between proved bounds."""
    diameter = polytope.diameter(generators=generators)
    return {
        "status": diameter.status.name.lower(),
        "lower": _finite(diameter.lower),
        "upper": _finite(diameter.upper),
        "reason": diameter.reason,
    }


def distance_entry(polytope: CollisionPolytope, generators: Generators) -> dict[str, Any]:
    """Returns the mean distance of all pairs of vertices between proved bounds."""
    found = polytope.mean_pairwise_distance(generators=generators)
    return {
        "value": found.value,
        "lower": found.lower,
        "upper": found.upper,
        "pairs": found.n_pairs,
    }


def ball_entry(polytope: CollisionPolytope) -> dict[str, Any]:
    """Returns the largest ball of the affine hull inside the set, its radius between bounds."""
    ball = polytope.chebyshev_ball()
    return {
        "status": ball.status.name.lower(),
        "lower": _finite(ball.radius_lower),
        "upper": _finite(ball.radius_upper),
        "center": None if ball.center is None else ball.center.to_float().tolist(),
        "reason": ball.reason,
    }
