"""What does a finished run of `collide squeezenet` print, and which files does it leave?"""

import io
import json
from contextlib import redirect_stdout
from pathlib import Path

from experiments.images.output import finish_images
from experiments.run.record import FILE_NAME, read_record
from experiments.show.tables import write_tables
from experiments.squeezenet.figure import write_positions_figure
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
    results = read_record(folder).results
    tables = squeezenet_tables(results)
    write_tables(folder, tables)
    figure = None
    if results["positions"] is not None:
        figure = write_positions_figure(folder, results["positions"])
    notes = []
    if as_json:
        for layer in results["layers"]:
            with redirect_stdout(io.StringIO()):
                notes.append(finish_images(folder / folder_name(layer), as_json=True))
        document = json.loads((folder / FILE_NAME).read_bytes())
        print(json.dumps({"folder": str(folder), "results": document["results"]}))
        return "; ".join(filter(None, notes))
    for layer in results["layers"]:
        print(f"# {layer}\n")
        notes.append(finish_images(folder / folder_name(layer), as_json=False))
        print()
    for table in tables:
        if table.name not in FILES_ONLY:
            print(table.markdown())
    print("\n".join(headline(results)))
    if figure is not None:
        print(f"positions of conv10: {figure}, tables/positions.md")
    return "; ".join(filter(None, notes))
