"""What does the search see?  V vertices as flat points, a map to pre-activations, a box.

Two forms with the same methods: the affine one (a first Linear layer; float64, one matrix product
each way) and the general one (any model; the model's own floating type, autograd).
"""

import functools
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor

from optimize.model.execution import Execution, coarse
from optimize.model.layers import LayerReader
from optimize.search.objective import Objective, Pattern
from optimize.search.products import product

Slope = Callable[[Tensor], Tensor]
"""A derivative in the pre-activations: (V, N) to (V, N)."""

# Most vertices a block: 96 x 784 float32 numbers are 0.3 MB, of which a step holds three or four.
_BLOCK = 96


@dataclass(frozen=True)
class Problem:
    """V searches over flat points (V, D) in one box.

    Attributes:
        reader: the layer inside its model.
        shape: the shape of one input, D numbers in all.
        pattern: units to hold, to clear and to push down, (V, N).
        objective: eq. 1.
        lower, upper: (D,) bounds, possibly infinite.
        weight, bias: (N, D) and (N,) in float64 where the layer is the first one, else None.
        execution: how a general model is run.
        is_coarse: whether the steps of a general model run in bfloat16.
        cache: what a method derives from the layer and the box alone, shared by `take`.
    """

    reader: LayerReader
    shape: tuple[int, ...]
    pattern: Pattern
    objective: Objective
    lower: Tensor
    upper: Tensor
    weight: Tensor | None
    bias: Tensor | None
    execution: Execution = field(default_factory=Execution)
    is_coarse: bool = False
    cache: dict[Any, Any] = field(default_factory=dict, compare=False, repr=False)

    @property
    def affine(self) -> bool:
        """Is the pre-activation an affine function of the input?"""
        return self.weight is not None

    def take(self, index: Tensor | slice) -> "Problem":
        """The problem of the vertices `index` only."""
        return replace(self, pattern=self.pattern.take(index))

    def cast(self, dtype: torch.dtype) -> "Problem":
        """The same affine problem with its numbers rounded to `dtype`."""
        assert self.weight is not None
        assert self.bias is not None
        if dtype == self.weight.dtype:
            return self
        key = ("cast", dtype)
        if key not in self.cache:
            ends = (self.lower, self.upper, self.weight, self.bias)
            self.cache[key] = [tensor.to(dtype) for tensor in ends]
        lower, upper, weight, bias = self.cache[key]
        pattern = replace(self.pattern, target_pre=self.pattern.target_pre.to(dtype))
        return replace(
            self, pattern=pattern, lower=lower, upper=upper, weight=weight, bias=bias, cache={}
        )

    def pre_activation(self, points: Tensor) -> Tensor:
        """Pre-activations (V, N) of flat points (V, D), without a graph."""
        if self.weight is not None and self.bias is not None:
            return product(points, self.weight.T, bias=self.bias)
        return self.reader.values(points.view(-1, *self.shape))

    def gradient(self, points: Tensor, slope: Slope) -> Tensor:
        """The gradient (V, D) of a function of the pre-activations with derivative `slope`."""
        if self.weight is not None:
            return product(slope(self.pre_activation(points)), self.weight)
        leaf = self.reader.laid_out(points.detach().view(-1, *self.shape)).requires_grad_(True)
        with torch.enable_grad(), coarse(self.reader.device, self.is_coarse):
            pre = self.reader.step_forward(leaf)
        towards = slope(pre.detach().to(points.dtype)).to(pre.dtype)
        (gradient,) = torch.autograd.grad(pre, leaf, towards)
        return gradient.flatten(1)

    def project(self, points: Tensor) -> Tensor:
        """The nearest points of the box: the paper's clipping."""
        return torch.clamp(points, self.lower, self.upper)

    def project_inplace(self, points: Tensor) -> Tensor:
        """The same, in the memory of `points`."""
        return torch.clamp(points, self.lower, self.upper, out=points)


def in_blocks(
    problem: Problem,
    state: dict[str, Tensor],
    names: tuple[str, ...],
    *,
    dtype: torch.dtype,
    round_of_steps: Callable[[Problem, dict[str, Tensor]], None],
    coarse_part: Tensor | None = None,
) -> None:
    """Take a round of steps on the tensors `names` of `state`, block after block of vertices.

    Vertices do not know of each other, so an affine problem may be cut into blocks whose working
    set stays in a core's cache, and may be rounded to `dtype`, in which a step costs least; what
    it found is then measured in float64.  On another device than the CPU it is one block.  A
    general problem keeps its floating type and is cut into as many vertices as memory holds;
    those of `coarse_part` (V,) run in bfloat16.
    """
    count = len(state[names[0]])
    whole = {name: state[name].clone() for name in names}

    def walk(part: slice | Tensor, is_coarse: bool = False) -> None:
        block, local = problem.take(part), {name: whole[name][part] for name in names}
        if problem.affine:
            block = block.cast(dtype)
            local = {name: tensor.to(dtype) for name, tensor in local.items()}
        elif is_coarse:
            block = replace(block, is_coarse=True)
        round_of_steps(block, local)
        for name in names:
            whole[name][part] = local[name]

    if problem.affine and problem.reader.device.type == "cpu":
        # One thread a block: they never wait for each other, unlike the threads of one product,
        # and what comes out does not depend on the number of threads.
        parts = _slices(count, _BLOCK)
        workers = max(1, min(len(parts), torch.get_num_threads()))
        if len(parts) == 1 and torch.get_num_threads() == 1:
            walk(parts[0])  # no thread is worth its start, where a caller looks at every step
            state.update(whole)
            return
        one = functools.partial(torch.set_num_threads, 1)
        with ThreadPoolExecutor(workers, initializer=one) as pool:
            list(pool.map(walk, parts))
    elif problem.affine:
        walk(slice(0, count))
    else:
        for part, is_coarse in _chunks(count, problem.reader.at_once or count, coarse_part):
            walk(part, is_coarse)
    state.update(whole)


def _slices(count: int, most: int) -> list[slice]:
    """Equal parts of at most `most` vertices."""
    parts = max(1, -(-count // most))
    ends = [count * k // parts for k in range(parts + 1)]
    return [slice(begin, end) for begin, end in pairwise(ends)]


def _chunks(
    count: int, most: int, coarse_part: Tensor | None
) -> Iterator[tuple[slice | Tensor, bool]]:
    """Parts of at most `most` vertices, each of one precision."""
    if coarse_part is None:
        yield from ((part, False) for part in _slices(count, most))
        return
    for is_coarse in (True, False):
        (index,) = torch.nonzero(coarse_part == is_coarse, as_tuple=True)
        if len(index):
            yield from ((index[part], is_coarse) for part in _slices(len(index), most))
