"""How does a long run go on after a crash?  A JSON Lines file with one finished row a line.

The first line names the schema and the options. Every further line is
`{"key": ..., "results": {...}, "timings": {...}}` and is on the disk before `append` returns. Each
line ends with the CRC-32 of what stands before it, so that a changed digit is noticed.
"""

import fcntl
import json
import os
import re
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from experiments.run.files import output_error, sync_folder
from experiments.run.record import as_options, jsonable
from polytope.errors import FileFormatError, InputError, OutputError

SCHEMA = "collision-polytopes/rows/2"
_LINE = re.compile(rb'(\{.*),"crc32":"([0-9a-f]{8})"\}\n', re.DOTALL)


@dataclass(frozen=True)
class Row:
    """One finished piece of work: `results` are reproducible, `timings` (seconds) are not."""

    key: str
    results: Mapping[str, Any]
    timings: Mapping[str, Any]


class RowFile:
    """Rows that survive a crash; open it with the same options to go on where it stopped.

    A torn last line, which is what a kill in the middle of a write leaves, is dropped on opening.
    One process at a time may hold the file.

    Args:
        path: the file, made where absent; its folder must exist.
        options: what the rows depend on; a file written with other options is refused.

    Raises:
        OutputError: the file cannot be written, or another process holds it.
        FileFormatError: a line other than the last is damaged, or the schema is another one.
        InputError: the file's rows were computed with other options.
    """

    def __init__(self, path: Path, *, options: Any) -> None:
        self.path = Path(path)
        self._rows: dict[str, Row] = {}
        self._options = as_options(options)
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
            self._write({"schema": SCHEMA, "options": self._options})
            sync_folder(self.path.parent)
        for number, document in enumerate(documents[1:], start=2):
            row = self._row(document, number)
            self._rows[row.key] = row

    def _check_header(self, header: dict[str, Any]) -> None:
        if header.get("schema") != SCHEMA:
            raise FileFormatError(
                f"{self.path} must be of schema {SCHEMA}; got {header.get('schema')!r:.60}"
            )
        found = header.get("options")
        if found != self._options:
            theirs = found if isinstance(found, dict) else {}
            differing = [
                f"{name}: {_shown(theirs.get(name))} there, {_shown(self._options.get(name))} here"
                for name in sorted(self._options.keys() | theirs.keys())
                if self._options.get(name) != theirs.get(name)
            ]
            raise InputError(
                f"{self.path} holds rows computed with other options ({'; '.join(differing)}); "
                f"give the same options to resume, or name another run folder"
            )

    def _row(self, document: dict[str, Any], number: int) -> Row:
        key, results, timings = (document.get(name) for name in ("key", "results", "timings"))
        if (
            len(document) != 3
            or not isinstance(key, str)
            or not isinstance(results, dict)
            or not isinstance(timings, dict)
        ):
            raise FileFormatError(
                f"{self.path}, line {number}: a row has key, results and timings; "
                f"got {sorted(document)}"
            )
        if key in self._rows:
            raise FileFormatError(f"{self.path}, line {number}: the key {key!r} stands twice")
        return Row(key, results, timings)

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

    def append(
        self, key: str, results: Mapping[str, Any], timings: Mapping[str, Any] | None = None
    ) -> Row:
        """Writes one row; when this returns it is on the disk.

        Args:
            key: names the piece of work, e.g. "seed=0 target=17"; may stand once in a file.
            results: reproducible numbers; Fractions are kept exactly.
            timings: seconds by stage.

        Returns:
            The row as a later opening of the file will read it.

        Raises:
            InputError: the key is there already, or a value cannot be recorded.
            OutputError: the disk is full or the file is gone; the file is left without the row.
        """
        if key in self._rows:
            raise InputError(f"key must be a new one; {key!r} is in {self.path} already")
        row = Row(key, jsonable(results, f"{key}.results"), jsonable(timings or {}, "timings"))
        self._write({"key": row.key, "results": row.results, "timings": row.timings})
        self._rows[key] = row
        return row

    def __contains__(self, key: object) -> bool:
        return key in self._rows

    def __getitem__(self, key: str) -> Row:
        return self._rows[key]

    def __iter__(self) -> Iterator[Row]:
        return iter(self._rows.values())

    def __len__(self) -> int:
        return len(self._rows)

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
