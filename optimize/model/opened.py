"""What is a network, opened once?  One copy and one trace, shared by all that is asked of it."""

from collections.abc import Hashable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor, nn

from optimize.model.checks import Passed, check_layer
from optimize.model.graph import LayerCall, find_call, layer_calls
from optimize.model.steps import Run, example_input, example_shape, one_input, run_example
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
    def input_shape(self) -> tuple[int, ...]:
        """Of one input of the layer, without the batch axis."""
        return one_input(self.run.shapes[self.call.source], f"the input of {self.call.name!r}")

    @property
    def output_shape(self) -> tuple[int, ...]:
        """Of one output of it, before a BatchNorm that is folded."""
        return one_input(self.run.shapes[self.call.node], f"layer {self.call.name!r}")


class OpenedNetwork:
    """A model that is copied and traced once; what takes a model takes this instead.

    The caller's model is never changed, and what is done to it later is not seen here.  It is read
    in evaluation mode.  A model that cannot be traced is opened all the same: `LayerReader` can
    run it, everything else raises what tracing said.

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
        """Every call of a layer, in order of execution."""
        return layer_calls(self.traced)

    def run(self, example: Any) -> Run:
        """What one random input makes of the steps up to the last layer in front of a ReLU.

        Without such a layer, up to the last of all layers: what is behind need not run.

        Args:
            example: one input (*input,), or its shape.

        Raises:
            InputError: the model cannot be traced, or takes no such input.
        """
        shape = example_shape(example)
        if shape not in self._runs:
            asked = [each.pre_activation for each in self.calls if not each.reason]
            last = (asked or [each.node for each in self.calls] or [self.traced.source])[-1]
            self._runs[shape] = run_example(self.traced, example, last=last)
        return self._runs[shape]

    def layer(self, name: str, example: Any) -> OpenedLayer:
        """A layer in front of a ReLU, or the model's output.

        Args:
            name: as `relu_layers` lists it.
            example: one input (*input,) of the model, or its shape.

        Raises:
            InputError: there is no such layer, or the model takes no such input.
        """
        traced, shape = self.traced, example_shape(example)
        if (name, shape) not in self._layers:
            call = find_call(traced, name)
            run = self._runs.get(shape) or run_example(traced, example, last=call.pre_activation)
            inputs = example_input(traced, example)
            self._layers[name, shape] = OpenedLayer(traced, call, inputs, run)
        return self._layers[name, shape]
