"""On which tiny layers are the hand-made certificates?

The running example, `SQUARE`: the unit square, the target (1/2, 1/4) and two units, x + y (3/4
there: active) and x - y - 1/2 (-1/4 there: inactive).  So C is the segment x + y = 3/4 with
x - y <= 1/2, from (0, 3/4) to (5/8, 1/8).
"""

from fractions import Fraction as F

import numpy as np

from tests.examples.certificate_forms import array, bits, box, problem, rows_problem

E0, U0, U1, L0 = ("equality", 0), ("upper", 0), ("upper", 1), ("lower", 0)
UNIT_BOX = box([0, 0], [1, 1])

W = [[1, 1], [1, -1]]
SQUARE = problem(W, [0, F(-1, 2)], target=[F(1, 2), F(1, 4)], domain=UNIT_BOX)
STORED = {
    **SQUARE,
    "weight": bits(np.array(W, np.float32), "F32"),
    "bias": bits(np.array([0, -0.5], np.float16), "F16"),
    "target": bits(np.array([0.5, 0.25]), "F64"),
}
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

# |x| + z <= 1, |y| + z <= 1, z >= 0: four facets meet in the apex.
PYRAMID_W = [[1, 0, 1], [-1, 0, 1], [0, 1, 1], [0, -1, 1], [0, 0, -1]]
PYRAMID = problem(PYRAMID_W, [-1, -1, -1, -1, 0], target=[0, 0, F(1, 2)], domain="free")
# 1 <= x + y + 2 - 2 <= 3 and x - y = 1/2 in the first quadrant: from (3/4, 1/4) to (7/4, 5/4).
STRIPE = rows_problem(
    [[1, 1], [1, -1]],
    [2, 0],
    floors={0: 3, 1: F(1, 2)},
    ceilings={1: F(1, 2), 0: 5},
    domain="nonnegative",
)
SEGMENT_END = [F(5, 8), F(1, 8)]  # the corner of SQUARE's segment
