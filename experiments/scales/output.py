"""What does a finished run of `collide scales` print, and which files does it leave?"""

from pathlib import Path

from experiments.run.record import read_record
from experiments.scales.figure import write_scales_figure
from experiments.scales.results import ScalesResults
from experiments.scales.tables import scales_tables
from experiments.show.printed import print_tables
from experiments.show.tables import write_tables


def finish_scales(folder: Path, *, as_json: bool) -> None:
    """Writes tables and figure, and prints the tables.

    Raises:
        FileFormatError: the folder holds no record of this kind.
        OutputError: a file cannot be written.
    """
    results = read_record(folder, ScalesResults).results
    tables = scales_tables(results)
    write_tables(folder, tables)
    write_scales_figure(folder, results)
    print_tables(folder, tables, as_json)
