"""What does a finished run of `collide mnist` print, and which files does it leave?"""

from pathlib import Path

from experiments.mnist.figures import write_mnist_figures
from experiments.mnist.report import mnist_page
from experiments.mnist.results import MnistResults
from experiments.mnist.survey_figure import write_survey_figure
from experiments.mnist.survey_results import SurveyResults
from experiments.mnist.survey_tables import survey_tables
from experiments.mnist.tables import mnist_tables
from experiments.run.record import read_record
from experiments.show.figures import FOLDER as FIGURES
from experiments.show.page import write_run
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
    record = read_record(folder, MnistResults)
    tables = mnist_tables(record.results)
    write_mnist_figures(folder, record.results)
    write_run(folder, record, tables=tables, page=mnist_page(record.results))
    wanted = TABLES.get(table, tuple(t.name for t in tables if t.name not in FILES_ONLY))
    print_tables(folder, [t for t in tables if t.name in wanted], as_json)
    if table in ("1", "all") and not as_json:
        for each in record.results.networks:
            path = folder / FIGURES / f"table1-{each.name}.png"
            print(f"Table 1 (images), {each.name} network: {path}")


def finish_survey(folder: Path, *, as_json: bool) -> None:
    """Writes tables and figure of a survey, and prints the tables."""
    results = read_record(folder, SurveyResults).results
    tables = survey_tables(results)
    write_tables(folder, tables)
    write_survey_figure(folder, results)
    print_tables(folder, tables, as_json)
