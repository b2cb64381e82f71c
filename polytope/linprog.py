"""How is a linear program solved exactly?  HiGHS proposes a basis, python-flint proves it.

When the proposed basis fails its proof (degenerate vertex, ill-conditioned weights, a tolerance
that hid a violation), the exact residuals of that basis are magnified and solved again: iterative
refinement after Gleixner, Steffy & Wolter (2016).  Programs small enough go to PPL's exact simplex
if that does not settle them either.  Nothing is returned as optimal that was not proved here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from fractions import Fraction
from time import perf_counter

import numpy as np

from polytope.highs import Basis, FloatStatus, Proposal, Proposer
from polytope.program import LinearProgram
from polytope.proof import BasicSolution, basic_solution, reduced_costs
from polytope.rational import RationalVector

#: Each step multiplies the precision by up to 1e9 or so; more than a few never helped.
_REFINEMENTS = 8
#: Magnification per refinement step is capped here so that scaled data stay within float range.
_LARGEST_SCALE = Fraction(2) ** 900


class Outcome(Enum):
    """What was proved about a program."""

    OPTIMAL = "optimal"
    NOT_OPTIMAL = "not solved: it may be infeasible or unbounded"
    UNDECIDED = "undecided"


@dataclass(frozen=True, eq=False)
class Solution:
    """Proved optimum of a linear program.

    Attributes:
        outcome: OPTIMAL is a proof; NOT_OPTIMAL and UNDECIDED claim nothing.
        point: optimal point (n,), exact.
        tight: rows the multipliers belong to.
        dual: multipliers of those rows, exact, nonnegative at inequalities.
        basis: the proved basis, or None when the exact engine found the optimum.
        reason: why nothing was proved.
        seconds: time in the float solver and in exact arithmetic, by name.
    """

    outcome: Outcome
    point: RationalVector | None = None
    tight: tuple[int, ...] = ()
    dual: RationalVector | None = None
    basis: Basis | None = None
    reason: str = ""
    seconds: dict[str, float] = field(default_factory=dict)


def solve(program: LinearProgram, proposer: Proposer | None = None) -> Solution:
    """Minimise exactly.

    Args:
        program: the exact program.
        proposer: HiGHS instance over the same feasible set, to start from its last basis.
    """
    clock = _Clock()
    if not program.rows:
        return _solve_without_rows(program)
    with clock.measure("float"):
        proposer = proposer or Proposer(program)
        proposal = proposer.propose(program)
    basis, status = proposal.basis, proposal.status
    seen: set[Basis] = set()
    for _ in range(_REFINEMENTS):
        if status is not FloatStatus.OPTIMAL or basis is None or basis in seen:
            break
        seen.add(basis)
        with clock.measure("proof"):
            candidate = basic_solution(program, basis)
        if candidate is None:
            break
        if candidate.is_optimal:
            return Solution(
                Outcome.OPTIMAL,
                candidate.point,
                basis.tight,
                candidate.dual,
                basis,
                seconds=clock.seconds,
            )
        with clock.measure("float"):
            proposal = _refine(program, proposer, basis, candidate)
            basis, status = proposal.basis, proposal.status
    return _fallback(program, status, clock)


def _refine(
    program: LinearProgram, proposer: Proposer, basis: Basis, candidate: BasicSolution
) -> Proposal:
    """Ask HiGHS about the residual program around a basic solution, magnified."""
    primal = max(
        [*candidate.row_excess.values(), *candidate.column_excess.values()], default=Fraction(0)
    )
    dual = max(
        [*candidate.dual_rows.values(), *candidate.dual_columns.values()], default=Fraction(0)
    )
    up_primal = min(1 / primal, _LARGEST_SCALE) if primal else Fraction(1)
    up_dual = min(1 / dual, _LARGEST_SCALE) if dual else Fraction(1)
    up_primal, up_dual = max(up_primal, Fraction(1)), max(up_dual, Fraction(1))
    costs = np.zeros(program.n)
    reduced = reduced_costs(program, basis.tight, candidate.dual, candidate.nonbasic)
    for j, g in zip(candidate.nonbasic, reduced, strict=True):
        costs[j] = _clipped(g * up_dual)
    point = candidate.point
    lower = [
        -np.inf if low is None else _clipped((low - point[j]) * up_primal)
        for j, low in enumerate(program.lower)
    ]
    upper = [
        np.inf if high is None else _clipped((high - point[j]) * up_primal)
        for j, high in enumerate(program.upper)
    ]
    tight = set(basis.tight)
    row_upper = np.zeros(len(program.rows))
    for r, row in enumerate(program.rows):
        if r not in tight:
            support = [j for j, v in enumerate(point.numerators) if v]
            entries = program.entries(r, support)
            activity = sum(a * point.numerators[j] for a, j in zip(entries, support, strict=True))
            slack = row.rhs - Fraction(activity, point.denominator)
            exponent = int(program.float_form.exponents[r])
            row_upper[r] = _clipped(slack * up_primal / Fraction(2) ** exponent)
    equality = np.array([row.equality for row in program.rows])
    row_lower = np.where(equality, row_upper, -np.inf)
    return proposer.propose_refined(
        costs, (np.array(lower), np.array(upper)), (row_lower, row_upper)
    )


def _clipped(value: Fraction) -> float:
    """Nearest float; HiGHS reads anything beyond 1e20 as infinite."""
    if abs(value) > 10**30:
        return 1e30 if value > 0 else -1e30
    return float(value)


def _fallback(program: LinearProgram, status: FloatStatus, clock: _Clock) -> Solution:
    from polytope.exact_simplex import fits, solve_exactly

    if fits(program):
        with clock.measure("exact simplex"):
            found = solve_exactly(program)
        if found is None:
            return Solution(Outcome.NOT_OPTIMAL, seconds=clock.seconds)
        tight, dual = found[1]
        return Solution(Outcome.OPTIMAL, found[0], tight, dual, seconds=clock.seconds)
    if status in (FloatStatus.INFEASIBLE, FloatStatus.UNBOUNDED):
        reason = (
            f"the float solver takes the program for {status.value}, which could not be proved; "
            "scaling inputs and units by powers of two may help"
        )
        return Solution(Outcome.NOT_OPTIMAL, reason=reason, seconds=clock.seconds)
    reason = (
        f"no basis of HiGHS could be proved optimal (its status: {status.value}), and "
        f"{len(program.rows)} rows x {program.n} columns are too many for the exact simplex"
    )
    return Solution(Outcome.UNDECIDED, reason=reason, seconds=clock.seconds)


def _solve_without_rows(program: LinearProgram) -> Solution:
    """Minimise over the bounds alone."""
    values: list[Fraction] = []
    for c, low, high in zip(program.objective, program.lower, program.upper, strict=True):
        wanted = (
            low
            if c > 0
            else high
            if c < 0
            else next((v for v in (low, high) if v is not None), Fraction(0))
        )
        if wanted is None:
            return Solution(Outcome.NOT_OPTIMAL)
        values.append(wanted)
    return Solution(Outcome.OPTIMAL, RationalVector.of(values), (), RationalVector(()))


class _Clock:
    """Seconds by name, summed over repeated measurements."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    def measure(self, name: str) -> _Stopwatch:
        return _Stopwatch(self.seconds, name)


class _Stopwatch:
    def __init__(self, seconds: dict[str, float], name: str) -> None:
        self._seconds, self._name, self._start = seconds, name, 0.0

    def __enter__(self) -> None:
        self._start = perf_counter()

    def __exit__(self, *exc: object) -> None:
        spent = perf_counter() - self._start
        self._seconds[self._name] = self._seconds.get(self._name, 0.0) + spent
