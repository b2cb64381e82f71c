"""Are the exact numbers those of the model?  Evaluated in float64 they must give its own values."""

import numpy as np
import torch

from optimize.exact.stored import AffineMap
from optimize.model.checks import expect_equal
from optimize.model.opened import OpenedLayer
from polytope.network.graph import Affine, Concat, Maximum, Network, Relu


def check_network(network: Network, layer: OpenedLayer) -> None:
    """Compare the exact network, evaluated in float64, with the model's own pre-activation.

    Raises:
        InputError: they differ by more than rounding explains.
    """
    point = layer.passed.inputs.double().reshape(-1).cpu().numpy()
    _expect(float_values(network, point), layer)


def check_affine(affine: AffineMap, layer: OpenedLayer) -> None:
    """The same for the affine map of one layer, at what enters it."""
    point = layer.passed.entered.double().reshape(-1).cpu().numpy()
    _expect(affine.weight.float_product(point) + affine.bias.approx, layer)


def _expect(found: np.ndarray, layer: OpenedLayer) -> None:
    wanted = layer.passed.pre
    expect_equal(torch.from_numpy(found).to(wanted).reshape(wanted.shape), wanted, layer.call.name)


def float_values(network: Network, point: np.ndarray) -> np.ndarray:
    """The network's last vector at a flat float64 point, in float64."""
    held = [point]
    for node in network.nodes:
        if isinstance(node, Affine):
            held.append(node.weight.float_product(held[node.source]) + node.bias.approx)
        elif isinstance(node, Relu):
            held.append(np.maximum(held[node.source], 0))
        elif isinstance(node, Maximum):
            padded = np.append(held[node.source], -np.inf)
            held.append(padded[node.windows].max(1))
        elif isinstance(node, Concat):
            held.append(np.concatenate([held[source] for source in node.sources]))
        else:
            held.append(np.sum([held[source] for source in node.sources], axis=0))
    return held[-1]
