"""What is a network, opened once?  One copy and one trace, shared by all that is asked of it."""

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from optimize.model.checks import Passed, check_layer
from optimize.model.graph import LayerCall, find_call, layer_calls
from optimize.model.recording import record
from optimize.model.steps import (
    Run,
    example_input,
    example_point,
    example_shape,
    run_example,
)
from optimize.model.trace import Trace, trace
from polytope.errors import InputError


@dataclass(frozen=True, eq=False)
class OpenedLayer:
    """One layer of an opened network, for inputs of one shape.

    Attributes:
        traced: the model.
        call: the layer.
        inputs: (1, *input) one random input.
        run: what it makes of the steps up to the layer.
    """

    traced: Trace
    call: LayerCall
    inputs: Tensor
    run: Run

    @cached_property
    def passed(self) -> Passed:
        """What it gives at the layer, in the graph and, up to rounding, in the model itself.

        Raises:
            InputError: the graph is not what the model computes.
        """
        return check_layer(self.traced, self.call, self.inputs)

    @property
    def source_shapes(self) -> tuple[tuple[int, ...], ...]:
        """Of what enters the layer, one for each source, without the batch axis."""
        words = f"the input of {self.call.name!r}"
        return tuple(self.run.one(each, words) for each in self.call.sources)

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Of one input of the layer, without the batch axis; flat where several enter."""
        return entered_shape(self.source_shapes)

    @property
    def output_shape(self) -> tuple[int, ...]:
        """Of one output of it, before a BatchNorm that is folded."""
        return self.run.one(self.call.node, f"layer {self.call.name!r}")


def entered_shape(shapes: Sequence[tuple[int, ...]]) -> tuple[int, ...]:
    """The shape of what enters a layer, flat where it comes from several steps."""
    return shapes[0] if len(shapes) == 1 else (sum(math.prod(each) for each in shapes),)


class OpenedNetwork:
    """A model that is copied and traced once; what takes a model takes this instead.

    The caller's model is never changed, and what is done to it later is not seen here.  It is read
    in evaluation mode.  A model that symbols cannot trace is opened all the same: where an example
    of its input is given, its steps are recorded there; everything else raises what tracing said.

    Raises:
        InputError: `model` is no module.

    Example:
        >>> from torch import Tensor, nn
        >>> from optimize import exact_layer, relu_layers
        >>> opened = OpenedNetwork(nn.Sequential(nn.Linear(4, 3), nn.ReLU()))
        >>> [layer.name for layer in relu_layers(opened, (4,))]
        ['0']
        >>> exact_layer(opened, "0", (4,)).weight.shape
        (3, 4)
    """

    def __init__(self, model: nn.Module) -> None:
        """Copy and trace `model`."""
        if not isinstance(model, nn.Module):
            raise InputError(f"model: expected a torch.nn.Module, got {type(model).__name__}")
        #: The caller's model, kept only where it cannot be traced.
        self.untraced: nn.Module | None = None
        self._problem: InputError | None = None
        self._traces: dict[Hashable, Trace] = {}
        self._runs: dict[Hashable, Run] = {}
        self._layers: dict[Hashable, OpenedLayer] = {}
        try:
            self._traces[None] = trace(model)
        except InputError as problem:
            self.untraced, self._problem = model, problem

    @classmethod
    def of(cls, model: "nn.Module | OpenedNetwork") -> "OpenedNetwork":
        """The opened network of a model; one that is opened already is given back."""
        return model if isinstance(model, OpenedNetwork) else cls(model)

    @property
    def traced(self) -> Trace:
        """The model's steps.

        Raises:
            InputError: it cannot be traced.
        """
        if self._problem is not None:
            raise self._problem
        return self._traces[None]

    def at(self, example: Any = None, device: torch.device | None = None) -> Trace:
        """The model's steps; where symbols cannot trace them, those at an example.

        Args:
            example: one input (*input,), or its shape; None raises where it would be needed.
            device: on which the weights are to lie.

        Raises:
            InputError: the model can be read at an example only, or takes no such input.
        """
        if self.untraced is None or example is None:
            return self.traced if device is None else self.on(device)
        key = _key(example)
        if key not in self._traces:
            shape = ("recorded", example_shape(example))
            if shape not in self._traces:
                found = record(self.untraced, example_point(self.untraced, example))
                # Without decisions on the data the steps are those of every input of this shape.
                self._traces[key if found.recorded and found.recorded.decisions else shape] = found
            self._traces[key] = self._traces.get(key) or self._traces[shape]
        if device is None:
            return self._traces[key]
        if (key, device) not in self._traces:
            self._traces[key, device] = self._traces[key].on(device)
        return self._traces[key, device]

    def on(self, device: torch.device) -> Trace:
        """The same steps with the weights on a device.

        Raises:
            InputError: the model cannot be traced.
        """
        if device not in self._traces:
            self._traces[device] = self.traced.on(device)
        return self._traces[device]

    @cached_property
    def calls(self) -> tuple[LayerCall, ...]:
        """Every call of a layer, in order of execution.

        Raises:
            InputError: the model cannot be traced.
        """
        return layer_calls(self.traced)

    def calls_at(self, example: Any = None) -> tuple[LayerCall, ...]:
        """The same, of a model that can be read at an example only as well.

        Raises:
            InputError: as `at`.
        """
        return self.calls if self.untraced is None else layer_calls(self.at(example))

    def run(self, example: Any) -> Run:
        """What one random input makes of the steps up to the last layer in front of a ReLU.

        Without such a layer, up to the last of all layers: what is behind need not run.

        Args:
            example: one input (*input,), or its shape.

        Raises:
            InputError: the model takes no such input.
        """
        traced = self.at(example)
        key = traced, example_shape(example)
        if key not in self._runs:
            calls = self.calls_at(example)
            asked = [each.pre_activation for each in calls if not each.reason]
            # One that depends on a batch's statistics does not run on a batch of one.
            asked = asked or [each.node for each in calls if not each.of_batch] or [traced.source]
            last = [node for node in traced.graph.nodes if node in asked][-1]
            self._runs[key] = run_example(traced, example, last=last)
        return self._runs[key]

    def layer(self, name: str, example: Any) -> OpenedLayer:
        """A layer in front of a ReLU, or the model's output.

        Args:
            name: as `relu_layers` lists it.
            example: one input (*input,) of the model, or its shape.

        Raises:
            InputError: there is no such layer, or the model takes no such input.
        """
        traced, shape = self.at(example), example_shape(example)
        if (name, traced, shape) not in self._layers:
            call = find_call(traced, name)
            run = self._runs.get((traced, shape))
            if run is None or call.pre_activation not in run.shapes:
                run = run_example(traced, example, last=call.pre_activation)
            inputs = example_input(traced, example)
            self._layers[name, traced, shape] = OpenedLayer(traced, call, inputs, run)
        return self._layers[name, traced, shape]


def _key(example: Any) -> Hashable:
    """Which example: its shape, or the numbers of an input."""
    shape = example_shape(example)
    if isinstance(example, tuple | list) and all(type(n) is int for n in example):
        return "recorded", shape
    if isinstance(example, Tensor):
        example = example.detach().cpu().double().numpy()
    return "at", shape, np.asarray(example, dtype=np.float64).tobytes()
