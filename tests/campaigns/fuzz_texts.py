"""Which texts deceive?  Polyhedra in five formats, certificates and their files, records, rows."""

from __future__ import annotations

import json
import random
import re
import sys
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, ClassVar

from experiments.run.documents import jsonable
from experiments.run.outcomes import Key
from experiments.run.record import FILE_NAME, Record, read_record
from experiments.run.record import SCHEMA as RECORD_SCHEMA
from experiments.run.rows import SCHEMA, RowFile, with_crc
from polytope import checker, read_generators, read_polyhedron
from polytope.errors import FileFormatError
from polytope.formats import cdd
from polytope.formats.representations import HalfspaceRows
from tests.campaigns.fuzz_checker_files import typed
from tests.campaigns.fuzz_mutations import any_bytes, any_json, any_text, changed_value
from tests.campaigns.fuzz_targets import Target
from tests.examples.certificates import EXAMPLES

_INE = """\
* a square with a corner cut off
H-representation
linearity 1 5
begin
5 3 rational
1 1 0
1 -1 0
2/3 0 1
1 0 -1
0 1 -1
end
"""
_REAL = "H-representation\nbegin\n2 3 real\n1.5 -1e-3 0\n1 .5 2.25\nend\nnonnegative\n"
_EXT = "V-representation\nlinearity 1 3\nbegin\n3 3 rational\n2 1 4\n0 1 0\n0 0 1\nend\n"
_POLY = """\
_application polytope
_version 2.3

AMBIENT_DIM
2

INEQUALITIES
1 1 0
1/2 -1 0
0 0 1

EQUATIONS
0 1 -1

POINTS
1 0 0
0 1 1
"""
_POLY_JSON = '{"FACETS": [["0", "1", "0"], {"0": "1/2", "2": "-1"}, {"cols": 3}], "_ns": {}}'
_NORMALIZ = """\
amb_space 2
/* rows */
inequalities 1
1 -1
constraints 2
1 1 <= 5
0 1 = 0.5
nonnegative
HilbertBasis
"""
_VEC = '{"den": "2", "num": ["1", "-a"]}'
_NATIVE = (
    '{"schema": "collision-polytopes/halfspaces/1", "n": 2, "inequalities": '
    f'[{{"row": {_VEC}, "bound": ["1", "3"]}}], "equations": '
    f'[{{"row": {_VEC}, "value": ["0", "1"]}}]}}'
)
_POINTS = (
    f'{{"schema": "collision-polytopes/generators/1", "n": 2, "points": [{_VEC}], '
    f'"rays": [{_VEC}], "lines": []}}'
)
_OPTIONS = {"alpha": 10}


def targets(name: str) -> Target:
    if name == "certificate":
        samples = [json.dumps(document).encode() for document in EXAMPLES.values()]
        return Target(
            suffix=".json",
            samples=samples,
            mutate=json_or_bytes,
            read=checker.check_file,
            typed=typed,
        )
    if name == "record":
        return Target(suffix=".json", samples=[record()], mutate=json_or_bytes, read=read_folder)
    if name == "rows":
        return Target(suffix=".jsonl", samples=[rows()], mutate=any_rows, read=read_rows)
    suffix, texts, mutate = {
        "ine": (".ine", [_INE, _REAL], text_or_bytes),
        "ext": (".ext", [_EXT], text_or_bytes),
        "polymake": (".poly", [_POLY], text_or_bytes),
        "polymake-json": (".poly", [_POLY_JSON], json_or_bytes),
        "normaliz": (".in", [_NORMALIZ], text_or_bytes),
        "polyhedron-json": (".json", [_NATIVE, _POINTS], json_or_bytes),
    }[name]
    return Target(
        suffix=suffix,
        samples=[text.encode() for text in texts],
        mutate=mutate,
        read=read_either,
        compare=same_rows if name == "ine" else None,
    )


def text_or_bytes(data: bytes, rng: random.Random) -> bytes:
    if rng.random() < 0.03:  # openings and words without end
        return (
            data + rng.choice((b"/*", b"*", b"/* ", b"begin ", b"1/", b"\n", b"{", b"-")) * 40_000
        )
    return any_text(data, rng) if rng.random() < 0.7 else any_bytes(data, rng)


def json_or_bytes(data: bytes, rng: random.Random) -> bytes:
    return any_json(data, rng) if rng.random() < 0.7 else any_bytes(data, rng)


def read_either(path: Path) -> Any:
    """As half-spaces, or else as generators."""
    try:
        return read_polyhedron(path)
    except FileFormatError:
        return read_generators(path)


def same_rows(path: Path, found: Any) -> str:
    """Reads an .ine file word by word, from its description, and counts rows and numbers."""
    text = path.read_bytes().decode("utf-8", errors="replace")
    parsed = cdd.parse(text, path.name)
    if not isinstance(parsed, HalfspaceRows):
        return ""
    with any_digits():
        return _differences(text, parsed)


@contextmanager
def any_digits() -> Iterator[None]:
    """Python's own limit of 4,300 digits put off, here and nowhere else."""
    before = sys.get_int_max_str_digits()
    sys.set_int_max_str_digits(0)
    try:
        yield
    finally:
        sys.set_int_max_str_digits(before)


def _differences(text: str, parsed: HalfspaceRows) -> str:
    kept = re.split("\r\n|\r|\n", text.removeprefix("\ufeff"))
    kept = [s for s in kept if not s.lstrip().startswith("*") or s.split()[0] == "*****"]
    begin = next(i for i, s in enumerate(kept) if s.split()[:1] == ["begin"])
    words = " ".join(kept[begin + 1 :]).split()
    width, numbers = int(words[1]), [Fraction(w) for w in words[3 : words.index("end")]]
    rows = [numbers[i : i + width] for i in range(0, len(numbers), width)]
    mine = [*parsed.inequalities, *parsed.equations]
    added = [row for row in mine if row not in rows]
    missing = [row for row in rows if row not in mine]
    zeros = all(sum(map(abs, row)) == 1 for row in added)  # of the option nonnegative
    return "" if not missing and zeros else f"{missing} missing, {added} added"


# --- our own runs ----------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Measured:
    """Results of a run that never was."""

    SCHEMA: ClassVar[str] = "collision-polytopes/measured/2"
    gap: Fraction
    rows: tuple[float, ...]


@dataclass(frozen=True)
class MeasuredKey(Key[Measured]):
    WORK = "measured"
    name: str


def record() -> bytes:
    made = Record(
        experiment="mnist",
        options={"alpha": 10, "target": None},
        seed=1,
        data={"train": "00"},
        results=Measured(gap=Fraction(1, 3), rows=(1, 2.5)),
        timings={"train": 1.5},
        versions={"python": "3.11", "onnx": None},
    )
    schemas = {"schema": RECORD_SCHEMA, "results_schema": Measured.SCHEMA}
    return json.dumps({**schemas, **jsonable(made)}).encode()


def read_folder(path: Path) -> Any:
    path.replace(path.with_name(FILE_NAME))
    return read_record(path.parent, Measured)


def rows() -> bytes:
    header = {"schema": SCHEMA, "results_schema": Measured.SCHEMA, "options": _OPTIONS}
    lines: list[dict[str, Any]] = [header]
    for key in map(MeasuredKey, "abc"):
        results = jsonable(Measured(gap=Fraction(1, 3), rows=()))
        lines.append(
            {"key": key.document(), "results": results, "arrays": {"x": [0.5]}, "seconds": 0.5}
        )
    return b"".join(map(with_crc, lines))


def any_rows(data: bytes, rng: random.Random) -> bytes:
    if rng.random() < 0.4:
        return any_bytes(data, rng)
    lines = data.splitlines(keepends=True)
    place = rng.randrange(len(lines))
    one: Callable[[bytes, random.Random], bytes] = rng.choice((any_json, any_bytes, any_text))
    lines[place] = one(lines[place].strip(), rng) + rng.choice((b"\n", b"\n", b"", b"\r\n"))
    if rng.random() < 0.6:  # a change behind which the checksum fits
        document = json.loads(data.splitlines()[place])
        del document["crc32"]
        changed = changed_value(document, rng)
        if isinstance(changed, dict):
            text = json.dumps(changed, separators=(",", ":")).encode("utf-8", "surrogatepass")
            tail = b',"crc32":"%08x"}\n' % zlib.crc32(text)
            lines[place] = text[:-1] + tail
    return b"".join(lines)


def read_rows(path: Path) -> Any:
    with RowFile(path, options=_OPTIONS, schema=Measured.SCHEMA) as opened:
        return [opened[key] for key in map(MeasuredKey, "abc") if key in opened]
