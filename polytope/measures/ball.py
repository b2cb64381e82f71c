"""How large a ball fits into the set?  The Chebyshev ball of the affine hull, its radius proved.

The centre x and radius r maximise r over ``a x + r |P a| <= b`` for all inequalities, x in the
hull.  The norms are irrational, so the program is solved exactly with norms rounded up: its optimum
is a ball inside the set, and its multipliers l, whose rows sum to zero on the hull, bound every
other ball: ``r <= sum l b / sum l |P a|``.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from fractions import Fraction
from math import ceil, inf

from polytope.answers.generators import Bound, Halfspace
from polytope.answers.memory import once
from polytope.exact.brief import Brief
from polytope.exact.rational import RationalVector
from polytope.exact.roots import outward, root_interval
from polytope.lp.linprog import Optimum, Unsolved, solve
from polytope.lp.program import LinearProgram, LPRow
from polytope.measures.hull import Hull
from polytope.questions.feasibility import feasibility
from polytope.sets.halfspaces import Row
from polytope.sets.rows import Rows

#: Significant bits of a norm in the program.
_BITS = 60


class BallStatus(Enum):
    """What is known about the largest ball."""

    CERTIFIED = "certified: the ball lies in the set, and none of the hull exceeds radius_upper"
    UNBOUNDED = "unbounded: balls of every radius fit in; one is given"
    EMPTY = "empty: the set has no points"
    UNDECIDED = "undecided: see reason"


@dataclass(frozen=True, eq=False, repr=False)
class Ball(Brief):
    """Largest l2 ball of the affine hull inside the set.

    Attributes:
        status: what is known.
        dimension: dimension k of the set and the ball, -1 if empty, None if undecided.  A single
            point has radius 0.
        center: exact centre (d,).
        radius: exact radius of a ball around ``center`` that lies in the set.
        radius_lower: ``radius`` rounded down.
        radius_upper: no ball of the hull inside the set is larger; infinite if unbounded.
        multipliers: halfspaces, as integer rows, with the l > 0 that prove ``radius_upper``.
        direction: for UNBOUNDED, v in the hull with ``a v < 0`` for every inequality.
        reason: why nothing was proved.
    """

    status: BallStatus
    dimension: int | None
    center: RationalVector | None = None
    radius: Fraction | None = None
    radius_lower: float = 0.0
    radius_upper: float = inf
    multipliers: tuple[tuple[Halfspace, Fraction], ...] = ()
    direction: RationalVector | None = None
    reason: str = ""


@dataclass(frozen=True, eq=False)
class _Inequality:
    """A halfspace, as an integer row, and rationals ``shortest <= |P a| <= longest``."""

    name: Halfspace
    shortest: Fraction
    longest: Fraction


@dataclass(frozen=True, eq=False)
class _Program:
    """Maximise r, the last column; row k is ``factors[k]`` times the inequality ``sources[k]``."""

    program: LinearProgram
    sources: tuple[_Inequality | None, ...]
    factors: tuple[int, ...]


@once
def chebyshev_ball(layer: Rows) -> Ball:
    """Largest ball inside the set, see :class:`Ball`."""
    hull = Hull.of(layer)
    if isinstance(hull, str):
        if hull == "empty":
            return Ball(BallStatus.EMPTY, -1, radius_upper=0.0)
        return Ball(BallStatus.UNDECIDED, None, reason=hull)
    if not hull.dimension:
        center = feasibility(layer).point
        if center is None:
            return Ball(BallStatus.UNDECIDED, 0, reason="the only point could not be proved")
        return Ball(BallStatus.CERTIFIED, 0, center, Fraction(0), 0.0, 0.0)
    inequalities = _inequalities(hull)
    built = _program(hull, inequalities)
    solution = solve(built.program, insist=False)
    if isinstance(solution, Unsolved):
        unbounded = _unbounded(hull, inequalities, insist=False)
        if unbounded is not None:
            return unbounded
        # HiGHS was mistaken about one of the two programs: both are searched in earnest.
        solution = solve(built.program)
    if isinstance(solution, Unsolved):
        unbounded = _unbounded(hull, inequalities, insist=True)
        if unbounded is not None:
            return unbounded
        reason = solution.reason or "neither a largest ball nor a direction could be proved"
        return Ball(BallStatus.UNDECIDED, hull.dimension, reason=reason)
    return _ball(hull, built, solution)


def _inequalities(hull: Hull) -> list[_Inequality]:
    names = hull.inequalities()
    out = []
    for name, (low, high) in zip(names, hull.squared_norms(names), strict=True):
        root = root_interval(high)[1]
        bits = root.numerator.bit_length() - root.denominator.bit_length()
        unit = Fraction(2) ** (_BITS - bits)
        out.append(_Inequality(name, root_interval(low)[0], Fraction(ceil(root * unit)) / unit))
    return out


def _program(hull: Hull, inequalities: list[_Inequality]) -> _Program:
    """A bound whose coordinate moves becomes a row, since the ball has to keep off it."""
    base = LinearProgram.over(hull.layer.system, RationalVector((0,) * hull.layer.n_inputs))
    n = base.n
    by_row = {i.name: i for i in inequalities if isinstance(i.name, Row)}
    rows: list[LPRow] = []
    sources: list[_Inequality | None] = []
    for row in base.rows:
        source = by_row.get(row.name) if row.name is not None else None
        norm = source.longest if source else Fraction(0)
        q = norm.denominator
        extra = {n: norm.numerator} if norm else {}
        rows.append(LPRow(row.unit, row.factor * q, row.rhs * q, row.equality, extra, row.name))
        sources.append(source)
    sides = {"lower": list(base.lower), "upper": list(base.upper)}
    for source in inequalities:
        h, norm = source.name, source.longest
        limit = sides[h.side][h.coordinate] if isinstance(h, Bound) else None
        if isinstance(h, Bound) and limit is not None and norm:
            sign, q = (-1 if h.side == "lower" else 1), norm.denominator
            sides[h.side][h.coordinate] = None
            extra = {h.coordinate: sign * q, n: norm.numerator}
            rows.append(LPRow(None, 1, sign * limit * q, False, extra))
            sources.append(source)
    lower = (*sides["lower"], Fraction(0))
    upper = (*sides["upper"], None)
    objective = RationalVector((0,) * n + (-1,))
    program = LinearProgram(base.system, tuple(rows), lower, upper, objective)
    factors = tuple(source.longest.denominator if source else 1 for source in sources)
    return _Program(program, tuple(sources), factors)


def _ball(hull: Hull, built: _Program, solution: Optimum) -> Ball:
    point, n = solution.point, hull.layer.n_inputs
    center = RationalVector(point.numerators[:n], point.denominator).reduced()
    radius = Fraction(point.numerators[n], point.denominator)
    multipliers: list[tuple[Halfspace, Fraction]] = []
    total = Fraction(0)
    for r, weight in zip(solution.tight, solution.dual, strict=True):
        source = built.sources[r]
        if weight and source is not None:
            multipliers.append((source.name, weight * built.factors[r]))
            total += weight * built.factors[r] * source.shortest
    # The multipliers weigh the norms as rounded up to exactly 1, the true ones to a hair less.
    lower, upper = outward(radius)[0], outward(radius / total)[1] if total else inf
    return Ball(
        BallStatus.CERTIFIED, hull.dimension, center, radius, lower, upper, tuple(multipliers)
    )


def _unbounded(hull: Hull, inequalities: list[_Inequality], *, insist: bool) -> Ball | None:
    """A direction into the interior of the recession cone, and a ball of radius 1 along it.

    With ``a v <= -|P a|`` for every inequality, the ball of radius t around ``x + t v`` lies in the
    set for every x of it and every t > 0.
    """
    base = LinearProgram.over(hull.layer.system, RationalVector((0,) * hull.layer.n_inputs))
    by_row = {i.name: i.longest for i in inequalities if isinstance(i.name, Row)}
    rows = []
    for row in base.rows:
        norm = by_row.get(row.name, Fraction(0)) if row.name is not None else Fraction(0)
        fixed = row.equality or row.name in hull.implicit
        rows.append(LPRow(row.unit, row.factor, -norm, fixed, {}, row.name))
    zero = Fraction(0)
    lower: list[Fraction | None] = [zero if j in hull.fixed else None for j in range(base.n)]
    upper = list(lower)
    for i in inequalities:
        if isinstance(i.name, Bound):
            sign, side = (1, lower) if i.name.side == "lower" else (-1, upper)
            side[i.name.coordinate] = sign * i.longest
    for low, high in zip(lower, upper, strict=True):
        if low is not None and high is not None and low > high:
            return None
    program = LinearProgram(base.system, tuple(rows), tuple(lower), tuple(upper), base.objective)
    solution = solve(program, insist=insist)
    start = feasibility(hull.layer).point
    if isinstance(solution, Unsolved) or start is None:
        return None
    center = RationalVector.of(a + b for a, b in zip(start, solution.point, strict=True))
    return Ball(
        BallStatus.UNBOUNDED,
        hull.dimension,
        center,
        Fraction(1),
        1.0,
        inf,
        direction=solution.point,
    )
