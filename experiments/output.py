"""What does a finished run print, and which files does it leave?  Works from the record on disk."""

import json
from pathlib import Path

from experiments.mnist_tables import mnist_tables
from experiments.record import FILE_NAME, read_record
from experiments.survey_tables import survey_tables
from experiments.tables import Table, write_tables

TABLE_FILES = {"1": "figures/table1.png", "2": "table2"}


def finish_mnist(folder: Path, *, as_json: bool, table: str = "all") -> None:
    """Writes tables, figures and report of a run of `collide mnist`, and prints the tables.

    Raises:
        FileFormatError: the folder holds no record.
        OutputError: a file cannot be written.
    """
    record = read_record(folder)
    tables = mnist_tables(record.results)
    write_tables(folder, tables)
    _print(folder, [t for t in tables if table == "all" or t.name == TABLE_FILES[table]], as_json)


def finish_survey(folder: Path, *, as_json: bool) -> None:
    """Writes tables and figure of a survey, and prints the tables."""
    record = read_record(folder)
    tables = survey_tables(record.results)
    write_tables(folder, tables)
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
