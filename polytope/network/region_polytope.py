"""Which inputs of the network collide at a deep layer?  Those of one linear region, exactly.

Inside the linear region of the target (polytope/network/region.py) the pre-activation of a deep
layer is an affine function of the input, so that the inputs that collide there are again a
polyhedron: the collision polytope of the composed layer, cut with the region.  The region's rows
stand behind the layer's, so that every question and certificate is the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from functools import cached_property
from operator import mul
from typing import Any

from polytope.answers.results import Dimension, KernelCondition, Rank, Residuals
from polytope.collision import CollisionPolytope
from polytope.exact.rational import RationalVector
from polytope.exact.scaled import ScaledMatrix
from polytope.network.region import LinearRegion
from polytope.questions.membership import as_point, residuals_of
from polytope.sets.domains import Domain
from polytope.sets.layer import Layer
from polytope.sets.rows import Rows, StatedRows


class RegionPolytope(CollisionPolytope):
    """The inputs of one linear region that a deep layer cannot tell from the target.

    Units 0 .. N - 1 are the layer's.  The rank of W+ and the kernel condition speak of the composed
    layer alone, residuals of the network itself; dimension, lineality, boundedness, vertices and
    all other questions of the set, region included.  Certificates state the composed system: that
    it is the network's is the work of :func:`polytope.network.region.linear_region`, and not part
    of what they prove.

    Attributes:
        region: the linear region.
        composed: the layer as a function of the network's input.
        map: its collision polytope, without the region's rows.
    """

    def __init__(self, region: LinearRegion, layer: Rows, composed: Layer) -> None:
        """Use :func:`region_polytope`."""
        super().__init__(layer)
        self.region = region
        self.composed = composed
        self.map = CollisionPolytope(composed)

    def _shown(self) -> dict[str, str]:
        sizes = super()._shown()
        domain = sizes.pop("domain")
        return sizes | {"region_rows": str(len(self.region.crossings)), "domain": domain}

    @property
    def n_units(self) -> int:
        """Number N of units of the layer, the region's rows not counted."""
        return self.map.n_units

    @property
    def active_units(self) -> tuple[int, ...]:
        """The layer's active units, whatever the tolerance."""
        return self.map.active_units

    @property
    def inactive_units(self) -> tuple[int, ...]:
        """The layer's inactive units."""
        return self.map.inactive_units

    @property
    def ties(self) -> tuple[int, ...]:
        """The layer's units whose pre-activation at the target is exactly zero."""
        return self.map.ties

    @cached_property
    def region_ties(self) -> tuple[int, ...]:
        """Rows of the region that hold with equality at the target: it lies on their facet.

        Empty where the set was asked for by its activation.
        """
        target, rows = self.map.layer.target_vector, self.region.rows
        if target is None:
            return ()
        pairs = zip(rows.integers, rows.denominators, self.region.offsets, strict=True)
        return tuple(
            k
            for k, (row, denominator, offset) in enumerate(pairs)
            if Fraction(sum(map(mul, row, target.numerators)), denominator * target.denominator)
            == -offset
        )

    @property
    def sign_disagreements(self) -> tuple[int, ...]:
        """Empty: no float run computes the composed layer."""
        return ()

    def rank_positive(self) -> Rank:
        """Exact rank of the composed W+."""
        return self.map.rank_positive()

    def kernel_condition(self) -> KernelCondition:
        """Whether ker(W+) lies in ker(W-), for the composed layer."""
        return self.map.kernel_condition()

    def dimension(self) -> Dimension:
        """Exact dimension of the set, beside the bound ``d - N+`` of the composed layer."""
        return replace(super().dimension(), paper_bound=self.n_inputs - self.n_positive)

    def residuals(self, x: Any) -> Residuals:
        """Exact residuals of the network itself at x (d,), inside the region or not."""
        point = as_point(x, self.layer)
        return residuals_of(self.map.layer, point, self.region.network.values(point)[-1])


def region_polytope(
    region: LinearRegion,
    *,
    target: Any = None,
    activation: Sequence[Fraction] | None = None,
    domain: Domain | None = None,
    tolerance: Any = 0,
) -> RegionPolytope:
    """The points of a region that collide with the target at the layer.

    Args:
        region: of the target, or another one with `activation`.
        target: (d,) a point of the region, whose post-activation is to be met.
        activation: (N,) the wanted post-activation, where the target lies elsewhere.
        domain: of the network's input, as for ``CollisionPolytope.from_layer``.
        tolerance: of the layer's post-activations; the region's rows are not loosened.

    Raises:
        DomainError, ShapeError, InputError: as ``CollisionPolytope.from_layer``.
    """
    bias = _exact(region.bias)
    wanted = None if activation is None else _exact(activation)
    composed = Layer.of(
        region.weight, bias, target, activation=wanted, domain=domain, tolerance=tolerance
    )
    return RegionPolytope(region, _with_region(composed, region), composed)


def _with_region(composed: Layer, region: LinearRegion) -> Rows:
    """The composed layer and, behind its units, the region's rows: each has the ceiling 0."""
    weight = ScaledMatrix(
        [*region.weight.integers, *region.rows.integers],
        [*region.weight.denominators, *region.rows.denominators],
        width=region.weight.shape[1],
    )
    bias = _exact([*region.bias, *region.offsets])
    if composed.target is not None and composed.tolerance == 0:
        # The target is in the region: its rows are units of a ReLU layer that do not fire.
        return Layer.of(weight, bias, composed.target_vector, domain=composed.domain)
    n = len(region.offsets)
    floors = (*composed.floors, *[None] * n)
    ceilings = (*composed.ceilings, *[Fraction(0)] * n)
    return StatedRows.of(weight, bias, floors=floors, ceilings=ceilings, domain=composed.domain)


def _exact(values: Sequence[Fraction]) -> RationalVector:
    return RationalVector.of(values)
