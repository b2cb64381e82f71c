"""Does the set end?  Directions of recession, and multipliers that leave none."""

from __future__ import annotations

from fractions import Fraction
from math import lcm

from flint import fmpz_mat

from polytope.answers.certificates import Certificate
from polytope.answers.memory import once
from polytope.answers.results import Boundedness
from polytope.exact.rational import RationalVector
from polytope.lp.linprog import Optimum, Unsolved, solve
from polytope.lp.program import LinearProgram, LPRow
from polytope.questions.feasibility import feasibility
from polytope.sets.domains import Box, Free
from polytope.sets.halfspaces import Multipliers, Row
from polytope.sets.linalg import Minor, independent_rows
from polytope.sets.rows import Rows

#: A kernel vector of a larger layer costs more than it is worth; such layers are wide anyway.
_LARGEST_NULLSPACE = 2_000


def _cone(layer: Rows, objective: RationalVector) -> LinearProgram:
    """Minimise over the recession cone cut off at 1 (and -1 where a coordinate is free)."""
    system = layer.system
    rows = tuple(
        LPRow(row.unit, row.sign, Fraction(0), row.kind == "equality", name=row)
        for row in system.rows
    )
    one, zero = Fraction(1), Fraction(0)
    lower = tuple(-one if low is None else zero for low in system.lower)
    upper = tuple(one if high is None else zero for high in system.upper)
    return LinearProgram(system, rows, lower, upper, objective)


def falling_ray(layer: Rows, objective: RationalVector) -> RationalVector | None:
    """Return a direction of recession along which the objective falls; None if none was proved."""
    solution = solve(_cone(layer, objective))
    falls = isinstance(solution, Optimum) and solution.value < 0
    return solution.point.reduced() if isinstance(solution, Optimum) and falls else None


@once
def boundedness(layer: Rows) -> Boundedness:
    """Decide whether the set is bounded; the empty set counts as bounded."""
    if isinstance(layer.domain, Box):
        return _bounded(layer, {"box": True})
    found = feasibility(layer)
    if found.feasible is False and found.certificate is not None:
        empty = found.certificate
        return _bounded(layer, {"empty": empty.witness["multipliers"]})
    if found.point is None:
        return Boundedness(None, None, found.reason)
    point = found.point
    if isinstance(layer.domain, Free):
        if layer.n_units < layer.n_inputs:
            return _unbounded(layer, {"point": point, "wide": True})
        line = _kernel_vector(layer)
        if line is not None:
            return _unbounded(layer, {"point": point, "ray": line})
    return _decide(layer, point)


def _decide(layer: Rows, point: RationalVector) -> Boundedness:
    """One program: its optimum is 0 iff the (pointed) recession cone is {0}."""
    objective = _strict_objective(layer)
    solution = solve(_cone(layer, objective))
    if isinstance(solution, Unsolved):
        return Boundedness(None, None, solution.reason)
    if any(solution.point.numerators):
        return _unbounded(layer, {"point": point, "ray": solution.point.reduced()})
    multipliers = _strict_multipliers(layer, solution)
    columns = range(layer.n_inputs) if isinstance(layer.domain, Free) else ()
    minor = independent_rows(layer.weight, layer.one_row_a_unit, list(columns))
    if len(minor.columns) < len(columns):
        return Boundedness(None, None, "the rank of the layer could not be proved to be d")
    return _bounded(layer, {"multipliers": multipliers, "minor": minor})


def _strict_objective(layer: Rows) -> RationalVector:
    """x >= 0: minus the sum of coordinates.  Free: the sum of all inequality rows."""
    if not isinstance(layer.domain, Free):
        return RationalVector((-1,) * layer.n_inputs)
    return layer.system.combine(_ones(layer))


def _ones(layer: Rows) -> Multipliers:
    rows = [row for row in layer.system.rows if row.kind != "equality"]
    return Multipliers({row: layer.system.scale(row.unit) for row in rows})


def _strict_multipliers(layer: Rows, solution: Optimum) -> Multipliers:
    """Multipliers of the optimum at 0, plus the objective's own where it is made of rows."""
    found = solution.multipliers()
    if not isinstance(layer.domain, Free):
        return found
    total: dict[Row, int] = dict(found.weights)
    for row, weight in _ones(layer).weights.items():
        total[row] = total.get(row, 0) + weight * found.denominator
    return Multipliers(total, found.denominator)


def _kernel_vector(layer: Rows) -> RationalVector | None:
    """A vector r != 0 with W r = 0, if there is one."""
    rows = layer.one_row_a_unit
    minor = independent_rows(layer.weight, rows, range(layer.n_inputs))
    if len(minor.rows) == layer.n_inputs:
        return None
    return kernel_vector(layer, minor)


def kernel_vector(layer: Rows, minor: Minor) -> RationalVector | None:
    """Solve for the kernel vector with a 1 in the first column outside of a largest minor."""
    if len(minor.rows) > _LARGEST_NULLSPACE:
        return None
    outside = next(j for j in range(layer.n_inputs) if j not in set(minor.columns))
    units = [r.unit for r in minor.rows]
    entries = [0] * layer.n_inputs
    denominator = 1
    if units:
        square, _ = layer.weight.integer_rows(units, minor.columns)
        column, _ = layer.weight.integer_rows(units, [outside])
        solution = fmpz_mat(square).solve(fmpz_mat([[-row[0]] for row in column]))
        values = [Fraction(int(v.p), int(v.q)) for v in solution.entries()]
        denominator = lcm(*(v.denominator for v in values))
        for j, v in zip(minor.columns, values, strict=True):
            entries[j] = int(v * denominator)
    entries[outside] = denominator
    ray = RationalVector(tuple(entries))
    return ray if not any(layer.system.values(ray)) else None


def _bounded(layer: Rows, witness: dict[str, object]) -> Boundedness:
    return Boundedness(True, Certificate("bounded", {}, layer, lambda: witness))


def _unbounded(layer: Rows, witness: dict[str, object]) -> Boundedness:
    return Boundedness(False, Certificate("unbounded", {}, layer, lambda: witness))
