"""What is a linear program here?  Integer rows over a layer's weights, possibly lifted.

``minimise c.x  subject to  a_r x = rhs_r or a_r x <= rhs_r,  lower <= x <= upper`` with every
``a_r`` integral: a weight row times its scale on the first columns, and a few sparse entries on
any column (auxiliary variables of norms, elastic rows and recession cones).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cached_property
from operator import itemgetter

import numpy as np

from polytope.exact.rational import RationalVector, rounded
from polytope.sets.domains import Bounds
from polytope.sets.halfspaces import Multipliers, Row, System


@dataclass(frozen=True)
class LPRow:
    """One integer row: ``factor * scale * w_unit`` on the first columns plus sparse ``extra``."""

    unit: int | None
    factor: int
    rhs: Fraction
    equality: bool
    extra: Mapping[int, int] = field(default_factory=dict)
    name: Row | None = None


@dataclass(frozen=True, eq=False)
class LinearProgram:
    """Exact data of one linear program; ``system`` lends the weight rows."""

    system: System
    rows: tuple[LPRow, ...]
    lower: Bounds
    upper: Bounds
    objective: RationalVector

    @classmethod
    def over(cls, system: System, objective: RationalVector) -> LinearProgram:
        """Minimise ``objective`` over the system itself, nothing lifted."""
        rows = tuple(
            LPRow(
                row.unit,
                row.sign,
                rhs * system.scale(row.unit),
                row.kind == "equality",
                name=row,
            )
            for row, rhs in zip(system.rows, system.rhs, strict=True)
        )
        return cls(system, rows, system.lower, system.upper, objective)

    def with_objective(self, objective: RationalVector) -> LinearProgram:
        """Return the same feasible set under another objective."""
        other = replace(self, objective=objective)
        other.__dict__["float_form"] = self.float_form  # it holds no objective
        return other

    @property
    def n(self) -> int:
        """Number of columns, auxiliary ones included."""
        return len(self.lower)

    def entries(self, row: int, columns: Sequence[int]) -> list[int]:
        """Integer coefficients of a row on some columns."""
        r = self.rows[row]
        base = self.base(row)
        width = len(base)
        if r.unit is not None and len(columns) > 1 and width == self.n:
            out = list(itemgetter(*columns)(base))
        else:
            out = [base[j] if j < width else 0 for j in columns]
        if r.factor != 1:
            out = [r.factor * v for v in out]
        if r.extra:
            out = [v + r.extra.get(j, 0) for v, j in zip(out, columns, strict=True)]
        return out

    def base(self, row: int) -> Sequence[int]:
        """Integer weight row under a row, before its sign; empty for a purely sparse row."""
        unit = self.rows[row].unit
        return () if unit is None else self.system.integer_row(unit)

    def float_rows(self, rows: Sequence[int]) -> np.ndarray | None:
        """Dense float rows (len(rows), n), exact; None where a lifted or rounded row is asked for.

        Row r is the integer row divided by ``2**float_form.exponents[r]``.
        """
        units = [self.rows[r].unit for r in rows]
        exact = self.system.weight.is_float64_exact and self.n == self.system.n_inputs
        if not exact or None in units or not all(self._is_plain(r) for r in rows):
            return None
        signs = np.array([self.rows[r].factor for r in rows], dtype=np.float64)
        floats: np.ndarray = self.system.float_rows.table[np.array(units, dtype=np.intp)]
        out: np.ndarray = signs[:, None] * floats
        return out

    def _is_plain(self, row: int) -> bool:
        return not self.rows[row].extra and abs(self.rows[row].factor) == 1

    def multipliers(self, tight: Sequence[int], dual: RationalVector) -> Multipliers:
        """Rewrite multipliers of integer rows as multipliers of the system's own rows."""
        weights: dict[Row, int] = {}
        for r, numerator in zip(tight, dual.numerators, strict=True):
            row = self.rows[r]
            if numerator and row.name is not None and row.unit is not None:
                weights[row.name] = numerator * abs(row.factor) * self.system.scale(row.unit)
        return Multipliers(weights, dual.denominator)

    @cached_property
    def float_form(self) -> FloatForm:
        """The rounded, row-scaled program a float solver may see."""
        return FloatForm.of(self)


@dataclass(frozen=True, eq=False)
class FloatForm:
    """Row-wise sparse float64 copy; row r is the integer row divided by ``2**exponents[r]``.

    Scaling by powers of two keeps HiGHS from dropping small coefficients (it drops those up to
    1e-9) without rounding anything that the stored floats did not round.
    """

    starts: np.ndarray
    columns: np.ndarray
    values: np.ndarray
    exponents: np.ndarray
    row_lower: np.ndarray
    row_upper: np.ndarray

    @classmethod
    def of(cls, program: LinearProgram) -> FloatForm:
        """Scale every row so that its largest weight lies in [1/2, 1)."""
        base_floats, base_exponents = program.system.float_rows
        columns, values, exponents = [], [], []
        for row in program.rows:
            if row.unit is None:
                exponent = max(abs(v) for v in row.extra.values()).bit_length() - 1
                cols, vals = np.empty(0, dtype=np.int32), np.empty(0)
            else:
                bits = abs(row.factor).bit_length() - 1
                exponent = base_exponents[row.unit] + bits
                vals = rounded(row.factor, 1 << bits) * base_floats[row.unit]
                cols = np.flatnonzero(vals).astype(np.int32)
                vals = vals[cols]
            if row.extra:
                extra_cols = np.fromiter(row.extra, dtype=np.int32, count=len(row.extra))
                extra_vals = np.array([_ratio(v, exponent) for v in row.extra.values()])
                cols, vals = np.concatenate([cols, extra_cols]), np.concatenate([vals, extra_vals])
            columns.append(cols)
            values.append(vals)
            exponents.append(exponent)
        rhs = np.array([_ratio(r.rhs, e) for r, e in zip(program.rows, exponents, strict=True)])
        equality = np.array([r.equality for r in program.rows], dtype=bool)
        starts = np.concatenate([[0], np.cumsum([len(c) for c in columns])])
        return cls(
            starts.astype(np.int32),
            np.concatenate([np.empty(0, dtype=np.int32), *columns]),
            np.concatenate([np.empty(0), *values]),
            np.array(exponents, dtype=np.int64),
            np.where(equality, rhs, -np.inf),
            rhs,
        )


def _ratio(value: int | Fraction, exponent: int) -> float:
    """``value / 2**exponent`` as the nearest float, infinite beyond the float range."""
    scaled = Fraction(value) / (Fraction(2) ** exponent)
    return rounded(scaled.numerator, scaled.denominator)


def objective_floats(objective: RationalVector) -> np.ndarray:
    """Objective as floats with the largest entry in [1/2, 1): only its direction matters."""
    largest = max((abs(v) for v in objective.numerators), default=0)
    power = 1 << largest.bit_length()
    return np.array([rounded(v, power) for v in objective.numerators])
