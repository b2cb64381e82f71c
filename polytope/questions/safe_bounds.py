"""How low can an objective fall at most?  A bound from float multipliers, proved exactly.

Any multipliers of the right signs prove a bound, so that those of a float solver, rounded, will do:
no exact program is solved (Neumaier & Shcherbina 2004, "Safe bounds in linear and mixed-integer
linear programming").
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from math import frexp, isfinite
from operator import mul

import numpy as np
from scipy.optimize import linprog

from polytope.answers.certificates import Certificate
from polytope.answers.results import LPStatus
from polytope.exact.brief import Brief
from polytope.exact.rational import RationalVector
from polytope.lp.proposals import proposing
from polytope.questions.feasibility import feasibility
from polytope.questions.minimize import Minimizer
from polytope.sets.halfspaces import Multipliers
from polytope.sets.rows import Rows

#: Bits kept of a multiplier.
_BITS = 40


@dataclass(frozen=True, eq=False, repr=False)
class ObjectiveBounds(Brief):
    """Proved bounds of the minimum of an objective over the set.

    Attributes:
        lower: nothing in the set has less; None if nothing was proved (the objective may be
            unbounded, or the set empty).
        upper: the objective's value at `point`, a point of the set.
        point: the point; None if none was found.
        certificate: proves both bounds; None if one is missing.
        reason: why a bound is missing.
    """

    lower: Fraction | None
    upper: Fraction | None
    point: RationalVector | None = field(repr=False)
    certificate: Certificate | None = field(repr=False)
    reason: str = ""


def objective_bounds(layer: Rows, objective: RationalVector) -> ObjectiveBounds:
    """Bound the minimum of ``objective . x``, see :class:`ObjectiveBounds`.

    Without bounds on every coordinate, rounded multipliers hardly ever prove anything; then the
    exact minimum is both bounds.
    """
    found = feasibility(layer)
    point = found.point
    if point is None:
        return ObjectiveBounds(None, None, None, None, found.reason or "the set is empty")
    upper = _value(objective, point)
    multipliers = _rounded(layer, objective)
    lower = None
    if multipliers is not None:
        lower = layer.system.lower_bound(objective, multipliers)
    if lower is None or multipliers is None:
        return _exact(layer, objective, upper, point)
    claim = {"objective": objective, "constant": Fraction(0), "lower": lower, "upper": upper}
    witness = {"point": point, "multipliers": multipliers}
    return ObjectiveBounds(
        lower, upper, point, Certificate("bounds", claim, layer, lambda: witness)
    )


def _exact(
    layer: Rows, objective: RationalVector, upper: Fraction, known: RationalVector
) -> ObjectiveBounds:
    best = Minimizer(layer).minimize(objective)
    if best.status is not LPStatus.OPTIMAL or best.certificate is None:
        words = best.reason or f"the objective is {best.status.value}"
        return ObjectiveBounds(None, upper, known, None, words)
    value, witness = best.value, best.certificate.witness
    claim = {"objective": objective, "constant": Fraction(0), "lower": value, "upper": value}
    parts = {name: witness[name] for name in ("point", "multipliers")}
    certificate = Certificate("bounds", claim, layer, lambda: parts)
    return ObjectiveBounds(value, value, best.point, certificate)


def _value(objective: RationalVector, x: RationalVector) -> Fraction:
    total = sum(map(mul, objective.numerators, x.numerators))
    return Fraction(total, objective.denominator * x.denominator)


def _rounded(layer: Rows, objective: RationalVector) -> Multipliers | None:
    """Multipliers of a float solve, with their signs mended; None if there are none."""
    system = layer.system
    floats = np.full(len(system.rows), np.nan)
    with proposing(), np.errstate(all="ignore"):
        floats = _float_multipliers(layer, objective)
    if not np.isfinite(floats).all():
        return None
    weights = {
        row: _short(v)
        for row, v in zip(system.rows, floats.tolist(), strict=True)
        if v and (row.kind == "equality" or v > 0)
    }
    return Multipliers.of(weights)


def _float_multipliers(layer: Rows, objective: RationalVector) -> np.ndarray:
    """Minus the marginals of scipy's solve, in the order of the system's rows."""
    system = layer.system
    weight = np.asarray(layer.weight.approx, float)
    signs = np.array([row.sign for row in system.rows], float)
    left = weight[[row.unit for row in system.rows]] * signs[:, None]
    right = np.array([float(v) for v in system.rhs])
    equal = np.array([row.kind == "equality" for row in system.rows], bool)
    cost = np.array(objective.numerators, object) / objective.denominator
    solved = linprog(
        cost.astype(float),
        A_ub=left[~equal],
        b_ub=right[~equal],
        A_eq=left[equal],
        b_eq=right[equal],
        bounds=[
            tuple(None if end is None else float(end) for end in ends)
            for ends in zip(system.lower, system.upper, strict=True)
        ],
        method="highs",
    )
    found = np.full(len(system.rows), np.nan)
    if solved.status == 0:
        found[equal], found[~equal] = -solved.eqlin.marginals, -solved.ineqlin.marginals
    return found


def _short(value: float) -> Fraction:
    """The number rounded to a few bits, exactly."""
    if not isfinite(value) or not value:
        return Fraction(0)
    exponent = frexp(value)[1] - _BITS
    unit = Fraction(2) ** exponent
    return round(Fraction(value) / unit) * unit
