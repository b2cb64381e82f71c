"""`collide compare`: relaxed vertices beside the exact ones, on a network of the user's own."""

import argparse
import json
import sys
from pathlib import Path

SUMMARY = "relaxed against exact at a layer of a network of yours, every sense of a collision"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Adds the options of the command."""
    from experiments.cli.network_options import add_model_options, add_search_options

    add_model_options(parser, layer=True)
    add_search_options(parser)
    group = parser.add_argument_group("the comparison")
    group.add_argument(
        "--search", metavar="FOLDER", type=Path, help="of `collide find` (else it is searched now)"
    )
    group.add_argument(
        "--input-space",
        action="store_true",
        help="also in the network's input, inside the linear region of the target",
    )
    group.add_argument(
        "--tolerance",
        metavar="X",
        type=float,
        help="of the convex combinations (the largest one that a relaxed point needs)",
    )
    group.add_argument(
        "--samples", metavar="N", type=int, default=2000, help="convex combinations (2000)"
    )
    group.add_argument("--seed", metavar="N", type=int, default=0, help="of their weights (0)")
    group.add_argument(
        "--exact-limit",
        metavar="N",
        type=int,
        default=3_000_000,
        help="products of a layer up to which linear programs are solved exactly (3000000)",
    )
    group.add_argument(
        "--region-limit",
        metavar="N",
        type=int,
        default=20_000_000,
        help="rows x inputs up to which a linear region is written out (20000000)",
    )
    group.add_argument(
        "--vertex-seconds",
        metavar="X",
        type=float,
        default=120.0,
        help="for the exact answers of one vertex in one space, at most (120)",
    )
    parser.add_argument(
        "--out",
        metavar="FOLDER",
        type=Path,
        help="run folder (default: runs/compare-NNN, a new one)",
    )


def run(options: argparse.Namespace) -> int:
    """Compares, writes and prints."""
    from experiments.own.compare import compare_network
    from experiments.own.compare_tables import compare_tables, search_note, time_note
    from experiments.run.folder import announce, running
    from experiments.run.progress import Progress
    from experiments.run.terminal import UNFINISHED
    from polytope.errors import InputError

    for name, least in (("samples", 1), ("seed", 0), ("exact_limit", 0), ("region_limit", 0)):
        if getattr(options, name) < least:
            raise InputError(
                f"{name.replace('_', '-')}: expected at least {least}, got {getattr(options, name)}"
            )
    if options.tolerance is not None and not 0 <= options.tolerance < float("inf"):
        raise InputError(f"tolerance: expected a finite number >= 0, got {options.tolerance}")
    if not 0 < options.vertex_seconds < float("inf"):
        raise InputError(f"vertex-seconds: expected a number > 0, got {options.vertex_seconds}")
    with running(options, "compare") as folder:
        progress = Progress(quiet=options.quiet)
        announce(options, folder, progress)
        results = compare_network(options, folder, progress)
    if options.json:
        print(json.dumps({"folder": str(folder), "results": results}, indent=1))
    else:
        for table in compare_tables(results):
            print(table.markdown())
        written = sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))
        print(f"written to {folder}: {', '.join(written)}")
    notes = [time_note(results)]
    if options.search is None and search_note(results):
        notes.append(f"{search_note(results)}; give a higher limit in a new run")
    for note in filter(None, notes):
        print(note, file=sys.stderr)
    return UNFINISHED if any(notes) else 0
