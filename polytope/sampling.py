"""Which points does the set typically hold?  Uniform samples, and random convex combinations."""

from __future__ import annotations

import numpy as np

from polytope.ellipsoid import dikin_ellipsoid, local_ellipsoid
from polytope.errors import InputError
from polytope.generators import Chart, Generators
from polytope.hit_and_run import default_burn_in, default_thinning, walk
from polytope.hull import Hull
from polytope.layer import Layer
from polytope.local import LocalRows, basis_floats, charted, require_complete
from polytope.recession import boundedness
from polytope.triangulation import triangulation

METHODS = ("auto", "hit-and-run", "triangulation")
#: "auto" triangulates lists up to this size: the simplices are many times as many.
_FEW_VERTICES, _LOW_DIMENSION = 500, 6
#: Up to this dimension the inscribed ellipsoid rounds the set; beyond it, the Dikin ellipsoid.
_ELLIPSOID = 25
_BLOCK = 1 << 22


def sample(
    n: int,
    layer: Layer,
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
    if n < 0:
        raise InputError(f"n: expected a number >= 0, got {n}")
    if method not in METHODS:
        raise InputError(f"method: expected one of {', '.join(METHODS)}, got {method!r}")
    rng = np.random.default_rng(seed)
    if method == "triangulation" or (method == "auto" and _is_small(generators)):
        if generators is None:
            raise InputError("generators: expected a list for the triangulation, got None")
        chart = charted(generators)
        u = _from_simplices(n, generators, rng)
    else:
        hull = _bounded_hull(layer)
        chart, rows = hull.flattened()
        k = chart.dimension
        steps = (
            default_burn_in(k) if burn_in is None else burn_in,
            default_thinning(k) if thinning is None else thinning,
        )
        if min(steps) < 1:
            raise InputError(f"burn_in, thinning: expected at least 1, got {steps}")
        u = _by_walks(n, (chart, rows), rng, steps)
    origin, basis = basis_floats(chart)
    # The coordinates may leave the domain by a rounding, which a pixel must not.
    lower, upper = layer.system.float_bounds
    return np.asarray(np.clip(origin + u @ basis.T, lower, upper))


def random_combinations(n: int, generators: Generators, *, seed: int | None = None) -> np.ndarray:
    """Return n random convex combinations (n, d) of the vertices, weights uniform on the simplex.

    Raises:
        InputError: if the list is not complete or holds no vertices.
    """
    if n < 0:
        raise InputError(f"n: expected a number >= 0, got {n}")
    require_complete(generators, "random combinations")
    if not len(generators.vertices):
        raise InputError("generators: expected vertices to combine, got none")
    points = generators.points_float()
    rng = np.random.default_rng(seed)
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


def _bounded_hull(layer: Layer) -> Hull:
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
    chart = charted(generators)
    corners = generators.points_float()[:, list(chart.columns)][simplices]
    edges = corners[:, 1:] - corners[:, :1]
    volumes = np.abs(np.linalg.det(edges)) if chart.dimension else np.ones(1)
    chosen = rng.choice(len(simplices), size=n, p=volumes / volumes.sum())
    weights = rng.standard_exponential((n, chart.dimension + 1))
    weights /= weights.sum(axis=1, keepdims=True)
    return np.asarray((weights[:, None, :] @ corners[chosen])[:, 0])


def _by_walks(
    n: int,
    flat: tuple[Chart, LocalRows],
    rng: np.random.Generator,
    steps: tuple[int, int],
) -> np.ndarray:
    chart, rows = flat
    if not chart.dimension or not n:
        return np.zeros((n, chart.dimension))
    inside = local_ellipsoid(chart, rows) if chart.dimension <= _ELLIPSOID else None
    inside = inside or dikin_ellipsoid(chart, rows)
    if inside is None:
        raise InputError("sample: expected a set with room for floats, got one too thin")
    center, frame = inside
    normals, rhs = rows.floats
    local = normals @ frame, rhs - normals @ center
    z = walk(n, local, rng=rng, burn_in=steps[0], thinning=steps[1])
    return _pulled_inside(center, z @ frame.T, rows)


def _pulled_inside(center: np.ndarray, steps: np.ndarray, rows: LocalRows) -> np.ndarray:
    """Shorten the steps from the centre that rounding carried outside, to just inside."""
    normals, rhs = rows.floats
    slack, slope = rhs - normals @ center, steps @ normals.T
    with np.errstate(divide="ignore", invalid="ignore"):
        most = np.where(slope > 0, slack / slope, np.inf).min(axis=1)
    short = np.where(most < 1, most * (1 - 1e-12), 1.0)
    return np.asarray(center + short[:, None] * steps)
