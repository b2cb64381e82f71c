"""A larger valid certificate: an optimal vertex of a float32 layer over the unit box.

scipy's HiGHS proposes the basis; flint solves the tight system exactly.  Independent of polytope.
"""

from fractions import Fraction as F

import flint
import numpy as np
from scipy.optimize import linprog

from tests.examples.certificate_forms import bits, document, hexes, mult, rational


def seeded_layer(units, inputs, seed):
    """Float32 weights, bias and a target in [0, 1] with many zeros."""
    rng = np.random.default_rng(seed)
    weight = (rng.standard_normal((units, inputs)) / np.sqrt(inputs)).astype(np.float32)
    bias = (rng.standard_normal(units) / 10).astype(np.float32)
    target = rng.random(inputs).astype(np.float32) * (rng.random(inputs) < 0.5)
    return weight, bias, target.astype(np.float32)


def layer_problem(weight, bias, target):
    inputs = len(target)
    ends = [bits(np.full(inputs, end, np.float32), "F32") for end in (0, 1)]
    return {
        "form": "layer",
        "weight": bits(weight, "F32"),
        "bias": bits(bias, "F32"),
        "target": bits(target, "F32"),
        "domain": {"kind": "box", "lower": ends[0], "upper": ends[1]},
        "tolerance": ["0", "1"],
    }


def exact_matrix(rows):
    size = len(rows)
    flat = [flint.fmpq(*float(v).as_integer_ratio()) for row in rows for v in row]
    return flint.fmpq_mat(size, len(flat) // max(size, 1), flat)


def common(values):
    """A dense VEC from flint rationals."""
    den = flint.fmpz(1)
    for value in values:
        den = den.lcm(value.q)
    return {"den": format(int(den), "x"), "num": hexes([int(v.p * (den // v.q)) for v in values])}


def minor_of(weight, rows, columns, q):
    """A MINOR modulo a prime below 2^64, for float weights."""
    integer = []
    for _, unit in rows:
        scale = max(float(weight[unit][j]).as_integer_ratio()[1] for j in columns)
        integer += [int(F(float(weight[unit][j])) * scale) % q for j in columns]
    inverse = flint.nmod_mat(len(rows), len(rows), integer, q).inv()
    listed = [hexes([int(v) for v in row]) for row in inverse.tolist()]
    rows = [list(row) for row in rows]
    return {"rows": rows, "columns": columns, "modulus": format(q, "x"), "inverse": listed}


def optimum_certificate(weight, bias, target, unit, q=(1 << 61) - 1):
    """An "optimum" certificate with vertex for the pre-activation of an inactive unit."""
    units, inputs = weight.shape
    exact = [[F(float(v)) for v in row] for row in weight]
    x_t, b = [F(float(v)) for v in target], [F(float(v)) for v in bias]
    reached = [sum((w * x for w, x in zip(row, x_t, strict=True)), F(0)) for row in exact]
    active = [i for i in range(units) if reached[i] + b[i] > 0]
    rest = [i for i in range(units) if reached[i] + b[i] <= 0]
    wide = weight.astype(float)
    proposal = linprog(
        wide[unit],
        A_eq=wide[active],
        b_eq=[float(reached[i]) for i in active],
        A_ub=wide[rest],
        b_ub=-bias[rest].astype(float),
        bounds=(0, 1),
        method="highs-ds",
    )
    inner = [j for j, v in enumerate(proposal.x) if 1e-8 < v < 1 - 1e-8]
    tight = [i for i, gap in zip(rest, proposal.ineqlin.residual, strict=True) if gap < 1e-8]
    used = active + tight
    assert len(used) == len(inner), "degenerate: take another seed"
    ones = [j for j, v in enumerate(proposal.x) if v >= 1 - 1e-8]
    right = []
    for i in used:
        value = (reached[i] if i in set(active) else -b[i]) - sum(exact[i][j] for j in ones)
        right.append(flint.fmpq(value.numerator, value.denominator))
    matrix = exact_matrix([[weight[i][j] for j in inner] for i in used])
    solution = matrix.solve(flint.fmpq_mat(len(used), 1, right)).entries()
    cost = exact_matrix([[-weight[unit][j] for j in inner]]).transpose()
    factors = [F(int(v.p), int(v.q)) for v in matrix.transpose().solve(cost).entries()]
    point = [flint.fmpq(int(j in set(ones))) for j in range(inputs)]
    for j, value in zip(inner, solution, strict=True):
        point[j] = value
    sharp = dict(zip(used, factors, strict=True))
    value = sum(
        (F(int(v.p), int(v.q)) * w for v, w in zip(point, exact[unit], strict=True)), b[unit]
    )
    rows = [("equality", i) for i in active] + [("upper", i) for i in tight]
    equality = {i: sharp[i] for i in active}
    upper = {i: sharp[i] for i in tight}
    return document(
        "optimum",
        layer_problem(weight, bias, target),
        {"unit": unit, "value": rational(value), "vertex": True},
        {
            "point": common(point),
            "multipliers": mult(units, equality, upper),
            "vertex": minor_of(weight, rows, inner, q),
        },
    )
