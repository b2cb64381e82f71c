"""Forged by hand: each passes all conditions of the checker but one, and none is accepted.

Many were found by taking conditions out of the checker (tests/campaigns/checker_conditions.py).
"""

from fractions import Fraction as F

from tests.examples.certificate_forms import (
    EMPTY_MINOR,
    array,
    bare,
    bases,
    box,
    document,
    generators,
    inequality,
    minor,
    moved,
    mult,
    problem,
    rational,
    span,
    vec,
)
from tests.examples.certificate_layers import E0, L0, NOWHERE, SQUARE, THICK, TIES, U0, U1, W
from tests.examples.certificates import changed

_ABOUT_0 = box([-1, -1], [1, 1])
#: No x of the box has x + y = 5.
_AWAY = problem([[1, 1]], [0], activation=[5], domain=_ABOUT_0)
_E1 = ("equality", 1)
_TWO_ROWS = [[1, 0, 0], [0, 1, 0]]
_STRIP = problem([[1, 1]], [0], target=[F(3, 4), 0], domain="free", tolerance=F(1, 8))
#: x = 0 by a unit and the floor.
_AT_FLOOR = problem([[1, 0]], [0], target=[0, F(1, 2)], domain=box([0, 0], [1, 1]))
_HALF = {"point": vec([0, F(1, 2)])}
_LINE = problem([[1, 1, 0]], [0], target=[1, 1, 1], domain="free")


def _dimension(stated, value, bound, **witness):
    return document("dimension", stated, {"value": value, "paper_bound": bound}, witness)


_TWINS = problem([[1, 0], [2, 0]], [-1, -2], target=[0, 0], domain="free")
#: True, and proved with nothing to spare: accepted.
EXACT = {
    "as many active units as inputs": _dimension(
        problem([[1, 0], [0, 1]], [0, 0], target=[1, 1], domain="free"),
        0,
        0,
        target=minor([[1, 0], [0, 1]], [E0, _E1], [0, 1]),
    ),
    # Its upper and its lower row are one row of W.
    "the lines of a strip": document(
        "lineality", _STRIP, {"dimension": 1}, {"minor": minor([[1, 1]], [U0], [0]), "span": None}
    ),
    "more active units than inputs": _dimension(
        problem([[1], [2]], [0, 0], target=[1], domain="free"),
        0,
        -1,
        interior=vec([1]),
        implicit=None,
        minor=minor([[1], [2]], [E0], [0]),
        span=None,
    ),
    "of twins": inequality("redundant", _TWINS, U0, multipliers=mult(2, upper={1: F(1, 2)})),
    "of other twins": inequality("redundant", _TWINS, U1, multipliers=mult(2, upper={0: 2})),
    "a lower row": inequality(
        "redundant",
        problem([[1], [2]], [0, 0], target=[2], domain="free", tolerance=F(1)),
        ("lower", 0),
        multipliers=mult(2, lower={1: F(1, 2)}),
    ),
}
FORGED = {
    # --- the problem
    "a negative activation": changed("empty", "problem", "activation", to=array([-1])),
    "a negative tolerance": changed("contains", "problem", "tolerance", to=rational(F(-1, 8))),
    "a target below the floor": changed("contains", "problem", "target", to=array([-1, 0])),
    "a target above the ceiling": changed("contains", "problem", "target", to=array([1, 2])),
    "a target and an activation": changed("empty", "problem", "target", to=array([0, 0])),
    "an unknown form": changed("contains", "problem", "form", to="rows"),
    "a box without ends": changed("contains", "problem", "domain", to={"kind": "box"}),
    "ends without a box": changed("contains", "problem", "domain", to={**_ABOUT_0, "kind": "free"}),
    "an unknown domain": changed("contains", "problem", "domain", to={"kind": "ball"}),
    # --- linear claims
    "an active set without a target": document(
        "active_set", NOWHERE, {"active": [0], "zero": []}, {}
    ),
    "a tie left out": document("active_set", TIES, {"active": [], "zero": [0]}, {}),
    "a multiplier at a row of another tolerance": document(
        "optimum",
        SQUARE,
        {"unit": 0, "value": rational(F(3, 4)), "vertex": False},
        {"point": vec([F(1, 4), F(1, 2)]), "multipliers": mult(2, lower={0: 1})},
    ),
    # The largest value of x - y - 1/2 on C, as if it were the least.
    "a negative multiplier": document(
        "optimum",
        SQUARE,
        {"unit": 1, "value": rational(0), "vertex": False},
        {"point": vec([F(5, 8), F(1, 8)]), "multipliers": mult(2, upper={1: -1})},
    ),
    "the ceiling that is held by a floor": document(
        "implicit_equality",
        _AT_FLOOR,
        {"inequality": ["ceiling", 0], "holds": True},
        {"multipliers": mult(1, upper={0: 1}), **_HALF},
    ),
    "tight at the point only": document(
        "implicit_equality",
        SQUARE,
        {"inequality": ["floor", 0], "holds": True},
        {"multipliers": None, "point": vec([0, F(3, 4)])},
    ),
    "not tight, at a point of no C": document(
        "implicit_equality",
        TIES,
        {"inequality": ["upper", 0], "holds": False},
        {"point": vec([1, F(1, 2)])},
    ),
    "redundant by itself, a row": inequality(
        "redundant", SQUARE, U1, multipliers=mult(2, {}, {1: 1})
    ),
    "redundant by itself, a ceiling": inequality(
        "redundant", SQUARE, ("ceiling", 0), multipliers=mult(2)
    ),
    # x + y <= 1, and y may be -1.
    "redundant for the sum of all coordinates": inequality(
        "redundant",
        problem([[1, 1]], [-1], target=[0, 0], domain=_ABOUT_0),
        ("ceiling", 0),
        multipliers=mult(1, upper={0: 1}),
    ),
    "irredundant, but kept": inequality("irredundant", SQUARE, U1, point=vec([0, F(3, 4)])),
    "irredundant, others broken": inequality("irredundant", SQUARE, U1, point=vec([1, F(-1, 4)])),
    "a bound of -7/8 squared": document(
        "nearest",
        SQUARE,
        {
            "from": vec([1, 1]),
            "norm": "l2",
            "lower_squared": rational(F(49, 64)),
            "upper_squared": rational(F(25, 32)),
        },
        {
            "point": vec([F(3, 8), F(3, 8)]),
            "functional": vec([F(7, 10), F(7, 10)]),
            "multipliers": mult(2, {0: F(-7, 10)}),
        },
    ),
    "l2 by the keys of linf": changed("nearest, linf", "claim", "norm", to="l2"),
    "linf by the keys of l2": changed("nearest, l2", "claim", "norm", to="linf"),
    "wide in a box": document("unbounded", bare([0, 0], _ABOUT_0), {}, {**_HALF, "wide": True}),
    "wide, but as many units as inputs": document(
        "unbounded",
        problem([[1, 0], [0, 1]], [0, 0], target=[1, 1], domain="free"),
        {},
        {"point": vec([1, 1]), "wide": True},
    ),
    "wide: 1": changed("unbounded, wide", "witness", "wide", to=1),
    "box: 1": changed("bounded, box", "witness", "box", to=1),
    "a strip by both of its sides": document(
        "bounded",
        _STRIP,
        {},
        {
            "multipliers": mult(1, upper={0: 1}, lower={0: 1}),
            "minor": {**minor(W, [E0, U1], [0, 1]), "rows": [list(L0), list(U0)]},
        },
    ),
    # --- rank claims
    "a minor modulo 1": changed(
        "rank", "witness", "minor", to={**minor(W, [E0], [0]), "modulus": "1"}
    ),
    # x is at its floor, and the row of unit 0, by the number of that coordinate, is not tight.
    "a bound as a row of a minor": document(
        "vertex",
        problem([[0, 1]], [-5], target=[0, F(1, 2)], domain=_ABOUT_0 | {"lower": array([0, 0])}),
        {"point": vec([0, F(1, 2)])},
        {"vertex": {**minor([[0, 1]], [E0], [1]), "rows": [["floor", 0]]}},
    ),
    "a rank above the minor": changed("rank at least", "claim", "rank", to=2),
    "a rank below the span": changed("rank at most", "claim", "rank", to=0),
    "a span that covers half": document(
        "kernel",
        problem([[1, 1], [1, 0], [2, 2]], [0, -9, -9], target=[1, 1], domain="free"),
        {"holds": True},
        {"span": span([E0], {("upper", 2): [2]})},
    ),
    "a dimension at no target": _dimension(_AWAY, 1, 1, target=minor([[1, 1]], [E0], [0])),
    "a dimension at a tie": _dimension(TIES, 2, 2, target=EMPTY_MINOR),
    "a dimension with half of the rows": _dimension(
        problem(_TWO_ROWS, [0, 0], target=[1, 1, 1], domain="nonnegative"),
        2,
        1,
        target=minor(_TWO_ROWS, [E0], [0]),
    ),
    "a dimension at the target of a tolerance": _dimension(THICK, 1, 1, target=minor(W, [E0], [0])),
    "a dimension with a column at its bound": _dimension(
        problem([[1, 1]], [0], target=[0, F(1, 2)], domain=box([0, 0], [1, 1])),
        1,
        1,
        target=minor([[1, 1]], [E0], [0]),
    ),
    "a dimension with a fixed column": _dimension(
        problem([[1, 1]], [0], target=[F(1, 2), F(1, 4)], domain=box([0, F(1, 4)], [1, F(1, 4)])),
        0,
        1,
        interior=vec([F(1, 2), F(1, 4)]),
        implicit=None,
        minor=minor([[1, 1]], [E0], [1]),
        span=None,
    ),
    "a dimension inside of nothing": _dimension(
        _AWAY,
        1,
        1,
        interior=vec([0, 0]),
        implicit=None,
        minor=minor([[1, 1]], [E0], [0]),
        span=None,
    ),
    "a witness of lines in a box": changed(
        "lineality in a box", "witness", to={"minor": EMPTY_MINOR, "span": None}
    ),
    "no witness on the free domain": changed("lineality", "witness", to={}),
    # --- lists
    "lines that are no basis": generators(
        _LINE, [[2, 0, 1]], lines=[[1, -1, 0]], pivots=[0, 1], minor=minor([[1, 1, 0]], [E0], [0])
    ),
    "the same line twice": generators(
        _LINE,
        [[0, 2, 0]],
        lines=[[1, -1, 0], [1, -1, 0]],
        pivots=[0, 2],
        minor=minor([[1, 1, 0]], [E0], [0]),
    ),
    "a pivot at which a point is not 0": changed(
        "generators, half-plane", "claim", "points", to=[vec([1, 0])]
    ),
    "a pivot at which a ray is not 0": changed(
        "generators, half-plane", "claim", "rays", to=[vec([1, 2])]
    ),
    "a pivot without a line": generators(
        bare([0, 0], "free"), [[0, 0]], lines=[[1, 0]], pivots=[0, 1]
    ),
    "no points": changed("generators, square", "claim", "points", to=[]),
    "a point twice": generators(bare([0], box([0], [0])), [[0], [0]]),
    "a ray along no edge": changed(
        "generators, cone", "claim", "rays", to=[vec(r) for r in ([3, 0], [0, 1], [1, 1])]
    ),
    "a ray twice": changed(
        "generators, cone", "claim", "rays", to=[vec(r) for r in ([3, 0], [0, 1], [0, 2])]
    ),
    "a perturbation without bases": changed("generators, pyramid", "witness", "bases", to=None),
    "bases without a perturbation": changed(
        "generators, pyramid", "witness", "perturbation", to=None
    ),
    "a negative perturbation": generators(
        bare([0, 0], "nonnegative"),
        [[0, 0]],
        [[1, 0], [0, 1]],
        perturbation=moved(0, 2, floor={0: -1}),
        bases=bases((0, [1, 0])),
    ),
    "a shift that leaves what is held": generators(
        bare([0, 0], box([0, 0], [0, 1])),
        [[0, 0], [0, 1]],
        perturbation=moved(0, 2),
        bases=bases((0, [1, 0]), (1, [0, 0])),
    ),
    "a shift out of the perturbed set": generators(
        bare([0, 0], "nonnegative"),
        [[0, 0]],
        [[1, 0], [0, 1]],
        perturbation=moved(0, 2, floor={0: 1}),
        bases=bases((0, [-2, 0])),
    ),
    "a point in no basis": generators(
        bare([0], box([0], [1])),
        [[0], [1]],
        perturbation=moved(0, 1),
        bases=bases((0, [0])),
    ),
    # One end of an interval, as if it were both.
    "the same basis twice": generators(
        bare([0], box([0], [1])),
        [[0]],
        perturbation=moved(0, 1),
        bases=bases(*[(0, [0])] * 2),
    ),
}
