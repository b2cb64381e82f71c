"""How is a linear program solved exactly?  HiGHS proposes a basis, python-flint proves it.

When the proposed basis fails its proof (degenerate vertex, ill-conditioned weights, a tolerance
that hid a violation), the exact residuals of that basis are magnified and solved again: iterative
refinement after Gleixner, Steffy & Wolter (2016).  Then the last basis is pivoted on in exact
arithmetic, and programs small enough go to PPL's exact simplex if all else fails.  Nothing is
returned as optimal that was not proved here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from operator import mul
from time import perf_counter

import numpy as np

from polytope.exact.rational import RationalVector, nearest_float
from polytope.lp import exact_simplex, interior_point
from polytope.lp.highs import Basis, FloatStatus, Proposal, Proposer
from polytope.lp.program import LinearProgram
from polytope.lp.proof import (
    BasicSolution,
    basic_solution,
    proves_optimum,
    reduced_costs,
    row_activities,
)
from polytope.lp.walk import walk
from polytope.sets.halfspaces import Multipliers

#: A step refines by what HiGHS's tolerance of 1e-9 allows; past these the exact walk takes over.
_REFINEMENTS = 8
#: Magnification per refinement step is capped here so that scaled data stay within float range.
_LARGEST_SCALE = Fraction(2) ** 900


@dataclass(frozen=True, eq=False)
class Optimum:
    """Proved optimum of a linear program.

    Attributes:
        program: the program.
        point: optimal point (n,), exact.
        tight: rows the multipliers belong to.
        dual: multipliers of those rows, exact, nonnegative at inequalities.
        basis: the proved basis, or None when the exact engine found the optimum.
        seconds: time in the float solver and in exact arithmetic, by name.
    """

    program: LinearProgram
    point: RationalVector
    tight: tuple[int, ...]
    dual: RationalVector
    basis: Basis | None = None
    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def value(self) -> Fraction:
        """The objective at the point."""
        cost, x = self.program.objective, self.point
        total = sum(map(mul, cost.numerators, x.numerators))
        return Fraction(total, cost.denominator * x.denominator)

    def multipliers(self) -> Multipliers:
        """Those of the system's own rows."""
        return self.program.multipliers(self.tight, self.dual)


@dataclass(frozen=True, eq=False)
class Unsolved:
    """Nothing was proved: the program may be infeasible, unbounded or too hard.

    Attributes:
        reason: why; "" where the float solver's word was all that was asked for.
        seconds: as of an `Optimum`.
    """

    reason: str = ""
    seconds: dict[str, float] = field(default_factory=dict)


def solve(
    program: LinearProgram,
    proposer: Proposer | None = None,
    *,
    insist: bool = True,
) -> Optimum | Unsolved:
    """Minimise exactly.

    Args:
        program: the exact program.
        proposer: HiGHS instance over the same feasible set, to start from its last basis.
        insist: whether to search on, at some cost, where HiGHS takes the program for infeasible or
            unbounded; if not, Unsolved comes back at once.
    """
    clock = _Clock()
    with clock.measure("float"):
        proposer = proposer or Proposer(program)
        proposal = proposer.propose(program)
    basis = proposal.basis
    seen: set[Basis] = set()
    while basis is not None and basis not in seen and len(seen) < _REFINEMENTS:
        seen.add(basis)
        # A basis is tested whatever HiGHS says of it: its status is an opinion, too.
        with clock.measure("proof"):
            candidate = basic_solution(program, basis)
        if candidate is None:
            break
        if candidate.is_optimal:
            return _optimal(program, candidate, clock)
        if proposal.status is not FloatStatus.OPTIMAL:
            break
        with clock.measure("float"):
            proposal = _refine(program, proposer, candidate)
            basis = proposal.basis
    hopeless = (FloatStatus.INFEASIBLE, FloatStatus.UNBOUNDED)
    if not insist and proposal.status in hopeless:
        return Unsolved(seconds=clock.seconds)
    with clock.measure("walk"):
        walked = walk(program, basis)
    if walked is not None:
        return _optimal(program, walked, clock)
    return _fallback(program, proposal.status, clock)


def solve_dense(program: LinearProgram) -> Optimum | None:
    """Minimise over a large dense program exactly; None where :func:`solve` has to be asked."""
    if not interior_point.suits(program):
        return None
    clock = _Clock()
    with clock.measure("float"):
        basis = interior_point.propose(program)
    if basis is None:
        return None
    with clock.measure("proof"):
        candidate = basic_solution(program, basis)
    if candidate is None or not candidate.is_optimal:
        return None
    return _optimal(program, candidate, clock)


def _optimal(program: LinearProgram, found: BasicSolution, clock: _Clock) -> Optimum:
    basis = found.basis
    return Optimum(program, found.point, basis.tight, found.dual, basis, clock.seconds)


def _refine(program: LinearProgram, proposer: Proposer, candidate: BasicSolution) -> Proposal:
    """Ask HiGHS about the residual program around a basic solution, magnified.

    Row violations count in the units HiGHS sees, those of the row divided by a power of two.
    """
    exponents = program.float_form.exponents
    point = candidate.point
    rows = [v / Fraction(2) ** int(exponents[r]) for r, v in candidate.row_excess.items()]
    primal = max([*rows, *candidate.column_excess.values()], default=Fraction(0))
    dual = max(
        [*candidate.dual_rows.values(), *candidate.dual_columns.values()], default=Fraction(0)
    )
    up_primal, up_dual = _magnification(primal), _magnification(dual)
    costs = np.zeros(program.n)
    reduced = reduced_costs(program, candidate.basis.tight, candidate.dual, candidate.nonbasic)
    for j, g in zip(candidate.nonbasic, reduced, strict=True):
        costs[j] = nearest_float(g * up_dual)
    lower = [
        -np.inf if low is None else nearest_float((low - point[j]) * up_primal)
        for j, low in enumerate(program.lower)
    ]
    upper = [
        np.inf if high is None else nearest_float((high - point[j]) * up_primal)
        for j, high in enumerate(program.upper)
    ]
    everything = range(len(program.rows))
    row_upper = np.zeros(len(program.rows))
    for r, activity in zip(everything, row_activities(program, everything, point), strict=True):
        slack = (program.rows[r].rhs - activity) * up_primal
        row_upper[r] = nearest_float(slack / Fraction(2) ** int(exponents[r]))
    equality = np.array([row.equality for row in program.rows])
    row_lower = np.where(equality, row_upper, -np.inf)
    return proposer.propose_refined(
        costs, (np.array(lower), np.array(upper)), (row_lower, row_upper)
    )


def _magnification(violation: Fraction) -> Fraction:
    """How much a violation is blown up: to about 1, never shrunk."""
    if not violation:
        return Fraction(1)
    return max(min(1 / violation, _LARGEST_SCALE), Fraction(1))


def _fallback(program: LinearProgram, status: FloatStatus, clock: _Clock) -> Optimum | Unsolved:
    if exact_simplex.fits(program):
        with clock.measure("exact simplex"):
            found = exact_simplex.solve_exactly(program)
        if found is None:
            return Unsolved(seconds=clock.seconds)
        with clock.measure("proof"):
            proved = proves_optimum(program, *found)
        if proved:
            return Optimum(program, *found, seconds=clock.seconds)
        reason = "the exact simplex returned an optimum that failed its proof"
        return Unsolved(reason, clock.seconds)
    if status in (FloatStatus.INFEASIBLE, FloatStatus.UNBOUNDED):
        reason = (
            f"the float solver takes the program for {status.value}, which could not be proved; "
            "scaling inputs and units by powers of two may help"
        )
        return Unsolved(reason, clock.seconds)
    reason = (
        f"no basis of HiGHS could be proved optimal (its status: {status.value}), and "
        f"{len(program.rows)} rows x {program.n} columns are too many for the exact simplex"
    )
    return Unsolved(reason, clock.seconds)


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
