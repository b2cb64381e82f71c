"""What produced this number?  The record of a run: options, seed, versions, data, results, timings.

Timings stand apart from results, so that a resumed run's results equal those of an unbroken one.
The file names two schemas: its own, and that of the experiment's results.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Generic, overload

from typing_extensions import TypeVar

from experiments.run.documents import exact_document as exact_document
from experiments.run.documents import from_document
from experiments.run.documents import jsonable as jsonable
from experiments.run.documents import read_exact as read_exact
from experiments.run.files import write_json
from experiments.run.versions import versions
from polytope.errors import FileFormatError, InputError

SCHEMA = "collision-polytopes/record/2"
FILE_NAME = "record.json"
#: The experiment's results: a frozen dataclass with `SCHEMA: ClassVar[str]`.
R = TypeVar("R", default=Any)


@dataclass(frozen=True, kw_only=True)
class Record(Generic[R]):
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
    results: R
    timings: Mapping[str, Any]
    versions: Mapping[str, str | None] = field(default_factory=versions)


def schema_of(kind: type) -> str | None:
    """Returns the schema that a results type states; None for one that has none."""
    return getattr(kind, "SCHEMA", None)


def refused(where: str, what: str, expected: str | None, got: object) -> FileFormatError:
    """Returns the error for a document of another schema: both are named, and what can be done."""
    return FileFormatError(
        f"{where}: expected {what} of schema {expected}, got {got!r:.60} (docs/records.md says "
        "how to read the files of another version)"
    )


def write_record(folder: Path, record: Record[Any]) -> Path:
    """Writes `folder/record.json` atomically and returns its path.

    Raises:
        OutputError: the file cannot be written.
        InputError: the record holds a value that JSON cannot (NonFiniteError for NaN and infinity).
    """
    path = Path(folder) / FILE_NAME
    schemas = {"schema": SCHEMA, "results_schema": schema_of(type(record.results))}
    write_json(path, {**schemas, **jsonable(record, "record")})
    return path


@overload
def read_record(folder: Path) -> Record[Mapping[str, Any]]: ...
@overload
def read_record(folder: Path, kind: type[R]) -> Record[R]: ...
def read_record(folder: Path, kind: Any = Mapping[str, Any]) -> Record[Any]:
    """Reads what `write_record` wrote.

    Args:
        folder: of the run.
        kind: type of the results.

    Raises:
        FileFormatError: the file is absent, no JSON, or of another schema, which is named.
    """
    path = Path(folder) / FILE_NAME
    try:
        document = json.loads(path.read_bytes())
    except OSError as problem:
        raise FileFormatError(f"{path} cannot be read: {problem.strerror}") from problem
    except (ValueError, RecursionError) as problem:
        raise FileFormatError(f"{path} must be JSON; {problem}") from problem
    found = document.pop("schema", None) if isinstance(document, dict) else None
    if found != SCHEMA:
        raise refused(f"{path}", "a record", SCHEMA, found)
    theirs, ours = document.pop("results_schema", None), schema_of(kind)
    if ours is not None and theirs != ours:
        raise refused(f"{path}", "results", ours, theirs)
    names = {each.name for each in fields(Record)}
    if set(document) != names:
        raise FileFormatError(f"{path} must hold exactly {sorted(names)}; got {sorted(document)}")
    return from_document(Record[kind], document, f"{path}")


def as_options(options: Any) -> dict[str, Any]:
    """Returns a frozen options dataclass, or a mapping, as the JSON object a record keeps."""
    document = jsonable(options, "options")
    if not isinstance(document, dict):
        raise InputError(f"options must be a dataclass or a mapping; got {type(options).__name__}")
    return document
