"""How does a point of a face get to a vertex?  Pushes in floats, a block of columns at a time.

In standard form the rows that are not tight get slack variables, and a basis has as many variables
as rows.  Every other variable that is strictly inside of its bounds ("superbasic") is pushed until
it meets a bound, or until a basic variable does, with which it changes places (Megiddo 1991; the
push phase of Bixby & Saltzman 1994).  Basic slacks are eliminated, so the only matrix to factorise
is that of the tight rows on the basic columns; moves on which a row of the layer would become tight
are put off, which keeps it small.  It is factorised anew for each block of columns, and values are
computed anew from it, so rounding errors do not add up over thousands of moves.

Floats only: which rows and columns come out is a proposal, for exact arithmetic to prove.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np
from scipy.linalg import lapack, qr

from polytope.lp.proposals import proposing

#: Columns whose rates are kept up to date between two factorisations.
_BLOCK = 256
#: Columns tried in vain before a row of the layer is let become tight.
_PATIENCE = 4
#: Rates below this, relative to the largest of their column, count as zero.
_ZERO = 1e-10
#: Bounds may be passed by this much, relative to a value's size, where it makes for larger pivots.
_SLIP = 1e-10
#: Diagonal entries below this, relative to the first, end the independent rows of a pivoted QR.
_RANK = 1e-11


@dataclass(frozen=True, eq=False)
class Face:
    """A face of a polyhedron around one of its points, in floats.

    ``equal @ x`` is constant, ``loose @ x <= loose @ value + slack``, ``lower <= x <= upper``.

    Attributes:
        equal: (e, n) rows tight on the whole face, on the coordinates that are not fixed there.
        loose: (m, n) the other rows, slack at the point.
        value: (n,) the point.
        slack: (m,) > 0.
        lower, upper: (n,) bounds, infinite where there are none; the point lies strictly between.
    """

    equal: np.ndarray
    loose: np.ndarray
    value: np.ndarray
    slack: np.ndarray
    lower: np.ndarray
    upper: np.ndarray


@dataclass(frozen=True, eq=False)
class Proposal:
    """Rows and columns said to meet in a vertex.

    Attributes:
        equal: which equal rows, independent ones.
        loose: which loose rows became tight.
        columns: as many columns; all others are at the bound in ``at_upper`` or at the lower one.
        at_upper: (n,) whether a nonbasic column ended at its upper bound.
        moves: pushes made.
    """

    equal: list[int]
    loose: list[int]
    columns: list[int]
    at_upper: np.ndarray
    moves: int


def push(face: Face, *, seed: int = 0) -> Proposal | None:
    """Push a point of a face to a vertex; None if floats find none (a line, a singular basis).

    Args:
        face: the face and the point.
        seed: of the order in which columns are pushed.
    """
    with np.errstate(all="ignore"), proposing():
        start = _independent(face)
        if start is None:
            return None
        walk = _Walk(face, *start)
        others = np.setdiff1d(np.arange(len(face.value)), start[1])
        order = np.random.default_rng(seed).permutation(others)
        for first in range(0, len(order), _BLOCK):
            if not walk.push(order[first : first + _BLOCK]):
                return None
        return walk.proposal()
    return None


def _independent(face: Face) -> tuple[list[int], list[int]] | None:
    """Independent equal rows, and columns with room to move on which they are well conditioned."""
    if not len(face.equal) or not len(face.value):
        return [], []
    room = np.minimum(face.value - face.lower, face.upper - face.value)
    table = face.equal * np.where(np.isfinite(room), room, 1.0 + np.abs(face.value))
    if not np.isfinite(table).all() or not table.any():
        return None if table.any() else ([], [])
    factor, order = qr(table, mode="r", pivoting=True, check_finite=False)
    columns = order[: _rank(factor)].tolist()
    if len(columns) == len(table):
        return list(range(len(table))), columns
    _, order = qr(table[:, columns].T, mode="r", pivoting=True, check_finite=False)
    return sorted(order[: len(columns)].tolist()), columns


def _rank(factor: np.ndarray) -> int:
    diagonal = np.abs(np.diag(factor))
    return int((diagonal > diagonal[0] * _RANK).sum())


class _Walk:
    """The state of the walk: variables are the n columns, then the m slacks."""

    def __init__(self, face: Face, rows: list[int], columns: list[int]) -> None:
        self._rows = rows
        n, m = len(face.value), len(face.slack)
        self._n, self._moves = n, 0
        self._table = np.concatenate([face.equal[rows], face.loose])
        self._right = self._table @ face.value
        self._right[len(rows) :] += face.slack
        self._value = np.concatenate([face.value, face.slack])
        self._lower = np.concatenate([face.lower, np.zeros(m)])
        self._upper = np.concatenate([face.upper, np.full(m, np.inf)])
        self._basic = np.concatenate([np.array(columns, dtype=np.intp), n + np.arange(m)])
        self._at_upper = np.zeros(n, dtype=bool)

    def _split(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Basic columns, tight rows and slack rows of the table."""
        e = len(self._rows)
        columns = self._basic[self._basic < self._n]
        slack = self._basic[self._basic >= self._n] - self._n + e
        tight = np.setdiff1d(np.arange(len(self._table)), slack)
        return columns, tight, slack

    def proposal(self) -> Proposal:
        columns, tight, _ = self._split()
        e = len(self._rows)
        loose = (tight[e:] - e).tolist()
        return Proposal(self._rows, loose, columns.tolist(), self._at_upper, self._moves)

    def push(self, block: np.ndarray) -> bool:
        """Push some superbasic columns until each is basic or at a bound; False if it fails."""
        columns, tight, slack = self._split()
        square, wide = self._table[tight], self._table[slack]
        rates = square[:, block]
        if len(columns):
            lu, pivots, info = lapack.dgetrf(square[:, columns])
            if info:
                return False
            rest = self._value[: self._n].copy()
            rest[columns] = 0
            right = np.column_stack([rates, self._right[tight] - square @ rest])
            solved, _ = lapack.dgetrs(lu, pivots, right)
            rates, self._value[columns] = solved[:, :-1], solved[:, -1]
        self._value[slack - len(self._rows) + self._n] = (
            self._right[slack] - wide @ self._value[: self._n]
        )
        loose_rates = wide[:, block] - wide[:, columns] @ rates
        self._basic = np.concatenate([columns, slack - len(self._rows) + self._n])
        return self._pivots(block, np.asfortranarray(np.concatenate([rates, loose_rates])))

    def _pivots(self, block: np.ndarray, rates: np.ndarray) -> bool:
        """Push the columns of a block, their rates against the basic variables known at first.

        A change of places subtracts ``left[:, k] right[k]`` from the rates; they are kept apart.
        """
        size = len(block)
        left = np.empty((len(rates), size), order="F")
        right = np.empty((size, size))
        waiting, refused, done = deque(range(size)), 0, 0
        while waiting:
            k = waiting.popleft()
            rate = rates[:, k] - left[:, :done] @ right[:done, k]
            if not np.isfinite(rate).all():
                return False
            found = self._best(block[k], rate, insist=refused >= min(_PATIENCE, len(waiting) + 1))
            if found is None:
                if refused >= min(_PATIENCE, len(waiting) + 1):
                    return False
                waiting.append(k)
                refused += 1
                continue
            refused = 0
            step, blocker = found
            self._move(block[k], rate, step, blocker)
            if blocker is not None:
                row = rates[blocker] - left[blocker, :done] @ right[:done]
                right[done] = row / rate[blocker]
                left[:, done] = rate
                left[blocker, done] -= 1
                done += 1
        return True

    def _best(
        self, column: int, rate: np.ndarray, *, insist: bool
    ) -> tuple[float, int | None] | None:
        """The signed step to take and the basic variable that stops it (None: the own bound).

        Without `insist` None unless a column stops it; with it None if nothing does.
        """
        value = self._value[column]
        ways = [(value - self._lower[column], -1.0), (self._upper[column] - value, 1.0)]
        stopped: list[tuple[float, int | None]] = []
        for own, sign in sorted(ways):
            step, blocker = self._ratio(rate, sign)
            if own <= step and np.isfinite(own):
                return sign * own, None
            if blocker is not None:
                if self._basic[blocker] < self._n:
                    return sign * step, blocker
                stopped.append((sign * step, blocker))
        return stopped[0] if insist and stopped else None

    def _ratio(self, rate: np.ndarray, sign: float) -> tuple[float, int | None]:
        """How far the basic variables allow a column to move, and which one stops it."""
        change = -sign * rate
        value = self._value[self._basic]
        bound = np.where(change > 0, self._upper[self._basic], self._lower[self._basic])
        room = np.where(change > 0, bound - value, value - bound)
        size = np.abs(change)
        candidates = np.flatnonzero((size > _ZERO * size.max(initial=0.0)) & np.isfinite(room))
        if not len(candidates):
            return np.inf, None
        room, size = np.maximum(room[candidates], 0.0), size[candidates]
        slip = _SLIP * (1.0 + np.abs(value[candidates]))
        most = ((room + slip) / size).min()
        near = np.flatnonzero(room / size <= most)
        chosen = near[size[near].argmax()]
        return float(room[chosen] / size[chosen]), int(candidates[chosen])

    def _move(self, column: int, rate: np.ndarray, step: float, blocker: int | None) -> None:
        self._moves += 1
        self._value[self._basic] -= step * rate
        if blocker is None:
            upper = step > 0
            self._value[column] = (self._upper if upper else self._lower)[column]
            self._at_upper[column] = upper
            return
        self._value[column] += step
        out = self._basic[blocker]
        upper = step * rate[blocker] < 0
        self._value[out] = (self._upper if upper else self._lower)[out]
        if out < self._n:
            self._at_upper[out] = upper
        self._basic[blocker] = column
