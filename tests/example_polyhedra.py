"""Named layers whose collision polytopes are known by hand.

Every number below was derived on paper from the definition: equalities where a unit fires, ``<= 0``
elsewhere, and the domain.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from polytope import Box, CollisionPolytope, Free, Nonnegative

F = Fraction
HALF, QUARTER = F(1, 2), F(1, 4)
UNBOUNDED = "unbounded"


@dataclass(frozen=True)
class Example:
    """A layer and the hand-derived answers.

    ``minima`` maps objectives to values (or UNBOUNDED), ``units`` inactive units to the least
    pre-activation; ``nearest`` lists (from, linf, l1, squared l2).  ``dimension`` -1 means empty.
    """

    name: str
    weight: Any
    bias: Any
    dimension: int
    target: Any = None
    activation: Any = None
    domain: Any = field(default_factory=Free)
    tolerance: Any = 0
    active: tuple[int, ...] = ()
    rank_positive: int = 0
    kernel: bool = False
    lineality: int = 0
    bounded: bool = True
    vertices: tuple[tuple[Any, ...], ...] = ()
    inside: tuple[tuple[Any, ...], ...] = ()
    outside: tuple[tuple[Any, ...], ...] = ()
    minima: tuple[tuple[tuple[Any, ...], Any], ...] = ()
    units: tuple[tuple[int, Any], ...] = ()
    nearest: tuple[tuple[tuple[Any, ...], Any, Any, Any], ...] = ()

    @property
    def empty(self) -> bool:
        return self.dimension == -1

    @property
    def paper_bound(self) -> int:
        return len(self.weight[0]) - len(self.active)

    def polytope(self) -> CollisionPolytope:
        options = {"domain": self.domain, "tolerance": self.tolerance}
        if self.activation is not None:
            return CollisionPolytope.from_activation(
                self.weight, self.bias, self.activation, **options
            )
        return CollisionPolytope.from_layer(self.weight, self.bias, self.target, **options)


_PYRAMID = [[1, 0, 1], [-1, 0, 1], [0, 1, 1], [0, -1, 1], [0, 0, -1]]

EXAMPLES = (
    Example(
        # x + y <= 3 is implied by the box.
        "unit square",
        [[1, 1]],
        [-3],
        2,
        target=[0, 0],
        domain=Box(0, 1),
        vertices=((0, 0), (0, 1), (1, 0), (1, 1)),
        inside=((HALF, HALF), (0, HALF)),
        outside=((2, 0), (0, -QUARTER)),
        minima=(((1, 0), 0), ((-1, 0), -1), ((-1, -2), -3), ((0, 0), 0)),
        units=((0, -3),),
        nearest=(((2, HALF), 1, 1, 1), ((2, 3), 2, 3, 5), ((HALF, HALF), 0, 0, 0)),
    ),
    Example(
        "square without a corner",
        [[2, 2]],
        [-3],
        2,
        target=[0, 0],
        domain=Box(0, 1),
        vertices=((0, 0), (1, 0), (0, 1), (1, HALF), (HALF, 1)),
        inside=((F(3, 4), F(3, 4)),),
        outside=((1, 1), (HALF, F(11, 10))),
        minima=(((-1, -1), F(-3, 2)), ((-2, -1), F(-5, 2))),
        units=((0, -3),),
        nearest=(((1, 1), QUARTER, HALF, F(1, 8)),),
    ),
    Example(
        "box by coordinate",
        [[1, 1]],
        [-9],
        2,
        target=[0, 2],
        domain=Box([-1, 2], [HALF, 4]),
        vertices=((-1, 2), (-1, 4), (HALF, 2), (HALF, 4)),
        minima=(((1, 1), 1), ((-1, -1), F(-9, 2))),
        units=((0, -8),),
        nearest=(((0, 0), 2, 2, 4), ((-2, 5), 1, 2, 2)),
    ),
    Example(
        "fixed coordinate",
        [[1, 1]],
        [-3],
        1,
        target=[0, HALF],
        domain=Box([0, HALF], [1, HALF]),
        vertices=((0, HALF), (1, HALF)),
        inside=((QUARTER, HALF),),
        outside=((0, 0),),
        minima=(((-1, 5), F(3, 2)),),
        units=((0, F(-5, 2)),),
        nearest=(((0, 0), HALF, HALF, QUARTER),),
    ),
    Example(
        "all coordinates fixed",
        [[1, 1]],
        [-3],
        0,
        target=[0, 1],
        domain=Box([0, 1], [0, 1]),
        vertices=((0, 1),),
        minima=(((3, 7), 7),),
        nearest=(((1, 1), 1, 1, 1),),
    ),
    Example(
        "simplex",
        [[1, 1, 1]],
        [0],
        2,
        target=[1, 0, 0],
        domain=Nonnegative(),
        active=(0,),
        rank_positive=1,
        kernel=True,
        vertices=((1, 0, 0), (0, 1, 0), (0, 0, 1)),
        inside=((F(1, 3), F(1, 3), F(1, 3)), (HALF, HALF, 0)),
        outside=((0, 0, 0), (2, -1, 0)),
        minima=(((1, 0, 0), 0), ((-1, 0, 0), -1), ((1, 2, 3), 1), ((1, 1, 1), 1)),
        nearest=(((0, 0, 0), F(1, 3), 1, F(1, 3)), ((2, 0, 0), 1, 1, 1)),
    ),
    Example(
        "contradicting equations",
        [[1], [1]],
        [0, 0],
        -1,
        activation=[1, 2],
        active=(0, 1),
        rank_positive=1,
        kernel=True,
        outside=((1,), (2,)),
        minima=(((1,), None), ((0,), None)),
        nearest=(((0,), None, None, None),),
    ),
    Example(
        "empty by its box",
        [[1, 1]],
        [0],
        -1,
        activation=[3],
        domain=Box(0, 1),
        active=(0,),
        rank_positive=1,
        kernel=True,
        outside=((1, 2), (1, 1)),
        minima=(((1, 0), None),),
        nearest=(((1, 1), None, None, None),),
    ),
    Example(
        "empty by x >= 0",
        [[-1]],
        [0],
        -1,
        activation=[1],
        domain=Nonnegative(),
        active=(0,),
        rank_positive=1,
        kernel=True,
        outside=((-1,), (0,)),
        minima=(((1,), None), ((-1,), None)),
        nearest=(((1,), None, None, None),),
    ),
    Example(
        # x >= 1 + 1e-8 and x <= 1; HiGHS finds a point of it.
        "empty by a hair",
        [[-1.0], [1.0]],
        [1 + 1e-8, -1.0],
        -1,
        activation=[0, 0],
        outside=((1,),),
        minima=(((1,), None),),
        nearest=(((1,), None, None, None),),
    ),
    Example(
        # x + y = 1, x = y, x <= 1/2 - 1e-8; HiGHS finds a point of it.
        "flat and empty by a hair",
        [[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [1.0, 0.0]],
        [0.0, 0.0, 0.0, -(0.5 - 1e-8)],
        -1,
        activation=[1, 0, 0, 0],
        active=(0,),
        rank_positive=1,
        outside=((HALF, HALF),),
        minima=(((1, 0), None),),
        nearest=(((0, 0), None, None, None),),
    ),
    Example(
        "ray",
        [[-1]],
        [0],
        1,
        target=[1],
        bounded=False,
        vertices=((0,),),
        inside=((5,),),
        outside=((-1,),),
        minima=(((1,), 0), ((-1,), UNBOUNDED)),
        units=((0, UNBOUNDED),),
        nearest=(((-2,), 2, 2, 4), ((7,), 0, 0, 0)),
    ),
    Example(
        "line",
        [[1, 0]],
        [0],
        1,
        target=[1, 0],
        active=(0,),
        rank_positive=1,
        kernel=True,
        lineality=1,
        bounded=False,
        inside=((1, 0), (1, 10**30)),
        outside=((0, 0),),
        minima=(((1, 0), 1), ((0, 1), UNBOUNDED), ((0, -1), UNBOUNDED)),
        nearest=(((0, 5), 1, 1, 1),),
    ),
    Example(
        "line in the orthant",
        [[1, 0]],
        [0],
        1,
        target=[1, 0],
        domain=Nonnegative(),
        active=(0,),
        rank_positive=1,
        kernel=True,
        bounded=False,
        vertices=((1, 0),),
        inside=((1, 3),),
        outside=((1, -1),),
        minima=(((0, 1), 0), ((0, -1), UNBOUNDED)),
        nearest=(((0, -2), 2, 3, 5),),
    ),
    Example(
        # The second column is zero.
        "line in the box",
        [[1, 0]],
        [0],
        1,
        target=[1, 0],
        domain=Box(0, 1),
        active=(0,),
        rank_positive=1,
        kernel=True,
        vertices=((1, 0), (1, 1)),
        inside=((1, HALF),),
        minima=(((0, -1), -1),),
        nearest=(((0, HALF), 1, 1, 1),),
    ),
    Example(
        "half-plane",
        [[1, 0]],
        [0],
        2,
        target=[-1, 0],
        lineality=1,
        bounded=False,
        inside=((0, 0), (-1, 9)),
        outside=((1, 0),),
        minima=(((-1, 0), 0), ((1, 0), UNBOUNDED)),
        units=((0, UNBOUNDED),),
        nearest=(((3, 4), 3, 3, 9),),
    ),
    Example(
        # x <= y and y <= x, both ties: the paper's bound is 2, the set is a segment.
        "flat set",
        [[1, -1], [-1, 1]],
        [0, 0],
        1,
        target=[0, 0],
        domain=Box(-1, 1),
        vertices=((-1, -1), (1, 1)),
        inside=((QUARTER, QUARTER),),
        outside=((0, QUARTER),),
        minima=(((1, 1), -2), ((1, -1), 0)),
        units=((0, 0), (1, 0)),
        nearest=(((1, 0), HALF, 1, HALF),),
    ),
    Example(
        # Four facets meet in the apex (0, 0, 1).
        "degenerate vertex",
        _PYRAMID,
        [-1, -1, -1, -1, 0],
        3,
        target=[0, 0, 1],
        vertices=((0, 0, 1), (1, 1, 0), (1, -1, 0), (-1, 1, 0), (-1, -1, 0)),
        inside=((0, 0, HALF), (1, 0, 0)),
        outside=((0, 0, 2), (1, 0, HALF)),
        minima=(((0, 0, -1), -1), ((1, 1, 0), -2), ((1, 0, -2), -2)),
        units=((0, -2), (4, -1)),
        nearest=(((0, 0, 3), 2, 2, 4), ((0, 0, -1), 1, 1, 1)),
    ),
    Example(
        # Three copies of one equation: d - N+ = -1, the rank of W+ is 1.
        "repeated equations",
        [[1, 1], [1, 1], [2, 2]],
        [0, 0, 0],
        1,
        target=[1, 1],
        domain=Nonnegative(),
        active=(0, 1, 2),
        rank_positive=1,
        kernel=True,
        vertices=((2, 0), (0, 2)),
        inside=((1, 1),),
        minima=(((-1, 0), -2), ((1, 1), 2)),
        nearest=(((0, 0), 1, 2, 2),),
    ),
    Example(
        "repeated inequalities",
        [[1, 1], [1, 1], [2, 2]],
        [-1, -1, -2],
        2,
        target=[0, 0],
        domain=Nonnegative(),
        vertices=((0, 0), (1, 0), (0, 1)),
        inside=((HALF, HALF),),
        outside=((1, 1),),
        minima=(((-1, 0), -1),),
        units=((0, -1), (2, -2)),
        nearest=(((1, 1), HALF, 1, HALF),),
    ),
    Example(
        "zero row, inactive",
        [[0, 0], [1, 0]],
        [-1, 0],
        1,
        target=[1, 0],
        domain=Box(0, 2),
        active=(1,),
        rank_positive=1,
        kernel=True,
        vertices=((1, 0), (1, 2)),
        minima=(((0, -1), -2),),
        units=((0, -1),),
        nearest=(((0, 0), 1, 1, 1),),
    ),
    Example(
        "zero row, active",
        [[0, 0]],
        [1],
        2,
        target=[0, 0],
        domain=Box(0, 1),
        active=(0,),
        kernel=True,
        vertices=((0, 0), (0, 1), (1, 0), (1, 1)),
        minima=(((1, -1), -1),),
        nearest=(((2, 2), 1, 2, 2),),
    ),
    Example(
        "zero row, active, free",
        [[0, 0]],
        [1],
        2,
        target=[3, 4],
        active=(0,),
        kernel=True,
        lineality=2,
        bounded=False,
        inside=((7, -7),),
        minima=(((0, 0), 0), ((1, 0), UNBOUNDED)),
    ),
    Example(
        # No input gives a zero row the activation 2.
        "zero row, contradicting",
        [[0, 0]],
        [1],
        -1,
        activation=[2],
        domain=Box(0, 1),
        active=(0,),
        kernel=True,
        outside=((0, 0),),
        minima=(((1, 0), None),),
        nearest=(((0, 0), None, None, None),),
    ),
    Example(
        # Singled out by two ties although no unit fires.
        "tie",
        [[1], [-1]],
        [0, 0],
        0,
        target=[0],
        vertices=((0,),),
        outside=((F(1, 10**50),),),
        minima=(((1,), 0), ((-1,), 0)),
        units=((0, 0), (1, 0)),
        nearest=(((-3,), 3, 3, 9),),
    ),
    Example(
        "one point by full rank",
        [[1, 0], [1, 1]],
        [0, 0],
        0,
        target=[1, 2],
        active=(0, 1),
        rank_positive=2,
        kernel=True,
        vertices=((1, 2),),
        minima=(((1, 1), 3), ((-5, 1), -3)),
        nearest=(((0, 0), 2, 3, 5),),
    ),
    Example(
        "negative orthant",
        [[1, 0], [0, 1]],
        [0, 0],
        2,
        target=[-1, -1],
        bounded=False,
        vertices=((0, 0),),
        inside=((-1, 0), (-5, -5)),
        outside=((1, -1),),
        minima=(((-1, -1), 0), ((1, 0), UNBOUNDED)),
        units=((0, UNBOUNDED), (1, UNBOUNDED)),
        nearest=(((1, 2), 2, 3, 5),),
    ),
    Example(
        "negative orthant, x >= 0",
        [[1, 0], [0, 1]],
        [0, 0],
        0,
        target=[0, 0],
        domain=Nonnegative(),
        vertices=((0, 0),),
        minima=(((1, -1), 0),),
        units=((0, 0),),
        nearest=(((1, -2), 2, 3, 5),),
    ),
    Example(
        # W- = W+ on the kernel: y = 2 x fires, so x is fixed.
        "kernel condition holds with inactive rows",
        [[2, 0], [-1, 0]],
        [0, 0],
        1,
        target=[1, 5],
        active=(0,),
        rank_positive=1,
        kernel=True,
        lineality=1,
        bounded=False,
        inside=((1, 0),),
        units=((1, -1),),
        minima=(((1, 0), 1),),
    ),
    Example(
        "tolerance",
        [[1]],
        [0],
        1,
        target=[1],
        tolerance=0.25,
        active=(0,),
        rank_positive=1,
        kernel=True,
        vertices=((F(3, 4),), (F(5, 4),)),
        inside=((1,),),
        outside=((HALF,),),
        minima=(((1,), F(3, 4)), ((-1,), F(-5, 4))),
        nearest=(((0,), F(3, 4), F(3, 4), F(9, 16)),),
    ),
    Example(
        # max(0, z) may be 0, so z has no lower end.
        "tolerance as large as the activation",
        [[1]],
        [0],
        1,
        target=[QUARTER],
        tolerance=QUARTER,
        active=(0,),
        rank_positive=1,
        kernel=True,
        bounded=False,
        vertices=((HALF,),),
        inside=((-100,), (QUARTER,)),
        outside=((F(3, 4),),),
        minima=(((-1,), -HALF), ((1,), UNBOUNDED)),
        nearest=(((1,), HALF, HALF, QUARTER),),
    ),
    Example(
        "tolerance and inactive unit",
        [[1, 0], [0, 1]],
        [0, -1],
        2,
        target=[1, 0],
        tolerance=HALF,
        domain=Nonnegative(),
        active=(0,),
        rank_positive=1,
        kernel=False,
        vertices=((HALF, 0), (F(3, 2), 0), (HALF, F(3, 2)), (F(3, 2), F(3, 2))),
        minima=(((-1, -1), -3),),
        units=((1, -1),),
        nearest=(((0, 2), HALF, 1, HALF),),
    ),
    Example(
        # [1/2, 3/2] and [3/2, 5/2] meet in one point, by inequalities alone.
        "tolerance, one point",
        [[1], [1]],
        [0, 0],
        0,
        activation=[1, 2],
        tolerance=HALF,
        active=(0, 1),
        rank_positive=1,
        kernel=True,
        vertices=((F(3, 2),),),
        minima=(((1,), F(3, 2)),),
        nearest=(((0,), F(3, 2), F(3, 2), F(9, 4)),),
    ),
    Example(
        "tolerance too small",
        [[1], [1]],
        [0, 0],
        -1,
        activation=[1, 2],
        tolerance=QUARTER,
        active=(0, 1),
        rank_positive=1,
        kernel=True,
        minima=(((1,), None),),
        nearest=(((0,), None, None, None),),
    ),
)
