"""`collide certify`: facts and certificates of a layer or polyhedron from a file."""

import json
from typing import Any

from experiments.own.set_options import CertifyRequest
from experiments.run.desk import Desk, NewRun
from experiments.run.terminal import complain

SUMMARY = "facts and certificates of a layer or polyhedron of yours"
REQUESTS = (CertifyRequest, NewRun)


def run(request: CertifyRequest, desk: Desk) -> int:
    """Certifies, writes and prints."""
    from experiments.own.certify import certify
    from experiments.own.set_file import load_set

    loaded = load_set(request)
    with desk.running("certify") as run:
        found = certify(request, loaded, run.folder, run.progress)
    made = len(found["vertices"])
    if made < request.vertices:
        complain(
            f"note: --vertices {request.vertices} asks for more than the {made} inactive units"
        )
    if desk.json:
        print(json.dumps({**found, "folder": str(run.folder)}, indent=1))
        return 0
    _print(found)
    print(f"written to {run.folder}: certificates, checker.py, record.json")
    return 0


def _print(found: dict[str, Any]) -> None:
    for name, value in found["facts"].items():
        if name != "certificates":
            print(f"{name:20} {value}")
    print(f"{'unique':20} {found['uniqueness']['sentence']}")
    for each in found["vertices"]:
        value = "" if each["value"] is None else each["approx"]
        shown = "beyond the range of floats" if value is None else value
        proof = each["certificate"]
        print(
            f"unit {each['unit']:<6} {each['status']:10} {shown}  {proof['file'] if proof else ''}"
        )
    for each in found["claims"]:
        proof = each["certificate"]
        print(f"{each['claim']:34} {proof['file'] if proof else each['reason']}")
