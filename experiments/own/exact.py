"""What is the exact answer for a vertex of the user's network?  In two spaces, within limits."""

from dataclasses import dataclass, field, fields, replace
from fractions import Fraction
from math import prod
from typing import Any

import numpy as np
import torch

from experiments.measure.entries import comparison_entry
from experiments.own.domain import LayerDomain, layer_domain
from experiments.own.find import FIELDS
from experiments.own.layers import EXACT_PRODUCTS, products
from experiments.own.network import OwnNetwork
from experiments.own.solver import Solver, gap
from optimize import (
    LayerReader,
    OpenedNetwork,
    VertexSearch,
    compare,
    exact_layer,
    exact_network,
)
from optimize.model.graph import find_call
from optimize.model.reading import constant
from polytope import Box, CollisionPolytope, Free
from polytope.answers.results import LPResult, LPStatus
from polytope.errors import InputError, LimitError
from polytope.network.graph import Maximum, Network, Relu
from polytope.network.region import LinearRegion, linear_region
from polytope.network.region_polytope import RegionPolytope, region_polytope

#: Products of the convolutions before a layer up to which they are written out, 70 bytes each.
MOST_BEFORE = 60_000_000


@dataclass(frozen=True)
class LeftOut:
    """Something exact that was not done, and why: how large it is.

    Attributes:
        what: a sentence for the tables.
    """

    what: str

    def document(self) -> dict[str, Any]:
        """What the record keeps."""
        return {"left_out": self.what}


@dataclass(frozen=True, eq=False, kw_only=True)
class LayerSpace:
    """The exact set in the layer's own input space.

    Attributes:
        domain: where what enters the layer may lie.
        is_first: whether what enters the layer is the network's input itself.
        sizes: d, N, products.
        polytope: None where the layer is too large to be written out.
        solves: whether linear programs over it are tried.
        left_out: what was not done, in sentences.
    """

    domain: LayerDomain
    is_first: bool
    sizes: dict[str, int]
    polytope: CollisionPolytope | None
    solves: bool
    left_out: tuple[str, ...] = field(default=())

    def document(self) -> dict[str, Any]:
        """What the record keeps."""
        known = self.polytope
        return {
            "domain": self.domain.name,
            "words": self.domain.words,
            "is_first": self.is_first,
            **self.sizes,
            "n_positive": None if known is None else known.n_positive,
            "ties": None if known is None else len(known.ties),
            "left_out": list(self.left_out),
        }

    def compare(self, search: VertexSearch, index: int, *, solver: Solver) -> dict[str, Any]:
        """Returns what the record keeps of one vertex in this space."""
        if self.polytope is None:
            return {"point": None}
        one = single(search, index)
        if not self.solves:
            return {"point": None, **_residuals(self.polytope, one)}
        entry = _compared(self.polytope, one, solver, name=f"layer-{index}")
        return entry if self.is_first else entry | {"point": None}


def layer_space(own: OwnNetwork, layer: str, *, limit: int) -> LayerSpace:
    """Returns the exact set of the target at a layer, in the layer's own input space.

    Args:
        own: network and target.
        layer: its name.
        limit: products of the layer up to which linear programs are solved.

    Raises:
        InputError: no such layer.
    """
    assert own.target is not None
    reader = LayerReader(own.model, layer)
    with torch.no_grad():
        entered, pre = reader.run(own.target[None].to(reader.dtype))
    count, writable = products(reader, pre), EXACT_PRODUCTS[reader.kind]
    sizes = {"n_inputs": entered.numel(), "n_units": pre.numel(), "products": count}
    left, polytope = [], None
    domain = layer_domain(own.model, layer, own.ends)
    size = f"{pre.numel():,} x {entered.numel():,} with {count:,} products"
    if count > writable:
        left.append(
            f"nothing exact: the layer is {size}, and up to {writable:,} are written out exactly"
        )
    else:
        exact = exact_layer(own.model, layer, own.target)
        polytope = CollisionPolytope.from_layer(
            exact.weight, exact.bias, entered.flatten(), domain=domain.domain
        )
        if count > limit:
            left.append(
                f"no exact optimum, no distance and no vertex test: the layer is {size}, and "
                f"linear programs are solved up to --exact-limit {limit:,}"
            )
    return LayerSpace(
        domain=domain,
        is_first=_is_first(reader, own),
        sizes=sizes,
        polytope=polytope,
        solves=polytope is not None and count <= limit,
        left_out=tuple(left),
    )


def _is_first(reader: LayerReader, own: OwnNetwork) -> bool:
    """Whether the layer is given the input itself, decided on the target and on random numbers."""
    assert own.target is not None
    drawn = torch.rand(own.shape, generator=torch.Generator().manual_seed(0))
    batch = torch.stack([own.target, drawn.to(own.target)]).to(reader.dtype)
    return torch.equal(reader.layer_inputs(batch), batch.flatten(1))


def single(search: VertexSearch, index: int) -> VertexSearch:
    """Returns a search with one vertex of a search."""
    chosen = {name: getattr(search, name)[index : index + 1] for name in FIELDS}
    history = {
        f.name: getattr(search.history, f.name)[:, index : index + 1]
        for f in fields(search.history)
        if f.name != "steps"
    }
    chosen["targets"] = torch.zeros(1, dtype=torch.int64)
    return replace(
        search,
        **chosen,
        history=replace(search.history, **history),
        status=search.status[index : index + 1],
    )


def _residuals(polytope: CollisionPolytope, one: VertexSearch) -> dict[str, Any]:
    """Exact residuals alone."""
    found = polytope.residuals(one.layer_inputs[0].double().numpy())
    return {
        "found_value": found.pre_activation[int(one.units[0])],
        "worst_equality": found.worst_equality,
        "worst_inactive": found.worst_inactive,
        "worst_domain": found.worst_domain,
        "smallest_tolerance": found.smallest_tolerance,
    }


def _inactive(polytope: CollisionPolytope, unit: int) -> int:
    if unit not in polytope.inactive_units:
        raise InputError(
            f"units: expected inactive units, got {unit}, whose exact pre-activation is positive "
            "(the float run saw it otherwise); leave it out"
        )
    return unit


def _compared(
    polytope: CollisionPolytope, one: VertexSearch, solver: Solver, *, name: str
) -> dict[str, Any]:
    """A vertex beside the exact optimum of its unit, with certificates."""
    unit = _inactive(polytope, int(one.units[0]))
    # The minimum is the solver's: `compare` is told that nothing is known of it.
    later = {unit: LPResult(LPStatus.UNDECIDED)}
    (found,) = compare(polytope, one, exact=later, distance=None, progress=False)
    solved = solver.solve(polytope, unit, one.layer_inputs[0].double().numpy(), name=name)
    entry = comparison_entry(found) | solved | {"gap": gap(found.found_value, solved)}
    del entry["relative_gap"]
    return entry


@dataclass(frozen=True, eq=False, kw_only=True)
class InputSpace:
    """The exact set in the network's input, inside the linear region of the target.

    Attributes:
        polytope: the inputs of the region that collide.
        region: the region.
        domain: of the input, in words.
    """

    polytope: RegionPolytope
    region: LinearRegion
    domain: str

    def document(self) -> dict[str, Any]:
        """What the record keeps."""
        return {
            "left_out": None,
            "domain": self.domain,
            "n_inputs": self.polytope.n_inputs,
            "decisions": len(self.region.pattern),
            "region_rows": len(self.region.crossings),
            "region_ties": len(self.polytope.region_ties),
        }

    def compare(self, search: VertexSearch, index: int, *, solver: Solver) -> dict[str, Any]:
        """Returns what the record keeps of one vertex in this space."""
        unit = _inactive(self.polytope, int(search.units[index]))
        point = search.points[index].flatten().double().numpy()
        solved = solver.solve(self.polytope, unit, point, name=f"input-{index}")
        # What the network itself computes at the point, inside the region or not.
        residuals = self.polytope.residuals(point)
        differing = len(self.region.differences(point))
        value = residuals.pre_activation[unit]
        return {
            "unit": unit,
            "found_value": value,
            "gap": gap(value, solved),
            "worst_equality": residuals.worst_equality,
            "worst_inactive": residuals.worst_inactive,
            "worst_domain": residuals.worst_domain,
            "smallest_tolerance": residuals.smallest_tolerance,
            "is_vertex": self.polytope.tight_constraints(point).is_vertex,
            "decisions_differ": differing,
            "in_region": differing == 0,
            **solved,
        }

    def tolerance(self, point: torch.Tensor) -> Fraction:
        """Returns the least tolerance at which a point collides in the network, exactly."""
        return self.polytope.residuals(point.flatten().double().numpy()).smallest_tolerance


def input_space(own: OwnNetwork, layer: str, *, limit: int) -> InputSpace | LeftOut:
    """Returns the exact set of the target at a layer in the network's input space, or why not.

    Args:
        own: network and target.
        layer: its name.
        limit: decisions times inputs up to which the region is written out.
    """
    assert own.target is not None
    inputs = prod(own.shape)
    count = convolution_products(own, layer)
    if count > MOST_BEFORE:
        return LeftOut(
            f"the layers before are not written out: their convolutions have {count:,} products, "
            f"and up to {MOST_BEFORE:,} are"
        )
    try:
        network = exact_network(own.model, layer, own.target)
    except LimitError as problem:
        return LeftOut(f"the layers before are not written out: {problem}")
    rows = _region_rows(network) + network.lengths[-1]
    if rows * inputs > limit:
        return LeftOut(
            f"the linear region is not written out: {rows:,} rows x {inputs:,} inputs are "
            f"{rows * inputs:,} numbers, and --region-limit is {limit:,}"
        )
    target = own.target.flatten().double().numpy()
    try:
        region = linear_region(network, target)
    except LimitError as problem:
        return LeftOut(f"the linear region is not written out: {problem}")
    domain = Free() if own.ends is None else Box(*own.ends)
    words = "all of R^d" if own.ends is None else f"the box [{own.ends[0]:g}, {own.ends[1]:g}]"
    polytope = region_polytope(region, target=target, domain=domain)
    return InputSpace(polytope=polytope, region=region, domain=words)


def convolution_products(own: OwnNetwork, layer: str) -> int:
    """Returns the products of all convolutions up to a layer, padding counted."""
    opened = OpenedNetwork(own.model)
    traced, shapes = opened.traced, opened.run(own.shape).shapes
    before = set(traced.needed([find_call(traced, layer).pre_activation]))
    return sum(
        prod(shapes[call.node][1:]) * constant(call.weighted.weight, traced)[0].numel()
        for call in opened.calls
        if call.node in before and call.weighted.kind != "Linear"
    )


def _region_rows(network: Network) -> int:
    """Rows that the region may have: one for each candidate of each decision."""
    rows = 0
    for number, node in enumerate(network.nodes, start=1):
        if isinstance(node, Relu) and number not in network.fused:
            rows += network.lengths[number]
        elif isinstance(node, Maximum):
            rows += int(np.count_nonzero(node.windows >= 0))
    return rows
