"""How does a long run go on after a crash?  A JSON Lines file with one finished row a line.

The first line names the schemas and the options. Every further line is
`{"key": {...}, "results": {...}, "arrays": {...}, "seconds": ...}` and is on the disk before
`append` returns. Each line ends with the CRC-32 of what stands before it, so that a changed digit
is noticed.
"""

import fcntl
import json
import os
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from experiments.run.documents import from_document, jsonable
from experiments.run.outcomes import Key, Outcome, canonical, spoken
from experiments.run.record import as_options, refused
from polytope.errors import FileFormatError, InputError, OutputError
from polytope.files import output_error, sync_folder

SCHEMA = "collision-polytopes/rows/3"
R = TypeVar("R")
_LINE = re.compile(rb'(\{.*),"crc32":"([0-9a-f]{8})"\}\n', re.DOTALL)


@dataclass(frozen=True)
class StoredRow:
    """A row as the file has it: results are given their type by whoever asks for them."""

    key: dict[str, Any]
    results: dict[str, Any]
    arrays: dict[str, list[Any]]
    seconds: float


class RowFile:
    """Rows that survive a crash; open it with the same options to go on where it stopped.

    A torn last line, which is what a kill in the middle of a write leaves, is dropped on opening.
    One process at a time may hold the file.

    Args:
        path: the file, made where absent; its folder must exist.
        options: what the rows depend on; a file written with other options is refused.
        schema: of the experiment's results, which the rows' types belong to.

    Raises:
        OutputError: the file cannot be written, or another process holds it.
        FileFormatError: a line other than the last is damaged, or a schema is another one.
        InputError: the file's rows were computed with other options.
    """

    def __init__(self, path: Path, *, options: Any, schema: str) -> None:
        self.path = Path(path)
        self._rows: dict[str, StoredRow] = {}
        self._header: dict[str, Any] = {
            "schema": SCHEMA,
            "results_schema": schema,
            "options": as_options(options),
        }
        try:
            self._descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o666)
        except OSError as problem:
            raise output_error(self.path, problem) from problem
        try:
            self._lock()
            self._load()
        except BaseException:
            self.close()
            raise

    def _lock(self) -> None:
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as problem:
            raise OutputError(f"{self.path} is being written by another run") from problem

    def _load(self) -> None:
        data = self.path.read_bytes()
        whole = data.rfind(b"\n") + 1
        lines = data[:whole].splitlines(keepends=True)
        documents = []
        for number, line in enumerate(lines, start=1):
            document = _parse(line)
            if document is None:
                if number < len(lines) or whole < len(data):
                    raise FileFormatError(f"{self.path} is damaged in line {number}: {line!r:.60}")
                whole -= len(line)
                break
            documents.append(document)
        if documents:
            self._check_header(documents[0])  # a foreign file is left as it is
        if whole < len(data):
            os.ftruncate(self._descriptor, whole)
        if not documents:
            self._write(self._header)
            sync_folder(self.path.parent)
        for number, document in enumerate(documents[1:], start=2):
            where = f"{self.path}, line {number}"
            row = from_document(StoredRow, document, where)
            name = canonical(row.key)
            if name in self._rows:
                raise FileFormatError(f"{where}: the key {spoken(row.key)!r} stands twice")
            self._rows[name] = row

    def _check_header(self, header: dict[str, Any]) -> None:
        for name, what in (("schema", "rows"), ("results_schema", "rows with results")):
            if header.get(name) != self._header[name]:
                raise refused(f"{self.path}", what, self._header[name], header.get(name))
        found, ours = header.get("options"), self._header["options"]
        if found != ours:
            theirs = found if isinstance(found, dict) else {}
            differing = [
                f"{name}: {_shown(theirs.get(name))} there, {_shown(ours.get(name))} here"
                for name in sorted(ours.keys() | theirs.keys())
                if ours.get(name) != theirs.get(name)
            ]
            raise InputError(
                f"{self.path} holds rows computed with other options ({'; '.join(differing)}); "
                f"give the same options to resume, or name another run folder"
            )

    def _write(self, document: Mapping[str, Any]) -> None:
        line = with_crc(document)
        before = os.fstat(self._descriptor).st_size
        try:
            rest = line
            while rest:
                rest = rest[os.write(self._descriptor, rest) :]
            os.fsync(self._descriptor)
        except OSError as problem:
            os.ftruncate(self._descriptor, before)
            raise output_error(self.path, problem, needed=len(line)) from problem

    def append(self, key: Key[R], found: Outcome[R]) -> Outcome[R]:
        """Writes one row; when this returns it is on the disk.

        Args:
            key: names the piece of work; may stand once in a file.
            found: its outcome; Fractions are kept exactly.

        Returns:
            The outcome as a later opening of the file will read it.

        Raises:
            InputError: the key is there already, or a value cannot be recorded.
            OutputError: the disk is full or the file is gone; the file is left without the row.
        """
        name = canonical(key.document())
        if name in self._rows:
            raise InputError(f"key: expected a new one, got {str(key)!r}, which is in {self.path}")
        row = StoredRow(
            key=key.document(),
            results=jsonable(found.results, f"{key}.results"),
            arrays={array: values.tolist() for array, values in found.arrays.items()},
            seconds=round(found.seconds, 3),
        )
        self._write(jsonable(row, str(key)))
        self._rows[name] = row
        return self[key]

    def __contains__(self, key: Key[Any]) -> bool:
        return canonical(key.document()) in self._rows

    def __getitem__(self, key: Key[R]) -> Outcome[R]:
        row, where = self._rows[canonical(key.document())], f"{self.path}, row {key}"
        return Outcome(
            from_document(key.results_type(), row.results, where),
            {name: _array(row.arrays[name], where) for name in row.arrays},
            row.seconds,
        )

    def __len__(self) -> int:
        return len(self._rows)

    def seconds(self) -> dict[str, float]:
        """Returns how long each row took, by its key as text."""
        return {spoken(line.key): line.seconds for line in self._rows.values()}

    def close(self) -> None:
        """Releases the file; a second call does nothing."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _array(values: list[Any], where: str) -> NDArray[np.float64]:
    """An array that was written as nested lists."""
    try:
        return np.array(values, dtype=np.float64)
    except (ValueError, TypeError) as problem:
        raise FileFormatError(f"{where}: expected an array of numbers, got {problem}") from None


def _shown(value: Any) -> str:
    """An option in an error, cut where it is long."""
    text = "nothing" if value is None else json.dumps(value)
    return text if len(text) <= 40 else f"{text[:37]}..."


def with_crc(document: Mapping[str, Any]) -> bytes:
    """Returns the line of a document, with the CRC-32 of the line without it.

    >>> with_crc({"key": "a"})[:-1]
    b'{"key":"a","crc32":"a93c1af1"}'
    """
    body = json.dumps(document, allow_nan=False, separators=(",", ":")).encode()
    return b'%b,"crc32":"%08x"}\n' % (body[:-1], zlib.crc32(body))


def _parse(line: bytes) -> dict[str, Any] | None:
    """Returns the JSON object of a line, or None where it is none or its CRC-32 is wrong."""
    match = _LINE.fullmatch(line)
    body = line if match is None else match[1] + b"}"
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(document, dict):
        return None
    if match is None:  # no line of ours, but the first may say of which other schema it is
        return document if document.get("schema", SCHEMA) != SCHEMA else None
    return document if zlib.crc32(body) == int(match[2], 16) else None
