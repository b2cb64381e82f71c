"""Named layers whose collision polytopes are known by hand.

Every number below was derived on paper from the definition: equalities where a unit fires, ``<= 0``
elsewhere, and the domain.  The layers are in example_bounded.py, example_empty.py,
example_tolerance.py and example_unbounded.py.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from polytope import CollisionPolytope, Free

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
