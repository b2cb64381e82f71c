"""What does a finished run of `collide squeezenet` print, and which files does it leave?"""

from pathlib import Path

from experiments.images.output import print_images, write_images
from experiments.run.record import read_record
from experiments.show.printed import print_json
from experiments.show.tables import write_tables
from experiments.squeezenet.figure import write_positions_figure
from experiments.squeezenet.results import SqueezeNetResults
from experiments.squeezenet.run import folder_name
from experiments.squeezenet.tables import headline, squeezenet_tables

#: Left to the files: long.
FILES_ONLY = ("positions",)


def finish_squeezenet(folder: Path, *, as_json: bool) -> str:
    """Writes tables and figures of the run and of each layer, and prints the tables.

    Returns a sentence on exact facts that a limit ended, "" where it ended none.

    Raises:
        FileFormatError: a folder holds no record.
        OutputError: a file cannot be written.
    """
    results = read_record(folder, SqueezeNetResults).results
    tables, figure = squeezenet_tables(results), None
    write_tables(folder, tables)
    if results.positions is not None:
        figure = write_positions_figure(folder, results.positions)
    places = {layer: folder / folder_name(layer) for layer in results.layers}
    written = {layer: write_images(place) for layer, place in places.items()}
    if as_json:
        print_json(folder)
    else:
        for layer, place in places.items():
            print(f"# {layer}\n")
            print_images(place, written[layer])
            print()
        for table in tables:
            if table.name not in FILES_ONLY:
                print(table.markdown())
        print("\n".join(headline(results)))
        if figure is not None:
            print(f"positions of conv10: {figure}, tables/positions.md")
    return "; ".join(each.note for each in written.values() if each.note)
