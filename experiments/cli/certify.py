"""`collide certify`: facts and certificates of a layer or polyhedron, or of a network's layer."""

import json
from collections.abc import Mapping
from typing import Any

from experiments.own.options import CertifyLayerRequest
from experiments.own.set_options import CertifyRequest
from experiments.run.desk import Desk, NewRun
from experiments.run.request import read_request, refuse
from experiments.run.terminal import complain

SUMMARY = "facts and certificates of a layer or polyhedron of yours"
REQUESTS = (CertifyRequest, CertifyLayerRequest, NewRun)


def request_of(given: Mapping[str, Any]) -> CertifyRequest | CertifyLayerRequest:
    """That of a network's layer, where a LAYER is given."""
    if "layer" not in given:
        refuse(given, CertifyLayerRequest, beside=CertifyRequest, where="without a LAYER")
        return read_request(CertifyRequest, given)
    network = {"model": str(given["file"]), **{k: v for k, v in given.items() if k != "file"}}
    refuse(network, CertifyRequest, beside=CertifyLayerRequest, where="with a LAYER")
    return read_request(CertifyLayerRequest, network)


def run(request: CertifyRequest | CertifyLayerRequest, desk: Desk) -> int:
    """Certifies, writes and prints."""
    from experiments.own.certify import certify, certify_lines
    from experiments.run.documents import jsonable

    if isinstance(request, CertifyLayerRequest):
        from experiments.own.layer_set import load_layer_set

        loaded = load_layer_set(request)
    else:
        from experiments.own.set_file import load_set

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
