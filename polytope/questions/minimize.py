"""How low can a linear function go over the polytope?  Optimum, emptiness or a ray, each proved."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from functools import cached_property

from polytope.answers.certificates import Certificate
from polytope.answers.results import LPResult, LPStatus
from polytope.exact.rational import RationalVector
from polytope.lp.highs import Proposer
from polytope.lp.linprog import Optimum, solve, solve_dense
from polytope.lp.program import LinearProgram
from polytope.questions.feasibility import feasibility
from polytope.questions.membership import vertex_minor
from polytope.questions.recession import falling_ray
from polytope.sets.linalg import Minor, invertible_minor
from polytope.sets.rows import Rows

#: Chains of warm starts.  A constant, not the number of cores: the basis a unit starts from, and so
#: the vertex returned where several are optimal, must not depend on the machine.
_CHAINS = 2


def unit_vertices(layer: Rows, units: Sequence[int]) -> Iterator[tuple[int, LPResult]]:
    """Minimise the pre-activation of each unit, in order.

    Two chains take turns at the units, each starting from its own last basis, in threads: HiGHS
    works without Python's lock, so that one chain is solved while the other is proved.
    """
    layer.system.prepare()
    chains = [Minimizer(layer) for _ in range(min(_CHAINS, len(units)))]
    pools = [ThreadPoolExecutor(max_workers=1) for _ in chains]
    try:
        results = [
            pools[k % _CHAINS].submit(chains[k % _CHAINS].unit, unit)
            for k, unit in enumerate(units)
        ]
        for unit, result in zip(units, results, strict=True):
            yield unit, result.result()
    finally:
        for pool in pools:
            pool.shutdown(cancel_futures=True)


class Minimizer:
    """Minimises one linear function after another over one polytope, warm-started."""

    def __init__(self, layer: Rows) -> None:
        self._layer = layer
        zero = RationalVector((0,) * layer.n_inputs)
        self._program = LinearProgram.over(layer.system, zero)

    @cached_property
    def _proposer(self) -> Proposer:
        return Proposer(self._program)

    def unit(self, unit: int) -> LPResult:
        """Minimise the pre-activation of a unit."""
        system = self._layer.system
        objective = RationalVector(tuple(system.integer_row(unit)), system.scale(unit))
        return self._settle(objective, self._layer.biases[unit], {"unit": unit})

    def minimize(self, objective: RationalVector) -> LPResult:
        """Minimise ``objective . x``."""
        zero = Fraction(0)
        return self._settle(objective, zero, {"objective": objective, "constant": zero})

    def _settle(
        self, objective: RationalVector, constant: Fraction, claim: Mapping[str, object]
    ) -> LPResult:
        program = self._program.with_objective(objective)
        solution = solve_dense(program) or solve(program, self._proposer, insist=False)
        if isinstance(solution, Optimum):
            return self._optimal(solution, constant, claim)
        other = self._without_optimum(objective, claim)
        if other is not None:
            return other
        # Neither empty nor unbounded: HiGHS was mistaken, and an optimum is searched in earnest.
        solution = solve(program, self._proposer)
        if isinstance(solution, Optimum):
            return self._optimal(solution, constant, claim)
        reason = solution.reason or "neither an optimum nor a ray could be proved"
        return LPResult(LPStatus.UNDECIDED, reason=reason, timings=solution.seconds)

    def _optimal(
        self, solution: Optimum, constant: Fraction, claim: Mapping[str, object]
    ) -> LPResult:
        point, value = solution.point, solution.value + constant
        basis, layer = solution.basis, self._layer
        # A basis with all other columns on bounds is d independent tight rows by construction.
        by_basis = basis is not None and not basis.at_zero
        is_vertex = by_basis or vertex_minor(layer, point) is not None

        def minor() -> Minor | None:
            found = None
            if by_basis and basis is not None:
                names = [solution.program.rows[r].name for r in basis.tight]
                rows = [name for name in names if name is not None]
                found = invertible_minor(layer.weight, rows, basis.basic)
            return found or vertex_minor(layer, point)

        def witness() -> dict[str, object]:
            parts: dict[str, object] = {"point": point, "multipliers": solution.multipliers()}
            if is_vertex:
                parts["vertex"] = minor()
            return parts

        claim = {**claim, "value": value, "vertex": is_vertex}
        certificate = Certificate("optimum", claim, layer, witness)
        return LPResult(
            LPStatus.OPTIMAL, value, point, is_vertex, certificate, timings=solution.seconds
        )

    def _without_optimum(
        self, objective: RationalVector, claim: Mapping[str, object]
    ) -> LPResult | None:
        """Prove the set empty or the objective unbounded; None if neither is proved."""
        found = feasibility(self._layer)
        if found.feasible is False:
            return LPResult(LPStatus.EMPTY, certificate=found.certificate)
        point = found.point
        if point is None or self._layer.is_box:
            return None
        ray = falling_ray(self._layer, objective)
        if ray is None:
            return None
        proof = Certificate(
            "unbounded_objective", claim, self._layer, lambda: {"point": point, "ray": ray}
        )
        return LPResult(LPStatus.UNBOUNDED, point=point, certificate=proof)
