"""Questions that small layers never take through the float routines: larger sets and measures.

Each subject answers with names and values: exact numbers must be those of the truth, intervals must
hold it, None is undecided.  What a float routine may choose freely (which ball, which sample) is
substituted, and answers True.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import cache
from typing import Any

import numpy as np
from flint import fmpz_mat

from experiments.bench.exact_sets import set_of
from polytope import Box, CollisionPolytope, LPStatus, verify
from polytope.errors import CollisionError
from polytope.lp import interior_point, large_solve
from polytope.measures import hull
from polytope.measures.ball import BallStatus
from polytope.vertices.purification import PurificationStatus

Answers = dict[str, Any]
Interval = tuple[Fraction | float, Fraction | float]


@cache
def layer(n_units: int, n_inputs: int, seed: int = 0, *, shift: float = 0) -> CollisionPolytope:
    """A float32 layer at a target of which a third lies on its bounds."""
    rng = np.random.default_rng([20191212, seed])
    weight = rng.standard_normal((n_units, n_inputs)).astype(np.float32)
    bias = (rng.standard_normal(n_units) - shift).astype(np.float32)
    target = np.where(rng.random(n_inputs) < 0.3, 0, rng.random(n_inputs)).astype(np.float32)
    return CollisionPolytope.from_layer(weight, bias, target, domain=Box(0, 1))


def _fresh(polytope: CollisionPolytope) -> CollisionPolytope:
    """The same set, with nothing remembered."""
    made = polytope.layer
    return CollisionPolytope.from_layer(
        made.weight.data, made.bias.data, made.target.data, domain=made.domain
    )


def listing() -> Answers:
    """A simple and a degenerate list of vertices, and what is made of it."""
    simple = _fresh(layer(9, 6, 3, shift=1.5))
    found = simple.vertices()
    if not found.complete or found.certificate is None:
        return {"list": None}
    verify(found.certificate)
    volume = simple.volume(generators=found)
    diameter = simple.diameter(generators=found)
    mean = simple.mean_pairwise_distance(generators=found)
    return {
        "list": set_of(found),
        "volume": (volume.lower, volume.upper),
        "diameter": (diameter.lower, diameter.upper),
        "mean distance": (mean.lower, mean.upper),
    }


def degenerate() -> Answers:
    """A list that needs the perturbed walk: a cone of many rows, cut off by a box."""
    weight = np.random.default_rng(5).integers(-1, 2, (7, 4))
    weight[:, 0] = -1
    polytope = CollisionPolytope.from_layer(weight, [0] * 7, [0] * 4, domain=Box(-1, 1))
    found = polytope.vertices()
    return {"list": set_of(found) if found.complete else None}


def programs() -> Answers:
    """The dense interior point method, HiGHS, and their proofs at 20 x 30."""
    polytope, out = _fresh(layer(20, 30, 7)), dict[str, Any]()
    kept, interior_point._LARGE = interior_point._LARGE, 0
    try:
        for sign in (1, -1):
            found = polytope.minimize([sign * (j % 5 - 2) for j in range(30)])
            out[f"minimum {sign}"] = found.value
            _certified(found)
    finally:
        interior_point._LARGE = kept
    for unit, found in polytope.unit_vertices(polytope.inactive_units[:3]).items():
        out[f"unit {unit}"] = found.value
        _certified(found)
    out["dimension"] = polytope.dimension().value
    safe = polytope.objective_bounds([j % 5 - 2 for j in range(30)])
    if safe.lower is not None and out["minimum 1"] is not None:
        verify(safe.certificate)
        out["safe bounds"] = safe.lower <= out["minimum 1"] <= safe.upper
    return out


def wanted() -> Answers:
    """A set asked for by its activation: a point of it, and its dimension."""
    given = layer(12, 20, 4).layer
    polytope = CollisionPolytope.from_activation(
        given.weight.data, given.bias.data, list(given.post_activation), domain=Box(0, 1)
    )
    dimension, feasibility = polytope.dimension(), polytope.feasibility()
    for found in (dimension, feasibility):
        if found.certificate is not None:
            verify(found.certificate)
    return {"dimension": dimension.value, "feasible": feasibility.feasible}


def _certified(found: Any) -> None:
    if found.status is not LPStatus.UNDECIDED:
        verify(found.certificate)


def large_system() -> Answers:
    """A square system that is solved by floats and a reconstruction."""
    rng = np.random.default_rng(8)
    n = large_solve._SMALL + 5
    matrix = fmpz_mat(rng.integers(-(2**20), 2**20, (n, n)).tolist())
    right = rng.integers(-(2**20), 2**20, n).tolist()
    found = large_solve.solve_integers(matrix, right)
    assert found is not None
    column = fmpz_mat(n, 1, found.numerators)
    return {"solved": matrix * column == fmpz_mat(n, 1, right) * found.denominator}


def purified() -> Answers:
    """A vertex of the face of a point, too large for exact steps."""
    polytope = _fresh(layer(60, 90, 9))
    found = polytope.purify()
    if found.status is PurificationStatus.UNDECIDED:
        assert found.reason
        return {"vertex": None}
    verify(found.certificate)
    return {"vertex": polytope.is_vertex(found.point)}


def balls() -> Answers:
    """The Chebyshev ball and the inscribed ellipsoid, in a full and in a flat set."""
    out: Answers = {}
    for name, polytope in (("full", layer(4, 3, 11)), ("flat", layer(6, 4, 2))):
        fresh = _fresh(polytope)
        # Few equalities are projected on exactly; as if there were many, floats propose.
        kept, hull._EXACT = hull._EXACT, 0
        try:
            ball = fresh.chebyshev_ball()
        finally:
            hull._EXACT = kept
        known = ball.status is BallStatus.CERTIFIED
        out[f"{name}: radius"] = (ball.radius_lower, ball.radius_upper) if known else None
        if ball.center is not None:
            out[f"{name}: centre"] = polytope.contains(ball.center)
        ellipsoid = fresh.inscribed_ellipsoid()
        out[f"{name}: ellipsoid"] = _inside(polytope, ellipsoid)
    return out


def _inside(polytope: CollisionPolytope, ellipsoid: Any) -> bool | None:
    """Whether the ends of the axes lie in the set, exactly."""
    if not ellipsoid.contained:
        assert ellipsoid.reason
        return None
    centre = list(ellipsoid.center)
    basis, shape = ellipsoid.chart.basis, ellipsoid.shape.tolist()
    for k in range(len(shape)):
        column = [Fraction(row[k]) for row in shape]
        axis = [sum((b * v for b, v in zip(line, column, strict=True)), Fraction(0))
                for line in basis]  # fmt: skip
        for sign in (1, -1):
            if not polytope.contains([c + sign * a for c, a in zip(centre, axis, strict=True)]):
                return False
    return True


def distances() -> Answers:
    """The l2 distance to a set, and the Hausdorff distance of some points."""
    polytope = _fresh(layer(4, 3, 11))
    far = [2.0, -1.0, 0.5]
    found = polytope.nearest(far, norm="l2")
    out: Answers = {"l2": (found.lower, found.upper)}
    if found.certificate is not None:
        verify(found.certificate)
    points = [[0.0, 0.0, 0.0], [1.0, 0.5, 0.25], [0.5, 1.0, 1.0], [0.25, 0.25, 0.75]]
    try:
        away = polytope.hausdorff_distance(points)
        out["Hausdorff"] = (away.lower, away.upper)
    except CollisionError:
        out["Hausdorff"] = None
    return out


def samples() -> Answers:
    """Uniform samples lie in the set, up to their own rounding."""
    polytope = _fresh(layer(4, 3, 11))
    try:
        drawn = polytope.sample(5, seed=1, method="hit-and-run")
    except CollisionError:
        return {"samples": None}
    worst = max(polytope.residuals(x).smallest_tolerance for x in drawn)
    return {"samples": worst < Fraction(1, 10**9)}


SUBJECTS: tuple[Callable[[], Answers], ...] = (
    listing,
    degenerate,
    programs,
    wanted,
    large_system,
    purified,
    balls,
    distances,
    samples,
)


@cache
def truth(subject: Callable[[], Answers]) -> Answers:
    """What the subject answers while nobody lies."""
    return subject()


def differences(ours: Answers, true: Answers) -> tuple[list[str], int]:
    """What contradicts the truth, and how many answers are undecided."""
    wrong, undecided = [], 0
    for name, value in true.items():
        found = ours.get(name)
        if found is None:
            undecided += 1
        elif isinstance(value, tuple) and len(value) == 2:
            if not (found[0] <= value[1] and value[0] <= found[1]):
                wrong.append(f"{name}: {found} here, {value} in truth")
        elif found != value:
            wrong.append(f"{name}: {found} here, {value} in truth")
    wrong += [f"{name}: {v}" for name, v in ours.items() if v is False and name not in true]
    return wrong, undecided
