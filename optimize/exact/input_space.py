"""Which inputs of a whole model collide at a deep layer?  Exact, in the target's linear region."""

from typing import Any

import numpy as np
from torch import Tensor, nn

from optimize.exact.network import exact_network
from optimize.model.opened import OpenedNetwork
from polytope.errors import ShapeError
from polytope.network.region import linear_region
from polytope.network.region_polytope import RegionPolytope, region_polytope
from polytope.sets.domains import Domain


def input_polytope(
    model: nn.Module | OpenedNetwork,
    layer: str,
    target: Any,
    *,
    domain: Domain | None = None,
    tolerance: Any = 0,
) -> RegionPolytope:
    """The inputs that `layer` cannot tell from the target, in the target's linear region.

    Everything before the layer is taken exactly: the weights as stored, the pattern of the earlier
    ReLUs and the winners of max-pools as exact arithmetic decides them at the target.

    Args:
        model: a torch module; it is copied, never changed, and read in evaluation mode.
        layer: name of a layer whose output goes into a ReLU.
        target: one input (*input,), taken exactly as stored.
        domain: of the flattened input; None for all of R^d.
        tolerance: of the layer's post-activations.

    Returns:
        The polytope, over the flattened input (d,), its `region` and the composed layer `map`.

    Raises:
        InputError: no such layer, or a step before it is not known here (see `exact_network`).
        DomainError: the target lies outside the domain.
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
    point = target.detach().cpu() if isinstance(target, Tensor) else np.asarray(target)
    if not point.ndim > 0:
        raise ShapeError(f"target: expected one input (*input,), got shape {tuple(point.shape)}")
    network = exact_network(model, layer, tuple(point.shape))
    flat = point.reshape(-1)
    return region_polytope(
        linear_region(network, flat), target=flat, domain=domain, tolerance=tolerance
    )
