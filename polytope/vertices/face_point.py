"""Which face holds a point?  What is tight there, exactly; the rest of the rows as floats.

The smallest face of a set that holds a point is where everything tight at the point stays so.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from polytope.errors import InputError
from polytope.exact.rational import RationalVector, nearest_float
from polytope.exact.sparse import LARGEST_DENSE
from polytope.sets.halfspaces import System
from polytope.sets.rows import Rows
from polytope.vertices import crossover
from polytope.vertices.exact_bases import walk_to_vertex
from polytope.vertices.limits import Limits


@dataclass(frozen=True, eq=False)
class FacePoint:
    """A point of the set, and what is tight there.

    Attributes:
        system: the rows and bounds.
        point: (d,).
        columns: coordinates strictly inside of their bounds.
        equal: places of the rows that are tight.
        loose: places of the others.
        slacks: their slacks, exact.
    """

    system: System
    point: RationalVector
    columns: list[int]
    equal: list[int]
    loose: list[int]
    slacks: list[Fraction]

    @classmethod
    def of(cls, layer: Rows, point: RationalVector) -> FacePoint:
        """Substitute a point.

        Raises:
            InputError: if it does not lie in the set.
        """
        system = layer.system
        values = layer.weight.multiply(point)
        equal, loose, slacks = [], [], []
        for k, (row, rhs) in enumerate(zip(system.rows, system.rhs, strict=True)):
            slack = rhs - row.sign * values[row.unit]
            if slack < 0 or (slack > 0 and row.kind == "equality"):
                raise InputError(
                    f"x: expected a point of the set, got one that violates its row {tuple(row)}"
                )
            if slack:
                loose.append(k)
                slacks.append(slack)
            else:
                equal.append(k)
        if system.bound_violation(point):
            raise InputError("x: expected a point of the set, got one outside of the domain")
        den = point.denominator
        columns = [
            j
            for j, (v, low, high) in enumerate(
                zip(point.numerators, system.lower, system.upper, strict=True)
            )
            if (low is None or v * low.denominator != low.numerator * den)
            and (high is None or v * high.denominator != high.numerator * den)
        ]
        return cls(system, point, columns, equal, loose, slacks)

    @property
    def entries(self) -> int:
        """Size of the face's rows, bounds included."""
        return len(self.columns) * (len(self.system.rows) + 2 * len(self.columns))

    def face(self) -> crossover.Face | None:
        """The face in floats, each row scaled by a power of two.

        None beyond the float range, and beyond the size of dense tables.
        """
        if len(self.system.rows) * len(self.columns) > LARGEST_DENSE:
            return None
        with np.errstate(all="ignore"):
            table = [self._rounded(rows) for rows in (self.equal, self.loose)]
            powers = [np.frexp(np.abs(part).max(axis=1, initial=0))[1] for part in table]
            equal, loose = (
                np.ldexp(part, -power[:, None]) for part, power in zip(table, powers, strict=True)
            )
            slacks = np.ldexp([nearest_float(v) for v in self.slacks], -powers[1])
        lower, upper = (
            np.array([_as_float(side[j], empty) for j in self.columns])
            for side, empty in ((self.system.lower, -np.inf), (self.system.upper, np.inf))
        )
        value = np.array([nearest_float(self.point[j]) for j in self.columns])
        parts = (equal, loose, value, slacks)
        if not all(np.isfinite(part).all() for part in parts):
            return None
        return crossover.Face(*parts, lower, upper)

    def _rounded(self, rows: list[int]) -> np.ndarray:
        units = [self.system.rows[r].unit for r in rows]
        sides = np.array([self.system.rows[r].sign for r in rows], dtype=np.float64)
        return self.system.weight.take(units, self.columns).approx * sides[:, None]

    def exact_walk(self) -> RationalVector:
        """Walk to a vertex of the face in exact steps."""
        columns, system, point = self.columns, self.system, self.point
        if not columns:
            return point
        numerators = list(point.numerators)
        normals: list[list[int]] = []
        offsets: list[int] = []

        def add(normal: list[int], value: Fraction) -> None:
            normals.append([v * value.denominator for v in normal])
            offsets.append(value.numerator)

        zero = Fraction(0)
        both = [*((r, zero) for r in self.equal), *zip(self.loose, self.slacks, strict=True)]
        for r, slack in both:
            row = system.rows[r]
            (integers,), (scale,) = system.weight.integer_rows([row.unit], columns)
            normal = [row.sign * v for v in integers]
            at = Fraction(
                sum(v * numerators[j] for v, j in zip(normal, columns, strict=True)),
                point.denominator,
            )
            add(normal, at + slack * scale)
            if not slack:
                add([-v for v in normal], -at)
        for k, j in enumerate(columns):
            unit = [int(i == k) for i in range(len(columns))]
            low, high = system.lower[j], system.upper[j]
            if low is not None:
                add([-v for v in unit], -low)
            if high is not None:
                add(unit, high)
        start = RationalVector(tuple(numerators[j] for j in columns), point.denominator)
        vertex = walk_to_vertex(normals, offsets, start, Limits()).point
        values = list(point)
        for j, v in zip(columns, vertex, strict=True):
            values[j] = v
        return RationalVector.of(values)


def _as_float(bound: Fraction | None, missing: float) -> float:
    return missing if bound is None else nearest_float(bound)
