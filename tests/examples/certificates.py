"""Hand-made certificates on tiny layers, with hand-derived answers: at least one of every kind."""

import copy
from fractions import Fraction as F

from tests.examples.certificate_forms import (
    EMPTY_MINOR,
    box,
    document,
    inequality,
    minor,
    mult,
    problem,
    rational,
    span,
    sparse,
    vec,
)
from tests.examples.certificate_generators import GENERATORS
from tests.examples.certificate_layers import (
    CORNER,
    E0,
    FLAT,
    L0,
    LINES,
    LINES_W,
    NOTHING,
    NOWHERE,
    PARALLEL,
    PLANE,
    QUADRANT,
    SEGMENT_END,
    SQUARE,
    STORED,
    STRIP,
    STRIP_W,
    STRIPE,
    THICK,
    TIES,
    TRIANGLE,
    TRIANGLE_W,
    TWICE,
    TWICE_W,
    U0,
    U1,
    W,
)

NONE2 = mult(2)
NEAR = {"point": vec([F(3, 8), F(3, 8)])}  # the point of SQUARE nearest to (1, 1), in every norm


def nearest(norm, claim, functional, factor):
    witness = {**NEAR, "functional": vec(functional), "multipliers": mult(2, {0: factor})}
    return document("nearest", SQUARE, {"from": vec([1, 1]), "norm": norm, **claim}, witness)


def dimension(stated, value, bound, interior, rank_minor=None, *, implicit=None, rank_span=None):
    witness = {"interior": interior, "implicit": implicit, "minor": rank_minor, "span": rank_span}
    witness = interior if "target" in interior else witness
    return document("dimension", stated, {"value": value, "paper_bound": bound}, witness)


def implicit(stated, name, **witness):
    claim = {"inequality": list(name), "holds": "multipliers" in witness}
    return document("implicit_equality", stated, claim, witness)


def unique(stated, point, multipliers, rank_minor):
    witness = {"implicit": multipliers, "minor": rank_minor}
    return document("unique", stated, {"point": vec(point)}, witness)


CROSS_W = [[1, 0], [0, 1], [0, -1]]
TWICE_MINOR = minor(TWICE_W, [E0], [0])
TWICE_SPAN = span([E0], {("equality", 1): [2]})

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
    # x = 0 on all of TIES; on CORNER it is the bound that is tight everywhere.
    "implicit row": implicit(
        TIES, U1, multipliers=mult(2, upper={0: 1, 1: 1}), point=vec([0, F(1, 3)])
    ),
    "implicit bound": implicit(
        CORNER, ("floor", 0), multipliers=mult(1, upper={0: 1}), point=vec([0, 7])
    ),
    "not implicit": implicit(THICK, L0, point=vec([F(1, 4), F(1, 2)])),
    "not implicit, bound": implicit(TIES, ("ceiling", 0), point=vec([0, F(1, 3)])),
    # STRIPE is a segment; its end with the least x is cut off by the floor of unit 0.
    "rows, point": document("contains", STRIPE, {}, {"point": vec([1, F(1, 2)])}),
    "rows, dimension": dimension(STRIPE, 1, 1, vec([1, F(1, 2)]), minor(W, [("equality", 1)], [0])),
    "rows, rank": document(
        "rank_positive",
        STRIPE,
        {"rank": 1},
        {"minor": minor(W, [("equality", 1)], [1]), "span": None},
    ),
    "rows, optimum": document(
        "optimum",
        STRIPE,
        {
            "objective": vec([1, 0]),
            "constant": rational(0),
            "value": rational(F(3, 4)),
            "vertex": True,
        },
        {
            "point": vec([F(3, 4), F(1, 4)]),
            "multipliers": mult(2, {1: F(-1, 2)}, (), {0: F(1, 2)}),
            "vertex": minor(W, [("equality", 1), L0], [0, 1]),
        },
    ),
    "rows, unit": document(
        "optimum",
        STRIPE,
        {"unit": 0, "value": rational(3), "vertex": False},
        {"point": vec([F(3, 4), F(1, 4)]), "multipliers": mult(2, lower={0: 1})},
    ),
    "active set": document("active_set", SQUARE, {"active": [0], "zero": []}, {}),
    "active set, ties": document("active_set", TIES, {"active": [], "zero": [1, 0]}, {}),
    # y is fixed by its bounds, x by the equality.
    "unique, flat": unique(FLAT, [F(1, 2), F(1, 4)], None, minor([[1, 1]], [E0], [0])),
    # Between 0 and 0 lie x, by its bound, and y, by two units.
    "unique, implicit": unique(
        problem(CROSS_W, [0] * 3, target=[0, 0], domain=box([0, -1], [1, 1])),
        [0, 0],
        mult(3, upper={0: 1, 1: 1, 2: 1}),
        minor(CROSS_W, [U1], [1]),
    ),
    "unique, rows alone": unique(
        problem([[2, 1], [0, 1]], [0, 0], target=[1, 1], domain="nonnegative"),
        [1, 1],
        None,
        minor([[2, 1], [0, 1]], [E0, ("equality", 1)], [0, 1]),
    ),
    "rank at least": document("rank_at_least", TWICE, {"rank": 1}, {"minor": TWICE_MINOR}),
    "rank at least 0": document("rank_at_least", SQUARE, {"rank": 0}, {"minor": EMPTY_MINOR}),
    "rank at most": document("rank_at_most", TWICE, {"rank": 1}, {"span": TWICE_SPAN}),
    "rank at most, loose": document("rank_at_most", LINES, {"rank": 2}, {"span": span([E0], {})}),
    # min of x - y - 1/2 is -5/4; (1/4, 1/2) has -3/4, and nothing is below -3/2.
    "bounds of a unit": document(
        "bounds",
        SQUARE,
        {"unit": 1, "lower": rational(F(-3, 2)), "upper": rational(F(-3, 4))},
        {"point": vec([F(1, 4), F(1, 2)]), "multipliers": mult(2, {0: 1})},
    ),
    "bounds of an objective": document(
        "bounds",
        SQUARE,
        {
            "objective": vec([-1, 0]),
            "constant": rational(3),
            "lower": rational(2),
            "upper": rational(F(19, 8)),
        },
        {"point": vec(SEGMENT_END), "multipliers": mult(2, {0: F(1, 2)}, {1: F(1, 2)})},
    ),
    "contains": document("contains", SQUARE, {}, {"point": vec([F(1, 4), F(1, 2)])}),
    "contains, tolerance": document("contains", THICK, {}, {"point": vec([F(5, 8), 0])}),
    "contains, stored": document("contains", STORED, {}, {"point": vec([F(1, 4), F(1, 2)])}),
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
    "dimension by a point": dimension(SQUARE, 1, 1, vec([F(1, 4), F(1, 2)]), minor(W, [E0], [0])),
    "dimension by the target": dimension(SQUARE, 1, 1, {"target": minor(W, [E0], [0])}),
    "dimension, implicit rows": dimension(
        TIES,
        1,
        2,
        vec([0, F(1, 2)]),
        minor([[1, 0], [-1, 0]], [U0], [0]),
        implicit=mult(2, upper={0: 1, 1: 1}),
        rank_span=span([U0], {U1: [-1]}),
    ),
    "dimension, implicit bound": dimension(
        CORNER,
        1,
        2,
        vec([0, 3]),
        EMPTY_MINOR,
        implicit=mult(1, upper={0: 1}),
        rank_span=span([], {U0: []}),
    ),
    # lo = up at y: C is the point (1/2, 1/4).
    "dimension, fixed coordinate": dimension(
        FLAT, 0, 1, vec([F(1, 2), F(1, 4)]), minor([[1, 1]], [E0], [0])
    ),
    "dimension, tolerance": dimension(THICK, 2, 1, vec([F(1, 4), F(1, 2)]), EMPTY_MINOR),
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
