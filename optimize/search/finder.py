"""How is a vertex searched?  `find_vertices`: checks, the problem, the run, the measured result."""

import hashlib
import math
import time
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from optimize.model.execution import Execution, strict_float32
from optimize.model.layers import LayerReader
from optimize.model.opened import OpenedNetwork
from optimize.search.inputs import (
    Bounds,
    Request,
    Units,
    read_layer,
    read_request,
    read_start,
)
from optimize.search.objective import Objective
from optimize.search.optimizers import Method
from optimize.search.result import History, VertexSearch
from optimize.search.run import Keeping, Run, Watch, measure
from optimize.search.setup import Vertices, add_noise, build_problem, choose_method, read_device
from optimize.search.stopping import Stopping
from polytope.errors import InputError


def find_vertices(
    model: nn.Module | OpenedNetwork,
    layer: str,
    target: Any,
    *,
    start: Any = "target",
    units: Units | Tensor = 5,
    objective: Objective | None = None,
    bounds: Bounds = (0.0, 1.0),
    optimizer: str | Method = "auto",
    stopping: Stopping | None = None,
    batched: bool | None = None,
    noise: float = 0.0,
    seed: int = 0,
    device: str = "auto",
    execution: Execution | None = None,
    checkpoint: str | Path | None = None,
    checkpoint_every: int = 1000,
    history_every: int | None = None,
    watch: Watch | None = None,
    progress: bool | None = None,
) -> VertexSearch:
    """Search relaxed vertices of the collision polytopes of a batch of targets, all at once.

    For each target and each of its units i, minimises eq. 1 of Li, Zhang & Malik 2019 over the
    inputs within `bounds`, or the constrained problem that eq. 1 relaxes: **the default optimiser
    with others="hinge" solves the constrained problem** (minimise the pre-activation of unit i over
    the polytope itself), because the penalty form with the hinge is biased.  Defaults:

        layer             others="absolute"             others="hinge"
        first Linear      "splitting": eq. 1            "splitting": constrained, with a duality gap
        any other         "adam": eq. 1                 "augmented": constrained

    "authors" (their momentum form) and "adam" always minimise eq. 1 as it stands;
    Splitting(constrained=False) does so with the hinge in a first layer.

    Args:
        model: a torch module; it is copied, never changed, and run in evaluation mode.
        layer: name of a layer whose output goes into a ReLU, as `relu_layers` lists it.
        target: one input (*input,) or a batch (T, *input), rounded to the model's floating type.
        start: "target", one input, or one per target; every unit starts there.
        units: how many (the first inactive ones of each target, the paper's choice), a list for
            all targets, or one list of equal length per target.
        objective: eq. 1's alpha and penalty; None for Objective().
        bounds: (lower, upper), numbers, arrays of the input's shape, or None for no bound; points
            are projected onto them at every step.
        optimizer: "auto", "splitting", "adam", "augmented", "authors", or one of these classes
            with options.
        stopping: limits; None for Stopping().
        batched: says whether `target` is a batch where its shape does not tell.
        noise: standard deviation of Gaussian noise on the starts, projected onto the bounds.
        seed: of that noise, drawn on the CPU so that it is the same on every device.
        device: "auto" (CUDA where present), "cpu", "cuda", "cuda:1", ...
        execution: precision, compiling, layout and memory of a general model's steps; None for
            Execution().
        checkpoint: folder to save to, and to resume from when it holds this very search (limits of
            steps and time may differ).
        checkpoint_every: steps between saves; the end is always saved.
        history_every: steps between history entries, a multiple of `check_every`; None for every
            check.
        watch: called with the step and a copy of the points (V, D), at the start of this call and
            at every check (`Stopping.check_every` steps apart); where it returns True the search
            ends, and what still ran is STOPPED.  A checkpoint keeps nothing of it.
        progress: None shows a bar on stderr when that is a terminal.

    Returns:
        T x U vertices in the order target by target.

    Raises:
        InputError: any argument that is not as described (ShapeError, NonFiniteError, DomainError,
            UnitError are kinds of it), before any step is taken; or, at the end, a point is found
            for which a model whose steps depend on the data takes other ones than at the target.
        OutputError: the checkpoint folder cannot be written.

    Example: in p = (x - 1/2, y - 1/4), the target (1, 0) holds x = 1; unit 1 is lowest at y = 0.

        >>> import torch
        >>> net = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.ReLU())
        >>> _ = net[0].weight.data.copy_(torch.eye(2))
        >>> _ = net[0].bias.data.copy_(torch.tensor([-0.5, -0.25]))
        >>> found = find_vertices(
        ...     net, "0", [1.0, 0.125], units=[1], objective=Objective(others="hinge"), device="cpu"
        ... )
        >>> [round(v, 3) for v in found.points[0].tolist()], round(found.pre_activation.item(), 3)
        ([1.0, 0.0], -0.25)
    """
    began = time.monotonic()
    objective = Objective() if objective is None else objective
    stopping = Stopping() if stopping is None else stopping
    history_every = stopping.check_every if history_every is None else history_every
    _check_options(noise, seed, checkpoint_every, history_every, stopping)
    reader = read_layer(model, layer, target, batched=batched, device=read_device(device))
    with strict_float32(reader.device):
        request = read_request(reader, target, bounds, batched=batched)
        start_points = read_start(reader, start, request)
        vertices = build_problem(reader, request, objective, units=units, execution=execution)
        problem = vertices.problem
        method = choose_method(optimizer, problem)
        like = problem.pattern.target_pre
        begun = start_points[vertices.owners].to(like.dtype)
        points = problem.project(add_noise(begun, noise, seed))
        rule = (stopping.check_every, stopping.plateau_tolerance, stopping.patience)
        settings = repr((reader.name, objective, method, problem.execution, rule))
        print_of = _fingerprint(reader, request, points, vertices.units, settings)
        folder = None if checkpoint is None else Path(checkpoint)
        run = Run(
            problem,
            method,
            stopping=stopping,
            keeping=Keeping(folder, print_of, checkpoint_every, history_every, progress, watch),
        )
        run.begin(points)
        run.go()
        return _result(run, request, vertices, method, began)


def _check_options(
    noise: float, seed: int, checkpoint_every: int, history_every: int, stopping: Stopping
) -> None:
    if not (math.isfinite(noise) and noise >= 0):
        raise InputError(f"noise: expected a finite number >= 0, got {noise!r}")
    if not isinstance(seed, int) or not 0 <= seed < 2**63:
        raise InputError(f"seed: expected a whole number from 0 to 2**63 - 1, got {seed!r}")
    if checkpoint_every < 1:
        raise InputError(f"checkpoint_every: expected at least 1, got {checkpoint_every!r}")
    if history_every < 1 or history_every % stopping.check_every:
        raise InputError(
            f"history_every: expected a multiple of check_every = {stopping.check_every}, "
            f"got {history_every!r}"
        )


def _fingerprint(
    reader: LayerReader, request: Request, points: Tensor, units: Tensor, settings: str
) -> str:
    """SHA-256 of all that decides the steps: everything but the limits of steps and time."""
    digest = hashlib.sha256(settings.encode())
    tensors = [request.targets, request.lower, request.upper, points, units]
    tensors += list(reader.model.state_dict().values())
    for tensor in tensors:
        flat = tensor.detach().cpu().contiguous()
        digest.update(repr((tuple(flat.shape), str(flat.dtype))).encode())
        digest.update(flat.reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def _round_inside(points: Tensor, dtype: torch.dtype, request: Request) -> Tensor:
    """Points (V, D) in the model's floating type, stepped back where rounding left the bounds."""
    rounded = points.to(dtype)
    infinity = torch.tensor(torch.inf, dtype=dtype, device=points.device)
    below = rounded.double() < request.lower
    rounded = torch.where(below, torch.nextafter(rounded, infinity), rounded)
    above = rounded.double() > request.upper
    return torch.where(above, torch.nextafter(rounded, -infinity), rounded)


def _result(
    run: Run, request: Request, vertices: Vertices, method: Method, began: float
) -> VertexSearch:
    """Measure the rounded points and gather everything on the CPU."""
    reader = run.whole.reader
    points = _round_inside(run.points, reader.dtype, request)
    values = measure(run.whole, points.to(run.points.dtype)).cpu()
    shaped = points.view(-1, *request.shape)
    reader.confirm(shaped)
    return VertexSearch(
        points=shaped.cpu(),
        layer_inputs=reader.layer_inputs(shaped).cpu(),
        units=vertices.units.cpu(),
        targets=vertices.owners.cpu(),
        objective=values[0],
        pre_activation=values[1],
        equality_residual=values[2],
        violation=values[3],
        status=run.statuses(),
        steps=run.steps.cpu(),
        gap=run.gap.cpu(),
        lower_bound=run.bound.cpu(),
        history=History(**run.traces()),
        form=run.whole.objective,
        method=repr(method),
        seconds=time.monotonic() - began,
    )
