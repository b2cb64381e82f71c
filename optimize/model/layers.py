"""Which layer, and what does it compute?  Reads a named layer of a torch model.

The model is cut behind the layer (and the BatchNorm folded into it), so that nothing else is run.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from optimize.model.checks import check_layer
from optimize.model.execution import Execution, fitting, saved_bytes
from optimize.model.graph import LayerCall, find_call, of_each_batch
from optimize.model.hooked import Hooked
from optimize.model.opened import OpenedNetwork
from optimize.model.operations import Norm
from optimize.model.reading import constant
from optimize.model.steps import run_steps
from optimize.model.trace import Trace, private_copy
from polytope.errors import InputError, NonFiniteError, ShapeError

_LAYERS = (nn.Linear, nn.Conv1d, nn.Conv2d)
#: Axes of a batch of inputs of the layer.
_AXES = {"Linear": 2, "Conv1d": 3, "Conv2d": 4}


def layer_names(model: nn.Module) -> tuple[str, ...]:
    """The names of the Linear and convolutional layers of `model`, in the order of definition."""
    return tuple(name for name, module in model.named_modules() if isinstance(module, _LAYERS))


class LayerReader:
    """A named layer inside a private, frozen copy of the model (evaluation mode).

    Pre-activations are flattened to (n, N): N = out_features for Linear, channels x height x width
    for Conv2d.  Where a BatchNorm stands between the layer and its ReLU, the pre-activation is the
    BatchNorm's output.  The caller's model is neither moved nor changed.

    The layer must be one of `optimize.relu_layers`, or the model's own output.  Where the model's
    forward pass cannot be traced, a Linear or convolutional module is read by a hook instead:
    `relu_checked` is then False, since nobody looked where its output goes, and nothing is folded.

    Raises:
        InputError: `model` is no module, has no such layer, or uses the layer's output otherwise.
        NonFiniteError: the layer's weight or bias holds NaN or infinity.
        ShapeError: the layer has no units or no inputs.
    """

    def __init__(
        self, model: nn.Module | OpenedNetwork, name: str, device: torch.device | str = "cpu"
    ) -> None:
        """Copy `model` to `device`, unless it is opened there, and find the layer `name` in it."""
        opened = OpenedNetwork.of(model)
        self.name = name
        self.device = torch.device(device)
        self.model: nn.Module
        self._own: Callable[[Tensor], Any]
        self._fold: _Fold | None = None
        self._unchecked: Callable[[Tensor], object] | None = None
        self.relu_checked = opened.untraced is None
        if opened.untraced is None:
            self._read_call(opened.on(self.device))
        else:
            self._read_by_hook(opened.untraced)
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
            InputError: a model that cannot be traced is to be compiled.
        """
        if execution.channels_last and self.relu_checked and one.ndim == 4:
            self._layout = torch.channels_last
        self._steps = self.model
        if execution.compiled:
            if not self.relu_checked:
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
        self.kind = layer.kind
        self.module = traced.module(node) if node.op == "call_module" else None
        self.weight, self.bias = self._numbers(
            constant(layer.weight, traced), constant(layer.bias, traced)
        )
        self.model = traced.cut([call.source, call.pre_activation])
        self._own = traced.cut([call.pre_activation], source=call.source)
        self._fold = None if call.norm is None else _Fold.of(call.norm, traced, self.device)
        self._unchecked = partial(_check_steps, traced, call)

    def _read_by_hook(self, model: nn.Module) -> None:
        # An empty name is the model itself, for a model that is a single layer.
        module = dict(model.named_modules()).get(self.name)
        if not isinstance(module, _LAYERS):
            known = ", ".join(repr(each) for each in layer_names(model)) or "none"
            raise InputError(
                f"layer: expected the name of a Linear or Conv2d layer (this model has: {known}), "
                f"got {self.name!r}"
            )
        for name, each in model.named_modules():
            if isinstance(each, nn.modules.batchnorm._BatchNorm) and each.running_mean is None:
                raise of_each_batch(name)
        copied = private_copy(model).to(self.device)
        module = copied.get_submodule(self.name)
        assert isinstance(module, _LAYERS)
        self.kind = next(each.__name__ for each in _LAYERS if isinstance(module, each))
        self.module = module
        self.weight, self.bias = self._numbers(module.weight, module.bias)
        self.model = Hooked(copied, module, self.name)
        self._own = lambda entered: (module(entered),)

    def _numbers(self, weight: Any, bias: Any) -> tuple[Tensor, Tensor]:
        weight = weight.detach().to(self.device)
        if bias is None:
            return weight, weight.new_zeros(weight.shape[0])
        return weight, bias.detach().to(self.device)

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
        """Weight (N, d) and bias (N,) of a Linear layer in float64, a BatchNorm folded."""
        weight, bias = self.weight.double(), self.bias.double()
        if self._fold is None:
            return weight, bias
        # Behind a reshape a channel may be several units in a row.
        each = len(bias) // max(1, self._fold.scale.numel())
        scale, shift = (
            part.reshape(-1).repeat_interleave(each)
            for part in (self._fold.scale, self._fold.shift)
        )
        return weight * scale[:, None], bias * scale + shift

    def run(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        """The layer's input and pre-activation as the layer itself sees them, for a batch.

        Args:
            inputs: (n, *input), on the reader's device, in the model's floating type.

        Returns:
            The layer's input and its output, both unflattened.

        Raises:
            InputError: the layer is not reached in the model's forward pass.
        """
        entered, outputs = self.model(inputs)
        return entered, outputs

    def pre_activation(self, inputs: Tensor) -> Tensor:
        """Pre-activations (n, N) of a batch (n, *input); differentiable in `inputs`."""
        return self.run(inputs)[1].flatten(1)

    def step_forward(self, inputs: Tensor) -> Tensor:
        """The same of `laid_out` inputs as the steps run it: compiled where that was asked for."""
        pre: Tensor = self._steps(inputs)[1]
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
        (outputs,) = self._own(entered)
        return Tensor.flatten(outputs, 1)

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

    def accepts_batch(self, inputs: Tensor) -> bool:
        """Does the model take `inputs` as a batch (n, *input) up to this layer?"""
        if inputs.ndim < 2 or inputs.shape[0] == 0:
            return False
        inputs = inputs[:2]  # enough to tell, and large batches may not fit into memory
        try:
            with torch.no_grad():
                entered, outputs = self.run(inputs)
        except (RuntimeError, ValueError, IndexError):
            return False
        return entered.ndim == _AXES[self.kind] and outputs.shape[0] == inputs.shape[0]

    def is_first_layer(self, inputs: Tensor) -> bool:
        """Is this layer a Linear fed with the flattened input itself?

        Decided bit for bit on `inputs` (n, *input) and on one fixed random batch of that shape.
        """
        if self.kind != "Linear":
            return False
        generator = torch.Generator().manual_seed(0)
        probe = torch.randn(inputs.shape, generator=generator).to(inputs)
        return all(
            torch.equal(self.layer_inputs(batch), batch.flatten(1)) for batch in (inputs, probe)
        )


def _check_steps(traced: Trace, call: LayerCall, inputs: Tensor) -> None:
    run_steps(traced, inputs, last=call.pre_activation)
    check_layer(traced, call, inputs)


@dataclass(frozen=True, eq=False)
class _Fold:
    """Scale and shift of each channel of a BatchNorm in float64 (`exact_layer` has them exact)."""

    scale: Tensor
    shift: Tensor

    @classmethod
    def of(cls, norm: Norm, traced: Trace, device: torch.device) -> "_Fold":
        """Those of a step; a number that torch has not is neutral."""

        def numbers(value: Any, missing: float) -> Tensor:
            found = constant(value, traced)
            if found is None:
                return torch.tensor(missing, dtype=torch.float64, device=device)
            return torch.as_tensor(found).to(device, torch.float64)

        scale = numbers(norm.weight, 1) * (numbers(norm.variance, 1) + norm.eps).rsqrt()
        return cls(scale, numbers(norm.bias, 0) - numbers(norm.mean, 0) * scale)
