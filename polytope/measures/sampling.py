"""Which points does the set typically hold?  Uniform samples, and random convex combinations."""

from __future__ import annotations

import numpy as np

from polytope.answers.generators import Generators
from polytope.errors import InputError
from polytope.exact.arguments import integer, random_numbers, shown
from polytope.exact.rational import RationalVector
from polytope.measures.ellipsoid import dikin_ellipsoid, local_ellipsoid, seen_from_inside
from polytope.measures.hit_and_run import Sides, default_burn_in, default_thinning, walk
from polytope.measures.hull import Hull
from polytope.measures.local import (
    basis_floats,
    charted,
    embedded,
    listed_for,
    local_points,
    require_complete,
    steps_from_first,
)
from polytope.measures.triangulation import triangulation
from polytope.questions.recession import boundedness
from polytope.sets.rows import Rows

METHODS = ("auto", "hit-and-run", "triangulation")
#: "auto" triangulates lists up to this size: the simplices are many times as many.
_FEW_VERTICES, _LOW_DIMENSION = 500, 6
#: Up to this dimension the inscribed ellipsoid rounds the set; beyond it, the Dikin ellipsoid.
_ELLIPSOID = 25
_BLOCK = 1 << 22


def sample(
    n: int,
    layer: Rows,
    *,
    generators: Generators | None = None,
    seed: int | None = None,
    method: str = "auto",
    burn_in: int | None = None,
    thinning: int | None = None,
) -> np.ndarray:
    """Return n points (n, d), uniform on the set in its affine hull; see ``P.sample``.

    Raises:
        InputError: if the set is empty, unbounded or undecided, or an argument is out of range.
        LimitError: if a triangulation is asked for and too large.
    """
    n = integer(n, "n", least=0)
    for name, steps in (("burn_in", burn_in), ("thinning", thinning)):
        if steps is not None:
            integer(steps, name, least=1)
    if generators is not None:
        generators = listed_for(layer, generators)
    if method not in METHODS:
        raise InputError(f"method: expected one of {', '.join(METHODS)}, got {shown(method)}")
    rng = random_numbers(seed)
    if method == "triangulation" or (method == "auto" and _is_small(generators)):
        if generators is None:
            raise InputError("generators: expected a list for the triangulation, got None")
        x = _from_simplices(n, generators, rng)
    else:
        hull = _bounded_hull(layer)
        k = hull.dimension
        first, between = burn_in or default_burn_in(k), thinning or default_thinning(k)
        x = _by_walks(n, hull, rng, int(first), int(between))
    # The coordinates may leave the domain by a rounding, which a pixel must not.
    lower, upper = layer.system.float_bounds
    return np.asarray(np.clip(x, lower, upper))


def random_combinations(n: int, generators: Generators, *, seed: int | None = None) -> np.ndarray:
    """Return n random convex combinations (n, d) of the vertices, weights uniform on the simplex.

    Raises:
        InputError: if the list is not complete or holds no vertices.
    """
    n, rng = integer(n, "n", least=0), random_numbers(seed)
    require_complete(generators, "random combinations")
    if not len(generators.vertices):
        raise InputError("generators: expected vertices to combine, got none")
    points = generators.points_float()
    step = max(1, _BLOCK // len(points))
    parts = [np.zeros((0, points.shape[1]))]
    for start in range(0, n, step):
        weights = rng.standard_exponential((min(step, n - start), len(points)))
        parts.append(weights / weights.sum(axis=1, keepdims=True) @ points)
    # Convex combinations of points of a box lie in it but for rounding.
    return np.clip(np.concatenate(parts), points.min(axis=0), points.max(axis=0))


def _is_small(generators: Generators | None) -> bool:
    return (
        generators is not None
        and generators.complete
        and 0 < len(generators.points) <= _FEW_VERTICES
        and charted(generators).dimension <= _LOW_DIMENSION
    )


def _bounded_hull(layer: Rows) -> Hull:
    hull = Hull.of(layer)
    if isinstance(hull, str):
        raise InputError(f"sample: expected a set with points, got one that is {hull}")
    bounded = boundedness(layer)
    if not bounded.bounded:
        kind = "an unbounded one" if bounded.bounded is False else bounded.reason
        raise InputError(f"sample: expected a bounded set, got {kind}")
    return hull


def _from_simplices(n: int, generators: Generators, rng: np.random.Generator) -> np.ndarray:
    """Exactly uniform up to rounding: a simplex by its volume, a uniform point in it."""
    simplices = triangulation(generators)
    chosen = rng.choice(len(simplices), size=n, p=_shares(simplices, generators))
    weights = rng.standard_exponential((n, simplices.shape[1]))
    weights /= weights.sum(axis=1, keepdims=True)
    corners = generators.points_float()[simplices[chosen]]
    return np.asarray((weights[:, None, :] @ corners)[:, 0])


def _shares(simplices: np.ndarray, generators: Generators) -> np.ndarray:
    """Share of each simplex in the volume."""
    steps = steps_from_first(local_points(generators))
    if not steps.shape[1]:
        return np.ones(1)
    corners = (steps / np.ptp(steps, axis=0))[simplices]
    volumes = np.abs(np.linalg.det(corners[:, 1:] - corners[:, :1]))
    return np.asarray(volumes / volumes.sum())


def _by_walks(
    n: int, hull: Hull, rng: np.random.Generator, burn_in: int, thinning: int
) -> np.ndarray:
    if not hull.dimension:
        origin = RationalVector.of(hull.flattened().chart.origin)
        return np.tile(origin.to_float(), (n, 1))
    around = seen_from_inside(hull)
    if around is None:
        raise InputError("sample: expected a set with a ball that can be proved, got none")
    chart = around.rows.chart
    inside = local_ellipsoid(around) if chart.dimension <= _ELLIPSOID else None
    inside = inside or dikin_ellipsoid(around)
    if inside is None:
        raise InputError(
            "sample: expected a set that floats can round, got one too thin; "
            'method="triangulation" needs no rounding'
        )
    center, frame = inside
    start = embedded(chart, list(around.point)).to_float()
    if not n:
        return np.zeros((0, len(start)))
    local = Sides(around.rates @ frame, 1 - around.rates @ center)
    z = walk(n, local, rng=rng, burn_in=burn_in, thinning=thinning)
    v = _pulled_inside(center, z @ frame.T, around.rates)
    return np.asarray(start + v @ basis_floats(chart)[1].T)


def _pulled_inside(center: np.ndarray, steps: np.ndarray, rates: np.ndarray) -> np.ndarray:
    """Shorten the steps from the centre that rounding carried outside, to just inside."""
    slack, slope = 1 - rates @ center, steps @ rates.T
    with np.errstate(divide="ignore", invalid="ignore"):
        most = np.where(slope > 0, slack / slope, np.inf).min(axis=1)
    short = np.where(most < 1, most * (1 - 1e-12), 1.0)
    return np.asarray(center + short[:, None] * steps)
