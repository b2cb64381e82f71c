"""What does one input make of the steps of a model?  They are run one by one, and watched.

A step that changes a tensor in place, in a way that tracing did not see, is found here and refused.
"""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor, fx, nn

from optimize.model.trace import Trace
from polytope.errors import InputError, ShapeError


@dataclass(frozen=True, eq=False)
class Run:
    """What one input made of the steps.

    Attributes:
        shapes: step -> shape of its tensor, the batch axis of length 1 included.
        parts: step -> shapes of its tensors, where it has several.
        values: step -> its value where that does not depend on the input's entries.
        dtype: of the input.
        alone: whether all numbers of every step are the one input's, wherever its batch axis went.
    """

    shapes: dict[fx.Node, tuple[int, ...]]
    parts: dict[fx.Node, list[tuple[int, ...]]]
    values: dict[fx.Node, Any]
    dtype: torch.dtype
    alone: bool = False

    def one(self, node: fx.Node, words: str) -> tuple[int, ...]:
        """The shape that a step gives one input, without the batch axis.

        Raises:
            InputError: there is no batch axis of length 1 in front.
        """
        shape = self.shapes[node]
        if self.alone and shape[:1] != (1,):
            return shape
        return one_input(shape, words)

    def note(self, node: fx.Node, result: Any, *, varies: bool) -> None:
        """Keep what a step gave."""
        if isinstance(result, Tensor):
            self.shapes[node] = tuple(result.shape)
        elif isinstance(result, tuple | list) and any(isinstance(each, Tensor) for each in result):
            self.parts[node] = [tuple(each.shape) for each in result if isinstance(each, Tensor)]
        if not varies:
            self.values[node] = result


class _Last(Exception):
    """The last step that is asked for has been taken; never leaves this module."""


class _Recorder(fx.Interpreter):
    """Runs the steps in order, and refuses one that changes a tensor made before it."""

    def __init__(self, traced: Trace, dtype: torch.dtype, last: fx.Node | None) -> None:
        super().__init__(traced.root, garbage_collect_values=False, graph=traced.graph)
        self.extra_traceback = False  # it would be written into the messages of errors
        self.traced, self.record, self.last = traced, Run({}, {}, {}, dtype), last

    def run_node(self, n: fx.Node) -> Any:
        before = [
            (each, value, value._version)
            for each, value in self.env.items()
            if isinstance(value, Tensor)
        ]
        result = super().run_node(n)
        for each, value, version in before:
            # Views share the counter of what they are views of.
            if value._version != version:
                raise InputError(
                    f"model: expected a forward pass of functional steps, got step {n.name!r}, "
                    f"which changes {each.name!r} in place"
                )
        self.record.note(n, result, varies=n in self.traced.varying)
        if n is self.last:
            raise _Last
        return result


def run_steps(traced: Trace, inputs: Tensor, *, last: fx.Node | None = None) -> Run:
    """Run the model, or its steps up to `last`, on inputs (n, *input).

    Raises:
        InputError: a step changes a tensor in place in a way that was not seen before.
    """
    if traced.recorded is not None:
        return _of_recording(traced)
    recorder = _Recorder(traced, inputs.dtype, last)
    with torch.no_grad(), contextlib.suppress(_Last):
        recorder.run(inputs.clone())
    return recorder.record


def _of_recording(traced: Trace) -> Run:
    """What the run of a recording made of its steps: all of them have been taken."""
    assert traced.recorded is not None
    run = Run({}, {}, {}, traced.recorded.inputs.dtype, alone=True)
    for node in traced.graph.nodes:
        if node.op == "get_attr":
            run.note(node, attrgetter(str(node.target))(traced.root), varies=False)
    for node, result in traced.recorded.tensors.items():
        run.note(node, result, varies=node in traced.varying)
    return run


def example_input(traced: Trace, example: Any) -> Tensor:
    """One random input (1, *input) of the shape of `example`, of the model's type and device.

    Of a recording, the input that it was made at.
    """
    shape = example_shape(example)
    if traced.recorded is not None:
        return traced.recorded.inputs
    return random_input(traced.root, shape)


def random_input(model: nn.Module, shape: tuple[int, ...]) -> Tensor:
    """One random input (1, *input), of the model's type and device."""
    like = next((each for each in model.parameters() if each.is_floating_point()), None)
    drawn = torch.randn((1, *shape), generator=torch.Generator().manual_seed(0))
    return drawn.to(torch.get_default_dtype()) if like is None else drawn.to(like)


def run_example(traced: Trace, example: Any, *, last: fx.Node | None = None) -> Run:
    """Run the model, or its steps up to `last`, on one random input of the shape of `example`.

    Args:
        traced: the model.
        example: one input (*input,), an array or a tensor, or its shape as a tuple of ints.
        last: the last step to be taken; None for all.

    Raises:
        ShapeError: the model does not take an input of that shape.
        InputError: `example` is neither an array nor a shape, or a step works in place.
    """
    inputs = example_input(traced, example)
    return taken(lambda: run_steps(traced, inputs, last=last), inputs)


_Result = TypeVar("_Result")
#: What a forward pass raises where its input is not what it takes.
_RAISED = (RuntimeError, ValueError, LookupError, TypeError, AssertionError, AttributeError)


def taken(run: Callable[[], _Result], inputs: Tensor) -> _Result:
    """What running a model on inputs (1, *input) gives; whatever it raises is one sentence.

    Raises:
        ShapeError: the model does not take them.
    """
    try:
        return run()
    except InputError:
        raise
    except _RAISED as problem:
        reason = (str(problem).strip() or type(problem).__name__).splitlines()[0]
        raise ShapeError(
            f"example: expected one input of the model or its shape, got shape "
            f"{tuple(inputs.shape[1:])} ({reason})"
        ) from problem


def one_input(shape: tuple[int, ...], words: str) -> tuple[int, ...]:
    """The shape of one input, of a step's whole shape (1, ...).

    Raises:
        InputError: there is no batch axis of length 1 in front.
    """
    if len(shape) < 2 or shape[0] != 1:
        raise InputError(
            f"model: expected steps that keep the batch axis in front, got shape {shape} from a "
            f"batch of one at {words}"
        )
    return shape[1:]


def example_point(model: nn.Module, example: Any) -> Tensor:
    """The example itself as a batch of one, (1, *input), in the model's type; random for a shape.

    Raises:
        InputError: it is neither an array nor a shape.
    """
    shape = example_shape(example)
    drawn = random_input(model, shape)
    if isinstance(example, Tensor):
        return example.detach().to(drawn)[None]
    if isinstance(example, tuple | list) and example and all(type(n) is int for n in example):
        return drawn
    return torch.as_tensor(np.asarray(example, dtype=np.float64)).to(drawn)[None]


def example_shape(example: Any) -> tuple[int, ...]:
    """The shape of one input, from such an input or from the shape itself."""
    if isinstance(example, tuple | list) and example and all(type(n) is int for n in example):
        if min(example) < 1:
            raise InputError(f"example: expected positive lengths, got {tuple(example)}")
        return tuple(example)
    if hasattr(example, "shape"):
        return tuple(int(n) for n in example.shape)
    try:
        return tuple(np.asarray(example, dtype=np.float64).shape)
    except (TypeError, ValueError):
        raise InputError(
            f"example: expected one input of the model or its shape, got {type(example).__name__}"
        ) from None


def probe(node: fx.Node, traced: Trace, run: Run, *, tensors: Callable[[fx.Node], Tensor]) -> Any:
    """Do one step again on other tensors: each varying tensor argument as `tensors` gives it."""

    def argument(each: fx.Node) -> Any:
        return run.values[each] if each in run.values else tensors(each)

    args = fx.node.map_arg(node.args, argument)
    kwargs = fx.node.map_arg(node.kwargs, argument)
    if node.op == "call_module":
        return traced.module(node)(*args, **kwargs)
    if node.op == "call_method":
        return getattr(args[0], str(node.target))(*args[1:], **kwargs)
    assert callable(node.target)
    return node.target(*args, **kwargs)
