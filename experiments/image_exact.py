"""What is known exactly of the layer: its sizes, and the set the found points are put into?"""

from typing import Any

import torch
from torch import Tensor, nn

from experiments.image_measures import Aim
from experiments.image_probe import Probe
from experiments.image_setting import Setting
from polytope import CollisionPolytope, Free, Nonnegative


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


def layer_polytope(setting: Setting, probe: Probe) -> tuple[CollisionPolytope | None, str]:
    """Returns the target's exact collision polytope in the layer's input space, or why not.

    The target is what enters the layer in the float run, taken exactly.  The domain is x >= 0 where
    that holds for the target, so that leaving it is seen; it decides nothing else here.
    """
    if not setting.options.exact:
        return None, "left out on request"
    module = setting.model.get_submodule(setting.layer)
    if not isinstance(module, nn.Linear):
        return None, "exact residuals of this kind of layer are not built here"
    entered = probe.look(torch.from_numpy(setting.target.pixels)[None]).entered
    assert entered is not None
    target = entered[0].flatten()
    bias = torch.zeros(len(module.weight)) if module.bias is None else module.bias.cpu()
    polytope = CollisionPolytope.from_layer(
        module.weight.cpu(),
        bias,
        target,
        domain=Nonnegative() if bool((target >= 0).all()) else Free(),
    )
    return polytope, ""
