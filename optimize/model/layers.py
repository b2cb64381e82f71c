"""Which layer, and what does it compute?  Reads a named layer of a torch model.

The model is cut behind the layer (and the BatchNorm folded into it), so that nothing else is run.
"""

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from optimize.model.alone import EachAlone
from optimize.model.checks import check_layer, close_to, joined
from optimize.model.execution import Execution, fitting, saved_bytes
from optimize.model.folding import Fold
from optimize.model.graph import LayerCall, expect_relu, find_call
from optimize.model.opened import OpenedNetwork
from optimize.model.reading import constant
from optimize.model.recording import elsewhere
from optimize.model.steps import run_steps
from optimize.model.trace import Trace
from polytope.errors import InputError, NonFiniteError, ShapeError

_LAYERS = (nn.Linear, nn.modules.conv._ConvNd)


def layer_names(model: nn.Module) -> tuple[str, ...]:
    """The names of the Linear and convolutional layers of `model`, in the order of definition."""
    return tuple(name for name, module in model.named_modules() if isinstance(module, _LAYERS))


class LayerReader:
    """A named layer inside a private, frozen copy of the model (evaluation mode).

    Pre-activations are flattened to (n, N): N = out_features for Linear, channels x height x width
    for Conv2d.  What stands between the layer and its ReLU, a BatchNorm or constants added, is
    part of the pre-activation.  The caller's model is neither moved nor changed.

    The layer must be one of `relu_layers`, or the model's own output.  Where symbols cannot
    trace the forward pass, its steps are recorded at `example`.

    Args:
        model: the model, or an opened one.
        name: the layer, as `relu_layers` lists it.
        device: of the copy.
        example: one input (*input,), or its shape; needed only where symbols cannot trace.

    Raises:
        InputError: `model` is no module, has no such layer, uses the layer's output otherwise, or
            cannot be read without an example.
        NonFiniteError: the layer's weight or bias holds NaN or infinity.
        ShapeError: the layer has no units or no inputs, or the model takes no such example.
    """

    #: A ReLU behind the layer is always looked for.
    relu_checked = True

    def __init__(
        self,
        model: nn.Module | OpenedNetwork,
        name: str,
        device: torch.device | str = "cpu",
        *,
        example: Any = None,
    ) -> None:
        """Copy `model` to `device`, unless it is opened there, and find the layer `name` in it."""
        opened = OpenedNetwork.of(model)
        self.name = name
        self.device = torch.device(device)
        self.model: nn.Module
        self._own: Callable[..., Any]
        self._unchecked: Callable[[Tensor], object] | None = None
        #: Of the steps that enter a sum, once it was run.
        self._shapes: list[tuple[int, ...]] | None = None
        self._read_call(opened.at(example, self.device))
        self._check()
        #: Inputs that one pass without a graph takes; see `prepare`.
        self.at_once: int | None = None
        self._steps: Callable[[Tensor], Any] = self.model
        self._layout: torch.memory_format = torch.contiguous_format

    def prepare(self, execution: Execution, one: Tensor) -> None:
        """Lay out, compile, and find how many vertices fit into memory, for inputs like `one`.

        Args:
            execution: what is asked for.
            one: (1, *input).

        Raises:
            InputError: a model whose steps were recorded is to be compiled.
        """
        if execution.channels_last and not self._recorded and one.ndim == 4:
            self._layout = torch.channels_last
        self._steps = self.model
        if execution.compiled:
            if self._recorded:
                raise InputError(
                    "compiled: expected a model that can be traced, got one that cannot"
                )
            self._steps = torch.compile(self.model)
        self.at_once = execution.vertices_at_once
        if self.at_once is None:
            state = (*self.model.parameters(), *self.model.buffers())
            kept = {each.untyped_storage().data_ptr() for each in state}
            self.at_once = fitting(saved_bytes(self.pre_activation, one, kept), self.device)

    def _read_call(self, traced: Trace) -> None:
        call = find_call(traced, self.name)
        layer, node = call.weighted, call.node
        self.kind = call.kind
        self.module = traced.module(node) if node.op == "call_module" else None
        weight = constant(layer.weight, traced)
        self.weight, self.bias = self._numbers(
            weight.T if layer.transposed else weight, constant(layer.bias, traced)
        )
        self.model = traced.cut([*call.sources, call.pre_activation])
        self._own = traced.cut([call.pre_activation], source=call.sources)
        self._recorded = traced.recorded is not None
        if traced.recorded is not None:
            own = [tuple(traced.recorded.tensors[each].shape) for each in call.sources]
            self._own = EachAlone(self._own, own)
            self.model = EachAlone(self.model, [tuple(traced.recorded.inputs.shape)])
        self._fold = Fold.of(traced, call, self.weight)
        self._unchecked = partial(_check_steps, traced, call)
        self._traced, self._call = traced, call

    def _numbers(self, weight: Any, bias: Any) -> tuple[Tensor, Tensor]:
        weight = weight.detach().to(self.device)
        if bias is None:
            return weight, weight.new_zeros(weight.shape[0])
        return weight, bias.detach().to(self.device)

    def expect_relu(self) -> None:
        """Raise InputError where the layer is the model's output, and no ReLU is behind it."""
        expect_relu(self._traced, self._call)

    def _check(self) -> None:
        if self.weight.numel() == 0:
            raise ShapeError(
                f"layer: expected at least one unit and one input in {self.name!r}, "
                f"got a weight of shape {tuple(self.weight.shape)}"
            )
        for part, values in (("weight", self.weight), ("bias", self.bias)):
            if not bool(torch.isfinite(values).all()):
                raise NonFiniteError(f"layer: the {part} of {self.name!r} holds NaN or infinity")

    @property
    def dtype(self) -> torch.dtype:
        """The floating type of the layer's weight."""
        return self.weight.dtype

    def affine_map(self) -> tuple[Tensor, Tensor]:
        """Weight (N, d) and bias (N,) of a Linear layer in float64, all that is folded in it."""
        assert self._fold is not None
        return self._fold.apply(self.weight.double(), self.bias.double())

    def run(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        """The layer's input and pre-activation as the layer itself sees them, for a batch.

        Args:
            inputs: (n, *input), on the reader's device, in the model's floating type.

        Returns:
            The layer's input and its output, both unflattened; the input of a sum is flat.

        Raises:
            InputError: the layer is not reached in the model's forward pass.
        """
        *entered, outputs = self.model(inputs)
        self._shapes = [tuple(each.shape[1:]) for each in entered]
        return joined(entered), outputs

    def pre_activation(self, inputs: Tensor) -> Tensor:
        """Pre-activations (n, N) of a batch (n, *input); differentiable in `inputs`."""
        return self.run(inputs)[1].flatten(1)

    def step_forward(self, inputs: Tensor) -> Tensor:
        """The same of `laid_out` inputs as the steps run it: compiled where that was asked for."""
        pre: Tensor = self._steps(inputs)[-1]
        return pre.flatten(1)

    def laid_out(self, inputs: Tensor) -> Tensor:
        """The same inputs in the memory layout that the steps run in."""
        return inputs.contiguous(memory_format=self._layout)

    def values(self, inputs: Tensor) -> Tensor:
        """The same without a graph, as many inputs at a time as memory holds."""
        return self._in_chunks(lambda part: self.run(part)[1], inputs)

    def _in_chunks(self, part_of: Callable[[Tensor], Tensor], inputs: Tensor) -> Tensor:
        with torch.no_grad():
            parts = torch.split(inputs, self.at_once or len(inputs))
            return torch.cat([part_of(part).flatten(1) for part in parts])

    def own_pre_activation(self, entered: Tensor) -> Tensor:
        """Pre-activations (n, N) of what is put into the layer itself, (n, *layer input)."""
        (outputs,) = self._own(*self._parted(entered))
        return Tensor.flatten(outputs, 1)

    def _parted(self, entered: Tensor) -> list[Tensor]:
        """What enters the layer, one tensor for each step that it comes from."""
        count = len(self._call.sources)
        if count == 1:
            return [entered]
        if self._shapes is None:
            raise InputError("layer: expected a run of the model before one of its sum alone")
        parts = torch.split(entered.flatten(1), [math.prod(each) for each in self._shapes], dim=1)
        return [part.reshape(-1, *shape) for part, shape in zip(parts, self._shapes, strict=True)]

    def layer_inputs(self, inputs: Tensor) -> Tensor:
        """What enters the layer, (n, d), for a batch (n, *input): the space of the polytope."""
        return self._in_chunks(lambda part: self.run(part)[0], inputs)

    def check(self, inputs: Tensor) -> None:
        """Run the model itself once beside its graph, up to the layer, and compare.

        Args:
            inputs: (n, *input).

        Raises:
            InputError: they differ.
        """
        if self._unchecked is not None:
            self._unchecked(inputs)
            self._unchecked = None

    def confirm(self, inputs: Tensor) -> None:
        """Run the model itself on each of the inputs (n, *input), where its steps were recorded.

        Raises:
            InputError: one goes another way through the model than the example, or has other
                values there.
        """
        if not self._recorded:
            return
        for one, pre in zip(inputs, self.values(inputs), strict=True):
            if not self._is_reached(one[None].to(self.dtype), pre):
                raise InputError(
                    f"model: expected the same layer {self.name!r} in front of its ReLU for all "
                    "inputs, got another way through the forward pass for one of them"
                )

    def _is_reached(self, inputs: Tensor, pre: Tensor) -> bool:
        """Does the model itself come to this layer, its ReLU behind it, with these values?"""
        there = elsewhere(self._traced, inputs)
        try:
            call = find_call(there, self.name)
        except InputError:
            return False
        assert there.recorded is not None
        found = there.recorded.tensors[call.pre_activation]
        return call.reason == self._call.reason and close_to(pre, found.flatten())

    def accepts_batch(self, inputs: Tensor, *, positions: bool = False) -> bool:
        """Does the model take `inputs` as a batch (n, *input) up to this layer?

        Args:
            inputs: the batch.
            positions: whether a Linear may be given several vectors of each input.
        """
        if inputs.ndim < 2 or inputs.shape[0] == 0:
            return False
        inputs = inputs[:2]  # enough to tell, and large batches may not fit into memory
        try:
            with torch.no_grad():
                entered, outputs = self.run(inputs)
                alone = self.run(inputs[:1])[1] if len(inputs) > 1 else outputs
        except (RuntimeError, ValueError, LookupError, TypeError, AssertionError):
            return False
        if not close_to(outputs[:1], alone):  # a sequence, say, whose parts see each other
            return False
        if outputs.shape[0] != inputs.shape[0] or entered.shape[0] != inputs.shape[0]:
            return False
        axes = 2 if self.kind in ("Linear", "Sum") else 2 + int(self.kind[-2])
        return entered.ndim == axes or (positions and self.kind == "Linear" and entered.ndim > 2)

    def is_first_layer(self, inputs: Tensor) -> bool:
        """Is this layer a Linear fed with the flattened input itself?

        Decided bit for bit on `inputs` (n, *input) and on one fixed random batch of that shape.
        """
        if self.kind != "Linear" or self._fold is None:
            return False
        generator = torch.Generator().manual_seed(0)
        probe = torch.randn(inputs.shape, generator=generator).to(inputs)
        for batch in (inputs, probe):
            entered = self.run(batch)[0]
            if entered.ndim != 2 or not torch.equal(entered, batch.flatten(1)):
                return False
        return True


def _check_steps(traced: Trace, call: LayerCall, inputs: Tensor) -> None:
    run_steps(traced, inputs, last=call.pre_activation)
    check_layer(traced, call, inputs)
