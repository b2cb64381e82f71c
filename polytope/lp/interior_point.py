"""Who proposes a basis of a large dense program?  An interior-point method with dense algebra.

Mehrotra's predictor-corrector method (1992) on ``min c x, A x + s = b, 0 <= x <= u``, s absent at
equalities; for the point nearest to another the cost is ``h |x|^2 / 2 + c x`` with h = 1, and x may
be free.  Each of its some 20 iterations factorises one symmetric matrix of as many rows as A
has, which is matrix products throughout; the simplex method would need tens of thousands of steps
over memory.  Where the optimum is one vertex, every variable goes either to its bound or not, and
that is a basis.  Floats only: linprog proves the basis, or passes the program on to HiGHS.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from polytope.lp.highs import Basis
from polytope.lp.program import LinearProgram, objective_floats
from polytope.lp.proposals import proposing

#: Entries of A from which on the simplex method is too slow: 4,096 x 1,024.
_LARGE = 1 << 22
_ITERATIONS = 80
#: Mean complementarity, relative to the first, at which variables are told apart.
_GAP = 1e-13
#: Of the way to the nearest bound, what a step takes.
_STEP = 0.995
_REGULAR = 1e-15

#: Lower and upper bounds (d,) of the variables.
FloatBounds = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True, eq=False)
class _Data:
    """``min h |x|^2 / 2 + cost x, table x (+ s in the last rows) = right, 0 <= x <= width``.

    `low` and `high` mark the variables that have the bound; h is `curvature`, 0 or 1.
    """

    table: np.ndarray
    right: np.ndarray
    cost: np.ndarray
    width: np.ndarray
    n_equal: int
    low: np.ndarray
    curvature: float = 0.0

    @cached_property
    def high(self) -> np.ndarray:
        """Variables with an upper bound."""
        bounded: np.ndarray = np.isfinite(self.width)
        return bounded

    def pad(self, slack: np.ndarray) -> np.ndarray:
        """A vector over the slacks as one over all rows."""
        return np.concatenate([np.zeros(self.n_equal), slack])


@dataclass(eq=False)
class _Point:
    """Primal and dual variables: x z, (width - x) v and s t are to become 0; y of any sign."""

    x: np.ndarray
    above: np.ndarray
    s: np.ndarray
    y: np.ndarray
    z: np.ndarray
    v: np.ndarray
    t: np.ndarray


def suits(program: LinearProgram) -> bool:
    """Whether a program is dense, large, bounded below in each column, and of the layer alone."""
    plain = program.n == program.system.n_inputs and all(
        row.unit is not None and not row.extra for row in program.rows
    )
    large = len(program.rows) * program.n >= _LARGE
    return large and plain and None not in program.lower and program.system.weight.is_float64_exact


def propose(program: LinearProgram) -> Basis | None:
    """Propose an optimal basis; None if floats do not single one out."""
    equal = [r for r, row in enumerate(program.rows) if row.equality]
    order = equal + [r for r, row in enumerate(program.rows) if not row.equality]
    table = program.float_rows(order)
    lower, upper = program.system.float_bounds
    movable = np.flatnonzero(upper > lower)
    if table is None or not len(movable):
        return None
    found = None
    with np.errstate(all="ignore"), proposing():
        data = _Data(
            np.ascontiguousarray(table[:, movable]),
            program.float_form.row_upper[order] - table @ lower,
            objective_floats(program.objective)[movable],
            (upper - lower)[movable],
            len(equal),
            np.ones(len(movable), dtype=bool),
        )
        found = _solve(data)
    if found is None:
        return None
    # Told apart by which of two complementary variables is the larger, in units of its own column.
    high = np.isfinite(data.width) & (found.above < found.v)
    basic = movable[(found.x > found.z) & ~high].tolist()
    tight = equal + [order[len(equal) + k] for k in np.flatnonzero(found.s < found.t).tolist()]
    if len(basic) != len(tight):
        return None
    at_upper = frozenset(movable[high].tolist())
    return Basis(tuple(basic), tuple(sorted(tight)), at_upper, frozenset())


@dataclass(frozen=True, eq=False)
class NearestFloats:
    """A point (d,) and the multipliers of the rows, >= 0 at the inequalities."""

    point: np.ndarray
    multipliers: np.ndarray


def nearest_floats(
    table: np.ndarray, right: np.ndarray, n_equal: int, origin: np.ndarray, domain: FloatBounds
) -> NearestFloats | None:
    """Propose the point of ``{x in D : table x = right (first rows), <= right}`` nearest in l2.

    Args:
        table: (m, d).
        right: (m,).
        n_equal: how many of the rows, the first, are equations.
        origin: (d,).
        domain: lower and upper bounds (d,), infinite where there are none.

    Returns:
        None if the method does not converge, as on an empty set.
    """
    lower, upper = domain
    movable = upper > lower
    base = np.where(np.isfinite(lower), lower, 0.0)
    data = _Data(
        np.ascontiguousarray(table[:, movable]),
        right - table @ base,
        (base - origin)[movable],
        (upper - base)[movable],
        n_equal,
        np.isfinite(lower)[movable],
        curvature=1.0,
    )
    with np.errstate(all="ignore"):  # also where a variable has no bound to divide by
        found = _solve(data)
    if found is None:
        return None
    point = base.copy()
    point[movable] += found.x
    return NearestFloats(point, -found.y)


def _solve(data: _Data) -> _Point | None:
    at = _first(data)
    start = _gap(data, at)
    for _ in range(_ITERATIONS):
        gap = _gap(data, at)
        if not np.isfinite(gap):
            return None
        if gap < _GAP * start:
            return at
        at = _step(data, at, gap)
    return None


def _first(data: _Data) -> _Point:
    n, e = data.table.shape[1], data.n_equal
    alone = np.where(data.low, 1.0, np.where(data.high, data.width - 1, 0.0))
    x = np.where(data.low & data.high, data.width / 2, alone)
    slack = np.maximum(data.right[e:] - data.table[e:] @ x, 1.0)
    return _Point(
        x,
        np.where(data.high, data.width - x, 1.0),
        slack,
        np.zeros(len(data.right)),
        np.where(data.low, np.ones(n), 0.0),
        np.where(data.high, 1.0, 0.0),
        np.ones(len(slack)),
    )


def _gap(data: _Data, at: _Point) -> float:
    """Mean complementarity; 0 where nothing is bounded."""
    total = (at.x * at.z)[data.low].sum() + at.s @ at.t + (at.above * at.v)[data.high].sum()
    return float(total / max(1, data.low.sum() + len(at.s) + data.high.sum()))


def _step(data: _Data, at: _Point, gap: float) -> _Point:
    """One predictor and one corrector step, which share a factorisation."""
    newton = _Newton(data, at)
    ahead = newton.direction(0.0, None)
    longest = _longest(data, at, ahead)
    reached = _gap(data, _moved(data, at, ahead, longest))
    direction = newton.direction(gap * min((reached / gap) ** 3, 1.0), ahead)
    ways = _longest(data, at, direction)
    shortened = _Ways(min(1.0, _STEP * ways.primal), min(1.0, _STEP * ways.dual))
    return _moved(data, at, direction, shortened)


class _Newton:
    """The linear system of one iteration, factorised."""

    def __init__(self, data: _Data, at: _Point) -> None:
        self._data, self._at = data, at
        table, e = data.table, data.n_equal
        barrier = np.where(data.low, at.z / at.x, 0.0) + np.where(data.high, at.v / at.above, 0.0)
        self._scale = 1 / (data.curvature + barrier)
        scaled = table * np.sqrt(self._scale)
        square = scaled @ scaled.T  # numpy sees that it is symmetric, and does half of it
        diagonal = np.einsum("ii->i", square)  # a view
        diagonal[e:] += at.s / at.t
        diagonal += _REGULAR * diagonal.max()
        self._factor = cho_factor(square, overwrite_a=True, check_finite=True)
        self._primal = data.right - table @ at.x - data.pad(at.s)
        self._upper = np.where(data.high, data.width - at.x - at.above, 0.0)
        self._dual = data.curvature * at.x + data.cost - table.T @ at.y - at.z + at.v
        self._slack = -at.y[e:] - at.t

    def direction(self, target: float, ahead: _Point | None) -> _Point:
        """Towards complementary products of `target`, corrected by the products of a step."""
        data, at = self._data, self._at
        low, high, side = target - at.x * at.z, target - at.above * at.v, target - at.s * at.t
        if ahead is not None:
            low -= ahead.x * ahead.z
            high -= ahead.above * ahead.v
            side -= ahead.s * ahead.t
        above = np.where(data.high, (high - at.v * self._upper) / at.above, 0.0)
        rest = self._dual - np.where(data.low, low / at.x, 0.0) + above
        right = self._primal + data.table @ (self._scale * rest)
        right -= data.pad((side - at.s * self._slack) / at.t)
        y = cho_solve(self._factor, right, check_finite=False)
        x = self._scale * (data.table.T @ y - rest)
        up = np.where(data.high, self._upper - x, 0.0)
        t = self._slack - y[data.n_equal :]
        return _Point(
            x,
            up,
            (side - at.s * t) / at.t,
            y,
            np.where(data.low, (low - at.z * x) / at.x, 0.0),
            np.where(data.high, (high - at.v * up) / at.above, 0.0),
            t,
        )


@dataclass(frozen=True)
class _Ways:
    """How far primal and dual variables go along a direction."""

    primal: float
    dual: float


def _longest(data: _Data, at: _Point, by: _Point) -> _Ways:
    """How far they can go before one of them is negative, 1 at most.

    With a curvature the dual residual holds x itself: both go as far as the shorter way.
    """
    low, high = data.low, data.high
    primal = [(at.x[low], by.x[low]), (at.s, by.s), (at.above[high], by.above[high])]
    dual = [(at.z[low], by.z[low]), (at.t, by.t), (at.v[high], by.v[high])]
    ways = []
    for pairs in (primal, dual):
        ends = [(-value[d < 0] / d[d < 0]).min(initial=1.0) for value, d in pairs]
        ways.append(float(min(ends)))
    if data.curvature:
        ways = [min(ways)] * 2
    return _Ways(ways[0], ways[1])


def _moved(data: _Data, at: _Point, by: _Point, ways: _Ways) -> _Point:
    return _Point(
        at.x + ways.primal * by.x,
        np.where(data.high, at.above + ways.primal * by.above, 1.0),
        at.s + ways.primal * by.s,
        at.y + ways.dual * by.y,
        at.z + ways.dual * by.z,
        np.where(data.high, at.v + ways.dual * by.v, 0.0),
        at.t + ways.dual * by.t,
    )
