"""Named polyhedra with known numbers of vertices, rays and lines.

The counts are those of the literature and of at least two exact programs.  Conventions: one point
on each minimal face (a cone's apex is a vertex), rays modulo the lines, each once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations, permutations, product
from math import comb, factorial
from pathlib import Path

from polytope import CollisionPolytope, read_generators, read_polyhedron

FOLDER = Path(__file__).resolve().parents[1] / "instances"
build = CollisionPolytope.from_halfspaces


@dataclass(frozen=True)
class Instance:
    """A polyhedron and its counts.

    ``slow`` is for what takes some exact program more than about ten seconds.
    """

    name: str
    polytope: Callable[[], CollisionPolytope]
    points: int
    rays: int = 0
    lines: int = 0
    slow: bool = False

    @property
    def counts(self) -> tuple[int, int, int]:
        return self.points, self.rays, self.lines


def unit(d: int, j: int, value: int = 1) -> list[int]:
    return [value if k == j else 0 for k in range(d)]


def cube(d: int) -> CollisionPolytope:
    return build([unit(d, j, s) for j in range(d) for s in (1, -1)], [1] * (2 * d))


def cross(d: int) -> CollisionPolytope:
    """2^d facets, 2 d vertices, each on 2^(d-1) facets."""
    return build(list(product((1, -1), repeat=d)), [1] * 2**d)


def klee_minty(d: int) -> CollisionPolytope:
    """0 <= x_1 <= 1, x_{j-1} / 4 <= x_j <= 1 - x_{j-1} / 4 in integers; 2^d vertices."""
    rows, bounds = [], []
    for j in range(d):
        for sign in (1, -1):
            row = unit(d, j, 4 * sign)
            if j:
                row[j - 1] = 1
            rows.append(row)
            bounds.append(4 if sign > 0 else 0)
    return build(rows, bounds)


def dwarfed_cube(d: int) -> CollisionPolytope:
    """The unit cube cut by sum x <= 3/2: d^2 + 1 vertices (Avis, Bremner & Seidel 1997)."""
    rows = [unit(d, j, s) for j in range(d) for s in (1, -1)] + [[2] * d]
    return build(rows, [1, 0] * d + [3])


def cyclic(m: int, d: int) -> CollisionPolytope:
    """Polar of the cyclic polytope of m points: its vertices are Gale's facets."""
    points = [[t**k for k in range(1, d + 1)] for t in range(m)]
    total = [sum(column) for column in zip(*points, strict=True)]
    return build([[m * v - s for v, s in zip(p, total, strict=True)] for p in points], [1] * m)


def gale(m: int, d: int) -> int:
    """Number of facets of the cyclic polytope (Gale 1963)."""
    half = d // 2
    if d % 2 == 0:
        return comb(m - half, half) * m // (m - half)
    return 2 * comb(m - half - 1, half)


def birkhoff(n: int) -> CollisionPolytope:
    """Doubly stochastic matrices: the n! permutations, dimension (n - 1)^2, very degenerate."""
    rows = [[int(k // n == i) for k in range(n * n)] for i in range(n)]
    columns = [[int(k % n == j) for k in range(n * n)] for j in range(n)]
    signs = [unit(n * n, k, -1) for k in range(n * n)]
    return build(signs, [0] * n * n, equalities=rows + columns, values=[1] * 2 * n)


def permutahedron(n: int) -> CollisionPolytope:
    """All orders of 1 .. n as points; the subsets' sums are at least those of 1 .. size."""
    chosen = [s for size in range(1, n) for s in combinations(range(n), size)]
    rows = [[-int(j in s) for j in range(n)] for s in chosen]
    bounds = [-len(s) * (len(s) + 1) // 2 for s in chosen]
    return build(rows, bounds, equalities=[[1] * n], values=[n * (n + 1) // 2])


def hypersimplex(n: int, k: int) -> CollisionPolytope:
    """0 <= x <= 1, sum x = k: the 0-1 points."""
    rows = [unit(n, j, s) for j in range(n) for s in (1, -1)]
    return build(rows, [1, 0] * n, equalities=[[1] * n], values=[k])


def _pairs(n: int) -> dict[tuple[int, int], int]:
    return {pair: k for k, pair in enumerate(combinations(range(n), 2))}


def metric(n: int, *, cone: bool = False) -> CollisionPolytope:
    """Triangle inequalities on n points, and for the polytope the perimeters at most 2."""
    place = _pairs(n)
    rows, bounds = [], []
    for triangle in combinations(range(n), 3):
        sides = [place[pair] for pair in combinations(triangle, 2)]
        for longest in sides:
            rows.append([(-1) ** (k != longest) * (k in sides) for k in range(len(place))])
            bounds.append(0)
        if not cone:
            rows.append([int(k in sides) for k in range(len(place))])
            bounds.append(2)
    return build(rows, bounds)


def cuts(n: int) -> list[list[int]]:
    """Incidence vectors of the 2^(n-1) cuts of the complete graph."""
    sides = [(0, *rest) for rest in product((0, 1), repeat=n - 1)]
    return [[int(side[i] != side[j]) for i, j in _pairs(n)] for side in sides]


def facets_of(points: list[list[Fraction | int]]) -> CollisionPolytope:
    """The cone of all valid inequalities ``b + c x >= 0``: its rays are the facets."""
    return build([[-1, *(-v for v in p)] for p in points], [0] * len(points))


def _file(name: str) -> Callable[[], CollisionPolytope]:
    return lambda: read_polyhedron(FOLDER / f"{name}.ine")


def _dual(name: str) -> Callable[[], CollisionPolytope]:
    """Facets of a V-representation; for a cone with apex 0 in its own space."""

    def made() -> CollisionPolytope:
        listed = read_generators(FOLDER / f"{name}.ext")
        lines = [[0, *v] for v in listed.lines]
        if listed.rays and [tuple(v) for v in listed.points] == [(0,) * listed.n_inputs]:
            return build([[-v for v in ray] for ray in listed.rays], [0] * len(listed.rays))
        rows = [[-1, *(-v for v in p)] for p in listed.points]
        rows += [[0, *(-v for v in r)] for r in listed.rays]
        return build(rows, [0] * len(rows), equalities=lines or None, values=[0] * len(lines))

    return made


#: Files: name -> points, rays, lines.
_FILES = {
    "cddlib/cubocta": (12,),
    "cddlib/dodeca": (20,),
    "cddlib/ex1": (3, 2),
    "cddlib/grcubocta": (48,),
    "cddlib/hexocta": (26,),
    "cddlib/icododeca": (30,),
    "cddlib/infeas": (0,),
    "cddlib/integralpoints": (194,),
    "cddlib/kkd18_4": (56,),
    "cddlib/kkd27_5": (130,),
    "cddlib/kkd38_6": (252,),
    "cddlib/nonfull": (2, 1),
    "cddlib/origin": (1,),
    "cddlib/rcubocta": (24,),
    "cddlib/reg24-5": (24,),
    "cddlib/rhomtria": (56,),
    "cddlib/sampleh1": (3, 0, 1),
    "cddlib/sampleh2": (1, 1, 2),
    "cddlib/sampleh3": (1, 2, 1),
    "cddlib/sampleh4": (1, 0, 3),
    "cddlib/sampleh5": (3,),
    "cddlib/sampleh6": (2,),
    "cddlib/sampleh7": (4, 2),
    "cddlib/sampleh8": (13856, 9),
    "lrslib/cp4": (8,),
    "lrslib/cp5": (16,),
    "lrslib/cp6": (32,),
    "lrslib/cross4": (8,),
    "lrslib/cyclic17_8": (935,),
    "lrslib/cyclic25_13": (35700,),
    "lrslib/fq48-19": (119184,),
    "lrslib/in0": (9,),
    "lrslib/in1": (31,),
    "lrslib/in2": (18,),
    "lrslib/in3": (8,),
    "lrslib/in4": (54,),
    "lrslib/in5": (89, 33),
    "lrslib/in6": (332, 211),
    "lrslib/in7": (1188,),
    "lrslib/inf": (0,),
    "lrslib/lcube": (4, 1, 2),
    "lrslib/metric40_11": (32,),
    "lrslib/metric80_16": (16,),
    "lrslib/mit": (4862,),
    "lrslib/mit31_20": (18553,),
    "lrslib/mp5": (32,),
    "lrslib/mp6": (544,),
    "lrslib/trunc10": (290,),
    "lrslib/trunc7": (140,),
    "lrslib/truss2": (1, 24),
    "lrslib/tsp5": (12,),
}
#: V-representations: name -> facets, equations.
_FACETS = {
    "cddlib/ccc4": (12,),
    "cddlib/ccc5": (40,),
    "cddlib/ccc6": (210,),
    "cddlib/ccp4": (16,),
    "cddlib/ccp5": (56,),
    "cddlib/ccp6": (368,),
    "cddlib/cyclic10-4": (16,),
    "cddlib/cyclic12-6": (72,),
    "cddlib/cyclic14-8": (240,),
    "cddlib/cyclic16-10": (660,),
    "cddlib/irbox20-4": (24,),
    "cddlib/irbox200-4": (72,),
    "cddlib/reg24-5": (24,),
    "lrslib/mit33": (677,),
    "lrslib/tsp5": (20, 5),
    "lrslib/vol2": (38,),
}
_SLOW = {
    "cp5",
    "cp6",
    "cyclic25_13",
    "fq48-19",
    "mit",
    "mit31_20",
    "mp6",
    "sampleh8",
    "trunc10",
    "facets of ccc6",
    "facets of ccp6",
}


def _listed() -> list[Instance]:
    out = [
        Instance(name.split("/")[1], _file(name), *counts, slow=name.split("/")[1] in _SLOW)
        for name, counts in _FILES.items()
    ]
    for name, (facets, *equations) in _FACETS.items():
        short = f"facets of {name.split('/')[1]}"
        out.append(Instance(short, _dual(name), 1, facets, *equations, slow=short in _SLOW))
    return out


def _built() -> list[Instance]:
    out = [Instance(f"cube {d}", lambda d=d: cube(d), 2**d) for d in (1, 2, 3, 6, 8)]
    out += [Instance(f"cube {d}", lambda d=d: cube(d), 2**d, slow=True) for d in (10, 12)]
    out += [Instance(f"cross {d}", lambda d=d: cross(d), 2 * d) for d in (1, 2, 3, 4, 5)]
    out += [Instance(f"cross {d}", lambda d=d: cross(d), 2 * d, slow=True) for d in (6, 8)]
    out += [Instance(f"Klee-Minty {d}", lambda d=d: klee_minty(d), 2**d) for d in (3, 7)]
    out += [Instance(f"dwarfed {d}", lambda d=d: dwarfed_cube(d), d * d + 1) for d in (2, 4, 7)]
    for m, d in ((8, 4), (10, 4), (11, 5), (12, 6), (14, 8)):
        out.append(Instance(f"cyclic {m} {d}", lambda m=m, d=d: cyclic(m, d), gale(m, d)))
    for n in (2, 3, 4, 5):
        out.append(Instance(f"Birkhoff {n}", lambda n=n: birkhoff(n), factorial(n), slow=n == 5))
    for n in (3, 4, 5, 6, 7):
        count = len(list(permutations(range(n))))
        made = lambda n=n: permutahedron(n)  # noqa: E731
        out.append(Instance(f"permutahedron {n}", made, count, slow=n > 6))
    for n, k in ((4, 2), (5, 2), (6, 3)):
        out.append(
            Instance(f"hypersimplex {n} {k}", lambda n=n, k=k: hypersimplex(n, k), comb(n, k))
        )
    out += [
        Instance("metric polytope 4", lambda: metric(4), 8),
        Instance("metric cone 4", lambda: metric(4, cone=True), 1, 7),
        Instance("metric cone 5", lambda: metric(5, cone=True), 1, 25),
        Instance("metric cone 6", lambda: metric(6, cone=True), 1, 296, slow=True),
        Instance("facets of the cuts of 4", lambda: facets_of(cuts(4)), 1, 16),
        Instance("facets of the cuts of 5", lambda: facets_of(cuts(5)), 1, 56),
    ]
    return out


INSTANCES = [*_listed(), *_built()]
