"""What is the exact answer in the network's input, in the target's linear region?  In limits."""

from dataclasses import dataclass, replace
from fractions import Fraction
from math import prod

import numpy as np
from torch import Tensor

from experiments.own.layer_space import compare_in
from experiments.own.network import OwnNetwork
from experiments.own.results import AgainstRegion, InputSpaceSummary, RegionSummary
from experiments.own.solver import Solver
from optimize import VertexSearch, exact_network
from optimize.exact.input_space import shifted_to_one
from optimize.model.graph import layer_calls
from optimize.model.reading import constant
from polytope import Box, Free
from polytope.errors import LimitError
from polytope.network.graph import Maximum, Network, Relu
from polytope.network.region import linear_region
from polytope.network.region_polytope import RegionPolytope, region_polytope
from polytope.sets.domains import Domain

#: Products of the convolutions before a layer up to which they are written out, 70 bytes each.
MOST_BEFORE = 60_000_000
_BEFORE, _REGION = "the layers before are not written out", "the linear region is not written out"


@dataclass(frozen=True, eq=False)
class InputSpace:
    """The exact set in the network's input, inside the linear region of the target.

    Attributes:
        polytope: the inputs of the region that collide; None where they are left out.
        summary: for the record.
    """

    polytope: RegionPolytope | None
    summary: InputSpaceSummary

    def compare(self, search: VertexSearch, index: int, *, solver: Solver) -> AgainstRegion | None:
        """Holds one vertex of a search against the set.

        How far it misses is what the network itself computes, inside the region or not.
        """
        if self.polytope is None:
            return None
        unit, point = int(search.units[index]), search.points[index].flatten().double().numpy()
        found = compare_in(self.polytope, unit, point, solver=solver, name=f"input-{index}")
        differing = len(self.polytope.region.differences(point))
        return AgainstRegion(**vars(found), decisions_differ=differing, in_region=differing == 0)

    def tolerance(self, point: Tensor) -> Fraction | None:
        """Returns the least tolerance at which a point collides in the network, exactly."""
        if self.polytope is None:
            return None
        return self.polytope.residuals(point.flatten().double().numpy()).smallest_tolerance


def left_out(sentence: str) -> InputSpace:
    """Returns the space of which nothing is computed, and why."""
    return InputSpace(None, InputSpaceSummary(left_out=sentence, region=None))


def input_space(
    own: OwnNetwork, layer: str, *, limit: int, equal: str = "postactivation"
) -> InputSpace:
    """Returns the exact set of the target at a layer in the network's input space.

    Args:
        own: network and target.
        layer: its name.
        limit: decisions times inputs up to which the region is written out.
        equal: "postactivation", or "preactivation" for all pre-activations equal.
    """
    count = convolution_products(own, layer)
    if count > MOST_BEFORE:
        return left_out(
            f"{_BEFORE}: their convolutions have {count:,} products, and up to {MOST_BEFORE:,} are"
        )
    try:
        network = exact_network(own.opened, layer, own.target)
    except LimitError as problem:
        return left_out(f"{_BEFORE}: {problem}")
    inputs, rows = prod(own.shape), _region_rows(network) + network.lengths[-1]
    if rows * inputs > limit:
        return left_out(
            f"{_REGION}: {rows:,} rows x {inputs:,} inputs are {rows * inputs:,} numbers, and "
            f"--region-limit is {limit:,}"
        )
    target = own.target.flatten().double().numpy()
    try:
        region = linear_region(network, target)
    except LimitError as problem:
        return left_out(f"{_REGION}: {problem}")
    if equal == "preactivation":
        region = replace(region, bias=shifted_to_one(network, region.bias, target))
    domain: Domain = Free() if own.ends is None else Box(*own.ends)
    polytope = region_polytope(region, target=target, domain=domain)
    return InputSpace(polytope, InputSpaceSummary(left_out=None, region=_summary(polytope, own)))


def _summary(polytope: RegionPolytope, own: OwnNetwork) -> RegionSummary:
    count = polytope.n_units
    box = "" if own.ends is None else f"the box [{own.ends[0]:g}, {own.ends[1]:g}]"
    return RegionSummary(
        domain=box or "all of R^d",
        n_inputs=polytope.n_inputs,
        decisions=len(polytope.region.pattern),
        region_rows=len(polytope.region.crossings),
        region_ties=len(polytope.region_ties),
        units=f"0 to {count - 1}: the layer composed with those before it; from {count} on: rows "
        "of the linear region; see certificates/about.md",
    )


def convolution_products(own: OwnNetwork, layer: str) -> int:
    """Returns the products of all convolutions up to a layer, padding counted."""
    at = own.opened.layer(layer, own.shape if own.given is None else own.given)
    before = set(at.traced.needed([at.call.pre_activation]))
    return sum(
        prod(at.run.shapes[call.node][1:]) * constant(call.weighted.weight, at.traced)[0].numel()
        for call in layer_calls(at.traced)
        if call.node in before and call.kind not in ("Linear", "Sum")
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
