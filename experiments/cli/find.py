"""`collide find`: relaxed vertices at a layer of a network of the user's own."""

import json

from experiments.own.options import FindRequest
from experiments.run.desk import Desk, LastingRun
from experiments.run.terminal import EXIT, complain

SUMMARY = "relaxed vertices at a layer of a network of yours, by gradient search"
REQUESTS = (FindRequest, LastingRun)


def run(request: FindRequest, desk: Desk) -> int:
    """Searches, writes and prints, target after target; 4 where a limit ended a search."""
    from experiments.own.each_target import each_target
    from experiments.own.find import find, find_table
    from experiments.run.documents import jsonable

    with desk.running("find", device=request.device) as run:
        folder = run.folder
        done = [(place.folder, find(asked, place)) for asked, place in each_target(request, run)]
    if desk.json:
        found = [{"folder": str(place), "results": jsonable(each)} for place, each in done]
        print(json.dumps(found[0] if len(found) == 1 else found, indent=1))
    else:
        for place, each in done:
            print(find_table(each).markdown())
            print(f"written to {place}: record.json, vertices.npz, search.safetensors, tables")
    notes = [each.limit_note for _, each in done if each.limit_note]
    for note in notes:
        complain(f"{note}; go on with --resume --out {folder} and a higher limit")
    return EXIT["limit"] if notes else EXIT["done"]
