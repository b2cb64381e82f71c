"""How do the peers solve the same program?  HiGHS alone (floats), QSopt_ex (exact)."""

import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import highspy
import numpy as np

from experiments.measure.case import Case
from polytope.errors import FileFormatError, LimitError
from polytope.lp.highs import OPTIONS
from polytope.sets.halfspaces import System

ESOLVER = "esolver"
_STATUS = re.compile(r"^status ([A-Z_]+)$", re.MULTILINE)
_VALUE = re.compile(r"^\s*Value = (-?[0-9]+)(?:/([0-9]+))?$", re.MULTILINE)


@dataclass(frozen=True)
class FloatAnswer:
    """What HiGHS said.

    Attributes:
        value: the optimal value, a float.
        seconds: to pass the model and to solve it; the arrays lie ready.
    """

    value: float
    seconds: float


def highs_alone(case: Case, unit: int, *, ours: bool) -> FloatAnswer:
    """Minimises a unit's pre-activation over the polytope in HiGHS, as a float user would.

    The right-hand sides come from the float64 forward pass.  Nothing is proved.

    Args:
        case: layer and target, x in [0, 1]^d.
        unit: an inactive unit.
        ours: HiGHS with our options (presolve off, tolerances 1e-9, one thread); else its defaults.
    """
    weight, bias = case.weight.astype(np.float64), case.bias.astype(np.float64)
    z = weight @ case.target.astype(np.float64) + bias
    upper = np.maximum(z, 0.0) - bias
    model = highspy.HighsLp()
    model.num_row_, model.num_col_ = weight.shape
    model.col_cost_ = weight[unit]
    model.col_lower_, model.col_upper_ = np.zeros(model.num_col_), np.ones(model.num_col_)
    model.row_lower_, model.row_upper_ = np.where(z > 0, upper, -np.inf), upper
    rows, columns = np.nonzero(weight)
    model.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    model.a_matrix_.num_row_, model.a_matrix_.num_col_ = weight.shape
    model.a_matrix_.start_ = np.searchsorted(rows, np.arange(model.num_row_ + 1)).astype(np.int32)
    model.a_matrix_.index_ = columns.astype(np.int32)
    model.a_matrix_.value_ = weight[rows, columns]
    solver: Any = highspy.Highs()  # type: ignore[no-untyped-call]
    solver.setOptionValue("output_flag", False)
    for option, value in OPTIONS.items() if ours else ():
        solver.setOptionValue(option, value)
    began = time.perf_counter()
    solver.passModel(model)
    solver.run()
    seconds = time.perf_counter() - began
    value = float(solver.getInfo().objective_function_value) + float(bias[unit])
    return FloatAnswer(value, seconds)


@dataclass(frozen=True)
class ExactAnswer:
    """What QSopt_ex said.

    Attributes:
        value: the optimal value, exact.
        seconds: wall time of the process, reading the file and writing the solution included.
    """

    value: Fraction
    seconds: float


def esolver_path() -> str | None:
    """Returns where QSopt_ex's solver lies; None where it is not installed."""
    return shutil.which(ESOLVER)


def qsopt_ex(system: System, unit: int, *, limit: float) -> ExactAnswer:
    """Minimises `w_i x` over the system with QSopt_ex (Applegate, Cook, Dash & Espinoza 2007).

    Args:
        system: exact rows and finite bounds.
        unit: i.
        limit: seconds after which it is stopped.

    Raises:
        LimitError: it did not end in time.
        FileFormatError: it did not print an optimal value.
    """
    with tempfile.TemporaryDirectory() as name:
        program, solution = Path(name) / "program.lp", Path(name) / "program.sol"
        program.write_text("".join(lp_text(system, unit)))
        began = time.perf_counter()
        try:
            subprocess.run(
                [esolver_path() or ESOLVER, "-L", "-O", str(solution), str(program)],
                cwd=name,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                timeout=limit,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise LimitError(f"QSopt_ex did not end within {limit:g} seconds") from None
        seconds = time.perf_counter() - began
        text = solution.read_text() if solution.exists() else ""
    return ExactAnswer(parse_value(text), seconds)


def lp_text(system: System, unit: int) -> Iterator[str]:
    """Yields the program "minimise w_unit x over the system" in LP format, every number exact.

    Coefficients are written as integers or P/Q, one term a line, so that no line is too long.
    """
    yield "Minimize\n obj:"
    yield from _terms(system, unit, 1)
    yield "Subject To\n"
    for k, (row, rhs) in enumerate(zip(system.rows, system.rhs, strict=True)):
        yield f" r{k}:"
        terms = list(_terms(system, row.unit, row.sign))
        yield from terms or [" 0 x0\n"]
        yield f" {'=' if row.kind == 'equality' else '<='} {rhs}\n"
    yield "Bounds\n"
    for j, (low, high) in enumerate(zip(system.lower, system.upper, strict=True)):
        least = "-inf" if low is None else str(low)
        yield f" {least} <= x{j}" + ("\n" if high is None else f" <= {high}\n")
    yield "End\n"


def _terms(system: System, unit: int, sign: int) -> Iterator[str]:
    scale = system.scale(unit)
    for j, value in enumerate(system.integer_row(unit)):
        if value:
            entry = Fraction(sign * value, scale)
            yield f" {'-' if entry < 0 else '+'} {abs(entry)} x{j}\n"


def parse_value(text: str) -> Fraction:
    r"""Returns the optimal value in a solution that `esolver -O` wrote.

    Raises:
        FileFormatError: the status is not OPTIMAL, or there is no value.

    >>> parse_value("status OPTIMAL\n\tValue = -3/2\nVARS:\n")
    Fraction(-3, 2)
    """
    status, value = _STATUS.search(text), _VALUE.search(text)
    if status is None or status[1] != "OPTIMAL" or value is None:
        raise FileFormatError(f"QSopt_ex: expected status OPTIMAL and a value, got {text[:60]!r}")
    return Fraction(int(value[1]), int(value[2] or 1))
