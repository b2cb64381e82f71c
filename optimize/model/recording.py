"""What does a model compute that symbols cannot trace?  Its steps at one example, recorded.

The model itself is run, with all of torch's functions watched: branches, guards on shapes, modules
made on the way and loops over the data are taken as they are for this example.  Where the way
depends on the entries of the input, that is noted (`Recorded.decisions`): the steps are then those
of the inputs that go the same way, and of no others.
"""

import operator
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, fx, nn
from torch.overrides import TorchFunctionMode

from optimize.model.copying import (
    OneInput,
    check_hooks,
    check_signature,
    refuse_batch_statistics,
    unwrapped,
)
from optimize.model.inplace import unmark, words_set
from optimize.model.steps import taken
from optimize.model.trace import FIELDS, LIKE, SIZES, Recorded, Trace, carriers
from polytope.errors import InputError, ShapeError

#: What is read of a tensor without its entries.
_PROPERTIES = (
    SIZES
    | FIELDS
    | LIKE
    | words_set(
        "__len__ nelement layout is_nested is_sparse is_complex is_contiguous grad_fn grad is_leaf "
        "is_meta is_quantized itemsize nbytes element_size storage_offset get_device names type "
        "__hash__ __repr__ __format__ untyped_storage data_ptr is_inference _version is_mkldnn "
        "is_sparse_csr is_xla is_mps is_xpu is_cpu register_hook has_names"
    )
)

#: Methods of a tensor that are operators of Python -> the operator.
_OPERATORS: Mapping[str, Callable[..., Any]] = {
    f"__{name}__": getattr(operator, name)
    for name in words_set("add sub mul truediv matmul pow neg getitem floordiv mod")
}
#: The same with the operands the other way round.
_REVERSED: Mapping[str, Callable[..., Any]] = {
    f"__r{name}__": _OPERATORS[f"__{name}__"]
    for name in words_set("add sub mul truediv matmul pow floordiv mod")
} | {"__rdiv__": operator.truediv, "rsub": operator.sub}


def assigned(tensor: Tensor, index: Any, value: Any) -> Tensor:
    """A tensor with some entries replaced."""
    result = tensor.clone()
    result[index] = value
    return result


@dataclass(eq=False)
class _Held:
    """A tensor that is known, kept alive so that its id stays its own.

    `stale`: the step that has changed its memory by way of another tensor.
    """

    tensor: Tensor
    node: fx.Node
    stale: str = ""


@dataclass(eq=False)
class _Recorder(TorchFunctionMode):
    """Writes down every call of torch that uses a known tensor."""

    root: nn.Module
    graph: fx.Graph = field(default_factory=fx.Graph)
    held: dict[int, _Held] = field(default_factory=dict)
    tensors: dict[fx.Node, Any] = field(default_factory=dict)
    varying: set[fx.Node] = field(default_factory=set)
    decisions: list[fx.Node] = field(default_factory=list)
    modules: list[str] = field(default_factory=list)
    constants: dict[tuple[int, int], _Held] = field(default_factory=dict)
    copies: dict[str, Tensor] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__init__()
        named = [
            *self.root.named_parameters(remove_duplicate=False),
            *self.root.named_buffers(remove_duplicate=False),
        ]
        for name, tensor in named:
            if id(tensor) not in self.held:
                self.held[id(tensor)] = _Held(tensor, self.graph.get_attr(name))

    def begin(self, inputs: Tensor) -> None:
        """Make `inputs` the model's input."""
        node = self.graph.placeholder("x")
        self._keep(inputs, node, varies=True)

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        """Run the call and note it."""
        kwargs = kwargs or {}
        given = list(_tensors((args, kwargs)))
        before = [(each, each._version) for each in given]
        result = func(*args, **kwargs)
        changed = [each for each, version in before if each._version != version]
        if any(id(each) in self.held for each in given):
            self._note(_Call(func, args, kwargs), result, changed)
        return result

    def _note(self, call: "_Call", result: Any, changed: list[Tensor]) -> None:
        name = call.name
        if name in _PROPERTIES:  # a size or the like: the same for all inputs of this shape
            return
        if not any(True for _ in _tensors(result)) and not changed and name != "__setitem__":
            varying = [each for each in call.tensors() if self._varies(each)]
            if varying and result is not None:
                node = self._create(call)
                self.decisions.append(node)
                self.varying.add(node)
            return
        node = self._create(call)
        varies = any(each in self.varying for each in carriers(node))
        if call.name == "__setitem__":
            result, changed = call.args[0], [call.args[0]]
        for each in changed:
            self._change(each, node)
        self._keep(result, node, varies=varies)

    def _varies(self, tensor: Tensor) -> bool:
        held = self.held.get(id(tensor))
        return held is not None and held.node in self.varying

    def _create(self, call: "_Call") -> fx.Node:
        args: Any = fx.node.map_aggregate(call.args, self._argument)
        kwargs: Any = fx.node.map_aggregate(dict(call.kwargs), self._argument)
        form = call.form(args, kwargs)
        node = self.graph.create_node(form.op, form.target, form.args, dict(form.kwargs))
        node.meta["module"] = self.modules[-1] if self.modules else ""
        unmark(node)  # whoever reads the changed tensor is given this step from now on
        return node

    def _argument(self, value: Any) -> Any:
        """The step that made a tensor; other arguments as they are."""
        if isinstance(value, torch.Size):
            return tuple(value)
        if not isinstance(value, Tensor):
            return value
        held = self.held.get(id(value))
        if held is None:
            return self._constant(value)
        if held.stale:
            raise InputError(
                f"model: expected a forward pass without in-place changes of a tensor whose view "
                f"is read again, got one at step {held.stale!r}"
            )
        return held.node

    def _constant(self, value: Tensor) -> fx.Node:
        """A tensor that is neither stored nor made of the input, as it is now."""
        known = self.constants.get((id(value), value._version))
        if known is None:
            name = f"constant_{len(self.constants)}"
            known = _Held(value, self.graph.get_attr(name))
            self.constants[id(value), value._version] = known
            self.copies[name] = value.detach().clone()
        return known.node

    def _change(self, tensor: Tensor, node: fx.Node) -> None:
        """What is read of a changed tensor from now on is the step's result."""
        place = tensor.untyped_storage().data_ptr()
        for key, held in self.held.items():
            if key != id(tensor) and held.tensor.untyped_storage().data_ptr() == place:
                held.stale = node.name
        self.held[id(tensor)] = _Held(tensor, node)

    def _keep(self, result: Any, node: fx.Node, *, varies: bool) -> None:
        """Know the tensors of a step's result."""
        # A copy: the tensor itself may be changed in place later on.
        self.tensors[node] = result.detach().clone() if isinstance(result, Tensor) else result
        if varies:
            self.varying.add(node)
        if isinstance(result, Tensor):
            self.held[id(result)] = _Held(result, node)
        elif isinstance(result, tuple | list):
            for place, each in enumerate(result):
                if any(True for _ in _tensors(each)):
                    part = self.graph.call_function(operator.getitem, (node, place))
                    self._keep(each, part, varies=varies)

    def end(self, outputs: Any) -> None:
        """Make what the model returned the output: one step, or all that are in it."""
        nodes = [self._argument(each) for each in _tensors(outputs)]
        alone = isinstance(outputs, Tensor) and len(nodes) == 1
        self.graph.output(nodes[0] if alone else tuple(nodes))
        for node in list(self.graph.nodes):
            if node.op == "get_attr" and not node.users:
                self.graph.erase_node(node)

    @contextmanager
    def names(self) -> Iterator[None]:
        """Know within which module a step is taken."""
        handles = []
        for name, module in self.root.named_modules():

            def enter(_module: nn.Module, _given: Any, path: str = name) -> None:
                self.modules.append(path)

            def leave(*_: Any) -> None:
                self.modules.pop()

            handles.append(module.register_forward_pre_hook(enter))
            handles.append(module.register_forward_hook(leave, always_call=True))
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()


@dataclass(frozen=True, eq=False)
class _Form:
    """How a graph writes a call."""

    op: str
    target: Any
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class _Call:
    """A call of torch."""

    func: Any
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]

    @property
    def name(self) -> str:
        """Of the function, or of the field that is read."""
        name = str(getattr(self.func, "__name__", self.func))
        return str(self.func.__self__.__name__) if name in ("__get__", "__set__") else name

    def tensors(self) -> list[Tensor]:
        """Its arguments that are tensors."""
        return list(_tensors((self.args, self.kwargs)))

    def form(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> _Form:
        """With steps for arguments; what works in place becomes what does not."""
        name, func = self.name, self.func
        kind = getattr(func, "__name__", "")
        if kind == "__set__":
            raise InputError(
                f"model: expected a forward pass of functional steps, got an assignment to a "
                f"tensor's {name}"
            )
        if kind == "__get__":
            return _Form("call_function", getattr, (args[0], name), {})
        if name == "__setitem__":
            return _Form("call_function", assigned, args, kwargs)
        if name in _OPERATORS:
            return _Form("call_function", _OPERATORS[name], args, kwargs)
        if name in _REVERSED:
            return _Form("call_function", _REVERSED[name], (args[1], args[0], *args[2:]), kwargs)
        method = type(func).__name__ in ("method_descriptor", "wrapper_descriptor")
        if method or getattr(func, "__module__", "") == "torch._tensor":
            return _Form("call_method", name, args, kwargs)
        return _Form("call_function", func, args, kwargs)


def _tensors(value: Any) -> Iterator[Tensor]:
    """All tensors in tuples, lists, mappings and dataclasses."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from _tensors(each)
    elif isinstance(value, tuple | list):
        for each in value:
            yield from _tensors(each)
    elif isinstance(value, slice):
        yield from _tensors((value.start, value.stop, value.step))
    elif hasattr(value, "__dataclass_fields__") and not isinstance(value, type):
        for each in value.__dataclass_fields__:
            yield from _tensors(getattr(value, each))


def _record(root: nn.Module, inputs: Tensor) -> _Recorder:
    recorder = _Recorder(root)
    inputs = inputs.detach().clone()
    recorder.begin(inputs)
    with torch.no_grad(), recorder.names(), recorder:
        outputs = root(inputs)
    recorder.end(outputs)
    return recorder


def record(model: nn.Module, inputs: Tensor) -> Trace:
    """Run a copy of `model` in evaluation mode on `inputs` (1, *input); its steps, functional.

    Raises:
        InputError: a step cannot be made functional.
        ShapeError: the model does not take such an input.
    """
    check_signature(model)
    root = OneInput(unwrapped(model))
    check_hooks(root.model)
    try:
        found = taken(lambda: _record(root, inputs), inputs)
    except ShapeError:
        refuse_batch_statistics(root.model)  # those of a batch of one: no wonder
        raise
    for name, tensor in found.copies.items():
        root.register_buffer(name, tensor, persistent=False)
    return _trace_of(root, found, inputs)


def _trace_of(root: nn.Module, found: _Recorder, inputs: Tensor) -> Trace:
    graph = found.graph
    graph.lint()
    (source,) = [node for node in graph.nodes if node.op == "placeholder"]
    varying = frozenset(found.varying)
    recorded = Recorded(inputs, found.tensors, tuple(found.decisions))
    return Trace(root, graph, source, varying, varying, (), recorded)


def elsewhere(traced: Trace, inputs: Tensor) -> Trace:
    """The steps that the model itself takes for other inputs (1, *input).

    Raises:
        ShapeError: it does not take them.
    """
    return _trace_of(traced.root, taken(lambda: _record(traced.root, inputs), inputs), inputs)


def again(traced: Trace, inputs: Tensor, last: fx.Node) -> Mapping[fx.Node, Any]:
    """What the model itself gives at the steps up to `last`, on other inputs (1, *input).

    Raises:
        InputError: it goes another way there.
        ShapeError: it does not take them.
    """
    found = taken(lambda: _record(traced.root, inputs), inputs)
    values = dict[fx.Node, Any]()
    for mine, other in zip(traced.graph.nodes, found.graph.nodes, strict=False):
        if (mine.op, mine.target) != (other.op, other.target):
            break
        values[mine] = found.tensors.get(other)
        if mine is last:
            return values
    raise InputError(
        "model: expected the same steps for all inputs, got another way through the forward pass "
        f"for another input, before step {last.name!r}"
    )
