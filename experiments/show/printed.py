"""How does a finished run print itself?"""

import json
from pathlib import Path

from experiments.run.record import FILE_NAME
from experiments.show.tables import Table


def print_tables(folder: Path, tables: list[Table], as_json: bool) -> None:
    """Prints a run's tables and what it wrote, or its results as JSON."""
    if as_json:
        document = json.loads((folder / FILE_NAME).read_bytes())
        print(json.dumps({"folder": str(folder), "results": document["results"]}))
        return
    for table in tables:
        print(table.markdown())
    written = sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))
    print(f"written to {folder}: {', '.join(written)}")
