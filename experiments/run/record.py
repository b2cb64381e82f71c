"""What produced this number?  The record of a run: options, seed, versions, data, results, timings.

Timings stand apart from results, so that a resumed run's results equal those of an unbroken one.
The file names two schemas: its own, and that of the experiment's results.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Generic, TypeVar

from experiments.run.documents import from_document, jsonable
from experiments.run.files import write_json
from experiments.run.versions import versions
from polytope.errors import FileFormatError, InputError

SCHEMA = "collision-polytopes/record/2"
FILE_NAME = "record.json"
#: The experiment's results: a frozen dataclass with `SCHEMA: ClassVar[str]`.
R = TypeVar("R")


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


def _schema_of(kind: type) -> str:
    """The schema that a type of results states."""
    named: str = vars(kind)["SCHEMA"]
    return named


def refused(where: str, what: str, expected: str, got: object) -> FileFormatError:
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
    schemas = {"schema": SCHEMA, "results_schema": _schema_of(type(record.results))}
    write_json(path, {**schemas, **jsonable(record, "record")})
    return path


def read_record(folder: Path, kind: type[R]) -> Record[R]:
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
        raise FileFormatError(f"{path}: expected JSON, got something else: {problem}") from problem
    schema = document.pop("schema", None) if isinstance(document, dict) else None
    if schema != SCHEMA:
        raise refused(f"{path}", "a record", SCHEMA, schema)
    theirs, ours = document.pop("results_schema", None), _schema_of(kind)
    if theirs != ours:
        raise refused(f"{path}", "results", ours, theirs)
    names = {each.name for each in fields(Record)}
    if set(document) != names:
        raise FileFormatError(f"{path}: expected exactly {sorted(names)}, got {sorted(document)}")
    typed: Any = Record[kind]  # type: ignore[valid-type]
    found: Record[R] = from_document(typed, document, f"{path}")
    return found


def as_options(options: Any) -> dict[str, Any]:
    """Returns a frozen options dataclass, or a mapping, as the JSON object a record keeps."""
    document = jsonable(options, "options")
    if not isinstance(document, dict):
        raise InputError(
            f"options: expected a dataclass or a mapping, got {type(options).__name__}"
        )
    return document
