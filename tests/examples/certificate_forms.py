"""How is a certificate written by hand?  The forms of docs/certificates.md from plain numbers."""

import math
from fractions import Fraction as F

SCHEMA = "collision-polytopes/certificate/2"
LATER_SCHEMA = "collision-polytopes/certificate/3"


def hexes(values):
    return [format(int(value), "x") for value in values]


def rational(value):
    return hexes(F(value).as_integer_ratio())


def vec(values):
    values = [F(value) for value in values]
    den = math.lcm(1, *[value.denominator for value in values])
    return {"den": format(den, "x"), "num": hexes([value * den for value in values])}


def sparse(length, entries):
    index = sorted(entries)
    return {"length": length, "index": index, **vec([entries[j] for j in index])}


def array(rows):
    rows = [[F(v) for v in row] if isinstance(row, (list, tuple)) else F(row) for row in rows]
    nested = bool(rows) and isinstance(rows[0], list)
    flat = [v for row in rows for v in row] if nested else rows
    shape = [len(rows), len(rows[0])] if nested else [len(rows)]
    num, den = hexes([v.numerator for v in flat]), hexes([v.denominator for v in flat])
    return {"dtype": "Q", "shape": shape, "num": num, "den": den}


def bits(values, dtype):
    """An array of numpy values as bytes of the given dtype name."""
    return {"dtype": dtype, "shape": list(values.shape), "data": values.tobytes().hex()}


def box(lower, upper):
    return {"kind": "box", "lower": array(lower), "upper": array(upper)}


def problem(weight, bias, *, target=None, activation=None, domain, tolerance=0):
    stated = {"target": array(target)} if target else {"activation": array(activation)}
    domain = {"kind": domain} if isinstance(domain, str) else domain
    fixed = {"form": "layer", "weight": array(weight), "bias": array(bias), "domain": domain}
    return {**fixed, "tolerance": rational(tolerance), **stated}


def rows_problem(weight, bias, *, floors, ceilings, domain):
    """A problem of the form "rows"; sides are by unit."""

    def stated(ends):
        ratios = [F(end).as_integer_ratio() for end in ends.values()]
        num, den = (hexes([ratio[k] for ratio in ratios]) for k in (0, 1))
        return {"units": list(ends), "num": num, "den": den}

    domain = {"kind": domain} if isinstance(domain, str) else domain
    fixed = {"form": "rows", "weight": array(weight), "bias": array(bias), "domain": domain}
    return {**fixed, "floors": stated(floors), "ceilings": stated(ceilings)}


def mult(units, equality=(), upper=(), lower=()):
    named = {"equality": dict(equality), "upper": dict(upper), "lower": dict(lower)}
    return {kind: sparse(units, entries) for kind, entries in named.items()}


def inverse_mod(matrix, q):
    """Gauss-Jordan modulo a prime."""
    size = len(matrix)
    rows = [
        [int(v) % q for v in row] + [int(i == k) for i in range(size)]
        for k, row in enumerate(matrix)
    ]
    for k in range(size):
        pivot = next(i for i in range(k, size) if rows[i][k])
        rows[k], rows[pivot] = rows[pivot], rows[k]
        scale = pow(rows[k][k], -1, q)
        rows[k] = [v * scale % q for v in rows[k]]
        for i in range(size):
            if i != k and rows[i][k]:
                factor = rows[i][k]
                rows[i] = [(a - factor * b) % q for a, b in zip(rows[i], rows[k], strict=True)]
    return [row[size:] for row in rows]


def minor(weight, rows, columns, q=1000003):
    matrix = []
    for _, unit in rows:
        scale = math.lcm(*[F(weight[unit][j]).denominator for j in columns])
        matrix.append([F(weight[unit][j]) * scale for j in columns])
    inverse = [hexes(row) for row in inverse_mod(matrix, q)]
    rows = [list(row) for row in rows]
    return {"rows": rows, "columns": columns, "modulus": format(q, "x"), "inverse": inverse}


def span(basis, combination):
    listed = [{"row": list(row), "coefficients": vec(c)} for row, c in combination.items()]
    return {"basis": [list(row) for row in basis], "combination": listed}


def document(kind, stated, claim, witness):
    return {
        "schema": SCHEMA if stated["form"] == "layer" else LATER_SCHEMA,
        "claim": {"kind": kind, **claim},
        "problem": stated,
        "witness": witness,
    }


EMPTY_MINOR = minor([], [], [])


def bare(target, domain):
    """A layer without units: C is the domain."""
    inputs = len(target)
    stated = {**problem([[1] * inputs], [1], target=target, domain=domain), "bias": array([])}
    return {**stated, "weight": {"dtype": "Q", "shape": [0, inputs], "num": [], "den": []}}


def moved(units, inputs, upper=(), lower=(), floor=(), ceiling=()):
    """A perturbation."""
    rows = {"upper": sparse(units, dict(upper)), "lower": sparse(units, dict(lower))}
    bounds = {"floor": sparse(inputs, dict(floor)), "ceiling": sparse(inputs, dict(ceiling))}
    return {**rows, **bounds}


def bases(*listed):
    return [{"point": point, "shift": vec(shift)} for point, shift in listed]


def generators(stated, points, rays=(), lines=(), **witness):
    """The complete lists of C; without further witness those of a simple set, full-dimensional."""
    lists = {"points": points, "rays": rays, "lines": lines}
    claim = {name: [vec(x) for x in listed] for name, listed in lists.items()}
    plain = {"implicit": None, "minor": EMPTY_MINOR, "pivots": []}
    return document(
        "generators", stated, claim, {**plain, "perturbation": None, "bases": None, **witness}
    )


def inequality(kind, stated, name, **witness):
    return document(kind, stated, {"inequality": list(name)}, witness)
