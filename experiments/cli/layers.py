"""`collide layers`: the layers of a network that can be asked about."""

import json

from experiments.own.options import LayersRequest
from experiments.run.desk import Desk

SUMMARY = "the ReLU layers of a network of yours, with d, N and, at an input, N+"
REQUESTS = (LayersRequest,)


def run(request: LayersRequest, desk: Desk) -> int:
    """Prints the table."""
    from experiments.own.layers import layers_table, list_layers
    from experiments.run.documents import jsonable

    found = list_layers(request)
    if desk.json:
        print(json.dumps(jsonable(found), indent=1))
    else:
        print(layers_table(found).markdown(), end="")
    return 0
