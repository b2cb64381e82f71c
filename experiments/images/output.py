"""What does a finished run on pairs of images print, and which files does it leave?"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from experiments.images.figures import write_image_figures
from experiments.images.tables import image_tables, table_name
from experiments.run.proofs import keep_checker
from experiments.run.record import FILE_NAME, Record, read_record
from experiments.show.numbers import fixed, percent
from experiments.show.page import Page, Section, write_page
from experiments.show.tables import Table, write_tables

#: Left to the files: long.
FILES_ONLY = ("vertices", "spaces")


def finish_images(folder: Path, *, as_json: bool, table: str | None = None) -> str:
    """Writes tables, figures and report of a run on pairs of images, and prints the tables.

    Returns `limit_note`.

    Args:
        folder: of the run.
        as_json: print the record's results as one JSON object instead.
        table: name of the one table to print; None for all but the long ones.

    Raises:
        FileFormatError: the folder holds no record.
        OutputError: a file cannot be written.
    """
    record = read_record(folder)
    tables = image_tables(record.results)
    write_tables(folder, tables)
    figures = write_image_figures(folder, record.results)
    keep_checker(folder)
    write_image_report(folder, record, tables)
    if as_json:
        document = json.loads((folder / FILE_NAME).read_bytes())
        print(json.dumps({"folder": str(folder), "results": document["results"]}))
        return limit_note(record.results)
    for each in tables:
        if each.name == table or (table is None and each.name not in FILES_ONLY and each.rows):
            print(each.markdown())
    print(f"images (Table 3): {figures[0]}")
    written = sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))
    print(f"written to {folder}: {', '.join(written)}")
    return limit_note(record.results)


def limit_note(results: Mapping[str, Any]) -> str:
    """Says that exact facts were asked for and ended by a limit; "" where none was."""
    facts = results["exact"].get("facts")
    if not facts or (facts["limit"] is None and not facts["broken"]):
        return ""
    why = facts["broken"] or f"given up after {facts['limit']:g} seconds (--facts)"
    return f"limit: exact facts of {results['layer_name']} are incomplete: {why}"


def write_image_report(folder: Path, record: Record, tables: list[Table]) -> Path:
    """Writes `report.html` from the record, tables and figures.

    Raises:
        OutputError: the file cannot be written.
    """
    results = record.results
    target = results["target"]
    lines = [
        f"{results['recipe_titles'][one['recipe']]}, start {one['start']}: mean distance of the "
        f"vertices {fixed(one['float']['distance'])}"
        + (f" ({percent(one['float']['ratio'])} of the images')" if one["float"]["ratio"] else "")
        + f", {percent(one['float']['pixels']['stick']['success'])} of the combinations "
        "(stick-breaking weights) in the target's class"
        for one in results["sets"]
    ]
    page = Page(
        title=f"Collision polytopes: {results['title']}",
        heading=f"Relaxed collisions at {results['layer_name']}, {results['title']}",
        lead=" ".join(
            [
                f"Target: {target['name']}, seen as {target['class_name']}.",
                *results["remarks"],
            ]
        ),
        conclusion=lines[0],
        headline=lines[1:],
        sections=_sections(table_name(results)),
        points="vertices.npz",
    )
    return write_page(folder, record, page=page, tables=tables)


def _sections(main: str) -> tuple[Section, ...]:
    return (
        Section(name="main", title="Distances and success", tables=(main,)),
        Section(
            name="images",
            title="The images",
            figures=(
                ("table3", "Rows of target, start and vertices."),
                ("differences", "Each vertex minus the mean of its set."),
                ("interpolants", "Random convex combinations of the vertices."),
            ),
        ),
        Section(
            name="layer",
            title="What this set is",
            tables=("layer",),
            proofs=("free-", "nonnegative-"),
        ),
        Section(name="meanings", title="In which sense they collide", tables=("meanings",)),
        Section(name="spaces", title="Pixel space and the layer's space", tables=("spaces",)),
        Section(name="ball", title="The authors' control", tables=("ball",)),
        Section(name="vertices", title="Vertex by vertex", tables=("vertices",)),
    )
