"""Which layer, and what does it compute?  Reads a named layer of a torch model.

A forward hook stops the model at the named layer, so that nothing behind it is run.
"""

import copy
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from polytope.errors import InputError, NonFiniteError, ShapeError


class _StopForward(Exception):
    """Carries the layer's input and output out of the model; never leaves this module."""

    def __init__(self, inputs: Tensor, outputs: Tensor) -> None:
        super().__init__("stopped at the layer")
        self.inputs = inputs
        self.outputs = outputs


def _stop(_module: nn.Module, inputs: tuple[Tensor, ...], outputs: Tensor) -> None:
    raise _StopForward(inputs[0], outputs)


def layer_names(model: nn.Module) -> tuple[str, ...]:
    """The names of the Linear and Conv2d layers of `model`, in the order of definition."""
    return tuple(
        name for name, module in model.named_modules() if isinstance(module, nn.Linear | nn.Conv2d)
    )


class LayerReader:
    """A named Linear or Conv2d layer inside a private, frozen copy of the model (evaluation mode).

    Pre-activations are flattened to (n, N): N = out_features for Linear, channels x height x width
    for Conv2d.  The caller's model is neither moved nor changed.

    Raises:
        InputError: `model` is no module, or has no Linear or Conv2d layer of that name.
        NonFiniteError: the layer's weight or bias holds NaN or infinity.
        ShapeError: the layer has no units or no inputs.
    """

    def __init__(self, model: nn.Module, name: str, device: torch.device | str = "cpu") -> None:
        """Copy `model` to `device` and find the layer `name` in it."""
        if not isinstance(model, nn.Module):
            raise InputError(f"model: expected a torch.nn.Module, got {type(model).__name__}")
        # An empty name is the model itself, for a model that is a single Linear.
        modules = dict(model.named_modules())
        if not isinstance(modules.get(name), nn.Linear | nn.Conv2d):
            known = ", ".join(repr(each) for each in layer_names(model)) or "none"
            raise InputError(
                f"layer: expected the name of a Linear or Conv2d layer (this model has: {known}), "
                f"got {name!r}"
            )
        self.name = name
        self.device = torch.device(device)
        self.model = copy.deepcopy(model).to(self.device).eval().requires_grad_(False)
        module = self.model.get_submodule(name)
        assert isinstance(module, nn.Linear | nn.Conv2d)
        self.module = module
        if module.weight.numel() == 0:
            raise ShapeError(
                f"layer: expected at least one unit and one input in {name!r}, "
                f"got a weight of shape {tuple(module.weight.shape)}"
            )
        for part, values in (("weight", self.weight), ("bias", self.bias)):
            if not bool(torch.isfinite(values).all()):
                raise NonFiniteError(f"layer: the {part} of {name!r} holds NaN or infinity")

    @property
    def dtype(self) -> torch.dtype:
        """The floating type of the layer's weight."""
        return self.module.weight.dtype

    @property
    def weight(self) -> Tensor:
        """The weight as stored: (N, d) for Linear, (channels out, in, height, width) for Conv2d."""
        return self.module.weight.detach()

    @property
    def bias(self) -> Tensor:
        """The bias as stored, (N,) for Linear; zeros where the layer has none."""
        if self.module.bias is None:
            return torch.zeros(
                self.module.weight.shape[0], dtype=self.dtype, device=self.module.weight.device
            )
        return self.module.bias.detach()

    @contextmanager
    def _hooked(self) -> Iterator[None]:
        handle = self.module.register_forward_hook(_stop)
        try:
            yield
        finally:
            handle.remove()

    def run(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        """The layer's input and pre-activation as the layer itself sees them, for a batch.

        Args:
            inputs: (n, *input), on the reader's device, in the model's floating type.

        Returns:
            The layer's input and its output, both unflattened.

        Raises:
            InputError: the layer is not reached in the model's forward pass.
        """
        with self._hooked():
            try:
                self.model(inputs)
            except _StopForward as stopped:
                return stopped.inputs, stopped.outputs
        raise InputError(f"layer: {self.name!r} is never reached in the model's forward pass")

    def pre_activation(self, inputs: Tensor) -> Tensor:
        """Pre-activations (n, N) of a batch (n, *input); differentiable in `inputs`."""
        return self.run(inputs)[1].flatten(1)

    def layer_inputs(self, inputs: Tensor) -> Tensor:
        """What enters the layer, (n, d), for a batch (n, *input): the space of the polytope."""
        with torch.no_grad():
            return self.run(inputs)[0].flatten(1)

    def accepts_batch(self, inputs: Tensor) -> bool:
        """Does the model take `inputs` as a batch (n, *input) up to this layer?"""
        expected = 2 if isinstance(self.module, nn.Linear) else 4
        if inputs.ndim < 2 or inputs.shape[0] == 0:
            return False
        try:
            with torch.no_grad():
                _, outputs = self.run(inputs)
        except (RuntimeError, ValueError, IndexError):
            return False
        return outputs.ndim == expected and outputs.shape[0] == inputs.shape[0]

    def is_first_layer(self, inputs: Tensor) -> bool:
        """Is this layer a Linear fed with the flattened input itself?

        Decided bit for bit on `inputs` (n, *input) and on one fixed random batch of that shape.
        """
        if not isinstance(self.module, nn.Linear):
            return False
        generator = torch.Generator().manual_seed(0)
        probe = torch.randn(inputs.shape, generator=generator).to(inputs)
        return all(
            torch.equal(self.layer_inputs(batch), batch.flatten(1)) for batch in (inputs, probe)
        )
