"""Which number does torch take for a constant of a step?  Exactly, one for each entry."""

from typing import Any

import numpy as np
import torch
from torch import Tensor, fx

from optimize.exact.stored import Scaling, objects, same_scale, scaling_of, stored
from optimize.model.operations import Combine, Norm
from optimize.model.reading import read_operation
from optimize.model.steps import Run
from optimize.model.trace import Trace


def entries(
    value: Any, run: Run, shape: tuple[int, ...], words: str, *, sign: str = "+"
) -> np.ndarray:
    """A constant spread over a tensor (1, ...), as Fractions (n,).

    Args:
        value: a tensor, a number or the step that computes one.
        run: of the model.
        shape: of the tensor, the batch axis included.
        words: what it is, for errors.
        sign: of the arithmetic.
    """
    number = run.values[value] if isinstance(value, fx.Node) else value
    if not isinstance(number, Tensor):
        # A number is taken as torch takes it beside a float tensor: rounded to its type, or to
        # float32 where it multiplies a tensor of a shorter one.
        short = torch.finfo(run.dtype).bits < 32 and sign in "*/"
        number = torch.as_tensor(number, dtype=torch.float32 if short else run.dtype)
    exact = stored(number, words)
    places_of = torch.arange(exact.data.size).view(number.shape).expand(shape).reshape(-1)
    found: np.ndarray = objects(exact.fractions())[places_of.numpy()]
    return found


def folded_scaling(node: fx.Node, traced: Trace, run: Run) -> Scaling:
    """What a step that is folded into a layer does to each entry: a BatchNorm, a constant added."""
    operation, shape = read_operation(node, traced), run.shapes[node]
    if isinstance(operation, Norm):
        scaling = scaling_of(operation, traced, shape[1])
        form = (1, -1, *[1] * (len(shape) - 2))
        channel = np.broadcast_to(np.arange(shape[1]).reshape(form), shape).reshape(-1)
        return Scaling(scaling.scale[channel], scaling.shift[channel])
    assert isinstance(operation, Combine)
    sides = (operation.left, operation.right)
    (given,) = [s for s in sides if not (isinstance(s, fx.Node) and s in traced.varying)]
    numbers = entries(given, run, shape, f"constant of step {node.name!r}")
    return same_scale(1, -numbers if operation.sign == "-" else numbers)
