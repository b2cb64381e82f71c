"""Which tensors does a file of torch hold?  Read with `weights_only`: no code of it is ever run.

`weights_only` keeps code out, and nothing else: a pickle may ask for more memory than there is,
hold itself, or name one tensor a billion times, and torch compares no checksums.

What stands beside the weights (an accuracy as a scalar of numpy, the options of the training) is
made of `Beside`, which keeps nothing: none of the classes that the pickle names is imported.
"""

import io
import pickle
import re
import resource
import warnings
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from experiments.readers import kinds
from experiments.readers.foreign_files import check_archive, check_sums, check_version
from polytope.errors import FileFormatError

if TYPE_CHECKING:
    from torch import Tensor

#: Older ones run code (before 2.6) or corrupt memory (before 2.10) in spite of `weights_only`.
OLDEST = (2, 10)
_ZIP = b"PK\x03\x04"
_DEEPEST, _MOST_NAMES = 32, 100_000
_SPARE = 256 << 20  # bytes that reading may take whatever the file's size


class Beside:
    """Stands for a value that is no tensor, whatever it was made of."""

    def __new__(cls, *_: object) -> "Beside":
        """Makes one of any arguments."""
        return super().__new__(cls)

    def __setstate__(self, state: object) -> None:
        """Keeps nothing."""


#: Plain values that trainings write beside weights.
_VALUES = (
    *("numpy.core.multiarray.scalar", "numpy._core.multiarray.scalar", "numpy.dtype"),
    *("numpy.core.multiarray._reconstruct", "numpy._core.multiarray._reconstruct"),
    *("numpy.ndarray", "_codecs.encode", "argparse.Namespace", "types.SimpleNamespace"),
    *("pathlib.Path", "pathlib.PosixPath", "pathlib.WindowsPath", "pathlib.PurePosixPath"),
    *("pathlib._local.PosixPath", "pathlib._local.WindowsPath"),
    *("datetime.datetime", "datetime.date", "datetime.timedelta", "datetime.timezone"),
    *("decimal.Decimal", "fractions.Fraction", "uuid.UUID"),
)


def read_torch(path: Path) -> dict[str, "Tensor"]:
    """Returns the tensors of a .pt or .pth file by name ("target": it is one tensor).

    Names of nested mappings, lists and tuples are joined by dots ("0.weight" is of the first entry
    of a list); what is no tensor is left alone.

    Raises:
        FileFormatError: it holds code or anything but tensors and plain values, is damaged, or
            stands for more than it holds; or this torch is too old to read it safely.
        Exception: whatever the libraries raise on a damaged file.
    """
    with path.open("rb") as stream:
        packed = stream.read(len(_ZIP)) == _ZIP
    return _read(path, path.stat().st_size, path, packed=packed)


def read_agent(path: Path) -> dict[str, "Tensor"]:
    """Returns the tensors of the policy of an agent that stable-baselines3 saved, by name.

    Raises:
        FileFormatError, Exception: as `read_torch`.
    """
    with zipfile.ZipFile(path) as archive:
        members = {member.filename: member for member in check_archive(archive, path)}
        data = archive.read(members[kinds.POLICY])  # its checksum is compared
    return _read(io.BytesIO(data), len(data), path, packed=data.startswith(_ZIP))


def _read(source: Path | io.BytesIO, size: int, path: Path, *, packed: bool) -> dict[str, "Tensor"]:
    """The tensors of a source of so many bytes, which errors call `path`."""
    import torch

    check_version("torch", torch.__version__, OLDEST, path=path)
    if packed:
        with zipfile.ZipFile(source) as archive:
            members = check_archive(archive, path, size=size)
            check_sums(archive, members)
            size = max(size, sum(member.file_size for member in members))
            _refuse_script(members, path)
    if isinstance(source, io.BytesIO):
        source.seek(0)
    try:
        with warnings.catch_warnings(), _bounded(2 * size + _SPARE) as ours:
            warnings.simplefilter("ignore")  # of protocols it may not read; then it fails
            with torch.serialization.safe_globals([(Beside, name) for name in _VALUES]):
                found = torch.load(source, map_location="cpu", weights_only=True)
    except Exception as problem:
        if _no_memory(problem) and not ours:
            raise MemoryError(f"for {path}") from problem
        raise FileFormatError(_refused(path, problem)) from problem
    if isinstance(found, torch.Tensor):
        return {"target": _own(found, "the tensor", path)}
    arrays: dict[str, Tensor] = {}
    for name, value in _tensors(found, path):
        if name in arrays:
            raise FileFormatError(f"{path}: expected each tensor once, got {name!r} twice")
        arrays[name] = _own(value, name, path)
    if not arrays:
        raise FileFormatError(f"{path}: expected tensors by name, got {type(found).__name__}")
    return arrays


def _refused(path: Path, problem: Exception) -> str:
    text = str(problem)
    if isinstance(problem, pickle.UnpicklingError) and ("GLOBAL" in text or "reduce" in text):
        return (
            f"{path}: expected a file of torch that holds tensors alone, got a pickle that names "
            f"code ({_culprit(text)}), which is never run; where its origin is trusted, save its "
            "tensors elsewhere with safetensors.torch.save_file(model.state_dict(), "
            "'weights.safetensors'), and give that file"
        )
    size = f"{path.stat().st_size:,} bytes"
    if _no_memory(problem):
        return (
            f"{path}: expected a readable file of torch, got one that asks for more memory than "
            f"{size} explain"
        )
    return (
        f"{path}: expected a readable file of torch that holds tensors alone, such as "
        f"torch.save(model.state_dict(), PATH) writes, got something else "
        f"({size}, {type(problem).__name__})"
    )


def _no_memory(problem: Exception) -> bool:
    return isinstance(problem, MemoryError) or "allocate memory" in str(problem)


def _culprit(text: str) -> str:
    """What torch's unpickler says it met; torch goes on to advise to switch it off."""
    found = re.search(r"GLOBAL (\S{1,100})|(?:unrecognized|unsupported) (function \S{1,100})", text)
    return next(filter(None, found.groups()), "code") if found else "code"


@contextmanager
def _bounded(more: int) -> Iterator[bool]:
    """Lets the address space of this process grow by so many bytes only.

    Yields whether that is less than the process may have anyway.
    """
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    most = pages * resource.getpagesize() + more
    ours = soft == resource.RLIM_INFINITY or most < soft
    resource.setrlimit(resource.RLIMIT_AS, (most if ours else soft, hard))
    try:
        yield ours
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def _refuse_script(members: list[zipfile.ZipInfo], path: Path) -> None:
    """Refuses an archive of TorchScript, which is a program."""
    if any(member.filename.split("/")[-1] == "constants.pkl" for member in members):
        raise FileFormatError(
            f"{path}: expected a file of torch that holds tensors alone, got a program of "
            "TorchScript, which is never run; where its origin is trusted, save its tensors with "
            "torch.save(torch.jit.load(PATH).state_dict(), 'weights.pth'), and give that file"
        )


def _tensors(found: Any, path: Path) -> Iterator[tuple[str, "Tensor"]]:
    """Yields the tensors of nested mappings and lists, which may hold each other, or themselves."""
    import torch

    waiting, names = [(found, "", 0)], 0
    while waiting:
        value, name, depth = waiting.pop()
        if isinstance(value, torch.Tensor):
            yield name, value
            continue
        items = _items(value)
        names += len(items)
        if items and (depth > _DEEPEST or names > _MOST_NAMES):
            raise FileFormatError(
                f"{path}: expected at most {_MOST_NAMES:,} names, {_DEEPEST} mappings deep, "
                "got more (a mapping that holds itself, or is held many times)"
            )
        inner = [(each, f"{name}.{key}" if depth else f"{key}") for key, each in items]
        waiting += [(each, key, depth + 1) for each, key in reversed(inner)]


def _items(value: Any) -> list[tuple[Any, Any]]:
    """What a value holds, by name or by number; a long list of plain numbers holds nothing."""
    if isinstance(value, Mapping):
        return list(value.items())
    if isinstance(value, (list, tuple)):
        return [(k, v) for k, v in enumerate(value) if not isinstance(v, (int, float, str))]
    return []


def _own(tensor: "Tensor", name: str, path: Path) -> "Tensor":
    """The tensor, detached; a view must not stand for more numbers than the file holds."""
    with suppress(NotImplementedError, RuntimeError):  # sparse ones have no storage: refused later
        if tensor.untyped_storage().nbytes() < tensor.numel() * tensor.element_size():
            raise FileFormatError(
                f"{path}, {name!r}: expected every number of the tensor in the file, got a view "
                f"that repeats {tensor.untyped_storage().nbytes():,} bytes to shape "
                f"{tuple(tensor.shape)}"
            )
    return tensor.detach()
