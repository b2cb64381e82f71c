"""What does a finished run of `collide mnist` print, and which files does it leave?"""

from pathlib import Path

from experiments.mnist.figures import write_figures
from experiments.mnist.report import write_report
from experiments.mnist.survey_figure import write_survey_figure
from experiments.mnist.survey_tables import survey_tables
from experiments.mnist.tables import mnist_tables
from experiments.run.proofs import keep_checker
from experiments.run.record import read_record
from experiments.show.figures import FOLDER as FIGURES
from experiments.show.printed import print_tables
from experiments.show.tables import write_tables

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
    print_tables(folder, [t for t in tables if t.name in wanted], as_json)
    if table in ("1", "all") and not as_json:
        print(f"Table 1 (images): {folder / FIGURES / 'table1.png'}")


def finish_survey(folder: Path, *, as_json: bool) -> None:
    """Writes tables and figure of a survey, and prints the tables."""
    record = read_record(folder)
    tables = survey_tables(record.results)
    write_tables(folder, tables)
    write_survey_figure(folder, record.results)
    print_tables(folder, tables, as_json)
