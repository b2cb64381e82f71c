"""Do these weights belong to this model?  A file's tensors into a module, checked by name."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from experiments.readers.arrays import read_arrays
from polytope.errors import FileFormatError, InputError, NonFiniteError, ShapeError

#: Bookkeeping of training: no part of what an evaluated network computes.
UNUSED = ("num_batches_tracked",)
_SHOWN = 5


def load_weights(model: nn.Module, path: Path) -> None:
    """Loads a file of tensors into a module, every one of them, in place.

    Read are .safetensors, .npz and torch's .pt, .pth, .ckpt and .bin, the latter with
    `weights_only`: no code of the file is ever run.  Tensors that all lie under one prefix
    ("module.", "state_dict.") are taken without it; then what lies beside it is left alone.

    Args:
        model: changed in place.
        path: names as in `model.state_dict()`.

    Raises:
        FileFormatError: the file cannot be read, or tensors are missing or too many.
        ShapeError: a tensor has another shape than the model's.
        NonFiniteError: a tensor holds NaN or infinity.
        InputError: a tensor's numbers do not fit the model's type without rounding.
    """
    path = Path(path)
    wanted = dict(model.state_dict())
    found = under_prefix(read_arrays(path), wanted, path)
    given = {name: as_tensor(value, f"{path}, {name}") for name, value in found.items()}
    needed = {name for name in wanted if not name.endswith(UNUSED)}
    problems = []
    if missing := sorted(needed - given.keys()):
        problems.append(f"{_some(missing)} missing")
    if extra := sorted(name for name in given if name not in wanted and not name.endswith(UNUSED)):
        problems.append(f"{_some(extra)} that the model does not have")
    if problems:
        raise FileFormatError(
            f"{path}: expected the {len(needed)} tensors of the model's state dict, "
            f"got {len(given)}, with {' and '.join(problems)}"
        )
    fitted = {
        name: _fitted(given[name], value, f"{path}, {name}")
        for name, value in wanted.items()
        if name in given
    }
    model.load_state_dict(fitted, strict=False)  # what is missing was decided above


def under_prefix(
    arrays: Mapping[str, Any], wanted: Mapping[str, Any], path: Path
) -> Mapping[str, Any]:
    """Returns the arrays by the model's names: all of them, or those under one common prefix.

    Raises:
        FileFormatError: several prefixes hold the model's names.
    """
    names = [name for name in wanted if not name.endswith(UNUSED)]
    if not names or any(name in arrays for name in names):
        return arrays
    ending = f".{names[0]}"
    prefixes = [name.removesuffix(names[0]) for name in arrays if name.endswith(ending)]
    whole = [prefix for prefix in prefixes if all(prefix + name in arrays for name in names)]
    if len(whole) > 1:
        raise FileFormatError(
            f"{path}: expected one state dict, got {len(whole)}: under {_some(sorted(whole))}"
        )
    if not whole:
        return arrays
    (prefix,) = whole
    return {
        name.removeprefix(prefix): value
        for name, value in arrays.items()
        if name.startswith(prefix)
    }


def as_tensor(value: Any, name: str) -> Tensor:
    """Returns an array of a file as a dense, real tensor of finite numbers on the CPU.

    Raises:
        InputError: it is complex, quantised, sparse, without data, or of no type of numbers.
        NonFiniteError: it holds NaN or infinity, at the index that is named.
    """
    try:
        tensor = value.detach() if isinstance(value, Tensor) else torch.as_tensor(value)
    except TypeError as problem:
        kind = getattr(value, "dtype", type(value).__name__)
        raise InputError(f"{name}: expected numbers, got {kind}") from problem
    kinds = {
        "complex": tensor.is_complex(),
        "quantised": tensor.is_quantized,
        f"of layout {tensor.layout}": tensor.layout is not torch.strided,
        "without data (on the meta device)": tensor.is_meta,
    }
    for kind, wrong in kinds.items():
        if wrong:
            raise InputError(f"{name}: expected a dense tensor of real numbers, got one {kind}")
    refuse_nonfinite(tensor, name)
    return tensor


def refuse_nonfinite(tensor: Tensor, name: str) -> None:
    """Refuses NaN and infinity.

    Raises:
        NonFiniteError: with the first such index.
    """
    try:
        finite = torch.isfinite(tensor)
    except NotImplementedError:  # for some floats of 8 bits, all of which are floats of 32
        finite = torch.isfinite(tensor.to(torch.float32))
    if not bool(finite.all()):
        index = tuple((~finite).nonzero()[0].tolist())
        raise NonFiniteError(
            f"{name}: expected finite numbers, got {float(tensor[index])} at index {list(index)}"
        )


def _fitted(given: Tensor, wanted: Tensor, name: str) -> Tensor:
    """The tensor in the model's type, which must hold its numbers exactly."""
    if given.shape != wanted.shape:
        raise ShapeError(
            f"{name}: expected shape {tuple(wanted.shape)} as in the model, "
            f"got {tuple(given.shape)}"
        )
    cast = given.to(wanted.dtype)
    if not torch.equal(cast.to(given.dtype), given) or cast.isinf().any():
        raise InputError(
            f"{name}: expected numbers that {wanted.dtype}, the model's type, holds exactly, got "
            f"{given.dtype}; make the model of that type (a factory may return model.double())"
        )
    return cast


def _some(names: Sequence[str]) -> str:
    more = "" if len(names) <= _SHOWN else f" and {len(names) - _SHOWN} more"
    return ", ".join(repr(name) for name in names[:_SHOWN]) + more
