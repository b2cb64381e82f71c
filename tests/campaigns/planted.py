"""Layers whose truth is planted by their construction: no oracle has to be believed.

    python -m tests.campaigns.planted --count 200

plants a collision, emptiness by some margin, a single point, an optimum at a vertex, a ray and a
dimension, in layers of up to 60 units on 120 inputs and, now and then, of MNIST's 256 x 784; each
also without what was planted, by the same margin.  Prints the counts by kind and margin; exit code
0 if no answer was wrong.  Every certificate is verified.
"""

from __future__ import annotations

import argparse
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from polytope import Box, CollisionPolytope, Free, LPStatus, verify

Rng = np.random.Generator
#: By how much a planted fact holds, or fails to.
MARGINS = (Fraction(1), Fraction(1, 10**6), Fraction(1, 10**12), Fraction(1, 2**100))
#: The least number of float64, taken where nothing else is added to it.
SUBNORMAL = Fraction(5e-324)
_LARGE = (256, 784)
#: One in so many layers is of MNIST's size.
_LARGE_EVERY = 25
#: Rows are multiplied by powers of two up to this exponent.
_SCALES = 40


@dataclass
class Tally:
    """What came of it."""

    right: Counter[tuple[str, str]] = field(default_factory=Counter)
    undecided: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    name: str = ""
    certificates: int = 0

    def expect(self, what: str, found: Any, planted: Any) -> None:
        """Compare an answer with what was planted; None is undecided."""
        if found is None:
            self.undecided.append(f"{self.name}: {what}")
        elif found != planted:
            self.wrong.append(f"{self.name}: {what}: {found} here, {planted} planted")

    def certified(self, *results: Any) -> None:
        """Verify the certificates of some results."""
        for result in results:
            if result.certificate is not None:
                verify(result.certificate)
                self.certificates += 1

    def report(self) -> str:
        lines = [f"{n:6d}  {kind}, {margin}" for (kind, margin), n in sorted(self.right.items())]
        lines += [f"undecided: {line}" for line in self.undecided]
        lines += [f"WRONG: {line}" for line in self.wrong]
        lines.append(
            f"{sum(self.right.values())} layers, {len(self.wrong)} wrong, {len(self.undecided)} "
            f"undecided, {self.certificates} certificates verified"
        )
        return "\n".join(lines)


@dataclass
class Plan:
    """Where something is planted: sizes, a point, a margin (0: not planted after all)."""

    rng: Rng
    shape: tuple[int, int]
    margin: Fraction
    tally: Tally

    def integers(self, *size: int) -> np.ndarray:
        """Integer weights (dtype object), three quarters of them not 0."""
        kept = self.rng.random(size) < 0.75
        return np.where(kept, self.rng.integers(-99, 100, size), 0).astype(object)

    def independent(self, k: int) -> np.ndarray:
        """k independent rows: row i is the first with a nonzero entry in column order[i]."""
        rows, d = self.integers(k, self.shape[1]), self.shape[1]
        order = self.rng.permutation(d)[:k]
        for i in range(k):
            rows[i, order[i]] = int(self.rng.integers(1, 99))
            rows[i + 1 :, order[i]] = 0
        return rows

    def point(self) -> np.ndarray:
        """A point with denominators up to 8."""
        eighths = self.rng.integers(-16, 17, self.shape[1])
        return np.array([Fraction(int(v), 8) for v in eighths], dtype=object)

    def halfspaces(
        self, rows: np.ndarray, bounds: list[Fraction], *, active: int = 0, at: Any = None
    ) -> CollisionPolytope:
        """``rows x <= bounds`` (``=`` for the first ``active``), rows scaled and as floats.

        A target ``at`` must have these as its own; without one the activation is asked for.
        """
        scales = [Fraction(2) ** int(k) for k in self.rng.integers(-_SCALES, _SCALES, len(rows))]
        weight = np.array(
            [[float(v * s) for v in row] for row, s in zip(rows, scales, strict=True)]
        )
        lift = [Fraction(int(i < active)) for i in range(len(rows))]
        bias = [(y - b) * s for y, b, s in zip(lift, bounds, scales, strict=True)]
        box = Box(-3, 3) if self.rng.random() < 0.5 else Free()
        if at is not None:
            return CollisionPolytope.from_layer(weight, bias, at, domain=box)
        wanted = [y * s for y, s in zip(lift, scales, strict=True)]
        return CollisionPolytope.from_activation(weight, bias, wanted, domain=box)

    def slack(self, rows: np.ndarray, x: np.ndarray) -> list[Fraction]:
        """Bounds that x satisfies strictly, by 1/8 or more."""
        room = self.rng.integers(1, 9, len(rows))
        return [v + Fraction(int(k), 8) for v, k in zip(rows @ x, room, strict=True)]


# ---- What is planted ---------------------------------------------------------------------------


def collision(plan: Plan) -> None:
    """A second point: active rows vanish on the step to it, up to the margin on one of them."""
    n, d = plan.shape
    active = int(plan.rng.integers(1, max(2, min(n, d - 1))))
    x, step = plan.point(), plan.integers(d)
    pivot = int(plan.rng.integers(d))
    step[pivot] = 1
    rows = plan.integers(n, d)
    rows[:active, pivot] -= rows[:active] @ step
    other = x + step / Fraction(8 * 99)
    bounds = [*(rows[:active] @ x), *plan.slack(rows[active:], np.maximum(x, other) * 0 + x)]
    ahead = rows[active:] @ other
    bounds[active:] = [
        max(b, v + Fraction(1, 8)) for b, v in zip(bounds[active:], ahead, strict=True)
    ]
    polytope = plan.halfspaces(rows, bounds, active=active, at=list(x))
    plan.tally.expect("contains", polytope.contains(list(other)), _in_box(polytope, other))
    moved = other.copy()
    moved[int(np.flatnonzero(rows[0])[0])] += plan.margin
    if rows[0].any():
        plan.tally.expect("the moved point", polytope.contains(list(moved)), False)
    unique = polytope.uniqueness()
    plan.tally.expect("unique", unique.unique, False)
    plan.tally.certified(unique)


def _in_box(polytope: CollisionPolytope, x: np.ndarray) -> bool:
    free = isinstance(polytope.layer.domain, Free)
    return free or all(-3 <= v <= 3 for v in x)


def emptiness(plan: Plan) -> None:
    """A nonnegative combination of rows says 0 <= -margin; with the margin taken back, 0 <= 0."""
    n, d = max(2, plan.shape[0]), plan.shape[1]
    rows = plan.integers(n - 1, d)
    used = np.array([int(v) for v in plan.rng.integers(0, 4, n - 1)], dtype=object)
    used[0] = 1
    x = plan.point()
    if plan.margin == SUBNORMAL:
        x = x * 0
    bounds = [v if u else v + Fraction(1, 4) for v, u in zip(rows @ x, used.tolist(), strict=True)]
    last = -(used @ rows)
    total = -sum((u * b for u, b in zip(used.tolist(), bounds, strict=True)), Fraction(0))
    table = np.vstack([rows, last[None]])
    for margin, empty in ((plan.margin, True), (Fraction(0), False)):
        polytope = plan.halfspaces(table, [*bounds, total - margin])
        found = polytope.feasibility()
        plan.tally.expect("feasible", found.feasible, not empty)
        result = polytope.minimize([1] * d)
        decided = None if result.status is LPStatus.UNDECIDED else result.status is LPStatus.EMPTY
        plan.tally.expect("minimum of an empty set", decided, empty)
        plan.tally.certified(found, result)
        if empty:
            size = polytope.dimension()
            plan.tally.expect("dimension", size.value, -1)
            plan.tally.certified(size)


def contradiction(plan: Plan) -> None:
    """Two multiples of one active row that ask for values a margin apart."""
    n, d = max(2, plan.shape[0]), plan.shape[1]
    rows, x = plan.integers(n, d), plan.point()
    rows[0, 0] = 7
    rows[1] = rows[0] * 3
    if plan.margin == SUBNORMAL:
        x = x * 0
    bounds = [*(rows[:2] @ x), *plan.slack(rows[2:], x)]
    for margin, feasible in ((plan.margin, False), (Fraction(0), True)):
        polytope = plan.halfspaces(rows, [bounds[0], bounds[1] + margin, *bounds[2:]], active=2)
        found = polytope.feasibility()
        plan.tally.expect("feasible", found.feasible, feasible)
        plan.tally.certified(found)


def singleton(plan: Plan) -> None:
    """A positive combination of d + 1 tight rows of rank d is 0; loosened by a margin, a simplex.

    No unit is active, so that only the ties single the point out.
    """
    d = min(plan.shape[1], 24)
    plan.shape = plan.shape[0], d
    rows, x = plan.independent(d), plan.point()
    weights = np.array([int(v) for v in plan.rng.integers(1, 4, d)], dtype=object)
    table = np.vstack([rows, -(weights @ rows)[None], plan.integers(3, d)])
    tight = list(table[: d + 1] @ x)
    slack = plan.slack(table[d + 1 :], x)
    polytope = plan.halfspaces(table, [*tight, *slack], at=list(x))
    unique, bounded = polytope.uniqueness(), polytope.boundedness()
    plan.tally.expect("unique", unique.unique, True)
    plan.tally.expect("bounded", bounded.bounded, True)
    plan.tally.certified(unique, bounded)
    tight[-1] += plan.margin
    polytope = plan.halfspaces(table, [*tight, *slack], at=list(x))
    size, bounded = polytope.dimension(), polytope.boundedness()
    plan.tally.expect("dimension of the simplex", size.value, d)
    plan.tally.expect("bounded", bounded.bounded, True)
    plan.tally.certified(size, bounded)


def optimum(plan: Plan) -> None:
    """The cost is a positive combination of d tight, independent rows: their point is the only one.

    One more row passes a margin beyond that point, and must not be taken for tight.
    """
    d = min(plan.shape[1], max(1, plan.shape[0] - 2))
    plan.shape = plan.shape[0], d
    rows, x = plan.independent(d), plan.point()
    more = plan.integers(max(1, plan.shape[0] - d), d)
    weights = np.array([int(v) for v in plan.rng.integers(1, 9, d)], dtype=object)
    bounds = [*(rows @ x), *plan.slack(more, x)]
    bounds[d] = more[0] @ x + plan.margin
    polytope = plan.halfspaces(np.vstack([rows, more]), bounds, at=list(x))
    cost = -(weights @ rows)
    result = polytope.minimize([int(v) for v in cost])
    undecided = result.status is LPStatus.UNDECIDED
    plan.tally.expect("value", None if undecided else result.value, cost @ x)
    if not undecided:
        plan.tally.expect("point", list(result.point or ()), list(x))
        plan.tally.expect("vertex", result.is_vertex, True)
    tight = polytope.tight_constraints(list(x))
    plan.tally.expect("the row beyond is not tight", d in tight.units, False)
    plan.tally.certified(result)


def ray(plan: Plan) -> None:
    """No row rises along a direction; cut off a margin beyond the target, it is bounded there."""
    n, d = plan.shape
    x, direction = plan.point(), plan.integers(d)
    direction[int(plan.rng.integers(d))] = 1
    rows = plan.integers(n, d)
    rows = np.where((rows @ direction > 0)[:, None], -rows, rows)
    polytope = plan.halfspaces(rows, plan.slack(rows, x), at=list(x))
    free = isinstance(polytope.layer.domain, Free)
    bounded = polytope.boundedness()
    plan.tally.expect("bounded", bounded.bounded, not free)
    result = polytope.minimize([-int(v) for v in direction])
    decided = None if result.status is LPStatus.UNDECIDED else result.status
    plan.tally.expect("falls", decided, LPStatus.UNBOUNDED if free else LPStatus.OPTIMAL)
    cut = np.vstack([rows, direction[None]])
    end = direction @ x + plan.margin
    polytope = plan.halfspaces(cut, [*plan.slack(rows, x), end], at=list(x))
    stopped = polytope.minimize([-int(v) for v in direction])
    decided = None if stopped.status is LPStatus.UNDECIDED else stopped.status
    plan.tally.expect("stops", decided, LPStatus.OPTIMAL)
    if isinstance(polytope.layer.domain, Free):
        plan.tally.expect("stops where it is cut", stopped.value, -end)
    plan.tally.certified(bounded, result, stopped)


def dimension(plan: Plan) -> None:
    """Equalities, and pairs of opposite rows: implicit ones, but for a margin between one pair."""
    d = min(plan.shape[1], 40)
    plan.shape = min(plan.shape[0], 40), d
    active = int(plan.rng.integers(0, d // 2 + 1))
    pairs = int(plan.rng.integers(1, max(2, min(d - active, 6))))
    pairs = min(pairs, d - active)
    rows, x = plan.independent(active + pairs), plan.point()
    if not pairs:
        return
    opposite = -3 * rows[active:]
    more = plan.integers(2, d)
    table = np.vstack([rows, opposite, more])
    bounds = [*(rows @ x), *(opposite @ x), *plan.slack(more, x)]
    for margin, value in ((Fraction(0), d - active - pairs), (plan.margin, d - active - pairs + 1)):
        loose = list(bounds)
        loose[active + pairs] += margin
        polytope = plan.halfspaces(table, loose, active=active, at=list(x))
        found = polytope.dimension()
        plan.tally.expect("dimension", found.value, value)
        plan.tally.certified(found)


KINDS: tuple[Callable[[Plan], None], ...] = (
    collision,
    emptiness,
    contradiction,
    singleton,
    optimum,
    ray,
    dimension,
)
#: What is planted in layers of MNIST's size.
_OF_LARGE = (collision, emptiness, contradiction, ray)


def plant(seed: int, tally: Tally, *, large: bool = False) -> None:
    """Plant one fact, and see whether it is found; an exception counts as a wrong answer."""
    rng = np.random.default_rng([20191213, seed])
    kind = _OF_LARGE[seed % len(_OF_LARGE)] if large else KINDS[seed % len(KINDS)]
    subnormal = kind in (emptiness, contradiction)
    margins = (*MARGINS, SUBNORMAL) if subnormal else MARGINS
    margin = margins[(seed // len(KINDS)) % len(margins)]
    most = (60, 120) if seed % 3 == 0 else (14, 20)
    shape = _LARGE if large else (int(rng.integers(2, most[0] + 1)), int(rng.integers(2, most[1])))
    tally.name = f"seed {seed}: {kind.__name__}, {shape}, margin {float(margin):.3g}"
    before = len(tally.wrong)
    try:
        kind(Plan(rng, shape, margin, tally))
    except Exception as error:
        where = traceback.extract_tb(error.__traceback__)[-1]
        place = f"{Path(where.filename).name}:{where.lineno}"
        tally.wrong.append(f"{tally.name}: {error!r} at {place}")
    if len(tally.wrong) == before:
        size = "256 x 784" if large else "up to 60 x 120"
        tally.right[f"{kind.__name__} ({size})", f"margin {float(margin):.3g}"] += 1


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Plant facts in layers, and look for them.")
    parser.add_argument("--count", type=int, default=200, help="number of layers")
    parser.add_argument("--start", type=int, default=0, help="seed of the first layer")
    options = parser.parse_args(argv)
    tally, began = Tally(), time.perf_counter()
    for seed in range(options.start, options.start + options.count):
        plant(seed, tally, large=seed % _LARGE_EVERY == _LARGE_EVERY - 1)
    print(tally.report())
    print(f"{time.perf_counter() - began:.0f} s")
    return 1 if tally.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
