"""How wide is the set on average?  Its mean width over the directions of its affine hull.

The mean over the unit sphere of the hull of ``max c.x - min c.x``: the length in dimension 1, the
perimeter over pi in dimension 2, an estimate over random directions beyond.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from fractions import Fraction
from math import inf

import numpy as np

from polytope.answers.generators import Completeness, Generators
from polytope.exact.arguments import instance, integer, random_numbers
from polytope.exact.brief import Brief
from polytope.exact.roots import outward, root_sum
from polytope.measures.diameter import squared_distance
from polytope.measures.local import (
    balanced,
    basis_floats,
    charted,
    require_complete,
    steps_from_first,
)
from polytope.measures.skeleton import edges

#: Directions a draw is made of; the standard error falls with their square root.
DIRECTIONS = 10_000
_BLOCK = 1 << 22
#: Rationals around pi, 30 digits.
_PI = (
    Fraction(3141592653589793238462643383279, 10**30),
    Fraction(3141592653589793238462643383280, 10**30),
)


class MeanWidthStatus(Enum):
    """How the mean width was found."""

    CERTIFIED = "certified: between the bounds (dimension 2 or less)"
    ESTIMATED = "estimated: the mean over random directions, with its standard error"
    UNBOUNDED = "unbounded: the mean width is infinite"
    EMPTY = "empty: the set has no points"


@dataclass(frozen=True, repr=False)
class MeanWidth(Brief):
    """Mean width of the set over the unit directions of its affine hull.

    Attributes:
        status: how it was found.
        value: the mean width, or its estimate.
        standard_error: of the estimate; 0 where it is certified.
        lower: certified lower bound; 0 if estimated.
        upper: certified upper bound; infinite if estimated.
        directions: how many random directions were used.
    """

    status: MeanWidthStatus
    value: float
    standard_error: float
    lower: float
    upper: float
    directions: int = 0


def mean_width(
    generators: Generators, *, directions: int = DIRECTIONS, seed: int | None = None
) -> MeanWidth:
    """Mean width over the affine hull's unit sphere, see :class:`MeanWidth`.

    Raises:
        InputError: if the list is not complete, or fewer than two directions are asked for.
    """
    directions, rng = integer(directions, "directions", least=2), random_numbers(seed)
    if instance(generators, Generators, "generators").status is Completeness.EMPTY:
        return MeanWidth(MeanWidthStatus.EMPTY, 0.0, 0.0, 0.0, 0.0)
    require_complete(generators, "mean width")
    if generators.rays or generators.lines:
        return MeanWidth(MeanWidthStatus.UNBOUNDED, inf, 0.0, inf, inf)
    k = charted(generators).dimension
    if k <= 2:
        return _certified(generators, k)
    widths = _widths(generators, directions, rng)
    size = float(np.abs(widths).max()) or 1.0  # squares of the widths themselves may overflow
    error = size * float((widths / size).std(ddof=1) / np.sqrt(directions))
    value = float(widths.mean())
    return MeanWidth(MeanWidthStatus.ESTIMATED, value, error, 0.0, inf, directions)


def _certified(generators: Generators, k: int) -> MeanWidth:
    """Length or perimeter over pi: the sum of the lengths of the edges, between bounds."""
    points = generators.points
    low, high = root_sum(squared_distance(points[i], points[j]) for i, j in edges(generators))
    if k == 2:
        low, high = low / _PI[1], high / _PI[0]
    lower, upper = outward(low)[0], outward(high)[1]
    value = float((low + high) / 2)
    return MeanWidth(MeanWidthStatus.CERTIFIED, value, 0.0, lower, upper)


def _widths(generators: Generators, n: int, rng: np.random.Generator) -> np.ndarray:
    """Widths (n,) in directions drawn uniformly from the hull's unit sphere."""
    chart = balanced(charted(generators))
    frame, _ = np.linalg.qr(basis_floats(chart)[1])
    local = steps_from_first(generators.points) @ frame
    normals = rng.normal(size=(n, chart.dimension))
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    step = max(1, _BLOCK // len(local))
    parts = [np.ptp(normals[start : start + step] @ local.T, axis=1) for start in range(0, n, step)]
    return np.concatenate(parts)
