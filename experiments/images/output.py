"""What does a finished run on pairs of images print, and which files does it leave?"""

from dataclasses import dataclass
from pathlib import Path

from experiments.images.figures import write_image_figures
from experiments.images.results import ImageResults
from experiments.images.tables import MAIN, image_tables
from experiments.run.proofs import keep_checker
from experiments.run.record import Record, read_record
from experiments.show.numbers import fixed, percent
from experiments.show.page import Page, Section, write_page
from experiments.show.printed import print_json, print_written
from experiments.show.tables import Table, write_tables

#: Left to the files: long.
FILES_ONLY = ("vertices", "spaces")
_SECTIONS = (
    Section(name="main", title="Distances and success", tables=(MAIN,)),
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


@dataclass(frozen=True, eq=False)
class Written:
    """What was written of a run: its tables, its figures and a sentence on a limit, or ""."""

    tables: list[Table]
    figures: list[Path]
    note: str


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
    written = write_images(folder)
    if as_json:
        print_json(folder)
    else:
        print_images(folder, written, table=table)
    return written.note


def write_images(folder: Path) -> Written:
    """Writes tables, figures and report of a run from its record.

    Raises:
        FileFormatError: the folder holds no record.
        OutputError: a file cannot be written.
    """
    record = read_record(folder, ImageResults)
    tables = image_tables(record.results)
    write_tables(folder, tables)
    figures = write_image_figures(folder, record.results)
    keep_checker(folder)
    write_page(folder, record, page=_page(record), tables=tables)
    return Written(tables, figures, limit_note(record.results))


def print_images(folder: Path, written: Written, *, table: str | None = None) -> None:
    """Prints one table, or all but the long ones, and where the files are."""
    for each in written.tables:
        if each.name == table or (table is None and each.name not in FILES_ONLY and each.rows):
            print(each.markdown())
    print(f"images (Table 3): {written.figures[0]}")
    print_written(folder)


def limit_note(results: ImageResults) -> str:
    """Says that exact facts were asked for and ended by a limit; "" where none was."""
    facts = results.exact.facts
    if facts is None or (facts.limit is None and not facts.broken):
        return ""
    why = facts.broken or f"given up after {facts.limit:g} seconds (--facts)"
    return f"limit: exact facts of {results.layer_name} are incomplete: {why}"


def _page(record: Record[ImageResults]) -> Page:
    results, target = record.results, record.results.target
    lines = []
    for one in results.sets:
        found = one.measures.found
        ratio = found.spread.ratio
        lines.append(
            f"{results.recipes[one.recipe].title}, start {one.start}: mean distance of the "
            f"vertices {fixed(found.spread.distance)}"
            + (f" ({percent(ratio)} of the images')" if ratio else "")
            + f", {percent(found.pixels['stick'].success)} of the combinations "
            "(stick-breaking weights) in the target's class"
        )
    lead = f"Target: {target.name}, seen as {target.class_name}."
    return Page(
        title=f"Collision polytopes: {results.title}",
        heading=f"Relaxed collisions at {results.layer_name}, {results.title}",
        lead=" ".join([lead, *results.remarks]),
        conclusion=lines[0],
        headline=lines[1:],
        sections=_SECTIONS,
        points="vertices.npz",
    )
