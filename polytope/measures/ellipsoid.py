"""How large an ellipsoid fits into the set?  Proposed by a convex program, proved to lie inside.

The ellipsoid ``{c + S z : |z| <= 1}`` of most volume (Boyd & Vandenberghe 2004, section 8.4.2)
maximises log det S over ``|S^T a| + a c <= b``.  Floats only propose c and S; S is then shrunk
until exact arithmetic proves each inequality.  That no larger one exists is the solver's word.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from enum import Enum
from fractions import Fraction
from math import inf, lgamma, log, nan, pi
from typing import Any

import numpy as np

from polytope.answers.generators import Chart
from polytope.answers.memory import once
from polytope.exact.brief import Brief
from polytope.exact.rational import RationalVector
from polytope.lp.proposals import proposing
from polytope.measures.ball import chebyshev_ball
from polytope.measures.hull import Hull
from polytope.measures.local import Around, basis_floats, embedded, gram
from polytope.questions.recession import boundedness
from polytope.sets.rows import Rows

#: Some ten are needed; but from a centre 2^500 times nearer to one end, each step but doubles that.
_NEWTON_STEPS = 2_000
#: Thin sets have no smaller steps for floats, and a hundredth of the ellipsoid is near enough.
_AT_REST = 1e-2
#: Tried in turn until the proof goes through.
_SHRINKS = (0.0, 1e-14, 1e-12, 1e-9, 1e-6, 1e-3, 0.5)


class EllipsoidStatus(Enum):
    """What is known about the ellipsoid."""

    CONTAINED = "contained: it lies in the set, proved exactly; that it is largest is estimated"
    UNBOUNDED = "unbounded: ellipsoids of every volume fit in"
    EMPTY = "empty: the set has no points"
    UNDECIDED = "undecided: see reason"


@dataclass(frozen=True, eq=False, repr=False)
class Ellipsoid(Brief):
    """Ellipsoid ``{center + basis shape z : |z| <= 1}`` in the affine hull of the set.

    Attributes:
        status: what is known.
        dimension: dimension k of the hull.
        center: exact centre (d,).
        chart: coordinates of the hull, with the exact ``basis``.
        shape: float (k, k), taken exactly; chart coordinates of the semi-axes' images.
        log_volume: natural logarithm of its k-dimensional volume (a float, not certified).
        reason: why there is none.
    """

    status: EllipsoidStatus
    dimension: int | None
    center: RationalVector | None = None
    chart: Chart | None = None
    shape: np.ndarray = field(default_factory=lambda: np.zeros((0, 0)))
    log_volume: float = -inf
    reason: str = ""

    @property
    def contained(self) -> bool:
        """Whether exact arithmetic proved that the ellipsoid lies in the set."""
        return self.status is EllipsoidStatus.CONTAINED

    @property
    def axes(self) -> np.ndarray:
        """``basis shape`` as floats (d, k): the ellipsoid is ``center + axes z``."""
        if self.chart is None:
            return np.zeros((0, 0))
        return np.asarray(basis_floats(self.chart)[1] @ self.shape)


@once
def inscribed_ellipsoid(layer: Rows) -> Ellipsoid:
    """Largest ellipsoid of the affine hull inside the set, see :class:`Ellipsoid`."""
    hull = Hull.of(layer)
    if isinstance(hull, str):
        if hull == "empty":
            return Ellipsoid(EllipsoidStatus.EMPTY, -1)
        return Ellipsoid(EllipsoidStatus.UNDECIDED, None, reason=hull)
    bounded = boundedness(layer)
    if bounded.bounded is None:
        return Ellipsoid(EllipsoidStatus.UNDECIDED, hull.dimension, reason=bounded.reason)
    if not bounded.bounded:
        return Ellipsoid(EllipsoidStatus.UNBOUNDED, hull.dimension, log_volume=inf)
    if not hull.dimension:
        chart = hull.flattened().chart
        center = RationalVector.of(chart.origin)
        return Ellipsoid(EllipsoidStatus.CONTAINED, 0, center, chart, log_volume=0.0)
    around = seen_from_inside(hull)
    found = None if around is None else local_ellipsoid(around)
    if around is None or found is None:
        reason = "no ellipsoid that floats proposed could be proved to lie inside"
        return Ellipsoid(EllipsoidStatus.UNDECIDED, hull.dimension, reason=reason)
    middle, shape = found
    chart = around.rows.chart
    k, stretch = hull.dimension, gram(chart)
    log_gram = log(stretch.numerator) - log(stretch.denominator)
    unit_ball = k / 2 * log(pi) - lgamma(k / 2 + 1)
    log_volume = nan
    with proposing():
        log_volume = unit_ball + float(np.linalg.slogdet(shape)[1]) + log_gram / 2
    moved = [u + Fraction(v) for u, v in zip(around.point, middle.tolist(), strict=True)]
    point = embedded(chart, moved)
    return Ellipsoid(EllipsoidStatus.CONTAINED, k, point, chart, shape, log_volume)


def seen_from_inside(hull: Hull) -> Around | None:
    """Return the set as seen from the centre of its Chebyshev ball.

    None if no ball could be proved.
    """
    ball = chebyshev_ball(hull.layer)
    if ball.center is None or not ball.radius:
        return None
    rows, center = hull.flattened(), ball.center
    u = RationalVector(tuple(center.numerators[j] for j in rows.chart.columns), center.denominator)
    around = Around(rows, u.reduced())
    return around if around.is_inside else None


def local_ellipsoid(around: Around) -> tuple[np.ndarray, np.ndarray] | None:
    """Centre v (k,) and shape (k, k), proved to lie inside; None if none was.

    The program is solved in coordinates in which needles and plates are round, those of the Dikin
    ellipsoid, and once more in those of its first answer.
    """
    start = dikin_ellipsoid(around)
    if start is None:
        return None
    center, frame = start
    rates = around.rates
    for _ in range(2):
        found = _largest(rates @ frame, 1 - rates @ center)
        if found is None:
            break
        center, frame = center + frame @ found[0], frame @ found[1]
    proved = _proved(around, center, frame)
    return None if proved is None else (center, proved)


def dikin_ellipsoid(around: Around) -> tuple[np.ndarray, np.ndarray] | None:
    """Float centre v (k,) and frame (k, k) of the Dikin ellipsoid at the analytic centre.

    It lies in the set, and m times larger around m inequalities contains it.  Found by damped
    Newton steps, each taken in the frame of the Hessian at hand, which the next only corrects.
    None if they do not come to rest: the set is too thin for floats.
    """
    rates = around.rates
    if not np.isfinite(rates).all():  # a side nearer than any float's inverse
        return None
    center, frame = np.zeros(rates.shape[1]), np.eye(rates.shape[1])
    for _ in range(_NEWTON_STEPS):
        slack = 1 - rates @ center
        if not (slack > 0).all():
            return None
        moved = _newton_step(rates @ frame / slack[:, None], frame)
        if moved is None:
            return None
        frame, step = moved
        decrement = float(np.linalg.norm(step))
        if decrement < _AT_REST:
            return center, frame
        center = center + frame @ (step / (1 + decrement))
    return None


def _newton_step(scaled: np.ndarray, frame: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """The frame of the Hessian, and the Newton step in it; None if floats find none."""
    with proposing():
        q, r = np.linalg.qr(scaled)
        if np.isfinite(r).all() and np.diag(r).all():
            return np.linalg.solve(r.T, frame.T).T, -q.sum(axis=0)
    return None


def _largest(normals: np.ndarray, rhs: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """Float centre and shape of the ellipsoid of most volume, by cvxpy (Clarabel).

    In the frames this is called in, the set lies in a ball whose radius is the number of rows; rows
    that are farther away cannot matter, and would only spoil the scaling.
    """
    import cvxpy

    cp: Any = cvxpy  # its stubs are partial
    k = normals.shape[1]
    lengths = np.linalg.norm(normals, axis=1)
    with np.errstate(all="ignore"):
        near = np.flatnonzero(rhs <= 2 * len(rhs) * lengths)
    table, right = normals[near] / lengths[near, None], rhs[near] / lengths[near]
    if len(near) <= k:
        return None
    shape, center = cp.Variable((k, k), PSD=True), cp.Variable(k)
    inside = cp.norm(shape @ table.T, 2, axis=0) + table @ center <= right
    problem = cp.Problem(cp.Maximize(cp.log_det(shape)), [inside])
    with warnings.catch_warnings(), proposing():  # an inaccurate proposal is still a proposal
        warnings.simplefilter("ignore")
        problem.solve(solver=cp.CLARABEL)
        if shape.value is None or center.value is None:
            return None
        if np.isfinite(shape.value).all() and np.linalg.slogdet(shape.value)[0] > 0:
            return np.asarray(center.value), np.asarray(shape.value)
    return None


def _proved(around: Around, center: np.ndarray, shape: np.ndarray) -> np.ndarray | None:
    """Shrink a shape until every ``a c + |S^T a| <= slack`` holds exactly; None if c is outside."""
    with np.errstate(all="ignore"):
        reach = np.linalg.norm(around.rates @ shape, axis=1)
        ratio = float(np.min((1 - around.rates @ center) / reach))
    if not 0 < ratio < inf:
        return None
    for shrink in _SHRINKS:
        candidate = np.asarray(shape * (min(ratio, 1.0) * (1 - shrink)))
        if around.contains_ellipsoid(center, candidate):
            return candidate
    return None
