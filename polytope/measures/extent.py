"""How far does the set reach along each coordinate?  Exact lower and upper ends, each certified."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import inf

import numpy as np

from polytope.answers.results import LPResult, LPStatus
from polytope.errors import InputError
from polytope.exact.arguments import integers, shown
from polytope.exact.brief import Brief
from polytope.exact.rational import RationalVector, nearest_float
from polytope.questions.minimize import Minimizer
from polytope.sets.rows import Rows


@dataclass(frozen=True, eq=False, repr=False)
class Extents(Brief):
    """The smallest box around the set.

    Attributes:
        lowest: the exact minimum of each coordinate with its minimiser and certificate.
        highest: the exact minimum of minus each coordinate, likewise.
        coordinates: which coordinates were asked for.
    """

    lowest: tuple[LPResult, ...]
    highest: tuple[LPResult, ...]
    coordinates: tuple[int, ...]

    @property
    def empty(self) -> bool:
        """Whether the set was proved to have no points; then there are no ends."""
        return any(result.status is LPStatus.EMPTY for result in self.lowest)

    @property
    def lower(self) -> tuple[Fraction | None, ...]:
        """Least value of each coordinate, exact; None where unbounded, undecided or empty."""
        return tuple(result.value for result in self.lowest)

    @property
    def upper(self) -> tuple[Fraction | None, ...]:
        """Largest value of each coordinate, exact; None where unbounded, undecided or empty."""
        return tuple(None if r.value is None else -r.value for r in self.highest)

    @property
    def widths(self) -> tuple[Fraction | None, ...]:
        """Width along each coordinate, exact; None where an end is missing."""
        ends = zip(self.lower, self.upper, strict=True)
        return tuple(None if a is None or b is None else b - a for a, b in ends)

    def widths_float(self) -> np.ndarray:
        """Return the widths as floats, infinite where the set is unbounded, NaN if undecided."""
        known = {LPStatus.OPTIMAL, LPStatus.UNBOUNDED}
        ends = zip(self.widths, self.lowest, self.highest, strict=True)
        out = []
        for width, low, high in ends:
            if width is not None:
                out.append(nearest_float(width))
            else:
                out.append(inf if {low.status, high.status} <= known else float("nan"))
        return np.array(out)


def extents(layer: Rows, coordinates: Sequence[int] | None = None) -> Extents:
    """Minimise and maximise coordinates over the set, exactly, warm-started.

    Raises:
        InputError: if a coordinate is no int or does not exist, before anything is solved.
    """
    n = layer.n_inputs
    chosen = tuple(range(n)) if coordinates is None else integers(coordinates, "coordinates")
    for j in chosen:
        if not 0 <= j < n:
            raise InputError(f"coordinates: expected 0 <= coordinate < {n}, got {shown(j)}")
    minimizer = Minimizer(layer)
    lowest: list[LPResult] = []
    highest: list[LPResult] = []
    for j in chosen:
        for results, sign in ((lowest, 1), (highest, -1)):
            if results and results[0].status is LPStatus.EMPTY:
                results.append(results[0])
                continue
            direction = RationalVector(tuple(sign * int(i == j) for i in range(n)))
            results.append(minimizer.minimize(direction))
    return Extents(tuple(lowest), tuple(highest), chosen)
