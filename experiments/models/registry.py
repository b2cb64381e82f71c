"""Which network does a word on the command line mean?  Built-in, a factory, or a file's own."""

import importlib
import importlib.util
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from torch import nn

from experiments.models import hub
from experiments.models.files import FORMATS, format_of, read_network
from experiments.models.foreign.estimators import from_estimator, is_estimator
from experiments.models.weights import load_weights, refuse_nonfinite
from experiments.readers.arrays import files_of
from polytope.errors import InputError, NonFiniteError
from polytope.files import sha256_file

#: Name -> module, class, and shape of one input.
BUILT_IN: dict[str, tuple[str, str, tuple[int, ...]]] = {
    "mlp": ("experiments.models.mlp", "MLP", (784,)),
    "lenet5": ("experiments.models.lenet5", "LeNet5", (1, 28, 28)),
    "vgg16": ("experiments.models.vgg16", "VGG16", (3, 224, 224)),
    "squeezenet": ("experiments.models.squeezenet", "SqueezeNet", (3, 227, 227)),
}
#: Name -> module and function that reads its published weights, whose names differ by source; the
#: network then takes RGB pixels 0..255, its preprocessing being a part of it.
PUBLISHED = {
    "vgg16": ("experiments.models.vgg16_weights", "load_vgg16"),
    "squeezenet": ("experiments.models.squeezenet_weights", "load_squeezenet"),
}
PIXELS = (0.0, 255.0)
FORMS = (
    f"a built-in name ({', '.join(BUILT_IN)}), FILE.py:FACTORY, PACKAGE.MODULE:FACTORY, "
    f"{', '.join(f'FILE{suffix}' for suffix in FORMATS if suffix != '.onnx')} or FILE.onnx"
)
CHECKPOINTS = (".pt", ".pth", ".ckpt", ".bin", ".safetensors", ".npz", ".pkl")


@dataclass(frozen=True, eq=False, kw_only=True)
class LoadedModel:
    """A network, ready to run.

    Attributes:
        module: in evaluation mode.
        input_shape: of one input, without the batch axis; None where nothing says it.
        files: what was read: path -> SHA-256.
        source: where the weights are from, in words.
        ends: lower and upper end of its usual inputs.
    """

    module: nn.Module
    input_shape: tuple[int, ...] | None
    ends: tuple[float, float] = (0.0, 1.0)
    files: Mapping[str, str] = field(default_factory=dict)
    source: str = ""


def load_model(
    spec: str,
    weights: str | Path | None = None,
    *,
    input_shape: tuple[int, ...] | None = None,
    external_data: bool = False,
    seed: int = 0,
) -> LoadedModel:
    """Returns the network that a word means, in evaluation mode.

    A factory is the caller's own code, and is run: a callable without arguments that returns an
    `nn.Module` (a class will do); its module may name the shape of one input as `input_shape`.
    Weights are data: no code of theirs is ever run (see `load_weights`).

    Args:
        spec: a built-in name, FILE.py:FACTORY, PACKAGE.MODULE:FACTORY, or a file that holds a
            network (`experiments.models.files`).
        weights: a file or folder of tensors (`load_weights`), or hf:OWNER/NAME of the hub, with
            the names of the model's state dict; None keeps what the factory returned.
        input_shape: of one input, where the caller knows it.
        external_data: whether an ONNX file may keep tensors in files beside it.
        seed: of torch's random numbers while the factory runs.

    Raises:
        InputError: there is no such model, or its factory fails.
        FileFormatError: a file is not of its format (ShapeError, NonFiniteError: see
            `load_weights`).
    """
    if format_of(spec) is not None:
        return _whole(spec, weights, input_shape, external_data)
    if spec in PUBLISHED and weights is not None:
        return _published(spec, Path(weights), input_shape)
    files: dict[str, str] = {}
    if spec in BUILT_IN:
        module_name, name, usual = BUILT_IN[spec]
        factory = getattr(importlib.import_module(module_name), name)
    else:
        factory, usual = _factory(spec, files), None
    model = _made(factory, spec, seed)
    source = f"as {spec} makes them" if usual is None else f"random (seed {seed}): no --weights"
    if weights is not None:
        place = hub.fetched(str(weights)) if str(weights).startswith(hub.PREFIX) else Path(weights)
        load_weights(model, place)
        files |= {str(path): sha256_file(path) for path in files_of(place)}
        source = str(weights)
    _check_finite(model, spec)
    own = getattr(model, "input_shape", None)
    shape = input_shape or (tuple(int(size) for size in own) if own else usual)
    ends = PIXELS if spec in PUBLISHED else (0.0, 1.0)
    return LoadedModel(
        module=model.eval(), input_shape=shape, files=files, source=source, ends=ends
    )


def _published(spec: str, path: Path, shape: tuple[int, ...] | None) -> LoadedModel:
    """A network with weights as their publishers name them, and the preprocessing they saw."""
    module_name, name = PUBLISHED[spec]
    found = getattr(importlib.import_module(module_name), name)(path)
    resize = getattr(found, "resize", None)  # the size it was evaluated at, where there is one
    usual = BUILT_IN[spec][2] if resize is None else (3, resize.height, resize.width)
    return LoadedModel(
        module=found.model,
        input_shape=shape or usual,
        files={str(path): found.sha256},
        source=f"{path} ({found.source})",
        ends=PIXELS,
    )


def _whole(
    spec: str, weights: str | Path | None, shape: tuple[int, ...] | None, external_data: bool
) -> LoadedModel:
    """A network of a file that holds its own weights, or has them in a file beside it."""
    beside = None if weights is None else Path(weights)
    found = read_network(Path(spec), beside, input_shape=shape, external_data=external_data)
    read = [Path(spec)] if beside is None else [Path(spec), beside]
    _check_finite(found.module, spec)
    return LoadedModel(
        module=found.module.eval(),
        input_shape=found.input_shape,
        ends=found.ends,
        files={str(path): sha256_file(path) for path in read},
        source=f"{read[-1]} ({found.words})" if found.words else str(read[-1]),
    )


def _factory(spec: str, files: dict[str, str]) -> Callable[[], Any]:
    place, colon, name = spec.rpartition(":")
    if not colon or not place or not name:
        word = (
            f"{spec}, which holds weights and no architecture (give it as --weights)"
            if Path(spec).suffix.lower() in CHECKPOINTS
            else repr(spec)
        )
        raise InputError(f"model: expected {FORMS}; got {word}")
    if Path(place).suffix == ".py":
        path = Path(place)
        if not path.is_file():
            raise InputError(f"model: expected a Python file, got {place}, which does not exist")
        files[place] = sha256_file(path)
        module = _run_user_code(spec, lambda: _from_file(path))
    else:
        module = _run_user_code(spec, lambda: _from_package(place))
    factory = getattr(module, name, None)
    if not callable(factory):
        known = [each for each, value in vars(module).items() if _is_factory(value, module)]
        raise InputError(
            f"model: expected a callable of {place} ({', '.join(known) or 'it has none'}), "
            f"got {name!r}"
        )
    found: Callable[[], Any] = factory
    return found


def _is_factory(value: Any, module: ModuleType) -> bool:
    return callable(value) and getattr(value, "__module__", None) == module.__name__


def _from_file(path: Path) -> ModuleType:
    """Runs a Python file as a module; files beside it can be imported, as when it is run."""
    name = f"_collide_user_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses of the file look themselves up there
    sys.path.insert(0, str(path.resolve().parent))
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    finally:
        sys.path.remove(str(path.resolve().parent))
    return module


def _from_package(name: str) -> ModuleType:
    """Imports a module; the current folder counts, as with `python -m`."""
    here = str(Path.cwd())
    sys.path.insert(0, here)
    try:
        return importlib.import_module(name)
    finally:
        sys.path.remove(here)


def _run_user_code(spec: str, code: Callable[[], Any]) -> Any:
    """Runs the user's code; whatever it raises becomes one sentence."""
    try:
        return code()
    except (Exception, SystemExit) as problem:
        reason = (str(problem).strip() or "no reason given").splitlines()[0]
        raise InputError(
            f"model: expected {spec} to run without an error, got {type(problem).__name__}: "
            f"{reason}"
        ) from problem


def _made(factory: Callable[[], Any], spec: str, seed: int) -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = _run_user_code(spec, factory)
    if is_estimator(model):  # of scikit-learn
        found = from_estimator(model, spec)
        found.module.input_shape = found.input_shape  # type: ignore[assignment]
        return found.module
    if not isinstance(model, nn.Module):
        raise InputError(
            f"model: expected {spec} to return a torch.nn.Module, got {type(model).__name__}"
        )
    return model


def _check_finite(model: nn.Module, spec: str) -> None:
    for name, tensor in [*model.named_parameters(), *model.named_buffers()]:
        if tensor.is_meta:
            raise InputError(f"model: expected weights with data, got {name} on the meta device")
        try:
            refuse_nonfinite(tensor.detach(), f"{spec}, {name}")
        except NotImplementedError as problem:  # types without isfinite, e.g. quantised
            raise NonFiniteError(
                f"{spec}, {name}: expected real numbers, got {tensor.dtype}"
            ) from problem
