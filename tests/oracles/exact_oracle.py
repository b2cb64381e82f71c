"""The collision polytope rebuilt from its definition, in Fractions, and solved by PPL, exactly.

Shares no code with polytope/.  The definition is the one of Proposition 1 (Li, Zhang & Malik 2019):
x collides iff |max(0, w_i x + b_i) - y_i| <= e for every unit; the only step taken from there to
half-spaces is that of each single absolute value.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import combinations
from math import lcm
from typing import Any

import ppl

ctypes.CDLL(None).fesetround(0)  # pplpy 0.9.0 leaves rounding upwards behind
Vector = tuple[Fraction, ...]
Bound = Fraction | None
# Coefficients, right-hand side, whether the row is an equation (else coefficients . x <= rhs).
HalfSpace = tuple[Vector, Fraction, bool]


def exact(values: Iterable[Any]) -> Vector:
    """Numbers of any kind (also numpy scalars) as Fractions."""
    return tuple(Fraction(v.item() if hasattr(v, "item") else v) for v in values)


def dot(a: Sequence[Fraction], b: Sequence[Fraction]) -> Fraction:
    return sum((x * y for x, y in zip(a, b, strict=True) if x and y), Fraction(0))


def rank(rows: Sequence[Sequence[Fraction]]) -> int:
    """Rank by Gaussian elimination over the rationals."""
    table, found = [list(row) for row in rows], 0
    width = len(table[0]) if table else 0
    for column in range(width):
        pivot = next((r for r in range(found, len(table)) if table[r][column]), None)
        if pivot is None:
            continue
        table[found], table[pivot] = table[pivot], table[found]
        for r in range(found + 1, len(table)):
            if table[r][column]:
                ratio = table[r][column] / table[found][column]
                table[r] = [a - ratio * b for a, b in zip(table[r], table[found], strict=True)]
        found += 1
    return found


def solve(rows: Sequence[Vector], rhs: Sequence[Fraction]) -> Vector | None:
    """The solution of a square regular system; None if it is singular."""
    n = len(rhs)
    table = [[*row, r] for row, r in zip(rows, rhs, strict=True)]
    for k in range(n):
        pivot = next((r for r in range(k, n) if table[r][k]), None)
        if pivot is None:
            return None
        table[k], table[pivot] = table[pivot], table[k]
        table[k] = [v / table[k][k] for v in table[k]]
        for r in range(n):
            if r != k and table[r][k]:
                factor = table[r][k]
                table[r] = [a - factor * b for a, b in zip(table[r], table[k], strict=True)]
    return tuple(row[n] for row in table)


def _expression(coefficients: Sequence[Fraction], constant: Fraction) -> Any:
    scale = lcm(constant.denominator, *(c.denominator for c in coefficients))
    return ppl.Linear_Expression([int(c * scale) for c in coefficients], int(constant * scale))


@dataclass(frozen=True)
class LinearOptimum:
    """``status`` is "optimized", "unbounded" or "unfeasible", PPL's own words."""

    status: str
    value: Fraction | None


def minimum(cost: Sequence[Fraction], rows: Sequence[HalfSpace]) -> LinearOptimum:
    """Minimise over the half-spaces by PPL's exact simplex."""
    problem = ppl.MIP_Problem(len(cost))
    for coefficients, rhs, equation in rows:
        left = _expression(coefficients, -rhs)
        problem.add_constraint(left == 0 if equation else left <= 0)
    scale = lcm(1, *(c.denominator for c in cost))
    problem.set_objective_function(ppl.Linear_Expression([int(c * scale) for c in cost], 0))
    problem.set_optimization_mode("minimization")
    status = problem.solve()["status"]
    if status != "optimized":
        return LinearOptimum(status, None)
    point = _coordinates(problem.optimizing_point(), len(cost))
    return LinearOptimum(status, dot(cost, point))


def _coordinates(generator: Any, n: int) -> Vector:
    numbers = [int(v) for v in generator.coefficients()]
    numbers += [0] * (n - len(numbers))
    divisor = int(generator.divisor()) if generator.is_point() else 1
    return tuple(Fraction(v, divisor) for v in numbers)


@dataclass(frozen=True)
class Oracle:
    """The collision polytope of a layer, from its definition.

    ``post_activation`` is what every point of the set shares, up to the tolerance.
    """

    weight: tuple[Vector, ...]
    bias: Vector
    post_activation: Vector
    lower: tuple[Bound, ...]
    upper: tuple[Bound, ...]
    tolerance: Fraction

    @property
    def n(self) -> int:
        return len(self.lower)

    @cached_property
    def rows(self) -> list[HalfSpace]:
        """|max(0, z) - y| <= e, taken apart: z <= y + e, and z >= y - e unless y - e <= 0 ..."""
        out: list[HalfSpace] = []
        for w, b, y in zip(self.weight, self.bias, self.post_activation, strict=True):
            if self.tolerance == 0 and y > 0:
                out.append((w, y - b, True))
                continue
            out.append((w, y + self.tolerance - b, False))
            if y - self.tolerance > 0:
                out.append((tuple(-v for v in w), b - (y - self.tolerance), False))
        return out

    @cached_property
    def half_spaces(self) -> list[HalfSpace]:
        out = list(self.rows)
        for j, (low, high) in enumerate(zip(self.lower, self.upper, strict=True)):
            unit = tuple(Fraction(int(k == j)) for k in range(self.n))
            if low is not None:
                out.append((tuple(-v for v in unit), -low, False))
            if high is not None:
                out.append((unit, high, False))
        return out

    @cached_property
    def polyhedron(self) -> Any:
        found = ppl.C_Polyhedron(self.n, "universe")
        for coefficients, rhs, equation in self.half_spaces:
            left = _expression(coefficients, -rhs)
            found.add_constraint(left == 0 if equation else left <= 0)
        return found

    @property
    def is_empty(self) -> bool:
        return bool(self.polyhedron.is_empty())

    @property
    def dimension(self) -> int:
        return -1 if self.is_empty else int(self.polyhedron.affine_dimension())

    @property
    def is_bounded(self) -> bool:
        return bool(self.polyhedron.is_bounded())

    @cached_property
    def _generators(self) -> list[Any]:
        return list(self.polyhedron.minimized_generators())

    @property
    def lineality(self) -> int:
        """Number of lines; only meaningful if the set is not empty."""
        return sum(g.is_line() for g in self._generators)

    @cached_property
    def points(self) -> list[Vector]:
        """One point on each minimal face; the vertices, if there are no lines."""
        return [_coordinates(g, self.n) for g in self._generators if g.is_point()]

    @property
    def vertices(self) -> list[Vector]:
        return [] if self.lineality else self.points

    def contains(self, x: Sequence[Fraction]) -> bool:
        """By the definition itself, without half-spaces."""
        for w, b, y in zip(self.weight, self.bias, self.post_activation, strict=True):
            if abs(max(dot(w, x) + b, Fraction(0)) - y) > self.tolerance:
                return False
        return all(
            (low is None or low <= v) and (high is None or v <= high)
            for v, low, high in zip(x, self.lower, self.upper, strict=True)
        )

    def gaps(self, z: Sequence[Fraction]) -> list[Fraction]:
        """By how much pre-activations z (N,) miss the post-activation."""
        pairs = zip(z, self.post_activation, strict=True)
        return [abs(max(v, Fraction(0)) - y) for v, y in pairs]

    def minimum(self, cost: Sequence[Fraction]) -> LinearOptimum:
        return minimum(cost, self.half_spaces)

    def tight_rank(self, x: Sequence[Fraction]) -> int:
        """Rank of all half-spaces that hold with equality at x; 0 rows have rank 0."""
        return rank([c for c, rhs, _ in self.half_spaces if dot(c, x) == rhs])

    def projection(self, origin: Sequence[Fraction]) -> Vector:
        """The l2 projection on a nonempty set, by trying every set of tight rows (small sets only).

        The projection onto a polyhedron is the projection onto the affine hull of a face.
        """
        best: tuple[Fraction, Vector] | None = None
        equations = [(c, r) for c, r, eq in self.half_spaces if eq]
        others = [(c, r) for c, r, eq in self.half_spaces if not eq]
        for size in range(self.n + 1):
            for chosen in combinations(others, size):
                point = project([*equations, *chosen], origin)
                if point is not None and self.contains(point):
                    step = [a - b for a, b in zip(point, origin, strict=True)]
                    best = min(best or (dot(step, step), point), (dot(step, step), point))
        assert best is not None  # some face holds the projection
        return best[1]


def project(equations: Sequence[tuple[Vector, Fraction]], origin: Sequence[Fraction]) -> Any:
    """Project onto the affine set of some equations; None if they are inconsistent."""
    independent: list[tuple[Vector, Fraction]] = []
    for row, rhs in equations:
        if rank([*(r for r, _ in independent), row]) > len(independent):
            independent.append((row, rhs))
    gram = [tuple(dot(a, b) for b, _ in independent) for a, _ in independent]
    multipliers = solve(gram, [rhs - dot(row, origin) for row, rhs in independent])
    assert multipliers is not None  # a Gram matrix of independent rows is regular
    columns = (
        zip(*(row for row, _ in independent), strict=True) if independent else [()] * len(origin)
    )
    moved = tuple(p + dot(multipliers, column) for p, column in zip(origin, columns, strict=True))
    return moved if all(dot(row, moved) == rhs for row, rhs in equations) else None
