"""Who proposes a basis of a large dense program?  An interior-point method with dense algebra.

Mehrotra's predictor-corrector method (1992) on ``min c x, A x + s = b, 0 <= x <= u``, s absent at
equalities.  Each of its some 20 iterations factorises one symmetric matrix of as many rows as A
has, which is matrix products throughout; the simplex method would need tens of thousands of steps
over memory.  Where the optimum is one vertex, every variable goes either to its bound or not, and
that is a basis.  Floats only: linprog proves the basis, or passes the program on to HiGHS.
"""

from __future__ import annotations

from dataclasses import dataclass

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


@dataclass(frozen=True, eq=False)
class _Data:
    """``min cost x, table x (+ s in the last rows) = right, 0 <= x <= width``."""

    table: np.ndarray
    right: np.ndarray
    cost: np.ndarray
    width: np.ndarray
    n_equal: int

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


def _solve(data: _Data) -> _Point | None:
    at = _first(data)
    finite = np.isfinite(data.width)
    start = _gap(at, finite)
    for _ in range(_ITERATIONS):
        gap = _gap(at, finite)
        if not np.isfinite(gap):
            return None
        if gap < _GAP * start:
            return at
        at = _step(data, at, gap, finite)
    return None


def _first(data: _Data) -> _Point:
    n, e = data.table.shape[1], data.n_equal
    finite = np.isfinite(data.width)
    x = np.where(finite, data.width / 2, 1.0)
    slack = np.maximum(data.right[e:] - data.table[e:] @ x, 1.0)
    return _Point(
        x,
        np.where(finite, data.width - x, 1.0),
        slack,
        np.zeros(len(data.right)),
        np.ones(n),
        np.where(finite, 1.0, 0.0),
        np.ones(len(slack)),
    )


def _gap(at: _Point, finite: np.ndarray) -> float:
    """Mean complementarity."""
    total = at.x @ at.z + at.s @ at.t + (at.above * at.v)[finite].sum()
    return float(total / (len(at.x) + len(at.s) + finite.sum()))


def _step(data: _Data, at: _Point, gap: float, finite: np.ndarray) -> _Point:
    """One predictor and one corrector step, which share a factorisation."""
    newton = _Newton(data, at, finite)
    ahead = newton.direction(0.0, None)
    longest = _longest(at, ahead, finite)
    reached = _gap(_moved(at, ahead, longest, finite), finite)
    direction = newton.direction(gap * min((reached / gap) ** 3, 1.0), ahead)
    primal, dual = _longest(at, direction, finite)
    scaled = min(1.0, _STEP * primal), min(1.0, _STEP * dual)
    return _moved(at, direction, scaled, finite)


class _Newton:
    """The linear system of one iteration, factorised."""

    def __init__(self, data: _Data, at: _Point, finite: np.ndarray) -> None:
        self._data, self._at, self._finite = data, at, finite
        table, e = data.table, data.n_equal
        self._scale = 1 / (at.z / at.x + np.where(finite, at.v / at.above, 0.0))
        scaled = table * np.sqrt(self._scale)
        square = scaled @ scaled.T  # numpy sees that it is symmetric, and does half of it
        diagonal = np.einsum("ii->i", square)  # a view
        diagonal[e:] += at.s / at.t
        diagonal += _REGULAR * diagonal.max()
        self._factor = cho_factor(square, overwrite_a=True, check_finite=True)
        self._primal = data.right - table @ at.x - data.pad(at.s)
        self._upper = np.where(finite, data.width - at.x - at.above, 0.0)
        self._dual = data.cost - table.T @ at.y - at.z + at.v
        self._slack = -at.y[e:] - at.t

    def direction(self, target: float, ahead: _Point | None) -> _Point:
        """Towards complementary products of `target`, corrected by the products of a step."""
        data, at, finite = self._data, self._at, self._finite
        low, high, side = target - at.x * at.z, target - at.above * at.v, target - at.s * at.t
        if ahead is not None:
            low -= ahead.x * ahead.z
            high -= ahead.above * ahead.v
            side -= ahead.s * ahead.t
        above = np.where(finite, (high - at.v * self._upper) / at.above, 0.0)
        rest = self._dual - low / at.x + above
        right = self._primal + data.table @ (self._scale * rest)
        right -= data.pad((side - at.s * self._slack) / at.t)
        y = cho_solve(self._factor, right, check_finite=False)
        x = self._scale * (data.table.T @ y - rest)
        up = np.where(finite, self._upper - x, 0.0)
        t = self._slack - y[data.n_equal :]
        return _Point(
            x,
            up,
            (side - at.s * t) / at.t,
            y,
            (low - at.z * x) / at.x,
            np.where(finite, (high - at.v * up) / at.above, 0.0),
            t,
        )


def _longest(at: _Point, by: _Point, finite: np.ndarray) -> tuple[float, float]:
    """How far primal and dual variables can go before one of them is negative, 1 at most."""
    primal = [(at.x, by.x), (at.s, by.s), (at.above[finite], by.above[finite])]
    dual = [(at.z, by.z), (at.t, by.t), (at.v[finite], by.v[finite])]
    ways = []
    for pairs in (primal, dual):
        ends = [(-value[d < 0] / d[d < 0]).min(initial=1.0) for value, d in pairs]
        ways.append(float(min(ends)))
    return ways[0], ways[1]


def _moved(at: _Point, by: _Point, steps: tuple[float, float], finite: np.ndarray) -> _Point:
    primal, dual = steps
    return _Point(
        at.x + primal * by.x,
        np.where(finite, at.above + primal * by.above, 1.0),
        at.s + primal * by.s,
        at.y + dual * by.y,
        at.z + dual * by.z,
        np.where(finite, at.v + dual * by.v, 0.0),
        at.t + dual * by.t,
    )
