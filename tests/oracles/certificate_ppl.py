"""What does PPL say of a claim?  The judge of more than three inputs: its programs, its lists."""

from __future__ import annotations

from fractions import Fraction as F
from typing import Any

from experiments.bench.exact_peers import solve_ppl
from tests.oracles.certificate_oracle import System, directed
from tests.oracles.exact_engines import distance_program, integer_system
from tests.oracles.exact_oracle import minimum


class PplSystem(System):
    """The rows of C, as the document states them; only what is asked of them is PPL's work."""

    def half_spaces(self, rows: Any) -> Any:
        return [(tuple(a), b, False) for a, b in rows]

    def least(self, rows: Any, objective: Any) -> Any:
        found = minimum(tuple(objective), self.half_spaces(rows))
        words = {"unfeasible": "empty", "unbounded": "-inf"}
        return words.get(found.status, found.value)

    def distance(self, norm: str, f: Any) -> Any:
        rows, cost = distance_program(self.half_spaces(self.rows), f, norm)
        return minimum(cost, rows).value

    def squared_distance(self, f: Any) -> Any:
        raise NotImplementedError("no linear program")

    def lists(self, pivots: Any) -> Any:
        still = [(tuple(F(int(i == j)) for i in range(self.d)), F(0), True) for j in pivots]
        found = solve_ppl(integer_system([*self.half_spaces(self.rows), *still], self.d)).listed
        points = {tuple(F(v, q) for v in p) for q, *p in found.points}
        return points, {directed([F(v) for v in ray]) for ray in found.rays}
