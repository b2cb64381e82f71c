"""Where does a traversal start?  At a basis of a vertex, of the set or of its perturbation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from polytope.exact.rational import RationalVector
from polytope.questions.dimension import dimension
from polytope.sets.halfspaces import Multipliers
from polytope.sets.rows import Rows
from polytope.vertices.exact_bases import ExactRows, walk_to_vertex
from polytope.vertices.limits import Limits
from polytope.vertices.reduction import Reduced, reduce

#: A perturbation that ties somewhere is drawn again; with 40-bit integers that was never seen.
_SHIFT_BITS = 40


@dataclass(frozen=True, eq=False)
class Start:
    """Rows to traverse, and a feasible basis of theirs.

    Attributes:
        rows: the inequalities, perturbed if the set is degenerate.
        vertex: the vertex (of the unperturbed set) the basis belongs to.
        basis: n rows, feasible.
    """

    rows: ExactRows
    vertex: RationalVector
    basis: list[int]


def simple_start(reduced: Reduced, point: RationalVector, limits: Limits) -> Start | None:
    """Start at a vertex with exactly n tight rows; None if the one reached has more."""
    start = reduced.coordinates(point)
    vertex, tight = walk_to_vertex(reduced.normals, reduced.offsets, start, limits)
    if len(tight) > reduced.n:
        return None
    rows = ExactRows(reduced.normals, reduced.offsets, (0,) * len(reduced.offsets))
    return Start(rows, vertex, tight)


def perturbed_start(
    reduced: Reduced, point: RationalVector, generator: np.random.Generator, limits: Limits
) -> Start | None:
    """Perturb every row outward at random; None if the perturbation happens to tie here."""
    start = reduced.coordinates(point)
    vertex, tight = walk_to_vertex(reduced.normals, reduced.offsets, start, limits)
    shifts = generator.integers(1, 2**_SHIFT_BITS, size=len(reduced.offsets)).tolist()
    # Near the vertex only its tight rows matter, and the perturbed ones leave room around it.
    zero = RationalVector((0,) * reduced.n)
    normals, offsets = [reduced.normals[j] for j in tight], [shifts[j] for j in tight]
    local = walk_to_vertex(normals, offsets, zero, limits).tight
    if len(local) > reduced.n:
        return None
    rows = ExactRows(reduced.normals, reduced.offsets, shifts)
    return Start(rows, vertex, [tight[k] for k in local])


def reduce_fully(layer: Rows, limits: Limits) -> Reduced | str:
    """Pass to the pointed set after finding the implicit equalities; else say why not."""
    size = dimension(layer)
    limits.check_time()
    if size.certificate is None:
        return size.reason
    implicit = size.certificate.witness.get("implicit")
    reduced = reduce(layer, implicit if isinstance(implicit, Multipliers) else None, limits)
    return reduced or "an inequality is tight on the whole set, and was not found to be"
