"""What is known exactly of the layer: its sizes, and the set the found points are put into?"""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from experiments.images.setting import Setting
from experiments.measure.judged import Aim
from experiments.measure.probe import Probe
from optimize import ExactLayer, exact_layer
from polytope import CollisionPolytope, Free, Nonnegative
from polytope.errors import LimitError


def layer_entry(aim: Aim, entered: Tensor) -> dict[str, Any]:
    """Returns sizes of a layer and its target's set, counted from the float run.

    Args:
        aim: the target's pre-activations.
        entered: (1, *layer input).
    """
    units, active, inputs = len(aim.pre), int(aim.active.sum()), entered[0].numel()
    return {
        "n_inputs": inputs,
        "input_shape": list(entered.shape[1:]),
        "n_units": units,
        "n_positive": active,
        "paper_bound": inputs - active,
        "halfspaces": units - active,
        "zeros": int((aim.pre == 0).sum()),
        "least_lines": max(inputs - units, 0),
        "entered_nonnegative": bool((entered >= 0).all()),
    }


def exact_target(setting: Setting, probe: Probe) -> tuple[ExactLayer | None, Any, str]:
    """Returns the exact layer and what enters it at the target, (d,) float32; or None and why not.

    The target is what enters the layer in the float run, taken exactly.
    """
    if not setting.options.exact:
        return None, None, "not asked for here"
    try:
        layer = exact_layer(setting.model, setting.layer, setting.target.pixels.shape)
    except LimitError as problem:
        return None, None, str(problem)
    entered = probe.look(torch.from_numpy(setting.target.pixels)[None]).entered
    assert entered is not None
    return layer, entered[0].flatten().numpy(), ""


def polytope_of(layer: ExactLayer, target: NDArray[np.float32]) -> CollisionPolytope:
    """Returns the target's collision polytope in the layer's input space.

    The domain is x >= 0 where that holds for the target, so that leaving it is seen.
    """
    domain = Nonnegative() if bool((target >= 0).all()) else Free()
    return CollisionPolytope.from_layer(layer.weight, layer.bias, target, domain=domain)


def exact_entries(
    polytope: CollisionPolytope, entered: NDArray[np.float32]
) -> list[dict[str, Any]]:
    """Returns how far found points are from colliding, exactly, and which signs differ.

    Args:
        polytope: in the layer's input space.
        entered: (k, d) what enters the layer at the points, as the float run stores it.
    """
    active = set(polytope.active_units)
    entries = []
    for point in entered:
        found = polytope.residuals(point)
        fires = {unit for unit, value in enumerate(found.pre_activation) if value > 0}
        entries.append(
            {
                "exact": found.smallest_tolerance == 0 and found.worst_domain == 0,
                "exact_tolerance": found.smallest_tolerance,
                "worst_equality": found.worst_equality,
                "worst_inactive": found.worst_inactive,
                "worst_domain": found.worst_domain,
                "newly_active": len(fires - active),
                "newly_inactive": len(active - fires),
            }
        )
    return entries
