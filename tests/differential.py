"""Every question of CollisionPolytope against PPL, on random layers; each certificate is verified.

    python -m tests.differential --count 2000 --start 0

prints how many answers were compared, how many were undecided, and each disagreement.  Exit code 0
if there is no disagreement.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import traceback
from collections import Counter
from dataclasses import dataclass, field
from fractions import Fraction
from math import sqrt
from pathlib import Path
from typing import Any

import numpy as np

from polytope import CollisionPolytope, LPStatus, NearestStatus, verify
from tests.exact_oracle import Oracle, dot, exact
from tests.random_layers import Instance, instance

_WORDS = {
    LPStatus.OPTIMAL: "optimized",
    LPStatus.EMPTY: "unfeasible",
    LPStatus.UNBOUNDED: "unbounded",
}
#: Certified l2 bounds may leave a gap, but a useless one would show here.
_GAP = 1e-9
#: The oracle's l2 distance tries every subset of this many half-spaces.
_SQUARES = 10


@dataclass
class Tally:
    """What came of the comparisons so far."""

    compared: Counter[str] = field(default_factory=Counter)
    undecided: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    loose: list[str] = field(default_factory=list)
    name: str = ""

    def equal(self, question: str, ours: Any, theirs: Any) -> None:
        self.compared[question] += 1
        if ours != theirs:
            self.wrong.append(f"{self.name}: {question}: {ours} here, {theirs} expected")

    def open(self, question: str, reason: str) -> None:
        self.compared[question] += 1
        self.undecided.append(f"{self.name}: {question}: {reason or 'NO REASON GIVEN'}")

    def certificate(self, question: str, certificate: Any) -> None:
        """The certificate must verify as an object, as JSON, and (every tenth) as a file."""
        self.compared["certificates"] += 1
        try:
            words = verify(certificate)
            again = json.loads(json.dumps(certificate.document()))
            self.equal("certificates from JSON", verify(again), words)
            if self.compared["certificates"] % 10 == 0:
                with tempfile.TemporaryDirectory() as folder:
                    path = certificate.save(Path(folder) / "certificate.json")
                    self.equal("certificates from a file", verify(path), words)
        except Exception as error:
            self.wrong.append(f"{self.name}: certificate of {question}: {error!r}")

    @property
    def n_compared(self) -> int:
        return sum(self.compared.values())

    def report(self) -> str:
        decided = 1 - len(self.undecided) / max(1, self.n_compared)
        lines = [f"{count:8d}  {question}" for question, count in sorted(self.compared.items())]
        lines += [f"undecided: {line}" for line in self.undecided]
        lines += [f"loose: {line}" for line in self.loose]
        lines += [f"WRONG: {line}" for line in self.wrong]
        lines.append(
            f"{self.n_compared} answers compared, {len(self.wrong)} wrong, "
            f"{len(self.undecided)} undecided ({100 * decided:.3f} % decided), "
            f"{len(self.loose)} loose l2 bounds"
        )
        return "\n".join(lines)


def compare(case: Instance, tally: Tally, *, seed: int = 0, squares: bool = True) -> None:
    """Ask every question of one instance; an exception counts as a wrong answer."""
    tally.name = case.name
    rng = np.random.default_rng([7, seed])
    polytope, oracle = case.polytope(), case.oracle()
    questions = [_split, _ranks, _shape, _programs, _points, _distances]
    if squares and len(oracle.half_spaces) <= _SQUARES:
        questions.append(_squares)
    for question in questions:
        try:
            question(polytope, oracle, tally, rng)
        except Exception as error:
            where = traceback.extract_tb(error.__traceback__)[-1]
            place = f"{Path(where.filename).name}:{where.lineno}"
            tally.wrong.append(f"{case.name}: {question.__name__}: {error!r} at {place}")


def _split(polytope: CollisionPolytope, oracle: Oracle, tally: Tally, _: Any) -> None:
    active = tuple(i for i, y in enumerate(oracle.post_activation) if y > 0)
    tally.equal("active units", polytope.active_units, active)
    rest = tuple(i for i in range(polytope.n_units) if i not in active)
    tally.equal("inactive units", polytope.inactive_units, rest)
    tally.equal("n_positive", polytope.n_positive, len(active))


def _ranks(polytope: CollisionPolytope, oracle: Oracle, tally: Tally, _: Any) -> None:
    found = polytope.rank_positive()
    tally.equal("rank W+", found.value, oracle.rank_positive)
    tally.certificate("rank W+", found.certificate)
    kernel = polytope.kernel_condition()
    tally.equal("kernel", kernel.holds, oracle.kernel_condition)
    tally.certificate("kernel", kernel.certificate)


def _shape(polytope: CollisionPolytope, oracle: Oracle, tally: Tally, _: Any) -> None:
    feasibility = polytope.feasibility()
    if feasibility.feasible is None:
        tally.open("feasible", feasibility.reason)
    else:
        tally.equal("feasible", feasibility.feasible, not oracle.is_empty)
        tally.certificate("feasible", feasibility.certificate)
        if feasibility.feasible:
            tally.equal("feasible point", oracle.contains(list(feasibility.point or ())), True)
    dimension = polytope.dimension()
    tally.equal("paper bound", dimension.paper_bound, oracle.n - polytope.n_positive)
    if dimension.value is None:
        tally.open("dimension", dimension.reason)
    else:
        tally.equal("dimension", dimension.value, oracle.dimension)
        tally.certificate("dimension", dimension.certificate)
    lineality = polytope.lineality()
    tally.certificate("lineality", lineality.certificate)
    if not oracle.is_empty:
        tally.equal("lineality", lineality.dimension, oracle.lineality)
        tally.equal("pointed", lineality.pointed, oracle.lineality == 0)
    bounded = polytope.boundedness()
    if bounded.bounded is None:
        tally.open("bounded", bounded.reason)
    else:
        tally.equal("bounded", bounded.bounded, oracle.is_bounded)
        tally.certificate("bounded", bounded.certificate)


def _programs(
    polytope: CollisionPolytope, oracle: Oracle, tally: Tally, rng: np.random.Generator
) -> None:
    costs = [
        rng.integers(-3, 4, oracle.n),
        rng.standard_normal(oracle.n),
        np.eye(oracle.n, dtype=int)[int(rng.integers(oracle.n))],
    ]
    if rng.random() < 0.2:
        costs.append(np.zeros(oracle.n))
    for cost in costs:
        _program(polytope.minimize(cost), exact(cost), Fraction(0), oracle, tally, "minimize")
    chosen = polytope.inactive_units[:3]
    for unit, result in polytope.unit_vertices(chosen).items():
        args = oracle.weight[unit], oracle.bias[unit], oracle, tally
        _program(result, *args, "unit vertices")
    for unit in polytope.inactive_units[-1:]:
        args = oracle.weight[unit], oracle.bias[unit], oracle, tally
        _program(polytope.unit_vertex(unit), *args, "unit vertex")


def _program(
    result: Any, cost: Any, constant: Fraction, oracle: Oracle, tally: Tally, question: str
) -> None:
    if result.status is LPStatus.UNDECIDED:
        tally.open(question, result.reason)
        return
    expected = oracle.minimum(cost)
    tally.equal(f"{question}: status", _WORDS[result.status], expected.status)
    tally.certificate(question, result.certificate)
    if result.status is LPStatus.OPTIMAL and expected.value is not None:
        point = list(result.point)
        tally.equal(f"{question}: value", result.value, expected.value + constant)
        tally.equal(f"{question}: point attains it", dot(cost, point) + constant, result.value)
        tally.equal(f"{question}: point in the set", oracle.contains(point), True)
        tally.equal(f"{question}: vertex", result.is_vertex, tuple(point) in oracle.vertices)


def _points(
    polytope: CollisionPolytope, oracle: Oracle, tally: Tally, rng: np.random.Generator
) -> None:
    known = oracle.points[:3]
    points = list(known)
    points += [tuple((a + b) / 2 for a, b in zip(known[0], p, strict=True)) for p in known[1:]]
    points.append(exact(rng.integers(-8, 9, oracle.n) / 8.0))
    if known:
        step = Fraction(1, 10**30)
        points.append((known[0][0] + step, *known[0][1:]))
    for x in points:
        tally.equal("contains", polytope.contains(list(x)), oracle.contains(x))
        tight = polytope.tight_constraints(list(x))
        tally.equal("tight rank", tight.rank, oracle.tight_rank(x))
        tally.equal("is_vertex", polytope.is_vertex(list(x)), x in oracle.vertices)
        residuals = polytope.residuals(list(x))
        z = [dot(w, x) + b for w, b in zip(oracle.weight, oracle.bias, strict=True)]
        tally.equal("pre-activation", list(residuals.pre_activation), z)
        gaps = [abs(max(v, 0) - y) for v, y in zip(z, oracle.post_activation, strict=True)]
        tally.equal("smallest tolerance", residuals.smallest_tolerance, max(gaps))
        inside = residuals.worst_domain == 0
        collides = inside and residuals.smallest_tolerance <= oracle.tolerance
        tally.equal("residuals agree with contains", collides, oracle.contains(x))


def _distances(
    polytope: CollisionPolytope, oracle: Oracle, tally: Tally, rng: np.random.Generator
) -> None:
    coarse, fine = rng.integers(-16, 17, oracle.n) / 8.0, rng.normal(size=oracle.n)
    origin = coarse if rng.random() < 0.5 else fine
    for norm in ("linf", "l1"):
        found = polytope.nearest(origin, norm=norm)
        expected = oracle.distance(exact(origin), norm)
        if found.status is NearestStatus.UNDECIDED:
            tally.open(norm, found.reason)
            continue
        tally.equal(f"{norm}: empty", found.status is NearestStatus.EMPTY, expected is None)
        tally.certificate(norm, found.certificate)
        if expected is None:
            continue
        tally.equal(norm, found.distance, expected)
        tally.equal(f"{norm}: bounds", found.lower <= expected <= found.upper, True)
        tally.equal(f"{norm}: point in the set", oracle.contains(list(found.point or ())), True)
        steps = [abs(a - b) for a, b in zip(found.point or (), exact(origin), strict=True)]
        reached = max(steps) if norm == "linf" else sum(steps)
        tally.equal(f"{norm}: point", reached, expected)


def _squares(
    polytope: CollisionPolytope, oracle: Oracle, tally: Tally, rng: np.random.Generator
) -> None:
    origin = rng.normal(size=oracle.n)
    found = polytope.nearest(origin, norm="l2")
    if found.status is NearestStatus.UNDECIDED:
        tally.open("l2", found.reason)
        return
    tally.certificate("l2", found.certificate)
    expected = oracle.squared_distance(exact(origin))
    tally.equal("l2: empty", found.status is NearestStatus.EMPTY, expected is None)
    if expected is None:
        return
    inside = Fraction(found.lower) ** 2 <= expected <= Fraction(found.upper) ** 2
    tally.equal("l2: bounds", inside, True)
    tally.equal("l2: point in the set", oracle.contains(list(found.point or ())), True)
    if found.upper - found.lower > _GAP * (1 + sqrt(float(expected))):
        bounds = f"{found.lower} .. {found.upper}, exactly {sqrt(float(expected))}"
        tally.loose.append(f"{tally.name}: {bounds}")


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Compare polytope with PPL on random layers.")
    parser.add_argument("--count", type=int, default=2000, help="number of layers")
    parser.add_argument("--start", type=int, default=0, help="seed of the first layer")
    parser.add_argument("--units", type=int, default=6, help="largest number of units")
    parser.add_argument("--inputs", type=int, default=4, help="largest number of inputs")
    options = parser.parse_args(argv)
    tally = Tally()
    for seed in range(options.start, options.start + options.count):
        case = instance(seed, largest=(options.units, options.inputs))
        compare(case, tally, seed=seed)
    print(tally.report())
    print(f"{options.count} layers")
    return 1 if tally.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
