"""Hand-made complete lists of points, rays and lines, on the layers of certificate_examples."""

from fractions import Fraction as F

from tests.examples.certificate_forms import bare, bases, generators, minor, moved, mult
from tests.examples.certificate_layers import (
    CORNER,
    E0,
    FLAT,
    LINES,
    LINES_W,
    PLANE,
    PYRAMID,
    QUADRANT,
    SEGMENT_END,
    SQUARE,
    THICK,
    TIES,
    TRIANGLE,
    U0,
    UNIT_BOX,
    W,
)

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
