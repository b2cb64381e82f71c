"""How is a run read without a terminal?  One HTML file that opens from disk, no network."""

import base64
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from experiments.run.proofs import command, keep_checker
from experiments.run.record import Record
from experiments.show.figures import FOLDER as FIGURES
from experiments.show.tables import Table, write_tables
from polytope.files import write_text

FILE_NAME = "report.html"


@dataclass(frozen=True, kw_only=True)
class Section:
    """A part of the page.

    Attributes:
        name: its id.
        title: its heading.
        tables: names of tables.
        figures: names of figures, each with its alternative text; those not drawn are left out.
        proofs: what the names of its certificates start with.
    """

    name: str
    title: str
    tables: tuple[str, ...] = ()
    figures: tuple[tuple[str, str], ...] = ()
    proofs: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Page:
    """What a run says of itself.

    Attributes:
        title: of the window.
        heading: of the page.
        lead: a paragraph on what was done.
        conclusion: the result in one sentence.
        headline: the main numbers as sentences.
        sections: in their order.
        points: name of the file with all points.
    """

    title: str
    heading: str
    lead: str
    conclusion: str
    headline: Sequence[str]
    sections: Sequence[Section]
    points: str


def write_run(folder: Path, record: Record[Any], *, tables: Sequence[Table], page: Page) -> None:
    """Writes the tables, the checker and the page of a finished run; its figures are there.

    Raises:
        OutputError: a file cannot be written.
    """
    write_tables(folder, tables)
    keep_checker(folder)
    write_page(folder, record, page=page, tables=tables)


def write_page(folder: Path, record: Record[Any], *, page: Page, tables: Sequence[Table]) -> Path:
    """Writes `report.html` from the record, tables and figures of a run.

    Raises:
        OutputError: the file cannot be written.
    """
    proofs = list(certificates(record.results))
    environment = Environment(
        loader=PackageLoader("experiments.show"),
        autoescape=select_autoescape(),
        undefined=StrictUndefined,
        trim_blocks=True,
    )
    by_name = {table.name: table for table in tables}
    text = environment.get_template(FILE_NAME).render(
        page=page,
        sections=[_section(folder, part, by_name, proofs) for part in page.sections],
        provenance=list(_provenance(record)),
    )
    path = Path(folder) / FILE_NAME
    write_text(path, text)
    return path


def certificates(results: Any) -> Iterator[dict[str, str]]:
    """Yields every saved certificate named anywhere in a record's results, in their order."""
    if is_dataclass(results) and not isinstance(results, type):
        results = {each.name: getattr(results, each.name) for each in fields(results)}
    if isinstance(results, Mapping):
        if set(results) == {"file", "claim"}:
            if results["file"] is None:
                return
            file = str(results["file"])
            yield {
                "file": file,
                "name": Path(file).stem,
                "claim": str(results["claim"]).partition(": ")[2] or str(results["claim"]),
                "command": command(file),
            }
            return
        results = list(results.values())
    if isinstance(results, list | tuple):
        for value in results:
            yield from certificates(value)


def _section(
    folder: Path, part: Section, tables: Mapping[str, Table], proofs: list[dict[str, str]]
) -> dict[str, Any]:
    drawn = [
        {"data": _inline(path), "alt": alt}
        for figure, alt in part.figures
        if (path := Path(folder) / FIGURES / f"{figure}.png").is_file()
    ]
    return {
        "id": part.name,
        "title": part.title,
        "tables": [tables[table] for table in part.tables],
        "figures": drawn,
        "proofs": [p for p in proofs if part.proofs and p["name"].startswith(part.proofs)],
    }


def _inline(path: Path) -> str:
    return "data:image/png;base64," + base64.b64encode(path.read_bytes()).decode()


def _provenance(record: Record[Any]) -> Iterator[tuple[str, str]]:
    for group in (record.options, record.data, record.versions):
        for name, value in group.items():
            yield name, "" if value is None else str(value)
