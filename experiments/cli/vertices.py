"""`collide vertices`: all vertices, rays and lines of a set from a file."""

import json

from experiments.own.set_options import VerticesRequest
from experiments.run.desk import Desk, NewRun
from experiments.run.terminal import EXIT, complain

SUMMARY = "all vertices, rays and lines of a layer or polyhedron of yours"
REQUESTS = (VerticesRequest, NewRun)


def run(request: VerticesRequest, desk: Desk) -> int:
    """Lists, proves, measures, writes and prints; 4 where a limit cut the list short."""
    from experiments.own.set_file import load_set
    from experiments.own.vertices import list_vertices
    from experiments.own.vertices_lines import vertices_lines
    from experiments.run.documents import jsonable

    loaded = load_set(request)
    with desk.running("vertices") as run:
        found = list_vertices(request, loaded, run.folder, run.progress)
    if desk.json:
        print(json.dumps({**jsonable(found), "folder": str(run.folder)}, indent=1))
    else:
        print("\n".join(vertices_lines(found)))
        written = ", ".join(["record.json", "certificates", *found.files])
        print(f"written to {run.folder}: {written}")
        if found.status == "partial":
            complain(f"partial list, more may exist: {found.reason}")
    return EXIT["limit" if found.cut_short else "done"]
