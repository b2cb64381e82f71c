"""Which set does a layer of a network make at a target?  For `collide certify MODEL LAYER`."""

from fractions import Fraction
from typing import Any

import numpy as np

from experiments.measure.facts import REGION
from experiments.own.at_target import AtTarget, at_target
from experiments.own.domain import layer_domain
from experiments.own.input_space import input_space
from experiments.own.network import OwnNetwork, load_network
from experiments.own.options import CertifyLayerRequest
from experiments.own.set_file import Loaded
from optimize import exact_layer
from polytope import CollisionPolytope
from polytope.errors import LimitError
from polytope.exact.array import ExactArray
from polytope.sets.domains import Domain
from polytope.sets.layer import relu_layer


def load_layer_set(request: CertifyLayerRequest) -> Loaded:
    """Returns the set of a layer at a target: in its own space, or in the network's input.

    Raises:
        InputError: model, weights, layer or target are not as described; or the layer is the
            network's output, and equal pre-activations are not asked for.
        LimitError: the layer, or the region, is too large to be written out.
    """
    own = load_network(request, request.target)
    at = at_target(own, request.layer)
    if request.equal == "postactivation":
        at.reader.expect_relu()
    if request.input_space:
        return _in_the_input(own, request)
    domain = layer_domain(own.opened, request.layer, own.ends, example=own.target)
    return Loaded(_set(at, domain.domain, request.equal), domain.name, own.files)


def _in_the_input(own: OwnNetwork, request: CertifyLayerRequest) -> Loaded:
    found = input_space(own, request.layer, limit=request.region_limit, equal=request.equal)
    if found.polytope is None:
        raise LimitError(f"region: {found.summary.left_out}")
    return Loaded(found.polytope, REGION, own.files)


def _set(at: AtTarget, domain: Domain, equal: str) -> CollisionPolytope:
    if at.products > at.most:
        raise LimitError(
            f"layer: expected one of at most {at.most:,} products, which is written out exactly, "
            f"got {at.products:,} in {at.reader.name!r}"
        )
    layer = exact_layer(at.own.opened, at.reader.name, at.own.target)
    bias: Any = layer.bias
    if equal == "preactivation":  # 1 at the target: so every unit is active, and held
        plain = CollisionPolytope.from_layer(layer.weight, layer.bias, at.entered)
        stored = ExactArray.of(layer.bias, "bias", ndim=1).fractions()
        bias = np.empty(len(stored), dtype=object)
        bias[:] = [b - z + Fraction(1) for b, z in zip(stored, _values(plain), strict=True)]
    return CollisionPolytope.from_layer(layer.weight, bias, at.entered, domain=domain)


def _values(polytope: CollisionPolytope) -> tuple[Fraction, ...]:
    return relu_layer(polytope.layer).pre_activations
