"""How does a checked request become a problem and a method?  Device, pattern, optimiser, starts."""

from typing import NamedTuple

import torch
from torch import Tensor

from optimize.model.execution import Execution
from optimize.model.layers import LayerReader
from optimize.search.inputs import Request, Units, read_units
from optimize.search.objective import Objective, Pattern
from optimize.search.optimizers import Adam, AugmentedLagrangian, Authors, Method
from optimize.search.problem import Problem
from optimize.search.splitting import Splitting
from polytope.errors import InputError

_METHODS: dict[str, type[Authors | Adam | AugmentedLagrangian | Splitting]] = {
    "authors": Authors,
    "adam": Adam,
    "augmented": AugmentedLagrangian,
    "splitting": Splitting,
}


def read_device(name: str) -> torch.device:
    """The device by name; "auto" is CUDA where present."""
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except (RuntimeError, TypeError) as problem:
        raise InputError(f"device: expected 'auto', 'cpu' or 'cuda', got {name!r}") from problem
    if device.type == "cuda" and not torch.cuda.is_available():
        raise InputError(f"device: expected a device of this machine, got {name!r} without CUDA")
    return device


class Vertices(NamedTuple):
    """The problem of V vertices, the unit and the target of each (V,)."""

    problem: Problem
    units: Tensor
    owners: Tensor


def build_problem(
    reader: LayerReader,
    request: Request,
    objective: Objective,
    *,
    units: Units | Tensor,
    execution: Execution | None = None,
) -> Vertices:
    """The problem of all vertices; readies the reader."""
    execution = Execution() if execution is None else execution
    affine = reader.is_first_layer(request.targets[:2])
    if not affine:
        reader.prepare(execution, request.targets[:1])
    weight, bias = reader.affine_map() if affine else (None, None)
    with torch.no_grad():
        if weight is not None and bias is not None:
            target_pre = torch.addmm(bias, request.targets.flatten(1).double(), weight.T)
        else:
            target_pre = reader.values(request.targets)
    table = read_units(units, target_pre)
    owners = torch.arange(len(table), device=table.device).repeat_interleave(table.shape[1])
    chosen = table.flatten()
    dtype = target_pre.dtype
    problem = Problem(
        reader=reader,
        shape=request.shape,
        pattern=Pattern.of(target_pre[owners], chosen),
        objective=objective,
        lower=request.lower.to(dtype),
        upper=request.upper.to(dtype),
        weight=weight,
        bias=bias,
        execution=execution,
    )
    return Vertices(problem, chosen, owners)


def choose_method(optimizer: str | Method, problem: Problem) -> Method:
    """The optimiser by name, or as given."""
    if not isinstance(optimizer, str):
        if not isinstance(optimizer, tuple(_METHODS.values())):
            raise InputError(
                f"optimizer: expected a name or one of our optimisers, got {optimizer!r}"
            )
        method = optimizer
    elif optimizer == "auto":
        hinge = problem.objective.others == "hinge"
        method = Splitting() if problem.affine else AugmentedLagrangian() if hinge else Adam()
    elif optimizer in _METHODS:
        method = _METHODS[optimizer]()
    else:
        known = ", ".join(repr(name) for name in ("auto", *_METHODS))
        raise InputError(f"optimizer: expected one of {known}, got {optimizer!r}")
    if isinstance(method, AugmentedLagrangian) and problem.objective.others == "absolute":
        raise InputError(
            "optimizer: 'augmented' solves the polytope's constraints, expected others='hinge', "
            "got others='absolute'"
        )
    return method


def add_noise(points: Tensor, noise: float, seed: int) -> Tensor:
    """Starts plus Gaussian noise of that standard deviation, drawn on the CPU."""
    if noise == 0:
        return points
    generator = torch.Generator().manual_seed(seed)
    drawn = torch.randn(points.shape, generator=generator, dtype=torch.float64)
    return points + noise * drawn.to(points)
