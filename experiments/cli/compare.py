"""`collide compare`: relaxed vertices beside the exact ones, on a network of the user's own."""

import json

from experiments.own.options import CompareRequest
from experiments.run.desk import Desk, LastingRun
from experiments.run.terminal import EXIT, complain

SUMMARY = "relaxed against exact at a layer of a network of yours, every sense of a collision"
REQUESTS = (CompareRequest, LastingRun)


def run(request: CompareRequest, desk: Desk) -> int:
    """Compares, writes and prints, target after target; 4 where a limit ended something."""
    from experiments.own.compare import compare_network
    from experiments.own.compare_tables import compare_tables, time_note
    from experiments.own.each_target import each_target
    from experiments.run.documents import jsonable

    with desk.running("compare", device=request.device) as run:
        done = [
            (place.folder, compare_network(asked, place))
            for asked, place in each_target(request, run)
        ]
    if desk.json:
        found = [{"folder": str(folder), "results": jsonable(each)} for folder, each in done]
        print(json.dumps(found[0] if len(found) == 1 else found, indent=1))
    else:
        for folder, each in done:
            for table in compare_tables(each):
                print(table.markdown())
            names = (path.name for path in folder.iterdir() if not path.name.startswith("."))
            print(f"written to {folder}: {', '.join(sorted(names))}")
    notes = []
    for _, each in done:
        notes.append(time_note(each))
        if request.search is None and each.limit_note:
            notes.append(f"{each.limit_note}; give a higher limit in a new run")
    for note in filter(None, notes):
        complain(note)
    return EXIT["limit"] if any(notes) else EXIT["done"]
