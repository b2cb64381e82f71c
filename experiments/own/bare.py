"""Which layers are in a file of weights alone?  Nothing says what follows them; all are named."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from experiments.models.files import format_of
from experiments.readers.arrays import read_arrays
from optimize import OtherLayer

_KINDS = {2: "Linear", 3: "Conv1d", 4: "Conv2d", 5: "Conv3d"}
#: Last word of a weight's name -> of its bias's.
_BIASES = {"weight": "bias", "kernel": "bias", "W": "b", "w": "b"}


def is_bare(spec: str) -> bool:
    """Whether a word names a file or a folder of weights that is there, and no network."""
    path = Path(spec)
    return format_of(spec) is None and path.suffix != ".py" and path.exists()


def bare_layers(path: Path) -> tuple[OtherLayer, ...]:
    """Returns every array of two axes or more, and how it can be asked about.

    Raises:
        FileFormatError: it is no file of weights.
    """
    return tuple(_layers(read_arrays(path), path))


def _layers(arrays: Mapping[str, Any], path: Path) -> Iterator[OtherLayer]:
    for name, array in arrays.items():
        if array.ndim < 2:
            continue
        sizes = " x ".join(map(str, array.shape))
        reason = f"is {sizes} numbers of a file of weights alone, which does not say what follows"
        bias = _bias(name, arrays)
        if array.ndim > 2:
            reason += "; make its network in a factory, and give this file as --weights"
        elif bias is None:
            reason += ", without a bias beside it"
        else:
            reason += (
                f"; if a ReLU does: `collide certify {path} --weight-key {name} --bias-key {bias} "
                "--target FILE` in the layer's own space"
            )
        kind = _KINDS.get(array.ndim, "array")
        yield OtherLayer(name=name, kind=kind, reason=reason)


def _bias(name: str, arrays: Mapping[str, Any]) -> str | None:
    """The name of the bias that belongs to a weight of N rows: (N,), of the same prefix."""
    prefix, last = name[: name.rfind(".") + 1], name[name.rfind(".") + 1 :]
    found = prefix + _BIASES.get(last, "")
    if last not in _BIASES or found not in arrays:
        return None
    return found if tuple(arrays[found].shape) == tuple(arrays[name].shape[:1]) else None
