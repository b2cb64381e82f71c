"""What do other exact programs list?  One engine in a child: ``python engine.py NAME``.

Reads ``{"normals": [[hex]], "offsets": [hex], "memory": bytes or null}`` for
``{v : normals v <= offsets}`` from standard input, writes ``{"points": [[den, *numerators]],
"rays": [[...]]}``.  A child can be stopped at a deadline and held to a memory limit, which no
engine offers itself.  Imports nothing of this package, so that it starts from its path alone.
"""

from __future__ import annotations

import importlib.util
import json
import resource
import sys
from fractions import Fraction
from math import lcm
from typing import Any

#: Engines by name, with the module each needs.  All use double description or a variant of it.
MODULES = {"ppl": "ppl", "cdd": "cdd.gmp", "normaliz": "PyNormaliz"}

#: Address space of the interpreter and the engines' own code.
_BASELINE = 1 << 30

Rows = list[list[int]]
Listed = tuple[Rows, Rows]


def available() -> list[str]:
    """Names of the engines installed here."""
    return [name for name, module in MODULES.items() if _installed(module.split(".")[0])]


def _installed(module: str) -> bool:
    return importlib.util.find_spec(module) is not None


def _ppl(normals: Rows, offsets: list[int]) -> Listed:
    import ppl

    n = len(normals[0])
    variables = [ppl.Variable(k) for k in range(n)]
    system = ppl.Constraint_System()
    for normal, offset in zip(normals, offsets, strict=True):
        left = sum((a * v for a, v in zip(normal, variables, strict=True)), ppl.Linear_Expression())
        system.insert(left <= offset)
    points, rays = [], []
    for g in ppl.C_Polyhedron(system).minimized_generators():
        entries = [int(g.coefficient(v)) for v in variables]
        if g.is_point():
            points.append([int(g.divisor()), *entries])
        else:
            rays.append(entries)
    return points, rays


def _cdd(normals: Rows, offsets: list[int]) -> Listed:
    import cdd
    import cdd.gmp

    rows = [[b, *(-v for v in a)] for a, b in zip(normals, offsets, strict=True)]
    matrix = cdd.gmp.matrix_from_array(rows, rep_type=cdd.RepType.INEQUALITY)
    found = cdd.gmp.copy_generators(cdd.gmp.polyhedron_from_matrix(matrix)).array
    points = [_integral(row[1:]) for row in found if row[0]]
    rays = [_integral(row[1:])[1:] for row in found if not row[0]]
    if not points and not any(offsets):
        points = [[1] + [0] * len(normals[0])]  # cddlib leaves out the apex of a cone
    return points, rays


def _normaliz(normals: Rows, offsets: list[int]) -> Listed:
    import PyNormaliz

    rows = [[*(-v for v in a), b] for a, b in zip(normals, offsets, strict=True)]
    cone = PyNormaliz.Cone(inhom_inequalities=rows)
    points = [[row[-1], *row[:-1]] for row in cone.VerticesOfPolyhedron()]
    return points, [row[:-1] for row in cone.ExtremeRays()]


def _integral(values: Any) -> list[int]:
    fractions = [Fraction(v) for v in values]
    common = lcm(*(f.denominator for f in fractions))
    return [common, *(f.numerator * (common // f.denominator) for f in fractions)]


_ENGINES = {"ppl": _ppl, "cdd": _cdd, "normaliz": _normaliz}


def main() -> int:
    """List one set by one engine."""
    given = json.load(sys.stdin)
    if given["memory"] is not None:
        most = given["memory"] + _BASELINE
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
    normals = [[int(v, 16) for v in row] for row in given["normals"]]
    points, rays = _ENGINES[sys.argv[1]](normals, [int(v, 16) for v in given["offsets"]])
    listed = {
        name: [[format(int(v), "x") for v in row] for row in rows]
        for name, rows in (("points", points), ("rays", rays))
    }
    json.dump(listed, sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main())
