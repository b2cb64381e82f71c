"""Which point of the set is nearest in l2?  Proposed by a quadratic program, bounded exactly.

The optimum is irrational in general, so it is held between two certified bounds: an exact point of
the set near the float optimum, and the separating functional of the float multipliers, rounded so
that it stays valid.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from fractions import Fraction
from math import isfinite, isqrt
from typing import Any

import numpy as np

from polytope.exact.rational import RationalVector, nearest_float, rounded
from polytope.lp.proposals import proposing
from polytope.questions.interior import onto_equalities
from polytope.questions.projection import ExactProjection, exact_projection, fits
from polytope.sets.halfspaces import Multipliers, Row, System
from polytope.sets.layer import Layer

#: A slack or a distance to a bound below this, relative to 1, is taken for zero by the proposal.
_TIGHT = 1e-6
#: Functionals are rounded to this many bits; the certified gap is far wider than the rounding.
_BITS = 60


@dataclass(frozen=True, eq=False)
class Projection:
    """An exact point of the set, a functional of l2 norm at most 1, and its multipliers."""

    point: RationalVector
    functional: RationalVector
    multipliers: Multipliers


@dataclass(frozen=True, eq=False)
class _Proposal:
    """Float optimum (d,) and the multipliers of the rows, in the system's own scaling."""

    point: np.ndarray
    duals: dict[Row, float]


def project(layer: Layer, origin: RationalVector) -> Projection | None:
    """Return certified material for both bounds; None if no exact point could be reached.

    A small set is projected onto exactly, whatever its scales; only the length is then rounded.
    """
    if fits(layer.system):
        exact = exact_projection(layer.system, origin)
        return None if exact is None else _normalised(origin, exact)
    proposal = _propose(layer.system, origin.to_float())
    if proposal is None:
        return None
    point = _exact_point(layer, proposal)
    if point is None:
        point = layer.target_vector
    if point is None:
        return None
    functional, multipliers = _functional(layer, origin, proposal)
    return Projection(point.reduced(), functional, multipliers)


def _normalised(origin: RationalVector, found: ExactProjection) -> Projection:
    """Divide ``x - p`` and its multipliers by a rational just above the length."""
    step = RationalVector.of(a - b for a, b in zip(found.point, origin, strict=True))
    square = sum(v * v for v in step.numerators)
    # 120 bits more than the numerators need keep the certified gap below any float's.
    root = isqrt(square << 240)
    length = root if root * root == square << 240 else root + 1
    if not length:
        return Projection(found.point, step, Multipliers({}))
    functional = RationalVector(tuple(v << 120 for v in step.numerators), length)
    ratio = Fraction(step.denominator << 120, length)
    scaled = {row: m * ratio for row, m in found.multipliers.items()}
    return Projection(found.point, functional, Multipliers.of(scaled))


def _propose(system: System, origin: np.ndarray) -> _Proposal | None:
    """Minimise ``|x - p|^2`` by cvxpy (Clarabel)."""
    import cvxpy

    cp: Any = cvxpy  # its stubs are partial

    floats, exponents = system.float_rows
    # float row = w_i * ratio_i, a power of two for float weights
    ratio = [rounded(system.scale(i), 1 << e) for i, e in enumerate(exponents)]
    if not np.isfinite(origin).all() or not np.isfinite(ratio).all():
        return None
    x = cp.Variable(system.n_inputs)
    constraints, groups = [], []
    for kind in ("equality", "upper", "lower"):
        rows = [row for row in system.rows if row.kind == kind]
        if not rows:
            continue
        table = np.array([floats[r.unit] * r.sign for r in rows])
        rhs = np.array(
            [nearest_float(system.rhs[system.position[r]] * Fraction(ratio[r.unit])) for r in rows]
        )
        if not np.isfinite(rhs).all():
            return None
        constraint = table @ x == rhs if kind == "equality" else table @ x <= rhs
        constraints.append(constraint)
        groups.append((rows, constraint))
    lower, upper = system.float_bounds
    for bound, sign in ((lower, 1.0), (upper, -1.0)):
        finite = np.flatnonzero(np.isfinite(bound))
        if finite.size:
            constraints.append(sign * x[finite] >= sign * bound[finite])
    problem = cp.Problem(cp.Minimize(cp.sum_squares(x - origin) / 2), constraints)
    with warnings.catch_warnings(), proposing():  # an inaccurate proposal is still a proposal
        warnings.simplefilter("ignore")
        problem.solve(solver=cp.CLARABEL)
        if x.value is None or not np.isfinite(x.value).all():
            return None
        duals = {
            row: float(value) * ratio[row.unit]
            for rows, constraint in groups
            for row, value in zip(rows, np.atleast_1d(constraint.dual_value), strict=True)
        }
        return _Proposal(np.asarray(x.value), duals)
    return None


def _exact_point(layer: Layer, proposal: _Proposal) -> RationalVector | None:
    """Snap to the bounds, then move exactly onto the equalities and the rows that look tight.

    If the result violates something by a hair, step towards a point strict in everything.
    """
    system = layer.system
    x = np.clip(proposal.point, *system.float_bounds)
    lower, upper = system.float_bounds
    at_lower, at_upper = x - lower < _TIGHT, upper - x < _TIGHT
    values = [
        (low if a else high if b else Fraction(v))
        for v, a, b, low, high in zip(
            x.tolist(), at_lower, at_upper, system.lower, system.upper, strict=True
        )
    ]
    room = np.where(at_lower | at_upper, 0.0, np.minimum(np.minimum(x - lower, upper - x), 1.0))
    start = RationalVector.of(values)
    slack = _float_slack(system, x)
    for margin in (_TIGHT, 1e-4, 0.0):
        tight = [r for r in system.rows if r.kind != "equality" and slack[r] < margin]
        moved = onto_equalities(layer, start, room, tight)
        if moved is not None and system.contains(moved):
            return moved
    return _pulled_inside(layer, start, room)


def _pulled_inside(layer: Layer, start: RationalVector, room: np.ndarray) -> RationalVector | None:
    from polytope.questions.interior import central_point

    moved = onto_equalities(layer, start, room)
    lower, upper = layer.domain.bounds(layer.n_inputs)
    fixed = [
        j for j, (a, b) in enumerate(zip(lower, upper, strict=True)) if a is not None and a == b
    ]
    centre = central_point(layer, fixed)
    if moved is None or centre is None or not layer.system.contains(centre):
        return None
    for exponent in range(40, 0, -4):
        t = Fraction(1, 1 << exponent)
        mixed = RationalVector.of((1 - t) * a + t * b for a, b in zip(moved, centre, strict=True))
        if layer.system.contains(mixed):
            return mixed
    return None


def _float_slack(system: System, x: np.ndarray) -> dict[Row, float]:
    with np.errstate(all="ignore"):  # a slack that overflowed is not a small one
        activity = system.weight.approx @ x
    return {
        row: nearest_float(rhs) - row.sign * float(activity[row.unit])
        for row, rhs in zip(system.rows, system.rhs, strict=True)
    }


def _functional(
    layer: Layer, origin: RationalVector, proposal: _Proposal
) -> tuple[RationalVector, Multipliers]:
    """Normalise ``g = r - sum m_i row_i`` with r admissible at the bounds: valid on any domain."""
    system = layer.system
    unit = 1 << _BITS
    raw = {
        row: Fraction(round(value * unit), unit)
        for row, value in proposal.duals.items()
        if isfinite(value) and (row.kind == "equality" or value > 0)
    }
    multipliers = Multipliers.of(raw)
    combined = system.combine(multipliers).to_float()
    gradient = proposal.point - origin.to_float()
    lower, upper = system.float_bounds
    reduced = gradient + combined
    keep = np.where(reduced > 0, np.isfinite(lower), np.isfinite(upper))
    exact = system.combine(multipliers)
    rest = [round(v * unit) if k else 0 for v, k in zip(reduced.tolist(), keep, strict=True)]
    common = exact.denominator * unit
    g = [r * exact.denominator - c * unit for r, c in zip(rest, exact.numerators, strict=True)]
    # Divide by an integer square root rounded up: the norm ends just below 1.
    length = isqrt(sum(v * v for v in g)) + 1
    functional = RationalVector(tuple(g), length)
    scaled = Multipliers(
        {row: w * common for row, w in multipliers.weights.items()},
        multipliers.denominator * length,
    )
    return functional, scaled
