"""What do exact programs that are not ours say of a set?  PPL and cdd with GMP; Normaliz referees.

Each engine reads the half-spaces that tests/oracles/exact_oracle.py took from the definition.  PPL
answers by its own simplex and its own polyhedra; of cdd and Normaliz only the list of generators is
used, and a linear program of cdd's for distances and redundancy; dimension, optimum and the rest
follow from the list by substitution, so that no two engines share more than the arithmetic of
Python.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import cached_property
from math import lcm
from typing import Any

import cdd.gmp

from experiments.bench.exact_peers import solve_cdd, solve_ppl
from experiments.bench.exact_sets import EMPTY, ExactSet, HalfspaceSystem
from experiments.bench.peer_process import Peer
from tests.oracles import cdd_simplex
from tests.oracles.exact_oracle import HalfSpace, LinearOptimum, Oracle, Vector, dot, minimum, rank

#: Seconds for the referee, who is asked where the two others do not agree.
_LIMIT = 30


def integer_system(rows: Sequence[HalfSpace], n: int) -> HalfspaceSystem:
    """Rows ``(b, c)`` with ``b + c x >= 0`` in integers, the equations last."""
    kinds: tuple[list[Any], list[Any]] = ([], [])
    for coefficients, rhs, equation in rows:
        scale = lcm(rhs.denominator, *(v.denominator for v in coefficients))
        kinds[equation].append((int(rhs * scale), *(int(-v * scale) for v in coefficients)))
    inequalities, equations = kinds
    trivial = () if inequalities else ((0,) * (n + 1),)  # keeps a set without any in shape
    return HalfspaceSystem((*trivial, *inequalities, *equations), len(equations))


class Engine:
    """Answers about one set, from the list of its generators."""

    name = ""

    def __init__(self, half_spaces: Sequence[HalfSpace], n: int) -> None:
        self.half_spaces, self.n = half_spaces, n
        self._minima: dict[Vector, LinearOptimum] = {}

    def list_of(self, rows: Sequence[HalfSpace], n: int) -> ExactSet:
        """The generators of some half-spaces."""
        raise NotImplementedError

    def program(self, cost: Sequence[Fraction], rows: Sequence[HalfSpace]) -> LinearOptimum:
        """The minimum of a linear function over some half-spaces."""
        return minimum_over(self.list_of(rows, len(cost)), cost)

    @cached_property
    def listed(self) -> ExactSet:
        """The generators of the set in comparable form."""
        return self.list_of(self.half_spaces, self.n)

    @property
    def is_empty(self) -> bool:
        return self.listed.is_empty

    @property
    def is_bounded(self) -> bool:
        return not self.listed.rays and not self.listed.lines

    @property
    def lineality(self) -> int:
        return len(self.listed.lines)

    @property
    def dimension(self) -> int:
        """Rank of the steps from one point, the rays and the lines."""
        if self.is_empty:
            return -1
        first, *others = self.points
        steps = [tuple(a - b for a, b in zip(p, first, strict=True)) for p in others]
        return rank([*steps, *self._directions])

    @cached_property
    def points(self) -> list[Vector]:
        return [tuple(Fraction(v, q) for v in p) for q, *p in self.listed.points]

    @cached_property
    def vertices(self) -> frozenset[Vector]:
        return frozenset() if self.lineality else frozenset(self.points)

    @property
    def _directions(self) -> list[Vector]:
        return [tuple(map(Fraction, v)) for v in (*self.listed.rays, *self.listed.lines)]

    def minimum(self, cost: Sequence[Fraction]) -> LinearOptimum:
        """The minimum of a linear function over the set."""
        key = tuple(cost)
        if key not in self._minima:
            self._minima[key] = self._minimum(key)
        return self._minima[key]

    def _minimum(self, cost: Vector) -> LinearOptimum:
        return self.program(cost, self.half_spaces)

    def distance(self, origin: Sequence[Fraction], norm: str) -> Fraction | None:
        """The linf or l1 distance, by one program; None if the set is empty."""
        rows, cost = distance_program(self.half_spaces, origin, norm)
        return self.program(cost, rows).value

    def rank(self, rows: Sequence[Vector]) -> int:
        """Rank of a matrix: d less the number of lines that it annuls."""
        return self.n - len(self.list_of([(r, Fraction(0), True) for r in rows], self.n).lines)

    def is_redundant(self, number: int) -> bool:
        """Whether the other half-spaces imply this one (of a nonempty set)."""
        coefficients, rhs, _ = self.half_spaces[number]
        others = [row for k, row in enumerate(self.half_spaces) if k != number]
        found = self.program([-v for v in coefficients], others)
        return found.value is not None and -found.value <= rhs

    def is_implicit(self, number: int) -> bool:
        """Whether this half-space holds with equality on the whole (nonempty) set."""
        coefficients, rhs, _ = self.half_spaces[number]
        return all(dot(coefficients, p) == rhs for p in self.points) and not any(
            dot(coefficients, v) for v in self._directions
        )

    def is_projection(self, point: Vector, origin: Vector) -> bool:
        """Whether no generator lies nearer: (x - p)(g - p) <= 0 for all of them (l2)."""
        step = [a - b for a, b in zip(origin, point, strict=True)]
        ends = [tuple(a - b for a, b in zip(g, point, strict=True)) for g in self.points]
        rays = [tuple(map(Fraction, v)) for v in self.listed.rays]
        lines = [tuple(map(Fraction, v)) for v in self.listed.lines]
        return all(dot(step, g) <= 0 for g in (*ends, *rays)) and not any(
            dot(step, v) for v in lines
        )


class PPL(Engine):
    """PPL: lists by double description, programs by its exact simplex."""

    name = "PPL"

    def __init__(self, oracle: Oracle) -> None:
        super().__init__(oracle.half_spaces, oracle.n)
        self._oracle = oracle

    def list_of(self, rows: Sequence[HalfSpace], n: int) -> ExactSet:
        return solve_ppl(integer_system(rows, n)).listed

    def program(self, cost: Sequence[Fraction], rows: Sequence[HalfSpace]) -> LinearOptimum:
        return minimum(cost, rows)

    @property
    def is_empty(self) -> bool:
        return self._oracle.is_empty

    @property
    def is_bounded(self) -> bool:
        return self._oracle.is_bounded

    @property
    def lineality(self) -> int:
        return self._oracle.lineality

    @property
    def dimension(self) -> int:
        return self._oracle.dimension

    @cached_property
    def points(self) -> list[Vector]:
        return self._oracle.points


class CDD(Engine):
    """cdd with GMP: lists by double description, lifted programs by its dual simplex."""

    name = "cdd.gmp"

    def list_of(self, rows: Sequence[HalfSpace], n: int) -> ExactSet:
        return solve_cdd(integer_system(rows, n)).listed

    def _minimum(self, cost: Vector) -> LinearOptimum:
        return minimum_over(self.listed, cost)

    def rank(self, rows: Sequence[Vector]) -> int:
        if not rows:
            return 0
        matrix = cdd.gmp.matrix_from_array([[Fraction(0), *row] for row in rows])
        return int(cdd.gmp.matrix_rank(matrix)[2])

    def program(self, cost: Sequence[Fraction], rows: Sequence[HalfSpace]) -> LinearOptimum:
        system = integer_system(rows, len(cost))
        found = cdd_simplex.minimum(system.rows, len(system.inequalities), cost)
        if found is not None:
            return LinearOptimum("optimized", found)
        # It proves one of the two; which of the answers holds the list says.
        return minimum_over(self.list_of(rows, len(cost)), cost)


class Normaliz(Engine):
    """Normaliz, in a process of its own: asked where the two others differ from us or fail."""

    name = "Normaliz"

    def __init__(self, half_spaces: Sequence[HalfSpace], n: int, peer: Peer) -> None:
        super().__init__(half_spaces, n)
        self._peer = peer

    def list_of(self, rows: Sequence[HalfSpace], n: int) -> ExactSet:
        answer = self._peer.ask(integer_system(rows, n), limit=_LIMIT)
        if answer.listed is None:
            raise RuntimeError(answer.failure)
        return answer.listed


def minimum_over(listed: ExactSet, cost: Sequence[Fraction]) -> LinearOptimum:
    """The minimum of a linear function over what some generators span."""
    if listed == EMPTY:
        return LinearOptimum("unfeasible", None)
    falls = any(dot(cost, tuple(map(Fraction, v))) < 0 for v in listed.rays)
    if falls or any(dot(cost, tuple(map(Fraction, v))) for v in listed.lines):
        return LinearOptimum("unbounded", None)
    values = (dot(cost, tuple(map(Fraction, p))) / q for q, *p in listed.points)
    return LinearOptimum("optimized", min(values))


def distance_program(
    half_spaces: Sequence[HalfSpace], origin: Sequence[Fraction], norm: str
) -> tuple[list[HalfSpace], list[Fraction]]:
    """Half-spaces and cost of the smallest sizes of ``x - origin``, one or one a coordinate."""
    n, zero, one = len(origin), Fraction(0), Fraction(1)
    extra = 1 if norm == "linf" else n
    rows: list[HalfSpace] = [((*c, *(zero,) * extra), rhs, eq) for c, rhs, eq in half_spaces]
    for j, p in enumerate(origin):
        size = [-one if norm == "linf" or k == j else zero for k in range(extra)]
        for sign in (one, -one):
            unit = [sign if k == j else zero for k in range(n)]
            rows.append(((*unit, *size), sign * p, False))
    return rows, [zero] * n + [one] * extra
