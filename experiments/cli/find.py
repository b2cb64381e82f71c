"""`collide find`: relaxed vertices at a layer of a network of the user's own."""

import argparse
import json
import sys
from pathlib import Path

SUMMARY = "relaxed vertices at a layer of a network of yours, by gradient search"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Adds the options of the command."""
    from experiments.cli.network_options import add_model_options, add_search_options

    add_model_options(parser, layer=True)
    add_search_options(parser)
    parser.add_argument(
        "--out", metavar="FOLDER", type=Path, help="run folder (default: runs/find-NNN, a new one)"
    )


def run(options: argparse.Namespace) -> int:
    """Searches, writes and prints; 4 where a limit ended a search."""
    from experiments.own.find import find, find_table, limit_note
    from experiments.own.options import with_defaults
    from experiments.run.folder import announce, running
    from experiments.run.progress import Progress
    from experiments.run.terminal import UNFINISHED

    with running(options, "find") as folder:
        progress = Progress(quiet=options.quiet)
        announce(options, folder, progress)
        results = find(with_defaults(options), folder, progress)
    if options.json:
        print(json.dumps({"folder": str(folder), "results": results}, indent=1))
    else:
        print(find_table(results).markdown())
        print(f"written to {folder}: record.json, vertices.npz, search.safetensors, tables")
    note = limit_note(results)
    if note:
        print(f"{note}; go on with --resume --out {folder} and a higher limit", file=sys.stderr)
    return UNFINISHED if note else 0
