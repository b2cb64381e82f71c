"""What is the exact answer for a found vertex in the layer's own input space?  Within limits."""

from dataclasses import dataclass, replace

import numpy as np
import torch

from experiments.measure.compared import miss
from experiments.own.at_target import AtTarget
from experiments.own.domain import layer_domain
from experiments.own.results import Against, LayerSpaceSummary
from experiments.own.solver import Solver
from optimize import VertexSearch
from polytope import CollisionPolytope
from polytope.errors import InputError


@dataclass(frozen=True, eq=False, kw_only=True)
class LayerSpace:
    """The exact set in the layer's own input space.

    Attributes:
        summary: for the record.
        polytope: None where the layer is too large to be written out.
        solves: whether linear programs over it are tried.
    """

    summary: LayerSpaceSummary
    polytope: CollisionPolytope | None
    solves: bool

    def compare(self, search: VertexSearch, index: int, *, solver: Solver) -> Against:
        """Holds one vertex of a search against the set."""
        if self.polytope is None:
            return Against(missed=None)
        unit, point = int(search.units[index]), search.layer_inputs[index].double().numpy()
        if not self.solves:
            return Against(missed=miss(self.polytope, point, unit))
        found = compare_in(self.polytope, unit, point, solver=solver, name=f"layer-{index}")
        if self.summary.is_first or found.minimum is None:
            return found
        return replace(found, minimum=replace(found.minimum, point=None))


def compare_in(
    polytope: CollisionPolytope, unit: int, point: np.ndarray, *, solver: Solver, name: str
) -> Against:
    """Holds a point (d,) against a set and the exact minimum of its unit, with certificates.

    Raises:
        InputError: the unit is active in exact arithmetic.
    """
    if unit not in polytope.inactive_units:
        raise InputError(
            f"units: expected inactive units, got {unit}, whose exact pre-activation is positive "
            "(the float run saw it otherwise); leave it out"
        )
    missed, tight = miss(polytope, point, unit), polytope.tight_constraints(point)
    solved = solver.solve(polytope, unit, point, name=name)
    lowest = solved.minimum.value
    return Against(
        missed=missed,
        n_tight=tight.count,
        is_vertex=tight.is_vertex,
        minimum=solved.minimum,
        gap=None if lowest is None else missed.found_value - lowest,
        distance=solved.distance,
    )


def layer_space(at: AtTarget, *, limit: int) -> LayerSpace:
    """Returns the exact set of the target at a layer, in the layer's own input space.

    Args:
        at: the layer at the target.
        limit: products of the layer up to which linear programs are solved.

    Raises:
        InputError: no such layer.
    """
    domain = layer_domain(at.own.opened, at.reader.name, at.own.ends, example=at.own.target)
    polytope = at.polytope(domain.domain)
    n_inputs, n_units = at.entered.numel(), at.pre.numel()
    size = f"{n_units:,} x {n_inputs:,} with {at.products:,} products"
    left = ""
    if polytope is None:
        left = f"nothing exact: the layer is {size}, and up to {at.most:,} are written out exactly"
    elif at.products > limit:
        left = (
            f"no exact optimum, no distance and no vertex test: the layer is {size}, and "
            f"linear programs are solved up to --exact-limit {limit:,}"
        )
    return LayerSpace(
        summary=LayerSpaceSummary(
            domain=domain.name,
            words=domain.words,
            is_first=_is_first(at),
            n_inputs=n_inputs,
            n_units=n_units,
            products=at.products,
            n_positive=None if polytope is None else polytope.n_positive,
            ties=None if polytope is None else len(polytope.ties),
            left_out=(left,) if left else (),
        ),
        polytope=polytope,
        solves=not left,
    )


def _is_first(at: AtTarget) -> bool:
    """Whether the layer is given the input itself, decided on the target and on random numbers."""
    target = at.own.target
    drawn = torch.rand(target.shape, generator=torch.Generator().manual_seed(0))
    batch = torch.stack([target, drawn.to(target)]).to(at.reader.dtype)
    return torch.equal(at.reader.layer_inputs(batch), batch.flatten(1))
