"""What produced this number?  The record of a run: options, seed, versions, data, results, timings.

Timings stand apart from results, so that a resumed run's results equal those of an unbroken one.
Exact numbers are kept as text in base 16, which has no length limit in Python and is read in
linear time; a float stands beside them only as `approx`.
"""

import json
import math
import platform
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from enum import Enum
from fractions import Fraction
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from experiments.run.files import write_json
from polytope.errors import FileFormatError, InputError, NonFiniteError

SCHEMA = "collision-polytopes/record/1"
FILE_NAME = "record.json"
PACKAGES = (
    "collision-polytopes",
    "cvxpy",
    "highspy",
    "matplotlib",
    "numpy",
    "onnx",
    "pillow",
    "pplpy",
    "pycddlib",
    "python-flint",
    "safetensors",
    "scikit-learn",
    "scipy",
    "torch",
)
_EXACT = re.compile(r"(-?0x[0-9a-f]+)/(0x[0-9a-f]+)", re.ASCII)


def exact_document(value: Fraction | int) -> dict[str, Any]:
    """Returns an exact number as `{"exact": "0xP/0xQ", "approx": nearest float}`.

    `approx` is None where the number lies outside the range of floats.

    >>> exact_document(Fraction(-1, 3))
    {'exact': '-0x1/0x3', 'approx': -0.3333333333333333}
    """
    number = Fraction(value)
    approx: float | None
    try:
        approx = float(number)
    except OverflowError:
        approx = None
    return {"exact": f"{number.numerator:#x}/{number.denominator:#x}", "approx": approx}


def read_exact(document: Mapping[str, Any]) -> Fraction:
    """Returns the number that `exact_document` wrote.

    Raises:
        FileFormatError: the document holds no exact number.

    >>> read_exact({"exact": "-0x1/0x3", "approx": -0.3333333333333333})
    Fraction(-1, 3)
    """
    match = _EXACT.fullmatch(str(document.get("exact")))
    if match is None or int(match[2], 16) == 0:
        raise FileFormatError(
            f'an exact number is written {{"exact": "0xP/0xQ"}} with Q > 0; got {document!r:.80}'
        )
    return Fraction(int(match[1], 16), int(match[2], 16))


def jsonable(value: Any, where: str = "value") -> Any:
    """Returns `value` in JSON's own types, losing nothing.

    Fractions become `exact_document`s, numpy arrays lists, dataclasses objects, enums their values.

    Args:
        value: what is to be written.
        where: how an error names the place.

    Raises:
        NonFiniteError: a float is NaN or infinite.
        InputError: a value is of no type that a record can hold.
    """
    if isinstance(value, Enum):
        return jsonable(value.value, where)
    if isinstance(value, np.generic | np.ndarray):
        return jsonable(value.tolist(), where)
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, int):
        if abs(value) >= 1 << 63:
            raise InputError(f"{where} has {value.bit_length()} bits; record it as a Fraction")
        return value
    if isinstance(value, float):
        if not math.isfinite(value):
            raise NonFiniteError(f"{where} must be a finite number to be recorded; got {value}")
        return value
    return _jsonable_compound(value, where)


def _jsonable_compound(value: Any, where: str) -> Any:
    if isinstance(value, Fraction):
        return exact_document(value)
    if isinstance(value, Path):
        return str(value)
    if is_dataclass(value) and not isinstance(value, type):
        return {
            f.name: jsonable(getattr(value, f.name), f"{where}.{f.name}") for f in fields(value)
        }
    if isinstance(value, Mapping):
        return {_key(k, where): jsonable(v, f"{where}.{k}") for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [jsonable(v, f"{where}[{i}]") for i, v in enumerate(value)]
    raise InputError(
        f"{where} must be a number, text, list, mapping or dataclass to be recorded; "
        f"got {type(value).__name__}"
    )


def _key(key: Any, where: str) -> str:
    if isinstance(key, str | int) and not isinstance(key, bool):
        return str(key)
    raise InputError(f"a key of {where} must be text or an integer; got {key!r:.80}")


def versions() -> dict[str, str | None]:
    """Returns what computed: Python, system, each package (None where absent) and the git commit.

    Packages are asked for their metadata and not imported.
    """
    found: dict[str, str | None] = {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "commit": _commit(),
    }
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = None
    return found


def _commit() -> str | None:
    """Returns the commit of the checkout this file lies in, with "+" when files differ from it."""
    checkout = Path(__file__).resolve().parents[2]
    if not (checkout / ".git").exists():
        return None
    try:
        head, changes = (
            subprocess.run(
                ["git", "-C", str(checkout), *command],
                capture_output=True,
                text=True,
                check=True,
                timeout=10,
            ).stdout.strip()
            for command in (["rev-parse", "HEAD"], ["status", "--porcelain", "-uno"])
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return head + ("+" if changes else "")


@dataclass(frozen=True, kw_only=True)
class Record:
    """One run of one experiment.

    Attributes:
        experiment: the command's name, e.g. "mnist".
        options: every option as resolved, defaults included.
        seed: the seed of everything random.
        data: name of each input (data file, checkpoint) -> SHA-256.
        results: every number of the run; the same on a resumed run.
        timings: seconds by stage; differs from run to run.
        versions: what computed.
    """

    experiment: str
    options: Mapping[str, Any]
    seed: int
    data: Mapping[str, str]
    results: Mapping[str, Any]
    timings: Mapping[str, Any]
    versions: Mapping[str, str | None] = field(default_factory=versions)


def write_record(folder: Path, record: Record) -> Path:
    """Writes `folder/record.json` atomically and returns its path.

    Raises:
        OutputError: the file cannot be written.
        InputError: the record holds a value that JSON cannot (NonFiniteError for NaN and infinity).
    """
    path = Path(folder) / FILE_NAME
    write_json(path, {"schema": SCHEMA, **jsonable(record, "record")})
    return path


def read_record(folder: Path) -> Record:
    """Reads what `write_record` wrote; exact numbers stay documents (see `read_exact`).

    Raises:
        FileFormatError: the file is absent, no JSON, or not of this schema.
    """
    path = Path(folder) / FILE_NAME
    try:
        document = json.loads(path.read_bytes())
    except OSError as problem:
        raise FileFormatError(f"{path} cannot be read: {problem.strerror}") from problem
    except (ValueError, RecursionError) as problem:
        raise FileFormatError(f"{path} must be JSON; {problem}") from problem
    names = set(Record.__dataclass_fields__)
    if not isinstance(document, dict) or document.pop("schema", None) != SCHEMA:
        raise FileFormatError(f"{path} must be a record of schema {SCHEMA}")
    if set(document) != names:
        raise FileFormatError(f"{path} must hold exactly {sorted(names)}; got {sorted(document)}")
    return Record(**document)


def as_options(options: Any) -> dict[str, Any]:
    """Returns a frozen options dataclass, or a mapping, as the JSON object a record keeps."""
    document = jsonable(options, "options")
    if not isinstance(document, dict):
        raise InputError(f"options must be a dataclass or a mapping; got {type(options).__name__}")
    return document
