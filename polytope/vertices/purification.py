"""How is a point pushed to a vertex?  Purification in floats, one exact solve, one substitution.

From a point of the set, the target for one, moves inside of the smallest face that holds it make
ever more constraints tight, until it is a vertex of that face, and so of the set.  The moves are
made in floats (polytope/vertices/crossover.py) and say no more than which constraints meet; the
point where they do meet is solved for exactly, and substituted exactly into all others.  No linear
program is solved, so a layer of VGG-16's size has a certified vertex within minutes.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum
from fractions import Fraction
from math import gcd, lcm
from time import perf_counter

import numpy as np
from flint import fmpz_mat

from polytope.answers.certificates import Certificate
from polytope.errors import InputError
from polytope.exact.brief import Brief
from polytope.exact.rational import RationalVector
from polytope.lp import large_solve
from polytope.questions.feasibility import feasibility
from polytope.questions.kernel import lineality
from polytope.questions.membership import vertex_minor
from polytope.sets.domains import Free
from polytope.sets.halfspaces import Row
from polytope.sets.linalg import Minor, invertible_minor
from polytope.sets.rows import Rows
from polytope.vertices import crossover
from polytope.vertices.blas import one_blas_thread
from polytope.vertices.face_point import FacePoint

#: Orders of the moves tried before exact steps, or giving up.
_TRIES = 3
#: Entries of the rows of a face up to which the whole walk may be made in exact steps.
_EXACT_ENTRIES = 20_000


class PurificationStatus(Enum):
    """Outcome of a purification; all but UNDECIDED come with a certificate."""

    VERTEX = "vertex"
    NO_VERTEX = "no vertex: the set contains lines"
    EMPTY = "empty: no input collides with the target"
    UNDECIDED = "undecided: see reason"


@dataclass(frozen=True, eq=False, repr=False)
class Purification(Brief):
    """A vertex of the set, on the smallest face that holds the point started from.

    Attributes:
        status: what was proved.
        point: the vertex (d,), exact, for VERTEX.
        certificate: proves the status; None if undecided.
        tight: rows of the layer that, with bounds of the domain, make the point a vertex.
        moves: pushes from the start to the vertex; 0 if exact steps were taken throughout.
        reason: why nothing was proved, and what to try next.
        timings: seconds by stage ("start", "push", "solve", "substitute", "rank").
    """

    status: PurificationStatus
    point: RationalVector | None = None
    certificate: Certificate | None = None
    tight: tuple[Row, ...] = ()
    moves: int = 0
    reason: str = ""
    timings: dict[str, float] = field(default_factory=dict)

    def point_float(self) -> np.ndarray:
        """Return the vertex as float64 (d,), each entry correctly rounded.

        Raises:
            InputError: if there is none.
        """
        if self.point is None:
            raise InputError(f"point: expected a vertex, got status {self.status.name}")
        return self.point.to_float()


def purify(layer: Rows, x: RationalVector | None) -> Purification:
    """Push a point of the set (the target, or any point, if None) to a vertex of its face.

    Raises:
        InputError: if x does not lie in the set.
    """
    clock: dict[str, float] = {}
    with _measured(clock, "start"):
        if isinstance(layer.domain, Free):
            lines = lineality(layer)
            if not lines.pointed:
                # A set with lines may still be empty; that, too, leaves no vertex.
                reason = f"the set contains lines ({lines.dimension} dimensions of them)"
                status = PurificationStatus.NO_VERTEX
                return Purification(status, certificate=lines.certificate, reason=reason)
        if x is None and layer.target_vector is None:
            found = feasibility(layer)
            if found.point is None:
                empty = found.feasible is False
                status = PurificationStatus.EMPTY if empty else PurificationStatus.UNDECIDED
                return Purification(status, certificate=found.certificate, reason=found.reason)
            x = found.point
        start = FacePoint.of(layer, x or layer.target_vector or RationalVector(()))
    return _attempts(layer, start, clock)


def _attempts(layer: Rows, start: FacePoint, clock: dict[str, float]) -> Purification:
    face = start.face()
    for seed in range(_TRIES if face is not None else 0):
        # Waking a second thread for each of thousands of small products costs more than it helps.
        with _measured(clock, "push"), one_blas_thread():
            proposal = None if face is None else crossover.push(face, seed=seed)
        if proposal is None:
            continue
        rows = [start.equal[k] for k in proposal.equal] + [start.loose[k] for k in proposal.loose]
        columns = sorted(start.columns[k] for k in proposal.columns)
        if len(rows) != len(columns):
            continue
        with _measured(clock, "solve"):
            point = _meeting_point(start, rows, columns, proposal.at_upper)
        if point is None:
            continue
        with _measured(clock, "substitute"):
            good = _lies_on(start, point, columns, set(rows))
        if good:
            with _measured(clock, "rank"):
                named = [start.system.rows[r] for r in rows]
                minor = invertible_minor(layer.weight, named, columns)
            if minor is not None:
                return _vertex(layer, point, minor, proposal.moves, clock)
    if start.entries <= _EXACT_ENTRIES:
        with _measured(clock, "exact steps"):
            point = start.exact_walk()
            minor = vertex_minor(layer, point)
        if minor is None:
            raise AssertionError("the end of an exact walk is no vertex")
        return _vertex(layer, point, minor, 0, clock)
    size = f"{len(start.system.rows)} rows on {len(start.columns)} coordinates off their bounds"
    if face is None:
        reason = f"{size} are more than fit, or have numbers beyond the range of floats"
    else:
        reason = (
            f"floats found no basis of a vertex in {_TRIES} tries ({size}); another point to "
            "start from, or powers of two on inputs and units that bring the weights to one size, "
            "may help"
        )
    return Purification(PurificationStatus.UNDECIDED, reason=reason, timings=clock)


def _vertex(
    layer: Rows, point: RationalVector, minor: Minor, moves: int, clock: dict[str, float]
) -> Purification:
    certificate = Certificate("vertex", {"point": point}, layer, lambda: {"vertex": minor})
    status = PurificationStatus.VERTEX
    return Purification(status, point, certificate, minor.rows, moves, "", clock)


def _meeting_point(
    start: FacePoint, rows: list[int], columns: list[int], at_upper: np.ndarray
) -> RationalVector | None:
    """The point where rows are tight and all coordinates but ``columns`` are at bounds."""
    system = start.system
    held = _held(start, columns, at_upper)
    units = [system.rows[r].unit for r in rows]
    table, scales = system.weight.integer_rows(units, columns)
    inside = system.weight.multiply(held, units)
    right = [
        (system.rows[r].sign * system.rhs[r] - value) * scale
        for r, value, scale in zip(rows, inside, scales, strict=True)
    ]
    # Rows are taken without their common factors: the scale belongs to columns left out as well.
    factors = [gcd(*row) or 1 for row in table]
    table = [[v // f for v in row] if f > 1 else row for row, f in zip(table, factors, strict=True)]
    right = [value / f for value, f in zip(right, factors, strict=True)]
    common = lcm(*(value.denominator for value in right)) if right else 1
    whole = [value.numerator * (common // value.denominator) for value in right]
    solved = large_solve.solve_integers(fmpz_mat(table) if table else fmpz_mat(0, 0), whole)
    if solved is None:
        return None
    denominator = lcm(solved.denominator * common, held.denominator)
    numerators = [v * (denominator // held.denominator) for v in held.numerators]
    for j, v in zip(columns, solved.numerators, strict=True):
        numerators[j] = v * (denominator // (solved.denominator * common))
    return RationalVector(tuple(numerators), denominator).reduced()


def _held(start: FacePoint, columns: list[int], at_upper: np.ndarray) -> RationalVector:
    """The bounds at which the other coordinates are, 0 in the columns to be solved for."""
    system, free = start.system, set(columns)
    moved = dict(zip(start.columns, at_upper.tolist(), strict=True))
    values: list[Fraction] = []
    zero = Fraction(0)
    for j in range(system.n_inputs):
        if j in free:
            values.append(zero)
        elif j in moved:
            side = system.upper[j] if moved[j] else system.lower[j]
            values.append(zero if side is None else side)
        else:
            values.append(start.point[j])
    return RationalVector.of(values)


def _lies_on(start: FacePoint, point: RationalVector, columns: list[int], tight: set[int]) -> bool:
    """Whether a point keeps the bounds of some coordinates and all rows not known to be tight.

    What is tight at the start has to stay so: floats may have taken such a row for dependent on the
    others, and the point is then a vertex of the set, but not of the face.
    """
    system, kept = start.system, set(start.equal)
    for j in columns:
        value, low, high = point.numerators[j], system.lower[j], system.upper[j]
        if low is not None and value * low.denominator < low.numerator * point.denominator:
            return False
        if high is not None and value * high.denominator > high.numerator * point.denominator:
            return False
    others = [r for r in range(len(system.rows)) if r not in tight]
    signs = system.slack_signs(point, others)
    return all(
        sign == 0 if r in kept or system.rows[r].kind == "equality" else sign >= 0
        for r, sign in zip(others, signs, strict=True)
    )


@contextmanager
def _measured(clock: dict[str, float], name: str) -> Iterator[None]:
    began = perf_counter()
    try:
        yield
    finally:
        clock[name] = clock.get(name, 0.0) + perf_counter() - began
