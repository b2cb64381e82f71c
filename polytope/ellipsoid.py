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
from math import inf, lgamma, log, pi
from typing import Any

import numpy as np

from polytope.generators import Chart
from polytope.hull import Hull
from polytope.layer import Layer
from polytope.local import LocalRows, basis_floats, embedded, gram
from polytope.rational import RationalVector
from polytope.recession import boundedness

_NEWTON_STEPS = 60
#: Tried in turn until the proof goes through.
_SHRINKS = (0.0, 1e-14, 1e-12, 1e-9, 1e-6, 1e-3, 0.5)


class EllipsoidStatus(Enum):
    """What is known about the ellipsoid."""

    CONTAINED = "contained: it lies in the set, proved exactly; that it is largest is estimated"
    UNBOUNDED = "unbounded: ellipsoids of every volume fit in"
    EMPTY = "empty: the set has no points"
    UNDECIDED = "undecided: see reason"


@dataclass(frozen=True, eq=False)
class Ellipsoid:
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


def inscribed_ellipsoid(layer: Layer) -> Ellipsoid:
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
    chart, rows = hull.flattened()
    if not hull.dimension:
        center = RationalVector.of(chart.origin)
        return Ellipsoid(EllipsoidStatus.CONTAINED, 0, center, chart, log_volume=0.0)
    found = local_ellipsoid(chart, rows)
    if found is None:
        reason = "the convex program gave no ellipsoid that could be proved to lie inside"
        return Ellipsoid(EllipsoidStatus.UNDECIDED, hull.dimension, reason=reason)
    middle, shape = found
    k = hull.dimension
    stretch = gram(chart)
    log_gram = log(stretch.numerator) - log(stretch.denominator)
    unit_ball = k / 2 * log(pi) - lgamma(k / 2 + 1)
    log_volume = unit_ball + float(np.linalg.slogdet(shape)[1]) + log_gram / 2
    point = embedded(chart, [Fraction(v) for v in middle.tolist()])
    return Ellipsoid(EllipsoidStatus.CONTAINED, k, point, chart, shape, log_volume)


def local_ellipsoid(chart: Chart, rows: LocalRows) -> tuple[np.ndarray, np.ndarray] | None:
    """Centre (k,) and shape (k, k) in chart coordinates, proved to lie inside; None if none was.

    The program is solved in coordinates in which needles and plates are round, those of the Dikin
    ellipsoid, and once more in those of its first answer.
    """
    start = dikin_ellipsoid(chart, rows)
    if start is None:
        return None
    center, frame = start
    normals, rhs = rows.floats
    for _ in range(2):
        found = _largest(normals @ frame, rhs - normals @ center)
        if found is None:
            break
        center, frame = center + frame @ found[0], frame @ found[1]
    proved = _proved(rows, center, frame)
    return None if proved is None else (center, proved)


def dikin_ellipsoid(chart: Chart, rows: LocalRows) -> tuple[np.ndarray, np.ndarray] | None:
    """Float centre (k,) and frame (k, k) of the Dikin ellipsoid at the analytic centre.

    It lies in the set, and m times larger around m inequalities contains it.
    """
    normals, rhs = rows.floats
    _, basis = basis_floats(chart)
    start = _chebyshev(normals, rhs, np.linalg.inv(np.linalg.qr(basis)[1]))
    return None if start is None else _dikin(normals, rhs, start)


def _chebyshev(
    normals: np.ndarray, rhs: np.ndarray, frame: np.ndarray
) -> tuple[np.ndarray, np.ndarray] | None:
    """Float centre (k,) of a largest ball, and the frame scaled by its radius."""
    from scipy.optimize import linprog

    turned = normals @ frame
    k = turned.shape[1]
    lengths = np.linalg.norm(turned, axis=1)
    table = np.hstack([turned, lengths[:, None]]) / lengths[:, None]
    bounds = [(None, None)] * k + [(0, None)]
    found = linprog([0.0] * k + [-1.0], A_ub=table, b_ub=rhs / lengths, bounds=bounds)
    if found.x is None or not found.x[k] > 0:
        return None
    return frame @ found.x[:k], frame * float(found.x[k])


def _dikin(
    normals: np.ndarray, rhs: np.ndarray, start: tuple[np.ndarray, np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """Analytic centre and the frame of its Dikin ellipsoid, by damped Newton steps.

    Each step is taken in the frame of the Hessian at hand, which the next one only corrects.
    """
    center, frame = start
    for _ in range(_NEWTON_STEPS):
        slack = rhs - normals @ center
        if not (slack > 0).all():
            return start
        q, r = np.linalg.qr(normals @ frame / slack[:, None])
        frame = np.linalg.solve(r.T, frame.T).T
        step = -q.sum(axis=0)
        decrement = float(np.linalg.norm(step))
        center = center + frame @ (step / (1 + decrement))
        if decrement < 1e-6:
            break
    return center, frame


def _largest(normals: np.ndarray, rhs: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """Float centre and shape of the ellipsoid of most volume, by cvxpy (Clarabel)."""
    import cvxpy

    cp: Any = cvxpy  # its stubs are partial
    k = normals.shape[1]
    lengths = np.linalg.norm(normals, axis=1)
    table, right = normals / lengths[:, None], rhs / lengths
    shape, center = cp.Variable((k, k), PSD=True), cp.Variable(k)
    inside = cp.norm(shape @ table.T, 2, axis=0) + table @ center <= right
    problem = cp.Problem(cp.Maximize(cp.log_det(shape)), [inside])
    try:
        with warnings.catch_warnings():  # an inaccurate proposal is still a proposal
            warnings.simplefilter("ignore")
            problem.solve(solver=cp.CLARABEL)
    except cp.SolverError:
        return None
    if shape.value is None or center.value is None:
        return None
    if not (np.isfinite(shape.value).all() and np.linalg.slogdet(shape.value)[0] > 0):
        return None
    return np.asarray(center.value), np.asarray(shape.value)


def _proved(rows: LocalRows, center: np.ndarray, shape: np.ndarray) -> np.ndarray | None:
    """Shrink a shape until every ``a c + |S^T a| <= b`` holds exactly; None if c is outside."""
    normals, rhs = rows.floats
    with np.errstate(all="ignore"):
        reach = np.linalg.norm(normals @ shape, axis=1)
        ratio = float(np.min((rhs - normals @ center) / reach))
    if not 0 < ratio < inf:
        return None
    for shrink in _SHRINKS:
        candidate = shape * (min(ratio, 1.0) * (1 - shrink))
        if lies_inside(rows, center, candidate):
            return np.asarray(candidate)
    return None


def lies_inside(rows: LocalRows, center: np.ndarray, shape: np.ndarray) -> bool:
    """Whether ``{c + S z : |z| <= 1}`` satisfies every inequality, exactly."""
    c = RationalVector.of(center.tolist())
    columns = [RationalVector.of(column) for column in shape.T.tolist()]
    for normal, rhs in zip(rows.normals, rows.rhs, strict=True):
        slack = rhs - Fraction(
            sum(a * v for a, v in zip(normal, c.numerators, strict=True)), c.denominator
        )
        if slack < 0:
            return False
        reach = sum(
            Fraction(sum(a * v for a, v in zip(normal, s.numerators, strict=True)), s.denominator)
            ** 2
            for s in columns
        )
        if reach > slack * slack:
            return False
    return True
