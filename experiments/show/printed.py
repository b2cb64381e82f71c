"""How does a finished run print itself?"""

import json
from collections.abc import Iterable
from pathlib import Path

from experiments.run.record import FILE_NAME
from experiments.show.tables import Table


def print_tables(folder: Path, tables: Iterable[Table], as_json: bool) -> None:
    """Prints a run's tables and what it wrote, or its results as JSON."""
    if as_json:
        print_json(folder)
        return
    for table in tables:
        print(table.markdown())
    print_written(folder)


def print_json(folder: Path) -> None:
    """Prints the results of a run's record as one JSON object."""
    document = json.loads((folder / FILE_NAME).read_bytes())
    print(json.dumps({"folder": str(folder), "results": document["results"]}))


def print_written(folder: Path) -> None:
    """Names the files of a run folder."""
    written = sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))
    print(f"written to {folder}: {', '.join(written)}")
