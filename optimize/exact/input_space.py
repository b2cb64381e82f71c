"""Which inputs of a whole model collide at a deep layer?  Exact, in the target's linear region."""

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any, Literal

import numpy as np
from torch import Tensor, nn

from optimize.exact.network import exact_network
from optimize.model.graph import expect_relu, find_call
from optimize.model.opened import OpenedNetwork
from polytope.errors import InputError, ShapeError
from polytope.exact.arguments import shown
from polytope.exact.array import ExactArray
from polytope.network.graph import Network
from polytope.network.region import linear_region
from polytope.network.region_polytope import RegionPolytope, region_polytope
from polytope.sets.domains import Domain


def input_polytope(
    model: nn.Module | OpenedNetwork,
    layer: str,
    x: Any,
    *,
    target: Literal["postactivation", "preactivation"] = "postactivation",
    domain: Domain | None = None,
    tolerance: Any = 0,
) -> RegionPolytope:
    """The inputs that `layer` cannot tell from x, in the linear region of x.

    Everything before the layer is taken exactly: the weights as stored, the pattern of the earlier
    ReLUs and the winners of max-pools as exact arithmetic decides them at x.

    Args:
        model: a torch module; it is copied, never changed, and read in evaluation mode.
        layer: name of a layer whose output goes into a ReLU, or, with target="preactivation", of
            one that is the model's output.
        x: one input (*input,), taken exactly as stored.
        target: what is to be equal: the layer's post-activation max(0, z), or its pre-activation z
            (of the model's output: all its outputs).  The pre-activations are then stated as
            z - z(x) + 1, which is 1 at x, so that every unit counts as active.
        domain: of the flattened input; None for all of R^d.
        tolerance: of the layer's post-activations.

    Returns:
        The polytope, over the flattened input (d,), its `region` and the composed layer `map`.

    Raises:
        InputError: no such layer, no ReLU behind it, or a step before it is not known here (see
            `exact_network`).
        DomainError: x lies outside the domain.
        LimitError: an affine map is too large to be written out.

    Example: ReLU(x) and ReLU(-x) add up to |x|; at 3 only 3 itself collides, in x >= 0.

        >>> import torch
        >>> first, second = torch.nn.Linear(1, 2, bias=False), torch.nn.Linear(2, 1, bias=False)
        >>> _ = first.weight.data.copy_(torch.tensor([[1.0], [-1.0]]))
        >>> _ = second.weight.data.copy_(torch.tensor([[1.0, 1.0]]))
        >>> net = torch.nn.Sequential(first, torch.nn.ReLU(), second, torch.nn.ReLU())
        >>> input_polytope(net, "2", [3.0]).dimension().value
        0
    """
    point = x.detach().cpu() if isinstance(x, Tensor) else np.asarray(x)
    if not point.ndim > 0:
        raise ShapeError(f"target: expected one input (*input,), got shape {tuple(point.shape)}")
    if target not in ("postactivation", "preactivation"):
        raise InputError(
            f"target: expected 'postactivation' or 'preactivation', got {shown(target)}; the input "
            "itself is the third argument"
        )
    opened, flat = OpenedNetwork.of(model), point.reshape(-1)
    if target == "postactivation":
        traced = opened.at(point)
        expect_relu(traced, find_call(traced, layer))
    network = exact_network(opened, layer, point)
    region = linear_region(network, flat)
    if target == "preactivation":
        region = replace(region, bias=shifted_to_one(network, region.bias, flat))
    return region_polytope(region, target=flat, domain=domain, tolerance=tolerance)


def shifted_to_one(network: Network, bias: Sequence[Fraction], point: Any) -> tuple[Fraction, ...]:
    """Biases by which every pre-activation is 1 at a point: equal ones are then asked of all."""
    values = network.values(ExactArray.of(point, "x", ndim=1).vector())[-1]
    return tuple(b - z + 1 for b, z in zip(bias, values, strict=True))
