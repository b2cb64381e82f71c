"""What a command prints: its tables by row and column name, and one golden file a command.

A golden file is `tests/golden/<command>.txt`, what a small run printed.  `pytest --update-golden`
writes it anew; read the difference before it is committed.  Another processor computes other last
digits of floats, so a printed text agrees with its golden file if

* words, whole numbers and fractions are the same,
* a decimal number is the same to one unit in its last digit or to one per cent, whichever is more,
* or both numbers are rounding noise, below 1e-3,

and spaces do not count.  Where a float search or a clock made a number, the test says so and the
file shows `#`: cells of columns that are named, all decimals, what a benchmark measures.
"""

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field
from io import StringIO
from itertools import zip_longest
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parents[1] / "golden"
NUMBER = re.compile(r"(?<![\w.])-?\d+(?:,\d{3})*(?:\.\d+)?(?:e[+-]?\d+)?(?!\w)")
_DECIMAL = re.compile(r"(?<![\w.])-?\d[\d,]*(?:\.\d+(?:e[+-]?\d+)?|e[+-]?\d+)(?!\w)")
NOISE = 1e-3
MASK = "#"


@dataclass(frozen=True, kw_only=True)
class PrintedTable:
    """A table in Markdown, read back; the same names as those of `experiments.show.tables.Table`.

    Attributes:
        title: what stands above, without its stars.
        columns: headings.
        rows: cells.
        notes: what stands below, one a star.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...]


@contextmanager
def printed_to(path: Path) -> Iterator[None]:
    """Keeps in a file what is printed meanwhile: for a run that many tests of a module share."""
    with redirect_stdout(StringIO()) as stream:
        yield
    path.write_text(stream.getvalue())


def with_tables(text: str, folder: Path) -> str:
    """What was printed, and below it the tables of a run that were written alone."""
    written = [path.read_text() for path in sorted((folder / "tables").glob("*.md"))]
    return "\n".join([text, *(table for table in written if table.strip() not in text)])


def hashes(text: str) -> str:
    """Masks SHA-256: of files that are made of floats."""
    return re.sub(r"\b[0-9a-f]{64}\b", MASK, text)


def tables(text: str) -> dict[str, PrintedTable]:
    """Returns the tables of a text, by title."""
    found = {}
    for part in re.split(r"^(?=\*\*.*\*\*$)", text, flags=re.MULTILINE)[1:]:
        lines = part.splitlines()
        grid = [_cells(line) for line in lines if line.startswith("|")]
        title = lines[0].strip("*")
        found[title] = PrintedTable(
            title=title,
            columns=grid[0] if grid else (),
            rows=tuple(grid[2:]),
            notes=tuple(line.removeprefix("* ") for line in lines if line.startswith("* ")),
        )
    return found


def _cells(line: str) -> tuple[str, ...]:
    parts = re.split(r"(?<!\\)\|", line.strip())[1:-1]
    return tuple(part.strip().replace("\\|", "|") for part in parts)


def by_row(table: Any, *, key: int = 1) -> dict[str, dict[str, str]]:
    """Returns the cells of a table: name of a row -> name of a column -> cell.

    A row is named by its first `key` cells, with a comma between them; no two names are the same.
    """
    named = {}
    for row in table.rows:
        name = ", ".join(row[:key])
        assert name not in named, f"two rows {name!r}: a longer key tells them apart"
        named[name] = dict(zip(table.columns, row, strict=True))
    return named


@dataclass
class Golden:
    """Compares what a command printed with its golden file, or writes the file.

    Attributes:
        update: whether to write.
        folder: where the files are.
    """

    update: bool = False
    folder: Path = field(default=FOLDER)

    def check(
        self,
        command: str,
        text: str,
        *,
        places: Mapping[str, Path] | None = None,
        masked: Collection[str] | Callable[[str], str] = (),
    ) -> None:
        """Holds a text against the golden file of a command.

        Args:
            command: name of the file.
            text: what was printed.
            places: word -> folder that it stands for, longest first where one is in another.
            masked: columns that are not compared, or `timed`, `decimals` or the like.
        """
        for word, place in (places or {}).items():
            text = text.replace(str(place), word)
        text = masked(text) if callable(masked) else columns(text, masked)
        path = self.folder / f"{command}.txt"
        if self.update:
            path.parent.mkdir(exist_ok=True)
            path.write_text("\n".join(_plain(line) for line in text.splitlines()) + "\n")
        expected = path.read_text() if path.exists() else ""
        found = differences(expected, text)
        assert not found, "\n".join(
            [f"{path.name} differs (if it is meant: pytest --update-golden):", *found]
        )


def differences(expected: str, text: str) -> list[str]:
    """Returns the lines that do not agree, two and two."""
    pairs = zip_longest(expected.splitlines(), text.splitlines(), fillvalue="")
    return [
        f"line {number}\n  expected {one}\n  printed  {_plain(other)}"
        for number, (one, other) in enumerate(pairs, 1)
        if not agree(one, other)
    ]


def agree(one: str, other: str) -> bool:
    """Whether two lines are the same, by the rule of this module."""
    parts = [_parts(_plain(line)) for line in (one, other)]
    return all(a is not None and b is not None and _same(a, b) for a, b in zip_longest(*parts))


def all_numbers(text: str) -> str:
    """Masks every number."""
    return NUMBER.sub(MASK, text)


def decimals(text: str) -> str:
    """Masks every number that is no integer."""
    return _DECIMAL.sub(MASK, text)


def timed(text: str) -> str:
    """Masks what a benchmark measures, and the machine.

    These are decimals, all cells but the first, values of goals, rates, numbers of cores and of
    threads, and the hashes of problems whose numbers are sums of floats.
    """
    lines, in_table = [], False
    for line in text.splitlines():
        in_table = line.startswith("-----") or (in_table and line != "")
        name, cells = re.fullmatch(r"( *.*?)( {2,}.*)?", line).groups() if in_table else (line, "")
        name = decimals(name)
        name = re.sub(r"(?<=: )[\d.,e+-]+(?= [^:]*\(reach: )", MASK, name)
        name = re.sub(r"(?<=problem sha256 )\w+", MASK, name)
        name = re.sub(r": (not )?reached$", ": reached or not", name)
        name = re.sub(r"\d+(?= cores| GFLOP)|(?<=threads: )\d+|(?<=_THREADS is )\w+", MASK, name)
        lines.append(name + all_numbers(cells or ""))
    return "\n".join(lines)


def _parts(line: str) -> Iterator[str]:
    """Yields words and numbers by turns."""
    end = 0
    for match in NUMBER.finditer(line):
        yield line[end : match.start()]
        yield match.group()
        end = match.end()
    yield line[end:]


def _same(one: str, other: str) -> bool:
    if one == other:
        return True
    if not (NUMBER.fullmatch(one) and NUMBER.fullmatch(other)):
        return False
    floats = [bool(set(".e") & set(text)) for text in (one, other)]
    if not any(floats):
        return False
    a, b = (float(text.replace(",", "")) for text in (one, other))
    if max(abs(a), abs(b)) < NOISE:
        return True
    return all(floats) and abs(a - b) <= 1.001 * max(_unit(one), _unit(other), 0.01 * abs(a))


def _unit(text: str) -> float:
    """One in the last digit shown."""
    digits, _, exponent = text.partition("e")
    return float(10.0 ** (int(exponent or 0) - len(digits.partition(".")[2])))


def _plain(line: str) -> str:
    """A line without what only the widths of cells decide."""
    text = re.sub(r"-{3,}", "---", line.rstrip())
    return re.sub(r"(?<=\S) {2,}", " " if text.startswith("|") else "  ", text)


def columns(text: str, names: Collection[str]) -> str:
    """Masks the cells in columns of tables in Markdown."""
    lines, headings = [], ()
    for line in text.splitlines():
        if not line.startswith("|"):
            headings = ()
        elif not headings:
            headings = _cells(line)
        elif not line.startswith("| ---"):
            cells = zip(headings, re.split(r"(?<!\\)\|", line)[1:-1], strict=True)
            shown = (
                f" {MASK} " if name in names and cell.strip() else cell for name, cell in cells
            )
            line = f"|{'|'.join(shown)}|"
        lines.append(line)
    return "\n".join(lines)
