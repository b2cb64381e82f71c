"""Hand-made certificates on tiny layers, with hand-derived answers, and tools to make larger ones.

The running example, `SQUARE`: the unit square, the target (1/2, 1/4) and two units, x + y (3/4
there: active) and x - y - 1/2 (-1/4 there: inactive).  So C is the segment x + y = 3/4 with
x - y <= 1/2, from (0, 3/4) to (5/8, 1/8).
"""

import copy
import math
from fractions import Fraction as F

SCHEMA = "collision-polytopes/certificate/1"


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
        scale = math.lcm(*[F(v).denominator for v in weight[unit]])
        matrix.append([F(weight[unit][j]) * scale for j in columns])
    inverse = [hexes(row) for row in inverse_mod(matrix, q)]
    rows = [list(row) for row in rows]
    return {"rows": rows, "columns": columns, "modulus": format(q, "x"), "inverse": inverse}


def span(basis, combination):
    listed = [{"row": list(row), "coefficients": vec(c)} for row, c in combination.items()]
    return {"basis": [list(row) for row in basis], "combination": listed}


def document(kind, stated, claim, witness):
    return {
        "schema": SCHEMA,
        "claim": {"kind": kind, **claim},
        "problem": stated,
        "witness": witness,
    }


E0, U0, U1, L0 = ("equality", 0), ("upper", 0), ("upper", 1), ("lower", 0)
UNIT_BOX = box([0, 0], [1, 1])

W = [[1, 1], [1, -1]]
SQUARE = problem(W, [0, F(-1, 2)], target=[F(1, 2), F(1, 4)], domain=UNIT_BOX)
# The same with tolerance 1/8: 5/8 <= x + y <= 7/8, x - y <= 5/8.
THICK = problem(W, [0, F(-1, 2)], target=[F(1, 2), F(1, 4)], domain=UNIT_BOX, tolerance=F(1, 8))
PARALLEL = problem([[1, 1], [2, 2]], [0, -10], target=[F(1, 2), F(1, 4)], domain="free")
# x <= 0 and -x <= 0, both units exactly 0 at the target: x = 0 on all of C.
TIES = problem([[1, 0], [-1, 0]], [0, 0], target=[0, F(1, 2)], domain=box([-1, -1], [1, 1]))
# x <= 0 and x >= 0: the bound of the domain takes part in the implicit equality.
CORNER = problem([[1, 0]], [0], target=[0, F(1, 2)], domain="nonnegative")
FLAT = problem([[1, 1]], [0], target=[F(1, 2), F(1, 4)], domain=box([0, F(1, 4)], [1, F(1, 4)]))
# x + y = 5 in the unit square.
NOWHERE = problem([[1, 1]], [0], activation=[5], domain=UNIT_BOX)
TRIANGLE_W = [[1, 0], [0, 1], [-1, -1]]
TRIANGLE = problem(TRIANGLE_W, [-1, -1, -1], target=[0, 0], domain="free")
QUADRANT = problem([[1, -1]], [-1], target=[F(1, 2), F(1, 2)], domain="nonnegative")
STRIP_W = [[1, 0], [0, 1]]
STRIP = problem(STRIP_W, [0, -1], target=[F(1, 2), F(1, 2)], domain="nonnegative")
PLANE = problem([[1, -1]], [-1], target=[F(1, 2), F(1, 2)], domain="free")
LINES_W = [[1, 1, 0], [2, 2, 0]]
LINES = problem(LINES_W, [0, -9], target=[1, 1, 1], domain="free")
TWICE_W = [[1, 2], [2, 4], [1, 0]]
TWICE = problem(TWICE_W, [0, 0, -3], target=[1, 1], domain="free")
NOTHING = {**problem([[1, 1]], [1], target=[0, 0], domain="free"), "bias": array([])}
NOTHING["weight"] = {"dtype": "Q", "shape": [0, 2], "num": [], "den": []}

NONE2 = mult(2)
EMPTY_MINOR = minor([], [], [])
SEGMENT_END = [F(5, 8), F(1, 8)]
NEAR = {"point": vec([F(3, 8), F(3, 8)])}  # the point of SQUARE nearest to (1, 1), in every norm


def nearest(norm, claim, functional, factor):
    witness = {**NEAR, "functional": vec(functional), "multipliers": mult(2, {0: factor})}
    return document("nearest", SQUARE, {"from": vec([1, 1]), "norm": norm, **claim}, witness)


def dimension(stated, value, bound, interior, rank_minor, *, implicit=None, rank_span=None):
    witness = {"interior": interior, "implicit": implicit, "minor": rank_minor, "span": rank_span}
    return document("dimension", stated, {"value": value, "paper_bound": bound}, witness)


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


# |x| + z <= 1, |y| + z <= 1, z >= 0: four facets meet in the apex.
PYRAMID_W = [[1, 0, 1], [-1, 0, 1], [0, 1, 1], [0, -1, 1], [0, 0, -1]]
PYRAMID = problem(PYRAMID_W, [-1, -1, -1, -1, 0], target=[0, 0, F(1, 2)], domain="free")

GENERATORS = {
    "generators, segment": generators(
        SQUARE, [[0, F(3, 4)], SEGMENT_END], minor=minor(W, [E0], [0])
    ),
    "generators, square": generators(bare([0, 0], UNIT_BOX), [[0, 0], [1, 0], [0, 1], [1, 1]]),
    "generators, triangle": generators(TRIANGLE, [[1, 1], [1, -2], [-2, 1]]),
    "generators, rays": generators(QUADRANT, [[0, 0], [1, 0]], [[0, 1], [1, 1]]),
    "generators, cone": generators(bare([0, 0], "nonnegative"), [[0, 0]], [[3, 0], [0, F(1, 2)]]),
    "generators, half-plane": generators(PLANE, [[0, -1]], [[0, 1]], [[1, 1]], pivots=[0]),
    # A plane in space: no vertex, no ray, one minimal face.
    "generators, lines": generators(
        LINES,
        [[0, 2, 0]],
        [],
        [[1, -1, 0], [0, 0, 2]],
        minor=minor(LINES_W, [E0], [1]),
        pivots=[0, 2],
    ),
    "generators, all of the plane": generators(
        bare([0, 0], "free"), [[0, 0]], [], [[0, 1], [-1, 0]], pivots=[1, 0]
    ),
    # y is fixed by its bounds, and then x by the equality.
    "generators, point": generators(FLAT, [[F(1, 2), F(1, 4)]], minor=minor([[1, 1]], [E0], [0])),
    "generators, implicit rows": generators(
        TIES,
        [[0, -1], [0, 1]],
        implicit=mult(2, upper={0: 1, 1: 1}),
        minor=minor([[1, 0], [-1, 0]], [U0], [0]),
    ),
    "generators, implicit bound": generators(
        CORNER, [[0, 0]], [[0, 1]], implicit=mult(1, upper={0: 1})
    ),
    # x + z <= 1 + e: the apex becomes an edge along x.
    "generators, pyramid": generators(
        PYRAMID,
        [[0, 0, 1], [1, 1, 0], [1, -1, 0], [-1, 1, 0], [-1, -1, 0]],
        perturbation=moved(5, 3, upper={0: 1}),
        bases=bases(
            (0, [0, 0, 0]),
            (0, [1, 0, 0]),
            (1, [1, 0, 0]),
            (2, [1, 0, 0]),
            (3, [0, 0, 0]),
            (4, [0, 0, 0]),
        ),
    ),
    # x - y <= 5/8 touches the corner (5/8, 0) of 5/8 <= x + y, y >= 0.
    "generators, tolerance": generators(
        THICK,
        [[0, F(5, 8)], [0, F(7, 8)], [F(5, 8), 0], [F(3, 4), F(1, 8)]],
        perturbation=moved(2, 2, upper={1: 2}),
        bases=bases((0, [0, 0]), (1, [0, 0]), (2, [0, 0]), (2, [2, 0]), (3, [1, -1])),
    ),
}


def inequality(kind, stated, name, **witness):
    return document(kind, stated, {"inequality": list(name)}, witness)


EXAMPLES = {
    **GENERATORS,
    # 2 (x + y) is 3/2, below 10.
    "redundant row": inequality("redundant", PARALLEL, U1, multipliers=mult(2, {0: 2})),
    # There x is at most 3/4, as y is at least 0.
    "redundant ceiling": inequality(
        "redundant", SQUARE, ("ceiling", 0), multipliers=mult(2, {0: 1})
    ),
    # 2 y = (x + y) - (x - y) >= 3/4 - 1/2.
    "redundant floor": inequality(
        "redundant", SQUARE, ("floor", 1), multipliers=mult(2, {0: F(-1, 2)}, {1: F(1, 2)})
    ),
    "irredundant row": inequality("irredundant", SQUARE, U1, point=vec([F(3, 4), 0])),
    "irredundant floor": inequality("irredundant", SQUARE, ("floor", 0), point=vec([F(-1, 4), 1])),
    "irredundant, tolerance": inequality("irredundant", THICK, L0, point=vec([F(1, 4), F(1, 4)])),
    "contains": document("contains", SQUARE, {}, {"point": vec([F(1, 4), F(1, 2)])}),
    "contains, tolerance": document("contains", THICK, {}, {"point": vec([F(5, 8), 0])}),
    "contains, no units": document("contains", NOTHING, {}, {"point": vec([-3, F(1, 7)])}),
    "empty": document("empty", NOWHERE, {}, {"multipliers": mult(1, {0: -1})}),
    # min of x - y - 1/2 is -5/4 at (0, 3/4): with l = 1, c + l w_0 = (2, 0), bound 0 - 3/4 - 1/2.
    "optimum of a unit": document(
        "optimum",
        SQUARE,
        {"unit": 1, "value": rational(F(-5, 4)), "vertex": True},
        {"point": vec([0, F(3, 4)]), "multipliers": mult(2, {0: 1}), "vertex": minor(W, [E0], [1])},
    ),
    "optimum of an objective": document(
        "optimum",
        SQUARE,
        {
            "objective": vec([-1, 0]),
            "constant": rational(3),
            "value": rational(F(19, 8)),
            "vertex": True,
        },
        {
            "point": vec(SEGMENT_END),
            "multipliers": mult(2, {0: F(1, 2)}, {1: F(1, 2)}),
            "vertex": minor(W, [E0, U1], [0, 1]),
        },
    ),
    "optimum, tolerance": document(
        "optimum",
        THICK,
        {"unit": 0, "value": rational(F(5, 8)), "vertex": True},
        {
            "point": vec([0, F(5, 8)]),
            "multipliers": mult(2, lower={0: 1}),
            "vertex": minor(W, [L0], [1]),
        },
    ),
    "optimum, no vertex": document(
        "optimum",
        SQUARE,
        {"unit": 0, "value": rational(F(3, 4)), "vertex": False},
        {"point": vec([F(1, 4), F(1, 2)]), "multipliers": mult(2, {0: -1})},
    ),
    "vertex": document(
        "vertex", SQUARE, {"point": vec(SEGMENT_END)}, {"vertex": minor(W, [E0, U1], [0, 1], q=7)}
    ),
    "unbounded objective": document(
        "unbounded_objective",
        QUADRANT,
        {"objective": vec([-1, 0]), "constant": rational(0)},
        {"point": vec([0, 0]), "ray": vec([1, 1])},
    ),
    "unbounded unit": document(
        "unbounded_objective",
        QUADRANT,
        {"unit": 0},
        {"point": vec([1, 0]), "ray": sparse(2, {1: F(1, 3)})},
    ),
    "rank": document(
        "rank_positive", SQUARE, {"rank": 1}, {"minor": minor(W, [E0], [1]), "span": None}
    ),
    "rank, dependent": document(
        "rank_positive",
        TWICE,
        {"rank": 1},
        {"minor": minor(TWICE_W, [E0], [0]), "span": span([E0], {("equality", 1): [2]})},
    ),
    "kernel holds": document("kernel", PARALLEL, {"holds": True}, {"span": span([E0], {U1: [2]})}),
    "kernel holds, full rank": document(
        "kernel",
        problem([[2, 0], [0, 1], [1, 1]], [0, 0, -9], target=[1, 1], domain="free"),
        {"holds": True},
        {"minor": minor([[2, 0], [0, 1]], [E0, ("equality", 1)], [0, 1])},
    ),
    "kernel fails by a ray": document(
        "kernel", SQUARE, {"holds": False}, {"unit": 1, "ray": vec([1, -1])}
    ),
    "kernel fails by a minor": document(
        "kernel",
        SQUARE,
        {"holds": False},
        {"unit": 1, "minor": minor(W, [E0, U1], [1, 0]), "span": None},
    ),
    "kernel fails, dependent": document(
        "kernel",
        TWICE,
        {"holds": False},
        {
            "unit": 2,
            "minor": minor(TWICE_W, [E0, ("upper", 2)], [0, 1]),
            "span": span([E0], {("equality", 1): [2]}),
        },
    ),
    "dimension by a point": dimension(
        SQUARE, 1, 1, {"point": vec([F(1, 4), F(1, 2)])}, minor(W, [E0], [0])
    ),
    "dimension by the target": dimension(SQUARE, 1, 1, {"target": minor(W, [E0], [0])}, None),
    "dimension, implicit rows": dimension(
        TIES,
        1,
        2,
        {"point": vec([0, F(1, 2)])},
        minor([[1, 0], [-1, 0]], [U0], [0]),
        implicit=mult(2, upper={0: 1, 1: 1}),
        rank_span=span([U0], {U1: [-1]}),
    ),
    "dimension, implicit bound": dimension(
        CORNER,
        1,
        2,
        {"point": vec([0, 3])},
        EMPTY_MINOR,
        implicit=mult(1, upper={0: 1}),
        rank_span=span([], {U0: []}),
    ),
    # lo = up at y: C is the point (1/2, 1/4).
    "dimension, fixed coordinate": dimension(
        FLAT, 0, 1, {"point": vec([F(1, 2), F(1, 4)])}, minor([[1, 1]], [E0], [0])
    ),
    "dimension, tolerance": dimension(THICK, 2, 1, {"point": vec([F(1, 4), F(1, 2)])}, EMPTY_MINOR),
    "dimension of nothing": document(
        "dimension", NOWHERE, {"value": -1, "paper_bound": 1}, {"empty": mult(1, {0: F(-1, 2)})}
    ),
    "lineality": document(
        "lineality",
        LINES,
        {"dimension": 2},
        {"minor": minor(LINES_W, [E0], [1]), "span": span([E0], {U1: [2]})},
    ),
    "lineality in a box": document("lineality", SQUARE, {"dimension": 0}, {}),
    "bounded, box": document("bounded", SQUARE, {}, {"box": True}),
    "bounded, empty": document("bounded", NOWHERE, {}, {"empty": mult(1, {0: -1})}),
    "bounded, free": document(
        "bounded",
        TRIANGLE,
        {},
        {
            "multipliers": mult(3, upper={0: 1, 1: 1, 2: 1}),
            "minor": minor(TRIANGLE_W, [U0, U1], [0, 1]),
        },
    ),
    "bounded, nonnegative": document(
        "bounded",
        STRIP,
        {},
        {"multipliers": mult(2, upper={1: 2}), "minor": minor(STRIP_W, [E0], [0])},
    ),
    "unbounded": document("unbounded", QUADRANT, {}, {"point": vec([0, 0]), "ray": vec([1, 1])}),
    "unbounded, wide": document("unbounded", PLANE, {}, {"point": vec([0, 0]), "wide": True}),
    # From (1, 1) to the line x + y = 3/4: 5/8 in linf, 5/4 in l1, sqrt(25/32) in l2.
    "nearest, linf": nearest(
        "linf", {"distance": rational(F(5, 8))}, [F(-1, 2), F(-1, 2)], F(1, 2)
    ),
    "nearest, l1": nearest("l1", {"distance": rational(F(5, 4))}, [-1, -1], 1),
    "nearest, l2": nearest(
        "l2",
        {"lower_squared": rational(F(49, 64)), "upper_squared": rational(F(25, 32))},
        [F(-7, 10), F(-7, 10)],
        F(7, 10),
    ),
}


def changed(name, *path, to):
    """The example with the value at `path` replaced."""
    result = copy.deepcopy(EXAMPLES[name])
    place = result
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = to
    return result
