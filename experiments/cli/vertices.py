"""`collide vertices`: all vertices, rays and lines of a set from a file."""

import json

from experiments.own.set_options import VerticesRequest
from experiments.run.desk import Desk, NewRun
from experiments.run.terminal import EXIT

SUMMARY = "all vertices, rays and lines of a layer or polyhedron of yours"
REQUESTS = (VerticesRequest, NewRun)


def run(request: VerticesRequest, desk: Desk) -> int:
    """Lists, proves, measures, writes and prints; 4 where a limit cut the list short."""
    from experiments.own.set_file import load_set
    from experiments.own.vertices import list_vertices, print_vertices

    loaded = load_set(request)
    with desk.running("vertices") as run:
        found = list_vertices(request, loaded, run.folder, run.progress)
    if desk.json:
        print(json.dumps({**found, "folder": str(run.folder)}, indent=1))
    else:
        print_vertices(found, run.folder)
    return EXIT["limit" if found["status"] in ("partial", "undecided") else "done"]
