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
from polytope.lp.interior_point import nearest_floats
from polytope.lp.proposals import proposing
from polytope.questions.interior import onto_equalities
from polytope.questions.projection import ExactProjection, exact_projection, fits
from polytope.sets.halfspaces import Multipliers, Row, System
from polytope.sets.rows import Rows

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


def project(layer: Rows, origin: RationalVector) -> Projection | None:
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


@dataclass(frozen=True, eq=False)
class _Program:
    """``min |x - p|^2 / 2`` in floats: the rows with equations first, scaled by powers of two.

    Attributes:
        rows: of the system.
        ratio: of each row, float row = ratio * row.
        table, right: ``table x = right`` in the first `n_equal` rows, ``<=`` in the rest.
        n_equal: number of equations.
        origin: p (d,).
        domain: lower and upper bounds (d,).
    """

    rows: list[Row]
    ratio: list[float]
    table: np.ndarray
    right: np.ndarray
    n_equal: int
    origin: np.ndarray
    domain: tuple[np.ndarray, np.ndarray]

    @classmethod
    def of(cls, system: System, origin: np.ndarray) -> _Program | None:
        """The program, or None where a number has no float."""
        floats, exponents = system.float_rows
        equal = [row for row in system.rows if row.kind == "equality"]
        rows = equal + [row for row in system.rows if row.kind != "equality"]
        # A power of two for float weights.
        ratio = [rounded(system.scale(row.unit), 1 << exponents[row.unit]) for row in rows]
        if not np.isfinite(origin).all() or not np.isfinite(ratio).all():
            return None
        right = [
            nearest_float(system.rhs[system.position[row]] * Fraction(scale))
            for row, scale in zip(rows, ratio, strict=True)
        ]
        table = np.array([floats[row.unit] * row.sign for row in rows])
        if not np.isfinite(right).all():
            return None
        shape = (len(rows), system.n_inputs)
        return cls(
            rows,
            ratio,
            table.reshape(shape),
            np.array(right),
            len(equal),
            origin,
            system.float_bounds,
        )

    def proposal(self, point: np.ndarray, multipliers: np.ndarray) -> _Proposal:
        """A solution in the system's own scaling."""
        scaled = zip(self.rows, multipliers.tolist(), self.ratio, strict=True)
        return _Proposal(point, {row: value * ratio for row, value, ratio in scaled})


def _propose(system: System, origin: np.ndarray) -> _Proposal | None:
    """Minimise ``|x - p|^2``: dense algebra first, then cvxpy (Clarabel), ten times slower."""
    program = _Program.of(system, origin)
    if program is None:
        return None
    found = None
    with proposing():
        found = nearest_floats(
            program.table, program.right, program.n_equal, origin, program.domain
        )
    if found is not None and np.isfinite(found.point).all():
        return program.proposal(found.point, found.multipliers)
    return _by_cvxpy(program)


def _by_cvxpy(program: _Program) -> _Proposal | None:
    import cvxpy

    cp: Any = cvxpy  # its stubs are partial
    x = cp.Variable(len(program.origin))
    e, parts = program.n_equal, []
    if e:
        parts.append(program.table[:e] @ x == program.right[:e])
    if e < len(program.rows):
        parts.append(program.table[e:] @ x <= program.right[e:])
    bounds = []
    for bound, sign in zip(program.domain, (1.0, -1.0), strict=True):
        finite = np.flatnonzero(np.isfinite(bound))
        if finite.size:
            bounds.append(sign * x[finite] >= sign * bound[finite])
    problem = cp.Problem(cp.Minimize(cp.sum_squares(x - program.origin) / 2), parts + bounds)
    with warnings.catch_warnings(), proposing():  # an inaccurate proposal is still a proposal
        warnings.simplefilter("ignore")
        problem.solve(solver=cp.CLARABEL)
        if x.value is None or not np.isfinite(x.value).all():
            return None
        duals = [np.atleast_1d(part.dual_value) for part in parts]
        return program.proposal(np.asarray(x.value), np.concatenate([np.zeros(0), *duals]))
    return None


def _exact_point(layer: Rows, proposal: _Proposal) -> RationalVector | None:
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


def _pulled_inside(layer: Rows, start: RationalVector, room: np.ndarray) -> RationalVector | None:
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
    layer: Rows, origin: RationalVector, proposal: _Proposal
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
