"""Who proposes?  HiGHS, whose answers are never taken on trust.

A proposal is a simplex basis (or a status); everything else HiGHS says is dropped.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any

import highspy
import numpy as np

from polytope.exact.rational import nearest_float
from polytope.lp.equilibrate import Equilibration
from polytope.lp.program import FloatForm, LinearProgram, objective_floats
from polytope.lp.proposals import proposing

OPTIONS: dict[str, bool | int | float | str] = {
    "output_flag": False,
    "presolve": "off",  # a presolved model leaves no basis to start the next unit from
    "primal_feasibility_tolerance": 1e-9,
    "dual_feasibility_tolerance": 1e-9,
    "small_matrix_value": 1e-12,
    "threads": 1,
}
#: Some dozens suffice; where floats cannot represent the set, the method goes on for ever.
_INTERIOR_ITERATIONS = 200
#: The iterations are no limit where one of them does not end (seen with data of 2^100).
_INTERIOR_SECONDS = 30.0


class FloatStatus(Enum):
    """What the float solver believes."""

    OPTIMAL = "optimal"
    INFEASIBLE = "infeasible"
    UNBOUNDED = "unbounded"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Basis:
    """A simplex basis: as many basic columns as tight rows, the other columns on a bound.

    Attributes:
        basic: basic columns, increasing.
        tight: nonbasic (tight) rows, increasing.
        at_upper: the nonbasic columns that sit on their upper bound.
        at_zero: nonbasic free columns, held at 0.
    """

    basic: tuple[int, ...]
    tight: tuple[int, ...]
    at_upper: frozenset[int]
    at_zero: frozenset[int]


@dataclass(frozen=True)
class Proposal:
    """Status and, if the simplex method ended with one, its basis."""

    status: FloatStatus
    basis: Basis | None


_STATUS = {
    highspy.HighsModelStatus.kOptimal: FloatStatus.OPTIMAL,
    highspy.HighsModelStatus.kInfeasible: FloatStatus.INFEASIBLE,
    highspy.HighsModelStatus.kUnbounded: FloatStatus.UNBOUNDED,
    highspy.HighsModelStatus.kUnboundedOrInfeasible: FloatStatus.UNBOUNDED,
}


class Proposer:
    """One HiGHS instance over one feasible set; solving again starts from the last basis."""

    def __init__(self, program: LinearProgram) -> None:
        self._form: FloatForm = program.float_form
        self._n = program.n
        self.scaling = Equilibration.of(self._form, program.n)
        self._lower, self._upper = _float_bounds(program)
        # The exact bounds decide: one of 10**400 is infinite to HiGHS, and is there all the same.
        self._has_lower = np.array([v is not None for v in program.lower], dtype=bool)
        self._has_upper = np.array([v is not None for v in program.upper], dtype=bool)
        self.instance: Any = None
        with proposing():
            instance: Any = highspy.Highs()  # type: ignore[no-untyped-call]
            for option, value in OPTIONS.items():
                instance.setOptionValue(option, value)
            instance.passModel(self._model())
            self.instance = instance

    def _model(self) -> highspy.HighsLp:
        form, scaling, model = self._form, self.scaling, highspy.HighsLp()
        model.num_col_, model.num_row_ = self._n, len(form.row_upper)
        model.col_cost_ = np.zeros(self._n)
        model.col_lower_ = scaling.column_bounds(self._lower)
        model.col_upper_ = scaling.column_bounds(self._upper)
        model.row_lower_ = scaling.row_bounds(form.row_lower)
        model.row_upper_ = scaling.row_bounds(form.row_upper)
        model.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
        model.a_matrix_.num_col_, model.a_matrix_.num_row_ = model.num_col_, model.num_row_
        model.a_matrix_.start_ = form.starts
        model.a_matrix_.index_ = form.columns
        model.a_matrix_.value_ = scaling.matrix(form)
        return model

    def propose(self, program: LinearProgram) -> Proposal:
        """Minimise the program's objective from wherever the last solve ended."""
        with proposing():
            costs = self.scaling.costs(objective_floats(program.objective))
            # HiGHS measures dual infeasibility absolutely, so the largest cost is kept near 1.
            largest = np.abs(costs).max(initial=0.0)
            self._pass_costs(np.ldexp(costs, -int(np.frexp(largest)[1])))
            return self._run()
        return Proposal(FloatStatus.UNKNOWN, None)

    def propose_refined(
        self,
        costs: np.ndarray,
        bounds: tuple[np.ndarray, np.ndarray],
        row_bounds: tuple[np.ndarray, np.ndarray],
    ) -> Proposal:
        """Solve the shifted and scaled program of one refinement step, then restore the bounds."""
        with proposing():
            self._pass_costs(self.scaling.costs(costs))
            self._set_column_bounds(*bounds)
            self._set_row_bounds(*row_bounds)
            try:
                return self._run()
            finally:
                self._set_column_bounds(self._lower, self._upper)
                self._set_row_bounds(self._form.row_lower, self._form.row_upper)
        return Proposal(FloatStatus.UNKNOWN, None)

    def _pass_costs(self, costs: np.ndarray) -> None:
        self.instance.changeColsCost(self._n, np.arange(self._n, dtype=np.int32), costs)

    def _set_column_bounds(self, lower: np.ndarray, upper: np.ndarray) -> None:
        columns, scaled = np.arange(self._n, dtype=np.int32), self.scaling.column_bounds
        self.instance.changeColsBounds(self._n, columns, scaled(lower), scaled(upper))

    def _set_row_bounds(self, lower: np.ndarray, upper: np.ndarray) -> None:
        rows, scaled = np.arange(len(lower), dtype=np.int32), self.scaling.row_bounds
        self.instance.changeRowsBounds(len(rows), rows, scaled(lower), scaled(upper))

    def _run(self) -> Proposal:
        self.instance.run()
        status = _STATUS.get(self.instance.getModelStatus(), FloatStatus.UNKNOWN)
        return Proposal(status, self._basis())

    def _basis(self) -> Basis | None:
        basis = self.instance.getBasis()
        sizes = len(basis.col_status), len(basis.row_status)
        if not basis.valid or sizes != (self._n, len(self._form.row_upper)):
            return None
        columns = np.array([int(s) for s in basis.col_status], dtype=np.int64)
        rows = np.array([int(s) for s in basis.row_status], dtype=np.int64)
        basic = highspy.HighsBasisStatus.kBasic
        upper = (columns == int(highspy.HighsBasisStatus.kUpper)) & self._has_upper
        lower = (columns != int(basic)) & ~upper & self._has_lower
        # A column HiGHS calls "at lower" may only have an upper bound, and the other way round.
        upper |= (columns != int(basic)) & ~lower & self._has_upper
        zero = (columns != int(basic)) & ~lower & ~upper
        return Basis(
            tuple(np.flatnonzero(columns == int(basic)).tolist()),
            tuple(np.flatnonzero(rows != int(basic)).tolist()),
            frozenset(np.flatnonzero(upper).tolist()),
            frozenset(np.flatnonzero(zero).tolist()),
        )


def _float_bounds(program: LinearProgram) -> tuple[np.ndarray, np.ndarray]:
    lower = np.array([-np.inf if v is None else nearest_float(v) for v in program.lower])
    upper = np.array([np.inf if v is None else nearest_float(v) for v in program.upper])
    return lower, upper


def interior_proposal(program: LinearProgram) -> np.ndarray | None:
    """Float point (n,) near the analytic centre of the feasible set, by the interior point method.

    With no objective and no crossover the method stops well inside every inequality that leaves
    room; None if HiGHS found no point within some iterations.
    """
    proposer = Proposer(program)
    highs = proposer.instance
    with proposing():
        for option, value in {"solver": "ipm", "run_crossover": "off"}.items():
            highs.setOptionValue(option, value)
        highs.setOptionValue("ipm_iteration_limit", _INTERIOR_ITERATIONS)
        highs.setOptionValue("time_limit", _INTERIOR_SECONDS)
        highs.run()
        found = np.array(highs.getSolution().col_value)
        if found.shape != (program.n,) or not np.isfinite(found).all():
            return None
        with np.errstate(over="ignore"):
            point = np.asarray(np.ldexp(found, proposer.scaling.columns))
        return point if np.isfinite(point).all() else None
    return None
