"""What does a finished run print, and which files does it leave?  Works from the record on disk."""

import json
from pathlib import Path

from experiments.figures import FOLDER as FIGURES
from experiments.figures import write_figures
from experiments.mnist_tables import mnist_tables
from experiments.proofs import keep_checker
from experiments.record import FILE_NAME, read_record
from experiments.report import write_report
from experiments.survey_figure import write_survey_figure
from experiments.survey_tables import survey_tables
from experiments.tables import Table, write_tables

#: What `reproduce` prints of the run, and what `mnist` leaves to the files: it is long.
TABLES = {"1": (), "2": ("table2",)}
FILES_ONLY = ("comparison",)


def finish_mnist(folder: Path, *, as_json: bool, table: str = "all") -> None:
    """Writes tables, figures and report of a run of `collide mnist`, and prints the tables.

    Raises:
        FileFormatError: the folder holds no record.
        OutputError: a file cannot be written.
    """
    record = read_record(folder)
    tables = mnist_tables(record.results)
    write_tables(folder, tables)
    wanted = TABLES.get(table, tuple(t.name for t in tables if t.name not in FILES_ONLY))
    write_figures(folder, record.results)
    keep_checker(folder)
    write_report(folder)
    _print(folder, [t for t in tables if t.name in wanted], as_json)
    if table in ("1", "all") and not as_json:
        print(f"Table 1 (images): {folder / FIGURES / 'table1.png'}")


def finish_survey(folder: Path, *, as_json: bool) -> None:
    """Writes tables and figure of a survey, and prints the tables."""
    record = read_record(folder)
    tables = survey_tables(record.results)
    write_tables(folder, tables)
    write_survey_figure(folder, record.results)
    _print(folder, tables, as_json)


def finish_small(folder: Path, *, as_json: bool) -> None:
    """Writes tables, figures and report of a run of `collide small`, and prints the tables."""
    from experiments.small_figures import write_small_figures
    from experiments.small_report import conclusion, write_small_report
    from experiments.small_tables import small_tables

    record = read_record(folder)
    tables = small_tables(record.results)
    write_tables(folder, tables)
    write_small_figures(folder, record.results)
    keep_checker(folder)
    write_small_report(folder)
    if not as_json:
        print(f"{conclusion(record.results)}\n")
    _print(folder, tables, as_json)


def _print(folder: Path, tables: list[Table], as_json: bool) -> None:
    if as_json:
        document = json.loads((folder / FILE_NAME).read_bytes())
        print(json.dumps({"folder": str(folder), "results": document["results"]}))
        return
    for table in tables:
        print(table.markdown())
    written = sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))
    print(f"written to {folder}: {', '.join(written)}")
