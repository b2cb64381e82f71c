"""Does a point collide, and how tightly?  Exact substitution only."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from flint import fmpz_mat

from polytope.answers.results import Residuals, TightConstraints
from polytope.errors import ShapeError
from polytope.exact.array import ExactArray
from polytope.exact.rational import RationalVector
from polytope.sets.halfspaces import Row
from polytope.sets.linalg import Minor, independent_rows
from polytope.sets.rows import Rows


def as_point(x: Any, layer: Rows, name: str = "x") -> RationalVector:
    """Take a point (d,) exactly, whatever it is stored as."""
    if isinstance(x, RationalVector):
        vector = x
    else:
        vector = ExactArray.of(x, name, ndim=1).vector()
    if len(vector) != layer.n_inputs:
        raise ShapeError(f"{name}: expected {layer.n_inputs} coordinates, got {len(vector)}")
    return vector


def residuals(layer: Rows, x: RationalVector) -> Residuals:
    """Exact residuals of a point, see :class:`Residuals`."""
    z = tuple(v + b for v, b in zip(layer.values(x), layer.biases, strict=True))
    return residuals_of(layer, x, z)


def residuals_of(layer: Rows, x: RationalVector, z: Sequence[Fraction]) -> Residuals:
    """Exact residuals of a point whose pre-activations z (N,) are known."""
    missed = layer.misfit(z)
    return Residuals(
        tuple(z),
        missed.worst_equality,
        missed.worst_inactive,
        layer.system.bound_violation(x),
        missed.smallest_tolerance,
    )


def _tight(layer: Rows, x: RationalVector) -> tuple[list[Row], list[int]]:
    system = layer.system
    values = layer.values(x)
    rows = [
        row
        for row, rhs in zip(system.rows, system.rhs, strict=True)
        if row.sign * values[row.unit] == rhs
    ]
    coordinates = [
        j
        for j, (v, low, high) in enumerate(zip(x, system.lower, system.upper, strict=True))
        if v in (low, high)
    ]
    return rows, coordinates


def tight_constraints(layer: Rows, x: RationalVector) -> TightConstraints:
    """Tight rows and bounds at a point, their exact rank, and whether it is a vertex."""
    rows, coordinates = _tight(layer, x)
    free = sorted(set(range(layer.n_inputs)) - set(coordinates))
    rank = len(coordinates)
    if rows and free:
        integers, _ = layer.weight.integer_rows([r.unit for r in rows], free)
        rank += fmpz_mat(integers).rank()
    units = tuple(sorted({r.unit for r in rows}))
    return TightConstraints(
        units,
        tuple(coordinates),
        len(units) + len(coordinates),
        rank,
        rank == layer.n_inputs and layer.contains(x),
    )


def vertex_minor(layer: Rows, x: RationalVector) -> Minor | None:
    """Return the minor that proves a point of the set to be a vertex; None if it is none."""
    rows, coordinates = _tight(layer, x)
    free = sorted(set(range(layer.n_inputs)) - set(coordinates))
    minor = independent_rows(layer.weight, rows, free)
    return minor if len(minor.rows) == len(free) else None
