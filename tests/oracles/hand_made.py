"""Complete generators of small sets by PPL and plain elimination: none of the package's engines."""

from __future__ import annotations

import ctypes
from fractions import Fraction
from itertools import combinations, permutations, product
from math import gcd, lcm

import numpy as np
import ppl

from polytope import CollisionPolytope, RationalVector
from polytope.answers.generators import Bound, Chart, Completeness, Generators

ctypes.CDLL(None).fesetround(0)  # pplpy 0.9.0 leaves rounding upwards behind
F = Fraction


def constraints_of(P):
    """Every inequality of P as (name, normal, right-hand side), and its equalities."""
    system = P.layer.system
    inequalities, equalities = [], []
    for row, rhs in zip(system.rows, system.rhs, strict=True):
        scale = system.scale(row.unit)
        normal = [row.sign * F(v, scale) for v in system.integer_row(row.unit)]
        (equalities if row.kind == "equality" else inequalities).append((row, normal, rhs))
    for j in range(system.n_inputs):
        unit = [F(int(k == j)) for k in range(system.n_inputs)]
        if system.upper[j] is not None:
            inequalities.append((Bound("upper", j), unit, system.upper[j]))
        if system.lower[j] is not None:
            inequalities.append((Bound("lower", j), [-v for v in unit], -system.lower[j]))
    return inequalities, equalities


def dot(a, x):
    return sum((p * q for p, q in zip(a, x, strict=True)), F(0))


def chart_of(points, directions):
    """Pivot coordinates of the affine hull, by elimination of its directions."""
    origin = list(points[0])
    rows = [[a - b for a, b in zip(p, origin, strict=True)] for p in points[1:]] + directions
    pivots, reduced = [], []
    for j in range(len(origin)):
        found = next((r for r in rows if r[j]), None)
        if found is None:
            continue
        rows.remove(found)
        lead = [v / found[j] for v in found]
        rows = [[v - r[j] * w for v, w in zip(r, lead, strict=True)] for r in rows]
        reduced = [[v - r[j] * w for v, w in zip(r, lead, strict=True)] for r in reduced] + [lead]
        pivots.append(j)
    base = [
        o - sum((origin[j] * r[i] for j, r in zip(pivots, reduced, strict=True)), F(0))
        for i, o in enumerate(origin)
    ]
    basis = tuple(tuple(r[i] for r in reduced) for i in range(len(origin)))
    return Chart(tuple(pivots), tuple(base), basis)


def hand_made(P):
    """Return complete generators of P."""
    inequalities, equalities = constraints_of(P)
    d = P.n_inputs
    system = ppl.Constraint_System()
    for group, equal in ((inequalities, False), (equalities, True)):
        for _, normal, rhs in group:
            scale = lcm(rhs.denominator, *(v.denominator for v in normal))
            left = ppl.Linear_Expression([int(v * scale) for v in normal], -int(rhs * scale))
            system.insert(left == 0 if equal else left <= 0)
    polyhedron = ppl.C_Polyhedron(d, "universe")
    polyhedron.add_constraints(system)
    points, rays, lines = [], [], []
    for g in polyhedron.minimized_generators():
        vector = [F(int(v)) for v in g.coefficients()]
        if g.is_point():
            points.append([v / int(g.divisor()) for v in vector])
        else:
            divisor = gcd(*(int(v) for v in vector))
            (rays if g.is_ray() else lines).append([v / divisor for v in vector])
    if not points:
        return Generators(Completeness.EMPTY)
    kept = [
        (name, a, b)
        for name, a, b in inequalities
        if any(dot(a, p) != b for p in points) or any(dot(a, r) for r in rays)
    ]
    incidence = [[dot(a, p) == b for _, a, b in kept] for p in points]
    incidence += [[dot(a, r) == 0 for _, a, _ in kept] for r in rays]
    return Generators(
        Completeness.CROSS_CHECKED,
        [RationalVector.of(p) for p in points],
        [RationalVector.of(r) for r in rays],
        [RationalVector.of(r) for r in lines],
        chart_of(points, rays + lines),
        tuple(name for name, _, _ in kept),
        np.array(incidence, dtype=bool).reshape(len(points) + len(rays), len(kept)),
    )


def cube(n):
    matrix = [[s * (i == j) for j in range(n)] for i in range(n) for s in (1, -1)]
    return CollisionPolytope.from_halfspaces(matrix, [1, 0] * n)


def simplex(n):
    """conv(0, e_1, .., e_n)."""
    matrix = [[-int(i == j) for j in range(n)] for i in range(n)] + [[1] * n]
    return CollisionPolytope.from_halfspaces(matrix, [0] * n + [1])


def flat_simplex(n):
    """conv(e_0, .., e_n), of dimension n in n + 1 coordinates."""
    matrix = [[-int(i == j) for j in range(n + 1)] for i in range(n + 1)]
    return CollisionPolytope.from_halfspaces(
        matrix, [0] * (n + 1), equalities=[[1] * (n + 1)], values=[1]
    )


def cross(n):
    """conv(+- e_i), degenerate from n = 3 on."""
    matrix = list(product((1, -1), repeat=n))
    return CollisionPolytope.from_halfspaces(matrix, [1] * len(matrix))


def permutahedron(n):
    """conv of all orders of (1, .., n), of dimension n - 1."""
    matrix, bound = [], []
    for size in range(1, n):
        for chosen in combinations(range(n), size):
            matrix.append([-int(i in chosen) for i in range(n)])
            bound.append(-size * (size + 1) // 2)
    return CollisionPolytope.from_halfspaces(
        matrix, bound, equalities=[[1] * n], values=[n * (n + 1) // 2]
    )


def orders(n):
    return set(permutations(range(1, n + 1)))


def random_simple(seed, k, m):
    """m random float32 halfspaces around the origin and a large box, in k dimensions."""
    rng = np.random.default_rng(seed)
    normals = rng.normal(size=(m, k)).astype(np.float32)
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    box = np.vstack([np.eye(k), -np.eye(k)]).astype(np.float32)
    bound = np.concatenate([np.ones(m), np.full(2 * k, 4)]).astype(np.float32)
    return CollisionPolytope.from_halfspaces(np.vstack([normals, box]), bound)


def flat_degenerate(seed, n=4):
    """An integer polytope of dimension n - 1 in n coordinates with degenerate vertices."""
    rng = np.random.default_rng(seed)
    matrix = rng.integers(-1, 2, size=(3 * n, n))
    box = np.vstack([np.eye(n, dtype=int), -np.eye(n, dtype=int)])
    return CollisionPolytope.from_halfspaces(
        np.vstack([matrix, box]),
        np.concatenate([np.ones(3 * n, dtype=int), np.full(2 * n, 2)]),
        equalities=[[1] * n],
        values=[0],
    )
