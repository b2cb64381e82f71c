"""What do a layer and the whole network say of an image?  One pass, from the image or the layer on.

The network is traced by torch.fx, so that interpolants of the layer's *input* go on through
everything that reads this input, also where several layers do (a fire module's two expand layers).
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, fx, nn

from optimize.search.setup import read_device
from polytope.errors import InputError

_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d)


@dataclass(frozen=True, eq=False)
class Seen:
    """What n images give.

    Attributes:
        entered: (n, *layer input); None where the pass began there.
        pre: (n, N) pre-activations, after a batch normalisation that follows the layer.
        probabilities: (n, classes), the softmax taken in float64.
    """

    entered: Tensor | None
    pre: Tensor
    probabilities: Tensor

    def to_cpu(self) -> "Seen":
        """The same on the CPU."""
        entered = None if self.entered is None else self.entered.cpu()
        return Seen(entered, self.pre.cpu(), self.probabilities.cpu())


class Probe:
    """A network opened at one layer; nothing is copied, the weights are the network's own.

    Attributes:
        reason: why there is no pass from the layer's input; "" where there is.

    Args:
        model: traceable by torch.fx, in evaluation mode; moved to the device.
        layer: name of a layer in it.
        device: "auto", "cpu", "cuda", ...
        batch: images a pass.

    Raises:
        InputError: the network cannot be traced, or has no such layer.
    """

    def __init__(
        self, model: nn.Module, layer: str, *, device: str = "cpu", batch: int = 32
    ) -> None:
        self.device = read_device(device)
        self.batch = batch
        model = model.to(self.device).eval().requires_grad_(False)
        try:
            graph = fx.Tracer().trace(model)
        except Exception as problem:  # tracing runs the model's own Python
            raise InputError(
                f"model: expected a network that torch.fx can trace, got {problem}"
            ) from problem
        modules = dict(model.named_modules())
        self._through = fx.GraphModule(model, _with_outputs(graph, layer, modules))
        onward = _onward(graph, layer, modules)
        self._onward = None if onward is None else fx.GraphModule(model, onward)
        self.reason = (
            "" if onward is not None else "layers behind it also read something from before it"
        )

    def images(self, points: Tensor) -> Iterator[Seen]:
        """Yields what images (n, 3, H, W) give, batch after batch, on the device."""
        with torch.no_grad():
            for part in torch.split(points, self.batch):
                entered, pre, logits = self._through(part.to(self.device, torch.float32))
                yield Seen(entered, pre.flatten(1), torch.softmax(logits.double(), dim=1))

    def entering(self, entered: Tensor) -> Iterator[Seen]:
        """Yields what goes on from layer inputs (n, *layer input), batch after batch.

        Raises:
            InputError: see `reason`.
        """
        if self._onward is None:
            raise InputError(f"layer: expected one whose input decides the rest, got {self.reason}")
        with torch.no_grad():
            for part in torch.split(entered, self.batch):
                pre, logits = self._onward(part.to(self.device, torch.float32))
                yield Seen(None, pre.flatten(1), torch.softmax(logits.double(), dim=1))

    def look(self, points: Tensor) -> Seen:
        """Returns what images (n, 3, H, W) give, all on the CPU."""
        parts = [seen.to_cpu() for seen in self.images(points)]
        entered = torch.cat([part.entered for part in parts if part.entered is not None])
        pre = torch.cat([part.pre for part in parts])
        return Seen(entered, pre, torch.cat([part.probabilities for part in parts]))


def _places(
    graph: fx.Graph, layer: str, modules: dict[str, nn.Module]
) -> tuple[fx.Node, fx.Node, fx.Node]:
    """The layer's input, its pre-activation (behind a batch normalisation) and the output."""
    found = [node for node in graph.nodes if node.op == "call_module" and node.target == layer]
    if len(found) != 1:
        known = ", ".join(name for name, each in modules.items() if hasattr(each, "weight"))
        raise InputError(
            f"layer: expected the name of a layer that runs once (this model has: {known}), "
            f"got {layer!r}"
        )
    pre = found[0]
    users = list(pre.users)
    if len(users) == 1 and isinstance(modules.get(str(users[0].target)), _NORMS):
        pre = users[0]
    output = next(node for node in graph.nodes if node.op == "output")
    entered = found[0].args[0]
    assert isinstance(entered, fx.Node)
    return entered, pre, output


def _with_outputs(graph: fx.Graph, layer: str, modules: dict[str, nn.Module]) -> fx.Graph:
    """The same graph, giving (layer input, pre-activation, logits)."""
    copied, new = fx.Graph(), dict[fx.Node, fx.Node]()
    entered, pre, output = _places(graph, layer, modules)
    for node in graph.nodes:
        if node is output:
            continue
        new[node] = copied.node_copy(node, new.__getitem__)
        if node is pre:  # a ReLU in place would overwrite it
            kept = copied.call_method("clone", (new[node],))
    copied.output((new[entered], kept, new[_last(output)]))
    return copied


def _last(output: fx.Node) -> fx.Node:
    """The node whose value the network returns."""
    last = output.args[0]
    if not isinstance(last, fx.Node):
        raise InputError("model: expected a network that returns one tensor, the logits, got more")
    return last


def _onward(graph: fx.Graph, layer: str, modules: dict[str, nn.Module]) -> fx.Graph | None:
    """The part from the layer's input on, giving (pre-activation, logits); None if it needs more.

    Attributes of the model and sizes that come from nowhere else are taken along.
    """
    copied, new = fx.Graph(), dict[fx.Node, fx.Node]()
    entered, pre, output = _places(graph, layer, modules)
    new[entered] = copied.placeholder("entered")
    kept = None
    for node in graph.nodes:
        if node in new or node is output or node.op == "placeholder":
            continue
        if all(source in new for source in node.all_input_nodes):
            new[node] = copied.node_copy(node, new.__getitem__)
            if node is pre:
                kept = copied.call_method("clone", (new[node],))
    last = _last(output)
    if kept is None or last not in new:
        return None
    copied.output((kept, new[last]))
    return copied


def combinations(
    weights: NDArray[np.float64], vertices: Tensor, *, batch: int
) -> Iterator[tuple[slice, Tensor]]:
    """Yields (which, points): convex combinations of vertices (k, *shape), computed in float64.

    Args:
        weights: (n, k).
        vertices: on any device; combined there.
        batch: combinations at a time.
    """
    flat = vertices.flatten(1).double()
    for start in range(0, len(weights), batch):
        part = slice(start, min(start + batch, len(weights)))
        drawn = torch.from_numpy(weights[part]).to(flat)
        shape = (len(drawn), *vertices.shape[1:])
        yield part, (drawn @ flat).view(shape).float()
