"""How large is a listed set?  Its measures as a record keeps them, each between proved bounds."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from polytope import CollisionPolytope
from polytope.answers.generators import Generators
from polytope.errors import LimitError

#: Points up to which "auto" measures: all together take a few seconds.
CHEAP_POINTS = 5_000
#: Inputs up to which "auto" asks for the largest ball: one exact linear program.
CHEAP_INPUTS = 64

#: Least and largest value of every coordinate; None where there is no end.
Extents = tuple[tuple[float | None, float | None], ...]


@dataclass(frozen=True, kw_only=True)
class Measured:
    """A number between proved bounds.

    Attributes:
        status: "certified", or why there is none: "limit", "undecided", ...
        lower: bound.
        upper: bound; None where it is infinite.
        reason: why there is none.
    """

    status: str
    lower: float | None = None
    upper: float | None = None
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class Volume(Measured):
    """The k-dimensional volume.

    Attributes:
        dimension: k.
        value: between the bounds.
        method: how it was computed.
    """

    dimension: int | None = None
    value: float | None = None
    method: str = ""

    @classmethod
    def of(cls, polytope: CollisionPolytope, generators: Generators) -> "Volume":
        """That of a complete list."""
        try:
            volume = polytope.volume(generators=generators)
        except LimitError as problem:
            return cls(status="limit", reason=str(problem))
        return cls(
            status=volume.status.name.lower(),
            dimension=volume.dimension,
            value=_finite(volume.value),
            lower=_finite(volume.lower),
            upper=_finite(volume.upper),
            method=volume.method,
        )


@dataclass(frozen=True, kw_only=True)
class MeanDistance(Measured):
    """The mean distance of all pairs of vertices.

    Attributes:
        value: between the bounds.
        pairs: how many.
    """

    value: float
    pairs: int

    @classmethod
    def of(cls, polytope: CollisionPolytope, generators: Generators) -> "MeanDistance":
        """That of a complete, bounded list."""
        found = polytope.mean_pairwise_distance(generators=generators)
        return cls(
            status="certified",
            value=found.value,
            lower=found.lower,
            upper=found.upper,
            pairs=found.n_pairs,
        )


@dataclass(frozen=True, kw_only=True)
class Ball(Measured):
    """The radius of the largest ball of the affine hull inside the set.

    Attributes:
        center: (d,) of it.
    """

    center: tuple[float, ...] | None

    @classmethod
    def of(cls, polytope: CollisionPolytope) -> "Ball":
        """That of any set."""
        ball = polytope.chebyshev_ball()
        return cls(
            status=ball.status.name.lower(),
            lower=_finite(ball.radius_lower),
            upper=_finite(ball.radius_upper),
            center=None if ball.center is None else tuple(ball.center.to_float().tolist()),
            reason=ball.reason,
        )


def diameter(polytope: CollisionPolytope, generators: Generators) -> Measured:
    """Returns the diameter of a complete list."""
    found = polytope.diameter(generators=generators)
    return Measured(
        status=found.status.name.lower(),
        lower=_finite(found.lower),
        upper=_finite(found.upper),
        reason=found.reason,
    )


def _finite(value: float) -> float | None:
    return value if np.isfinite(value) else None


def extents(generators: Generators, n_inputs: int) -> Extents:
    """Returns the least and largest value of every coordinate; None where there is no end.

    They are the exact ends, correctly rounded: rounding keeps the order of the exact coordinates.
    """
    points = generators.points_float()
    ends = []
    for j in range(n_inputs):
        low: float | None = float(points[:, j].min())
        high: float | None = float(points[:, j].max())
        if any(line[j] for line in generators.lines):
            low = high = None
        if any(ray[j] < 0 for ray in generators.rays):
            low = None
        if any(ray[j] > 0 for ray in generators.rays):
            high = None
        ends.append((low, high))
    return tuple(ends)


@dataclass(frozen=True, kw_only=True)
class Measures:
    """What was measured of a set; None where it was left out.

    Attributes:
        extents: of every coordinate.
        volume: of the dimension of the set.
        diameter: of the set.
        mean_pairwise_distance: of its vertices.
        ball: the largest inside.
    """

    extents: Extents
    volume: Volume | None = None
    diameter: Measured | None = None
    mean_pairwise_distance: MeanDistance | None = None
    ball: Ball | None = None


def measures(
    polytope: CollisionPolytope,
    generators: Generators,
    *,
    level: Literal["auto", "all", "none"],
) -> Measures:
    """Returns volume, diameter, mean pairwise distance, extents and largest ball.

    Args:
        polytope: the set.
        generators: its complete, not empty list.
        level: "auto" leaves out what may take long, "all" nothing, "none" everything.
    """
    small = len(generators.points) <= CHEAP_POINTS
    bounded = not (generators.rays or generators.lines)
    wanted: dict[str, tuple[bool, Callable[[], Any]]] = {
        "volume": (small, lambda: Volume.of(polytope, generators)),
        "diameter": (small, lambda: diameter(polytope, generators)),
        "mean_pairwise_distance": (
            small and bounded,
            lambda: MeanDistance.of(polytope, generators),
        ),
        "ball": (polytope.n_inputs <= CHEAP_INPUTS, lambda: Ball.of(polytope)),
    }
    found = {
        name: compute()
        for name, (cheap, compute) in wanted.items()
        if level == "all" or (level == "auto" and cheap)
    }
    return Measures(extents=extents(generators, polytope.n_inputs), **found)
