"""What is in a run folder?  Its reproducible contents, and whatever is damaged in it."""

import csv
import hashlib
import io
import json
import re
from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import safe_open

from experiments.show.proof_cells import UNCERTIFIED
from polytope import verify

#: What differs from run to run: seconds, in these fields of these files.  Nothing else may.
TIMED = {"record.json": "timings", "*.jsonl": "seconds"}


def is_scratch(path: Path) -> bool:
    """Whether a file is a half-written one: those have a hidden name."""
    return path.name.startswith(".")


def files_of(folder: Path) -> list[Path]:
    """Every file of a run but half-written ones."""
    found = sorted(folder.rglob("*")) if folder.is_dir() else []
    return [path for path in found if path.is_file() and not is_scratch(path)]


def scratch_of(folder: Path) -> list[str]:
    """The names of half-written files."""
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if is_scratch(p))


def _without_timings(document: dict[str, Any]) -> bytes:
    left_out = ("timings", "seconds", "crc32")  # the last is of a line with its seconds
    return json.dumps({k: v for k, v in document.items() if k not in left_out}).encode()


def contents(folder: Path) -> dict[str, bytes]:
    """Returns file -> bytes, without the fields of `TIMED`; rows of a JSON Lines file are sorted.

    With several workers rows stand in the order in which they ended.
    """
    found = {}
    for path in files_of(folder):
        data = path.read_bytes()
        if path.name == "record.json":
            data = _without_timings(json.loads(data))
        elif path.suffix == ".jsonl":
            data = b"\n".join(sorted(_without_timings(json.loads(x)) for x in data.splitlines()))
        found[str(path.relative_to(folder))] = data
    return found


def differing(one: dict[str, bytes], other: dict[str, bytes]) -> list[str]:
    """Names of the files that two runs do not share byte for byte."""
    return sorted(name for name in one.keys() | other.keys() if one.get(name) != other.get(name))


def damaged(folder: Path, proved: set[str]) -> list[str]:
    """Returns one line for each damaged file.

    Args:
        folder: of a run, at any moment of its life.
        proved: certificates (and the weights they refer to) that were accepted already, by
            content; what is accepted now is added.
    """
    problems = []
    for path in files_of(folder):
        try:
            _look(path, proved)
        except Exception as problem:  # whatever a damaged file makes of its reader
            problems.append(f"{path.relative_to(folder)}: {type(problem).__name__}: {problem}")
    return problems


def _look(path: Path, proved: set[str]) -> None:
    """Raises where a file is not whole."""
    data = path.read_bytes()
    if path.suffix == ".jsonl":
        lines = data.splitlines(keepends=True)
        for line in lines[:-1] if lines and not lines[-1].endswith(b"\n") else lines:
            json.loads(line)  # only the last line may be torn
    elif path.parent.name == "certificates" and path.suffix == ".json":
        digest = hashlib.sha256(str(path).encode() + data).hexdigest()
        if digest not in proved:
            verify(path)
            proved.add(digest)
    elif path.suffix == ".json":
        json.loads(data)
    elif path.suffix == ".npz":
        with np.load(io.BytesIO(data)) as loaded:
            assert all(loaded[name] is not None for name in loaded.files)
    elif path.suffix == ".safetensors":
        with safe_open(str(path), "np") as tensors:
            named = re.fullmatch(r"weight-([0-9a-f]{16})", path.stem)
            assert list(tensors.keys()) or named
    else:
        ends = {
            ".png": b"IEND\xaeB`\x82",
            ".md": b"\n",
            ".csv": b"\n",
            ".tex": b"\\end{table}\n",
            ".html": b"</html>",
            ".py": b"\n",
            ".jpg": b"\xff\xd9",
        }
        wanted = ends.get(path.suffix, b"")
        assert data.rstrip(b"\n").endswith(wanted.rstrip(b"\n")), f"does not end in {wanted!r}"
        assert data, "is empty"


def unproved(folder: Path) -> list[str]:
    """Rows of the tables of a run that name neither certificates that are there nor the word."""
    problems = []
    tables = sorted(folder.rglob("tables/*.csv"))
    kept = {path.name.removesuffix(".json") for path in folder.rglob("certificates/*.json")}
    for path in tables:
        with path.open(newline="") as stream:
            head, *rows = csv.reader(stream)
        shown = path.with_suffix(".md").read_text()
        if rows and "| certificate" not in shown and UNCERTIFIED not in shown.split("|")[0]:
            problems.append(f"{path.name}: shown without a word on certificates")
        for row in rows:
            cell = dict(zip(head, row, strict=True)).get("certificate", "")
            if cell != UNCERTIFIED and not (expanded(cell) and expanded(cell, kept) <= kept):
                problems.append(f"{path.name}: {row[0]}: {cell or 'nothing'}")
    return problems if tables else ["no tables"]


def expanded(cell: str, kept: Collection[str] = ()) -> set[str]:
    """The names that a cell stands for, as a shell expands braces and a star."""
    names = set()
    for word in re.split(r", (?![^{]*\})", cell):
        head, brace, rest = word.partition("{")
        if brace:
            middles, _, end = rest.partition("}")
            names |= {f"{head}{middle}{end}" for middle in middles.split(",")}
        elif star := re.fullmatch(r"(.*)\* \((\d+)\)", word):
            found = {name for name in kept if name.startswith(star[1])}
            names |= found if len(found) >= int(star[2]) else {word}
        elif word:
            names.add(word)
    return names
