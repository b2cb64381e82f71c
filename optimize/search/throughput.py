"""How much does one batch gain?  Vertex-steps per second, all at once and one at a time."""

import time
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from optimize.model.execution import Execution, strict_float32
from optimize.model.layers import LayerReader
from optimize.search.inputs import Bounds, Units, read_layer, read_request
from optimize.search.objective import Objective
from optimize.search.optimizers import Method
from optimize.search.setup import build_problem, choose_method, read_device
from polytope.errors import InputError
from polytope.exact.brief import Brief


@dataclass(frozen=True, kw_only=True, repr=False)
class Throughput(Brief):
    """Vertex-steps per second of one method, from one run.

    Attributes:
        vertices: V, how many were searched at once.
        steps: steps timed.
        batched: V * steps / seconds of the batch.
        one_at_a_time: steps / seconds of the same code on one vertex after the other.
        at_once: vertices that one pass through a general model held; None for a first layer.
        flops: floating-point operations of one step of one vertex through a general model, forward
            and backward, products and convolutions only; None for a first layer.
        peak_bytes: most memory allocated on a CUDA device during the batch, else None.
    """

    vertices: int
    steps: int
    batched: float
    one_at_a_time: float
    at_once: int | None = None
    flops: int | None = None
    peak_bytes: int | None = None

    @property
    def ratio(self) -> float:
        """What the batch gains over the same code on one vertex."""
        return self.batched / self.one_at_a_time


def measure_throughput(
    model: nn.Module,
    layer: str,
    target: Any,
    *,
    units: Units = 5,
    objective: Objective | None = None,
    bounds: Bounds = (0.0, 1.0),
    optimizer: str | Method = "auto",
    steps: int = 100,
    singles: int = 5,
    device: str = "auto",
    execution: Execution | None = None,
) -> Throughput:
    """Time `steps` steps of all vertices in one batch, and of the first `singles` one by one.

    Set-up is not timed, and each form first runs a few steps to warm up.  Ours.

    `execution` is as for `find_vertices`, and applies to both forms.

    Raises:
        InputError: as for `find_vertices`; or `steps` or `singles` is below 1.
    """
    for name, value in (("steps", steps), ("singles", singles)):
        if value < 1:
            raise InputError(f"{name}: expected at least 1, got {value!r}")
    reader = read_layer(model, layer, target, device=read_device(device))
    request = read_request(reader, target, bounds)
    problem, _, owners = build_problem(
        reader, request, objective or Objective(), units=units, execution=execution
    )
    method = choose_method(optimizer, problem)
    points = request.targets.flatten(1)[owners]

    def seconds(index: torch.Tensor) -> float:
        part = problem.take(index)
        state = method.begin(part, points[index].to(part.pattern.target_pre.dtype))
        method.advance(part, state, 3)
        if reader.device.type == "cuda":
            torch.cuda.synchronize(reader.device)
        began = time.perf_counter()
        method.advance(part, state, steps)
        if reader.device.type == "cuda":
            torch.cuda.synchronize(reader.device)
        return time.perf_counter() - began

    everyone = torch.arange(len(points), device=reader.device)
    first = [everyone[each : each + 1] for each in range(min(singles, len(points)))]
    cuda = reader.device.type == "cuda"
    with strict_float32(reader.device):
        if cuda:
            torch.cuda.reset_peak_memory_stats(reader.device)
        together = seconds(everyone)
        peak = torch.cuda.max_memory_allocated(reader.device) if cuda else None
        alone = sum(seconds(each) for each in first)
        flops = None if problem.affine else _flops(reader, request.targets[:1])
    return Throughput(
        vertices=len(points),
        steps=steps,
        batched=len(points) * steps / together,
        one_at_a_time=len(first) * steps / alone,
        at_once=None if problem.affine else min(len(points), reader.at_once or len(points)),
        flops=flops,
        peak_bytes=peak,
    )


def _flops(reader: LayerReader, one: torch.Tensor) -> int:
    """Operations of a forward and a backward pass of one input (1, *input), counted by torch."""
    leaf = one.detach().clone().requires_grad_(True)
    with torch.enable_grad(), FlopCounterMode(display=False) as counter:
        # The counter cannot follow a leaf that enters a module itself.
        torch.autograd.grad(reader.pre_activation(leaf * 1).sum(), leaf)
    return int(counter.get_total_flops())
