"""Which point of a small set is nearest in l2, exactly?  A dual active-set method in rationals.

Goldfarb & Idnani (1983): start at the point itself, add one violated constraint after another, and
drop those whose multiplier would turn negative.  Over the rationals nothing can cycle, and the end
is the projection with its multipliers; only its length is irrational.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import lcm
from operator import mul

from flint import fmpz_mat

from polytope.exact.rational import RationalVector
from polytope.sets.halfspaces import Row, System

#: Rows (bounds included) times coordinates; beyond it the rationals grow too long to be quick.
_LARGEST = 1_500


@dataclass(frozen=True, eq=False)
class ExactProjection:
    """The nearest point x (d,), and m with ``x - p + sum m_r a_r`` admissible at the bounds."""

    point: RationalVector
    multipliers: dict[Row, Fraction]


@dataclass(frozen=True, eq=False)
class _Constraint:
    """``normal . x >= bound`` (or ``=``): an integer normal (d,), ``-sign * scale * a_r``."""

    normal: tuple[int, ...]
    bound: Fraction
    equality: bool
    row: Row | None = None
    scale: int = 1
    sign: int = 1

    def flipped(self) -> _Constraint:
        normal = tuple(-v for v in self.normal)
        return _Constraint(normal, -self.bound, self.equality, self.row, self.scale, -self.sign)

    def excess(self, x: Sequence[Fraction]) -> Fraction:
        return _dot(self.normal, x) - self.bound


def fits(system: System) -> bool:
    """Whether the set is small enough for rational arithmetic throughout."""
    n = system.n_inputs
    bounds = sum(v is not None for v in (*system.lower, *system.upper))
    return (len(system.rows) + bounds) * n <= _LARGEST


def exact_projection(system: System, origin: RationalVector) -> ExactProjection | None:
    """Project onto the set; None if it is empty."""
    constraints = _constraints(system)
    x = list(origin)
    active: list[_Constraint] = []
    weights: list[Fraction] = []
    while (violated := _most_violated(constraints, x)) is not None:
        if not _add_inplace(violated, x, active, weights):
            return None
    multipliers = {
        c.row: u * c.scale * c.sign
        for c, u in zip(active, weights, strict=True)
        if c.row is not None and u
    }
    return ExactProjection(RationalVector.of(x).reduced(), multipliers)


def _constraints(system: System) -> list[_Constraint]:
    out = []
    for row, rhs in zip(system.rows, system.rhs, strict=True):
        integer, scale = system.integer_row(row.unit), system.scale(row.unit)
        normal = tuple(-row.sign * v for v in integer)
        out.append(_Constraint(normal, -rhs * scale, row.kind == "equality", row, scale))
    for j, (low, high) in enumerate(zip(system.lower, system.upper, strict=True)):
        for value, sign in ((low, 1), (high, -1)):
            if value is not None:
                unit = tuple(sign if k == j else 0 for k in range(system.n_inputs))
                out.append(_Constraint(unit, sign * value, False))
    return out


def _most_violated(constraints: list[_Constraint], x: list[Fraction]) -> _Constraint | None:
    """Equalities first: they stay active for good."""
    worst: tuple[Fraction, _Constraint] | None = None
    for c in constraints:
        excess = c.excess(x)
        if c.equality and excess:
            return c.flipped() if excess > 0 else c
        if excess < 0:
            depth = excess * excess / sum(map(mul, c.normal, c.normal)) if any(c.normal) else excess
            if worst is None or abs(depth) > worst[0]:
                worst = (abs(depth), c)
    return None if worst is None else worst[1]


def _add_inplace(
    new: _Constraint, x: list[Fraction], active: list[_Constraint], weights: list[Fraction]
) -> bool:
    """Move to where ``new`` holds too, dropping what has to go; False if it cannot hold."""
    weight = Fraction(0)
    while True:
        share = _in_terms_of([c.normal for c in active], new.normal)
        direction = [Fraction(v) for v in new.normal]
        for c, r in zip(active, share, strict=True):
            if r:
                direction = [d - r * v for d, v in zip(direction, c.normal, strict=True)]
        slope = _dot(new.normal, direction)
        full = -new.excess(x) / slope if slope else None
        ratios = [
            (u / r, k)
            for k, (c, u, r) in enumerate(zip(active, weights, share, strict=True))
            if not c.equality and r > 0
        ]
        if full is None and not ratios:
            return False
        blocking = min(ratios) if ratios else None
        if blocking is None or (full is not None and full <= blocking[0]):
            step = full
        else:
            step = blocking[0]
        if step is None:
            return False
        if full is not None:
            x[:] = [v + step * d for v, d in zip(x, direction, strict=True)]
        weights[:] = [u - step * r for u, r in zip(weights, share, strict=True)]
        weight += step
        if step == full:
            active.append(new)
            weights.append(weight)
            return True
        if blocking is not None:
            del active[blocking[1]], weights[blocking[1]]


def _in_terms_of(normals: list[tuple[int, ...]], new: tuple[int, ...]) -> list[Fraction]:
    """Coefficients of the least-squares combination of independent normals nearest to ``new``."""
    if not normals:
        return []
    table = fmpz_mat([list(n) for n in normals])
    right = table * fmpz_mat(len(new), 1, list(new))
    solution = (table * table.transpose()).solve(right)
    return [Fraction(int(v.p), int(v.q)) for v in solution.entries()]


def _dot(integers: Sequence[int], values: Sequence[Fraction]) -> Fraction:
    live = [(a, v) for a, v in zip(integers, values, strict=True) if a and v]
    common = lcm(*(v.denominator for _, v in live))
    return Fraction(sum(a * v.numerator * (common // v.denominator) for a, v in live), common)
