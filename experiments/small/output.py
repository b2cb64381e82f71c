"""What does a finished run of `collide small` print, and which files does it leave?"""

from pathlib import Path

from experiments.run.proofs import keep_checker
from experiments.run.record import read_record
from experiments.show.printed import print_tables
from experiments.show.tables import write_tables


def finish_small(folder: Path, *, as_json: bool) -> None:
    """Writes tables, figures and report of a run of `collide small`, and prints the tables."""
    from experiments.small.figures import write_small_figures
    from experiments.small.report import conclusion, write_small_report
    from experiments.small.tables import small_tables

    record = read_record(folder)
    tables = small_tables(record.results)
    write_tables(folder, tables)
    write_small_figures(folder, record.results)
    keep_checker(folder)
    write_small_report(folder)
    if not as_json:
        print(f"{conclusion(record.results)}\n")
    print_tables(folder, tables, as_json)
