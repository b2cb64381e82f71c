"""`collide certify`: facts and certificates of a layer or polyhedron from a file."""

import json

from experiments.own.set_options import CertifyRequest
from experiments.run.desk import Desk, NewRun
from experiments.run.terminal import complain

SUMMARY = "facts and certificates of a layer or polyhedron of yours"
REQUESTS = (CertifyRequest, NewRun)


def run(request: CertifyRequest, desk: Desk) -> int:
    """Certifies, writes and prints."""
    from experiments.own.certify import certify, certify_lines
    from experiments.own.set_file import load_set
    from experiments.run.documents import jsonable

    loaded = load_set(request)
    with desk.running("certify") as run:
        found = certify(request, loaded, run.folder, run.progress)
    asked, made = request.vertices, len(found.vertices)
    if made < asked:
        complain(f"note: --vertices {asked} asks for more than the {made} inactive units")
    if desk.json:
        print(json.dumps({**jsonable(found), "folder": str(run.folder)}, indent=1))
        return 0
    print("\n".join(certify_lines(found)))
    print(f"written to {run.folder}: certificates, checker.py, record.json")
    return 0
