"""`collide vertices`: all vertices, rays and lines of a set from a file."""

import argparse
import json

from experiments.run.progress import Progress
from experiments.run.terminal import UNFINISHED


def vertices(options: argparse.Namespace) -> int:
    """All vertices, rays and lines of a set from a file; 4 where a limit cut the list short."""
    from experiments.own.vertices import list_vertices, print_vertices

    found = list_vertices(options, Progress(quiet=options.quiet))
    if options.json:
        print(json.dumps(found, indent=1))
    else:
        print_vertices(found, every=options.all)
    return UNFINISHED if found["status"] in ("partial", "undecided") else 0
