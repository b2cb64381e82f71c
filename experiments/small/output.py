"""What does a finished run of `collide small` print, and which files does it leave?"""

from pathlib import Path

from experiments.run.record import read_record
from experiments.show.page import write_run
from experiments.show.printed import print_tables
from experiments.small.figures import write_small_figures
from experiments.small.report import conclusion, small_page
from experiments.small.results import SmallResults
from experiments.small.tables import small_tables


def finish_small(folder: Path, *, as_json: bool) -> None:
    """Writes tables, figures and report of a run of `collide small`, and prints the tables."""
    record = read_record(folder, SmallResults)
    tables = small_tables(record.results)
    write_small_figures(folder, record.results)
    write_run(folder, record, tables=tables, page=small_page(record.results))
    if not as_json:
        print(f"{conclusion(record.results)}\n")
    print_tables(folder, tables, as_json)
