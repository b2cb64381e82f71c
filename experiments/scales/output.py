"""What does a finished run of `collide scales` print, and which files does it leave?"""

from pathlib import Path

from experiments.run.record import read_record
from experiments.scales.figure import scales_figure
from experiments.scales.images import collisions_figure
from experiments.scales.results import ScalesResults
from experiments.scales.tables import scales_tables
from experiments.show.figures import write_figures
from experiments.show.printed import print_tables
from experiments.show.tables import write_tables


def finish_scales(folder: Path, *, as_json: bool) -> None:
    """Writes tables and figures, and prints the tables.

    Raises:
        FileFormatError: the folder holds no record of this kind.
        OutputError: a file cannot be written.
    """
    results = read_record(folder, ScalesResults).results
    tables = scales_tables(results)
    write_tables(folder, tables)
    drawn = {"scales": scales_figure(results), "collisions": collisions_figure(folder, results)}
    write_figures(folder, drawn)
    print_tables(folder, tables, as_json)
