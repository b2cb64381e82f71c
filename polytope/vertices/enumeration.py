"""Which vertices, rays and lines generate the set, and why is nothing missing?

Simple sets are traversed as they are; degenerate ones after an infinitesimal perturbation, whose
vertices tend to those of the set.  Either way the certificate is the list itself with, for
degenerate sets, the perturbed bases (docs/enumeration.md).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from operator import mul

import numpy as np

from polytope.answers.certificates import Certificate
from polytope.answers.generators import Completeness, Generators
from polytope.exact.rational import RationalVector
from polytope.questions.feasibility import feasibility
from polytope.sets.halfspaces import Row
from polytope.sets.rows import Rows
from polytope.vertices.blas import one_blas_thread
from polytope.vertices.cross_check import cross_checked
from polytope.vertices.exact_bases import ExactRows
from polytope.vertices.exact_points import ExactPoints
from polytope.vertices.limits import LimitReached, Limits, Progress
from polytope.vertices.reduction import LARGEST_DIMENSION, Reduced, is_too_large, reduce
from polytope.vertices.size_estimate import count_by_walkers
from polytope.vertices.start import Start, perturbed_start, reduce_fully, simple_start
from polytope.vertices.traverse import Degenerate, Graph, Traversal

#: The bases of a degenerate set are estimated when so many were visited without an end.
_ESTIMATE_AT = 2_000
#: Enough for some dozens of meetings at the limit; ties make each step of a walk dear.
_WALKERS = 250
#: An estimate is one: only beyond this many times the limit the search is not begun.
_FAR_TOO_MANY = 2
#: Perturbations drawn before giving up.
_DRAWS, _SEED = 5, 20191208


def enumerate_generators(
    layer: Rows, limits: Limits, progress: Progress | None = None
) -> Generators:
    """List all vertices, extreme rays and lines of a layer's polytope, see :class:`Generators`."""
    limits = limits.begin()
    started = time.perf_counter()
    found = feasibility(layer)
    if found.feasible is False:
        return Generators(Completeness.EMPTY, certificate=found.certificate)
    if found.point is None:
        return Generators(Completeness.UNDECIDED, reason=found.reason)
    if is_too_large(layer):
        reason = (
            f"the set may have more than {LARGEST_DIMENSION} dimensions, or equalities that take "
            "too long to solve for a list; ask for unit_vertices() or minimize()"
        )
        return Generators(Completeness.UNDECIDED, reason=reason)
    try:
        return _Enumeration(layer, limits, progress, started).of(found.point)
    except LimitReached as limit:  # before the first vertex
        return Generators(Completeness.PARTIAL, reason=str(limit))


@dataclass(eq=False)
class _Enumeration:
    layer: Rows
    limits: Limits
    progress: Progress | None
    started: float

    def of(self, point: RationalVector) -> Generators:
        """Enumerate the set of the layer, of which a point is known."""
        first = reduce(self.layer, limits=self.limits)
        generators = None if first is None else self._simple(first, point)
        if generators is not None:
            return generators
        # Not simple, or some inequality is an equality in truth: that is settled first.
        reduced = reduce_fully(self.layer, self.limits)
        if isinstance(reduced, str):
            return Generators(Completeness.UNDECIDED, reason=reduced)
        if reduced.implicit is not None:
            generators = self._simple(reduced, point)
        return self._perturbed(reduced, point) if generators is None else generators

    def _simple(self, reduced: Reduced, point: RationalVector) -> Generators | None:
        """List a simple set; None if it is not simple."""
        if reduced.n == 0:
            return self._single(reduced)
        start = simple_start(reduced, point, self.limits)
        if start is None:
            return None
        try:
            graph = self._traverse(start, self.limits)
        except Degenerate:
            return None
        points = ExactPoints(reduced, start.rows, graph.bases, graph if graph.complete else None)
        return self._generators(reduced, graph, points, graph.tight)

    def _traverse(self, start: Start, limits: Limits) -> Graph:
        traversal = Traversal(
            start.rows,
            start.vertex,
            limits=limits,
            progress=self.progress,
        )
        with one_blas_thread():
            return traversal.run(start.basis)

    def _single(self, reduced: Reduced) -> Generators:
        """One minimal face only: a point, or an affine space."""
        rows = ExactRows((), (), ())
        points = ExactPoints(reduced, rows, np.zeros((1, 0), dtype=np.int32))
        graph = Graph(
            np.zeros((1, 0), np.int32), np.zeros((1, 0), bool), np.zeros((1, 0), int), [], True
        )
        return self._generators(reduced, graph, points, graph.tight)

    def _perturbed(self, reduced: Reduced, point: RationalVector) -> Generators:
        """List a degenerate set through the vertices of a perturbed one."""
        generator = np.random.default_rng(_SEED)
        for _ in range(_DRAWS):
            start = perturbed_start(reduced, point, generator, self.limits)
            if start is None:
                continue
            try:
                graph = self._bases(start)
            except Degenerate:
                continue
            if graph is None:
                reason = f"more than {self.limits.bases} bases"
                return cross_checked(reduced, reason, self.limits)
            return self._from_perturbed(reduced, start.rows, graph)
        reason = f"{_DRAWS} perturbations in a row were not generic"
        return Generators(Completeness.UNDECIDED, reason=reason)

    def _bases(self, start: Start) -> Graph | None:
        """Visit the bases of a perturbed set; None if there are more than are certified."""
        limits = self.limits
        for most in (min(_ESTIMATE_AT, self.limits.bases), self.limits.bases):
            own = limits.count is None or limits.count > most
            part = replace(limits, count=most) if own else limits
            graph = self._traverse(start, part)
            if graph.complete or not own or not graph.reason.startswith("max_count"):
                return graph
            if most < self.limits.bases:
                estimate = count_by_walkers(start, walkers=_WALKERS, seed=_SEED)[0]
                if estimate > _FAR_TOO_MANY * self.limits.bases:
                    return None
        return None

    def _from_perturbed(self, reduced: Reduced, rows: ExactRows, graph: Graph) -> Generators:
        """Pass from the bases to the vertices they tend to: those with the same tight rows."""
        tight, first, vertex = np.unique(
            graph.tight, axis=0, return_index=True, return_inverse=True
        )
        points = ExactPoints(reduced, rows, graph.bases[first])

        def bases() -> list[dict[str, object]]:
            solved = [rows.solve(basis) for basis in graph.bases.tolist()]
            moved = reduced.lift_shifts([[p.den, *p.y] for p in solved if p is not None])
            return [
                {"point": int(k), "shift": shift}
                for k, shift in zip(vertex.ravel(), moved, strict=True)
            ]

        def witness() -> dict[str, object]:
            return {"perturbation": _perturbation(reduced, rows.shifts), "bases": bases()}

        return self._generators(reduced, graph, points, tight, perturbed=witness)

    def _generators(
        self,
        reduced: Reduced,
        graph: Graph,
        points: ExactPoints,
        tight: np.ndarray,
        *,
        perturbed: Callable[[], dict[str, object]] = dict,
    ) -> Generators:
        """Collect the lists and their certificate; ``perturbed`` adds to the witness."""
        rays = reduced.lift([[0, *ray] for ray in graph.rays]) if graph.rays else []
        along = [[sum(map(mul, a, ray)) == 0 for a in reduced.normals] for ray in graph.rays]
        incidence = np.concatenate(
            [tight, np.array(along, bool).reshape(len(graph.rays), tight.shape[1])]
        )
        lists = {"points": points, "rays": tuple(rays), "lines": reduced.lines}

        def witness() -> dict[str, object]:
            parts: dict[str, object] = {
                "implicit": reduced.implicit,
                "minor": reduced.minor,
                "pivots": reduced.pivots,
                "perturbation": None,
                "bases": None,
            }
            return parts | perturbed()

        certificate = None
        if graph.complete:
            certificate = Certificate("generators", lists, self.layer, witness)
        return Generators(
            Completeness.CERTIFIED if graph.complete else Completeness.PARTIAL,
            points,
            tuple(rays),
            reduced.lines,
            reduced.chart,
            reduced.halfspaces,
            incidence,
            certificate,
            graph.reason,
            {"total": time.perf_counter() - self.started},
        )


def _perturbation(reduced: Reduced, shifts: Sequence[int]) -> dict[str, object]:
    """The shifts in the units of the layer's own inequalities."""
    layer = reduced.layer
    rows: dict[str, list[Fraction]] = {
        kind: [Fraction(0)] * layer.n_units for kind in ("upper", "lower")
    }
    bounds = {side: [Fraction(0)] * layer.n_inputs for side in ("lower", "upper")}
    for name, shift, scale in zip(reduced.halfspaces, shifts, reduced.scales, strict=True):
        if isinstance(name, Row):
            rows[name.kind][name.unit] = shift / scale
        else:
            bounds[name.side][name.coordinate] = shift / scale
    return {
        "upper": RationalVector.of(rows["upper"]),
        "lower": RationalVector.of(rows["lower"]),
        "floor": RationalVector.of(bounds["lower"]),
        "ceiling": RationalVector.of(bounds["upper"]),
    }
