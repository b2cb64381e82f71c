"""`collide compare`: relaxed vertices beside the exact ones, on a network of the user's own."""

import json

from experiments.own.options import CompareRequest
from experiments.run.desk import Desk, LastingRun
from experiments.run.terminal import EXIT, complain

SUMMARY = "relaxed against exact at a layer of a network of yours, every sense of a collision"
REQUESTS = (CompareRequest, LastingRun)


def run(request: CompareRequest, desk: Desk) -> int:
    """Compares, writes and prints; 4 where a limit ended a search or an exact answer."""
    from experiments.own.compare import compare_network
    from experiments.own.compare_tables import compare_tables, time_note
    from experiments.run.documents import jsonable

    with desk.running("compare", device=request.device) as run:
        folder = run.folder
        found = compare_network(request, run)
    if desk.json:
        print(json.dumps({"folder": str(folder), "results": jsonable(found)}, indent=1))
    else:
        for table in compare_tables(found):
            print(table.markdown())
        written = sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))
        print(f"written to {folder}: {', '.join(written)}")
    notes = [time_note(found)]
    if request.search is None and found.limit_note:
        notes.append(f"{found.limit_note}; give a higher limit in a new run")
    for note in filter(None, notes):
        complain(note)
    return EXIT["limit"] if any(notes) else EXIT["done"]
