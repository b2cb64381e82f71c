"""Random polyhedra whose generators are easy to get wrong, each from its own seed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from polytope import Box, CollisionPolytope, Free, Nonnegative
from tests.examples.instances import cross, cube, cuts, cyclic, facets_of, hypersimplex
from tests.examples.random_layers import instance

Rng = np.random.Generator
build = CollisionPolytope.from_halfspaces


@dataclass(frozen=True)
class Polyhedron:
    """A set and the seed it comes from."""

    name: str
    family: str
    polytope: CollisionPolytope


def polyhedron(seed: int) -> Polyhedron:
    """Draw a set; the family follows from the seed."""
    family = list(FAMILIES)[seed % len(FAMILIES)]
    rng = np.random.default_rng([20191208, 3, seed])
    made = FAMILIES[family](rng, seed)
    return Polyhedron(f"seed {seed} ({family}): {made!r}", family, made)


def _simple(rng: Rng, _: int) -> CollisionPolytope:
    """Rows in general position around the origin; often unbounded when there are few."""
    n = int(rng.integers(1, 7))
    m = n + int(rng.integers(1, 10 if n > 4 else 14))
    return build(rng.integers(-99, 100, (m, n)), rng.integers(50, 200, m))


def _degenerate(rng: Rng, _: int) -> CollisionPolytope:
    n = int(rng.integers(2, 6))
    m = int(rng.integers(n, 3 * n + 4))
    return build(rng.integers(-1, 2, (m, n)), rng.integers(0, 3, m))


def _named(rng: Rng, _: int) -> CollisionPolytope:
    """A named set under a random affine map; a singular one gives lines or flat sets."""
    made = [
        lambda: cube(int(rng.integers(1, 6))),
        lambda: cross(int(rng.integers(1, 6))),
        lambda: cyclic(int(rng.integers(6, 10)), int(rng.integers(2, 5))),
        lambda: facets_of(cuts(int(rng.integers(3, 5)))),
        lambda: hypersimplex(int(rng.integers(3, 6)), 2),
    ][int(rng.integers(5))]()
    system = made.layer.system
    inner = system.n_inputs
    outer = inner + int(rng.integers(-1, 2)) if inner > 1 else inner
    factor = rng.integers(-2, 3, (inner, outer)) + 3 * np.eye(inner, outer, dtype=int)
    shift = [Fraction(int(v), 3) for v in rng.integers(-4, 5, inner)]
    rows: dict[bool, list[Any]] = {False: [], True: []}
    right: dict[bool, list[Any]] = {False: [], True: []}
    for row, rhs in zip(system.rows, system.rhs, strict=True):
        a = [Fraction(v, system.scale(row.unit)) for v in system.integer_row(row.unit)]
        equal = row.kind == "equality"
        columns = factor.T.tolist()
        rows[equal].append([sum(x * y for x, y in zip(a, c, strict=True)) for c in columns])
        right[equal].append(rhs - sum(x * y for x, y in zip(a, shift, strict=True)))
    return build(
        rows[False] or None, right[False] or None, equalities=rows[True], values=right[True]
    )


def _flat(rng: Rng, _: int) -> CollisionPolytope:
    """Equations, some dependent, some written as two inequalities."""
    n = int(rng.integers(2, 6))
    m, e = int(rng.integers(n, 2 * n + 3)), int(rng.integers(1, n))
    point = rng.integers(-2, 3, n)
    rows = rng.integers(-2, 3, (m, n))
    bounds = rows @ point + rng.integers(0, 3, m)
    equations = rng.integers(-2, 3, (e, n))
    if rng.random() < 0.3 and e > 1:
        equations[-1] = equations[0] * -2
    values = equations @ point
    if rng.random() < 0.5:
        rows = np.concatenate([rows, equations[:1], -equations[:1]])
        bounds = np.concatenate([bounds, values[:1], -values[:1]])
        equations, values = equations[1:], values[1:]
    return build(rows, bounds, equalities=equations, values=values)


def _unbounded(rng: Rng, _: int) -> CollisionPolytope:
    """All rows keep a direction; sometimes a cone."""
    n = int(rng.integers(2, 6))
    m = int(rng.integers(n, 2 * n + 4))
    rows = rng.integers(-3, 4, (m, n))
    direction = rng.integers(-1, 2, n)
    rows = np.where((rows @ direction > 0)[:, None], -rows, rows)
    cone = rng.random() < 0.4
    return build(rows, np.zeros(m, int) if cone else rng.integers(-2, 5, m))


def _with_lines(rng: Rng, _: int) -> CollisionPolytope:
    """Rows of rank less than n."""
    n = int(rng.integers(2, 6))
    rank = int(rng.integers(1, n))
    m = int(rng.integers(rank, 2 * rank + 5))
    rows = rng.integers(-2, 3, (m, rank)) @ rng.integers(-2, 3, (rank, n))
    point = rng.integers(-1, 2, n)
    return build(rows, rows @ point + rng.integers(0, 3, m))


def _empty(rng: Rng, _: int) -> CollisionPolytope:
    """A nonnegative combination of some rows is 0 < 0, by a wide or a hair's margin."""
    n = int(rng.integers(1, 5))
    m = int(rng.integers(n, 2 * n + 4))
    rows = rng.integers(-3, 4, (m, n))
    bounds = [Fraction(int(v)) for v in rng.integers(0, 4, m)]
    used = rng.integers(0, 3, m)
    used[0] = 1
    margin = Fraction(1, int(rng.choice([1, 10**6, 2**40, 10**20])))
    last = -sum(int(u) * b for u, b in zip(used, bounds, strict=True)) - margin
    return build(np.vstack([rows, -(used @ rows)]), [*bounds, last])


def _nearly_parallel(rng: Rng, _: int) -> CollisionPolytope:
    """Rows an ulp apart, in a box: vertices far closer to each other than floats resolve."""
    n = int(rng.integers(2, 4))
    base = rng.standard_normal((int(rng.integers(1, 4)), n)).astype(np.float32)
    rows, bias = [], []
    for row in base:
        shift = np.float32(rng.standard_normal())
        for _ in range(int(rng.integers(1, 4))):
            ulps = rng.choice([-9, 0, 9], n).astype(np.float32)
            rows.append(np.nextafter(row, ulps))
            bias.append(np.nextafter(shift, np.float32(rng.choice([-9, 9]))))
    target = rng.random(n).astype(np.float32)
    return CollisionPolytope.from_layer(
        np.array(rows), np.array(bias), target, domain=Box(-1, 1), tolerance=_tolerance(rng)
    )


def _nearly_tied(rng: Rng, _: int) -> CollisionPolytope:
    """float32 biases that put the target within an ulp of every hyperplane."""
    n = int(rng.integers(2, 5))
    units = int(rng.integers(n, 2 * n + 3))
    weight = rng.standard_normal((units, n)).astype(np.float32)
    target = rng.random(n).astype(np.float32)
    bias = -(weight @ target)
    inactive = rng.random(units) < 0.9
    return CollisionPolytope.from_layer(
        weight, np.where(inactive, bias, bias + 1).astype(np.float32), target, domain=_domain(rng)
    )


def _gaussian(rng: Rng, _: int) -> CollisionPolytope:
    """float32 layers as a network has them."""
    n = int(rng.integers(2, 7))
    units = int(rng.integers(2, 12))
    weight = rng.standard_normal((units, n)).astype(np.float32)
    bias = rng.standard_normal(units).astype(np.float32) - np.float32(0.5)
    target = rng.random(n).astype(np.float32)
    return CollisionPolytope.from_layer(
        weight, bias, target, domain=_domain(rng), tolerance=_tolerance(rng)
    )


def _layers(rng: Rng, seed: int) -> CollisionPolytope:
    """Every family of random_layers.py, with its domains, activations and tolerances."""
    return instance(10_000_000 + seed // len(FAMILIES), largest=(8, 5)).polytope()


def _redundant(rng: Rng, _: int) -> CollisionPolytope:
    """Repeated, scaled, implied and trivial rows in any order."""
    n = int(rng.integers(1, 5))
    m = n + int(rng.integers(1, 6))
    rows, bounds = rng.integers(-3, 4, (m, n)), rng.integers(1, 6, m)
    twice = rng.integers(0, m, int(rng.integers(1, 5)))
    scale = rng.integers(1, 4, len(twice))
    first, second = rng.integers(0, m, (2, 3))
    more = [rows[twice] * scale[:, None], rows[first] + rows[second], np.zeros((1, n), int)]
    right = [bounds[twice] * scale, bounds[first] + bounds[second] + rng.integers(0, 2, 3), [0]]
    order = rng.permutation(m + len(twice) + 4)
    return build(np.concatenate([rows, *more])[order], np.concatenate([bounds, *right])[order])


def _spherical(rng: Rng, _: int) -> CollisionPolytope:
    """Tangent planes at rational points of the sphere: few shared vertices, long numbers."""
    n = int(rng.integers(2, 5))
    rows = []
    for _ in range(int(rng.integers(n + 1, 3 * n + 4))):
        slope = [Fraction(int(v), 7) for v in rng.integers(-12, 13, n - 1)]
        square = sum(v * v for v in slope)
        rows.append([*(2 * v / (1 + square) for v in slope), (square - 1) / (1 + square)])
    return build(np.array(rows, dtype=object), [1] * len(rows))


def _domain(rng: Rng) -> Free | Nonnegative | Box:
    return [Free(), Nonnegative(), Box(0, 1), Box(0, 1), Box(-1, 2)][int(rng.integers(5))]


def _tolerance(rng: Rng) -> Any:
    return [0, 0, 0, 0.25, 2.0**-40, Fraction(1, 3)][int(rng.integers(6))]


FAMILIES: dict[str, Callable[[Rng, int], CollisionPolytope]] = {
    "simple": _simple,
    "small integers": _degenerate,
    "named, mapped": _named,
    "flat": _flat,
    "unbounded": _unbounded,
    "with lines": _with_lines,
    "empty": _empty,
    "nearly parallel": _nearly_parallel,
    "nearly tied": _nearly_tied,
    "Gaussian layers": _gaussian,
    "random layers": _layers,
    "redundant": _redundant,
    "spherical": _spherical,
}
