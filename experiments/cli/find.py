"""`collide find`: relaxed vertices at a layer of a network of the user's own."""

import json

from experiments.own.options import FindRequest
from experiments.run.desk import Desk, LastingRun
from experiments.run.terminal import EXIT, complain

SUMMARY = "relaxed vertices at a layer of a network of yours, by gradient search"
REQUESTS = (FindRequest, LastingRun)


def run(request: FindRequest, desk: Desk) -> int:
    """Searches, writes and prints; 4 where a limit ended a search."""
    from experiments.own.find import find, find_table
    from experiments.run.documents import jsonable

    with desk.running("find", device=request.device) as run:
        folder = run.folder
        found = find(request, run)
    if desk.json:
        print(json.dumps({"folder": str(folder), "results": jsonable(found)}, indent=1))
    else:
        print(find_table(found).markdown())
        print(f"written to {folder}: record.json, vertices.npz, search.safetensors, tables")
    note = found.limit_note
    if not note:
        return EXIT["done"]
    complain(f"{note}; go on with --resume --out {folder} and a higher limit")
    return EXIT["limit"]
