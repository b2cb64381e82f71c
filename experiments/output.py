"""What does a finished run print, and which files does it leave?"""

import json
from pathlib import Path

from experiments.record import Record


def finish_mnist(folder: Path, record: Record, *, as_json: bool, table: str = "all") -> None:
    """Writes tables, figures and report of a run of `collide mnist`, and prints the tables."""
    print(json.dumps({"folder": str(folder)}))


def finish_survey(folder: Path, record: Record, *, as_json: bool) -> None:
    """Writes the tables of a survey, and prints them."""
    shown = {name: value for name, value in record.results.items() if name != "rows"}
    print(json.dumps(shown, indent=1))
