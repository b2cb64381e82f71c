"""Layers with a structure: convolutions, sparse and scaled matrices, half-spaces, whole networks.

What the definition says is written out here by hand, densely and in Fractions: the windows of a
convolution, and the linear region of a network with the affine map inside it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import nn

from optimize import input_polytope
from polytope import Box, CollisionPolytope, Free, Nonnegative
from polytope.exact.sparse import SparseMatrix
from tests.examples.random_layers import domain_bounds
from tests.oracles.exact_oracle import HalfSpace, Oracle, Vector, dot, exact

Rng = np.random.Generator
Table = list[list[Fraction]]


@dataclass(frozen=True)
class Structured:
    """A set and what the definition says of it."""

    name: str
    made: CollisionPolytope
    definition: Oracle
    is_region: bool = False

    def polytope(self) -> CollisionPolytope:
        return self.made

    def oracle(self) -> Oracle:
        return self.definition


def structured(seed: int) -> Structured:
    """Draw a set; the kind follows from the seed."""
    kinds = (_convolution, _grouped, _sparse, _halfspaces, _network, _pooled)
    rng = np.random.default_rng([20191210, seed])
    make = kinds[seed % len(kinds)]
    made, definition, region = make(rng)
    return Structured(f"structure {seed}:{make.__name__}: {made!r}", made, definition, region)


Made = tuple[CollisionPolytope, Oracle, bool]


def _of_entries(rng: Rng, dense: Table, *, kind: str = "float32") -> Made:
    """A sparse matrix of these entries, with a random bias, target, domain and tolerance."""
    n, d = len(dense), len(dense[0])
    domain = [Free(), Nonnegative(), Box(0, 1), Box(-1, 1)][int(rng.integers(4))]
    target = rng.integers(0, 5, d) / 4.0
    z = [dot(row, exact(target)) for row in dense]
    ties = rng.random(n) < 0.4
    drawn = rng.standard_normal(n).astype(np.float32).astype(np.float64)
    bias = [-v if tie else Fraction(b) for v, tie, b in zip(z, ties, drawn.tolist(), strict=True)]
    places = [(i, j) for i, row in enumerate(dense) for j, v in enumerate(row) if v]
    places = places or [(0, 0)]
    values = [dense[i][j] for i, j in places]
    numbers = values if kind == "object" else np.array([float(v) for v in values], dtype=kind)
    rows, columns = (np.array(part) for part in zip(*places, strict=True))
    weight = SparseMatrix.of_entries((n, d), (rows, columns), numbers)
    tolerance = [0, 0, Fraction(1, 8), 2.0**-40][int(rng.integers(4))]
    made = CollisionPolytope.from_layer(weight, bias, target, domain=domain, tolerance=tolerance)
    post = tuple(max(v + b, Fraction(0)) for v, b in zip(z, bias, strict=True))
    lower, upper = domain_bounds(domain, d)
    rows_of = tuple(tuple(row) for row in dense)
    return made, Oracle(rows_of, tuple(bias), post, lower, upper, Fraction(tolerance)), False


def _convolution(rng: Rng) -> Made:
    """One filter or two of 2 x 2 on a small image, with stride and padding."""
    width, stride, padding = int(rng.integers(2, 4)), int(rng.integers(1, 3)), int(rng.integers(2))
    filters = rng.standard_normal((int(rng.integers(1, 3)), 2, 2)).astype(np.float32)
    dense: Table = []
    tops, lefts = (range(-padding, n + padding - 1, stride) for n in (2, width))
    for kernel in filters.tolist():
        for top in tops:
            for left in lefts:
                row = [Fraction(0)] * (2 * width)
                for i in range(2):
                    for j in range(2):
                        y, x = top + i, left + j
                        if 0 <= y < 2 and 0 <= x < width:
                            row[y * width + x] = Fraction(kernel[i][j])
                dense.append(row)
    return _of_entries(rng, dense[:8])


def _grouped(rng: Rng) -> Made:
    """Two groups of channels, each unit seeing one; an input of no group now and then."""
    sizes = [(int(rng.integers(1, 4)), int(rng.integers(1, 3))) for _ in range(2)]
    d = sum(k for _, k in sizes) + int(rng.integers(0, 2))
    dense: Table = []
    first = 0
    for n, k in sizes:
        for line in rng.integers(-2, 3, (n, k)).tolist():
            dense.append([Fraction(0)] * first + [Fraction(v) for v in line])
            dense[-1] += [Fraction(0)] * (d - len(dense[-1]))
        first += k
    return _of_entries(rng, dense)


def _sparse(rng: Rng) -> Made:
    """Few entries, Fractions among them; empty rows and columns."""
    n, d = int(rng.integers(1, 7)), int(rng.integers(1, 5))
    keep = rng.random((n, d)) < 0.4
    tops, bottoms = rng.integers(-5, 6, (n, d)), rng.integers(1, 8, (n, d))
    dense = [
        [Fraction(int(tops[i, j]), int(bottoms[i, j])) * int(keep[i, j]) for j in range(d)]
        for i in range(n)
    ]
    return _of_entries(rng, dense, kind="object")


@dataclass(frozen=True)
class HalfspaceOracle(Oracle):
    """``w x <= end`` where the post-activation is 0, ``w x = end`` where it is 1."""

    ends: Vector = ()

    @cached_property
    def rows(self) -> list[HalfSpace]:
        kinds = zip(self.weight, self.ends, self.post_activation, strict=True)
        return [(w, end, kind == 1) for w, end, kind in kinds]

    def contains(self, x: Any) -> bool:
        return all(gap == 0 for gap in self.gaps([dot(w, x) for w in self.weight]))

    def gaps(self, z: Any) -> list[Fraction]:
        kinds = zip(z, self.ends, self.post_activation, strict=True)
        return [abs(v - end) if kind else max(v - end, Fraction(0)) for v, end, kind in kinds]


def _halfspaces(rng: Rng) -> Made:
    """Any polyhedron by its half-spaces and equations."""
    d, m, e = (int(rng.integers(low, high)) for low, high in ((1, 5), (1, 7), (0, 3)))
    rows, bounds = rng.integers(-3, 4, (m, d)), rng.integers(-2, 4, m)
    equations, values = rng.integers(-2, 3, (e, d)), rng.integers(-1, 2, e)
    made = CollisionPolytope.from_halfspaces(
        rows, bounds, equalities=equations if e else None, values=values if e else None
    )
    weight = tuple(exact(row) for row in (*rows, *equations))
    ends = (*exact(bounds), *exact(values))
    zeros, kinds, free = exact([0] * (m + e)), exact([0] * m + [1] * e), (None,) * d
    return made, HalfspaceOracle(weight, zeros, kinds, free, free, Fraction(0), ends), False


# ---- Networks ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class RegionOracle(Oracle):
    """The composed layer cut with the region's rows ``c x <= rhs``."""

    region: tuple[tuple[Vector, Fraction], ...] = field(default=())

    @cached_property
    def half_spaces(self) -> list[HalfSpace]:
        return [*super().half_spaces, *((c, rhs, False) for c, rhs in self.region)]

    def contains(self, x: Any) -> bool:
        return super().contains(x) and all(dot(c, x) <= rhs for c, rhs in self.region)


def _linear(layer: nn.Module) -> tuple[Table, list[Fraction]]:
    weight, bias = layer.weight.detach().tolist(), layer.bias.detach().tolist()
    return [list(map(Fraction, row)) for row in weight], [Fraction(v) for v in bias]


def _times(left: Table, right: Table) -> Table:
    return [[dot(row, column) for column in zip(*right, strict=True)] for row in left]


def _fill(rng: Rng, model: nn.Module) -> None:
    """float32 weights, or small integers, which tie more often."""
    whole = rng.random() < 0.5
    for parameter in model.parameters():
        shape = tuple(parameter.shape)
        drawn = rng.integers(-2, 3, shape) if whole else rng.standard_normal(shape)
        parameter.data = torch.tensor(np.asarray(drawn), dtype=torch.float32)


def _region(
    rng: Rng, model: nn.Sequential, target: np.ndarray, hidden: Any, last: nn.Module
) -> Made:
    """Compose by hand: `hidden` gives the affine form of each hidden unit and the region's rows."""
    d = len(target)
    domain = [Free(), Box(0, 1), Box(-1, 2)][int(rng.integers(3))]
    tolerance = [Fraction(0), Fraction(0), Fraction(1, 16)][int(rng.integers(3))]
    name = str(len(model) - 2)
    shape = (1, d) if isinstance(model[0], nn.Conv1d) else (d,)
    point = torch.tensor(target, dtype=torch.float32).reshape(shape)
    made = input_polytope(model, name, point, domain=domain, tolerance=tolerance)
    forms, rows = hidden
    outer, offset = _linear(last)
    weight = _times(outer, [form[:-1] for form in forms])
    bias = [
        dot(line, [form[-1] for form in forms]) + b for line, b in zip(outer, offset, strict=True)
    ]
    x = exact(target)
    post = tuple(max(dot(w, x) + b, Fraction(0)) for w, b in zip(weight, bias, strict=True))
    lower, upper = domain_bounds(domain, d)
    oracle = RegionOracle(
        tuple(map(tuple, weight)), tuple(bias), post, lower, upper, tolerance, tuple(rows)
    )
    return made, oracle, True


def _at(form: list[Fraction], x: Vector) -> Fraction:
    return dot(form[:-1], x) + form[-1]


def _below(form: list[Fraction]) -> tuple[Vector, Fraction]:
    """The row ``form(x) <= 0``."""
    return tuple(form[:-1]), -form[-1]


def _less(a: list[Fraction], b: list[Fraction]) -> list[Fraction]:
    return [v - w for v, w in zip(a, b, strict=True)]


def _network(rng: Rng) -> Made:
    """Linear, ReLU, Linear, ReLU: the signs of the hidden units make the region."""
    d, h, n = (int(rng.integers(1, most)) for most in (4, 5, 5))
    model = nn.Sequential(nn.Linear(d, h), nn.ReLU(), nn.Linear(h, n), nn.ReLU())
    _fill(rng, model)
    target = rng.integers(0, 5, d) / 4.0
    weight, bias = _linear(model[0])
    zero = [Fraction(0)] * (d + 1)
    forms, rows = [], []
    for w, b in zip(weight, bias, strict=True):
        form = [*w, b]
        on = _at(form, exact(target)) > 0
        forms.append(form if on else zero)
        rows.append(_below(_less(zero, form) if on else form))
    return _region(rng, model, target, (forms, rows), model[2])


def _pooled(rng: Rng) -> Made:
    """Convolution, ReLU, max-pool by twos, Linear, ReLU: max(0, a, b) is one decision."""
    d, channels, n = 5, int(rng.integers(1, 3)), int(rng.integers(1, 4))
    model = nn.Sequential(
        nn.Conv1d(1, channels, 2), nn.ReLU(), nn.MaxPool1d(2), nn.Flatten(), nn.Linear(1, 1)
    )
    model = nn.Sequential(*model[:4], nn.Linear(2 * channels, n), nn.ReLU())
    _fill(rng, model)
    target = rng.integers(0, 5, d) / 4.0
    kernel, bias = model[0].weight.detach().tolist(), model[0].bias.detach().tolist()
    zero = [Fraction(0)] * (d + 1)
    forms, rows = [], []
    for (line,), b in zip(kernel, bias, strict=True):
        for first in (0, 2):
            pair = []
            for k in (first, first + 1):
                form = list(zero)
                form[k], form[k + 1] = Fraction(line[0]), Fraction(line[1])
                form[-1] = Fraction(b)
                pair.append(form)
            values = [_at(form, exact(target)) for form in pair]
            if max(values) <= 0:
                forms.append(zero)
                rows += [_below(form) for form in pair]
                continue
            winner, loser = pair if values[0] >= values[1] else pair[::-1]
            forms.append(winner)
            rows += [_below(_less(zero, winner)), _below(_less(loser, winner))]
    return _region(rng, model, target, (forms, rows), model[4])
