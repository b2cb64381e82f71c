"""`collide bench`: side by side with peers.

Every benchmark measures us and the peers in turns, in the same run, and prints the ratio beside
the number to reach.  A peer that is not installed is named.  None of this is a test: times depend
on the machine and on who else uses it.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import ModuleType

from experiments.run.desk import Desk
from experiments.run.request import Request, option, read_request

SUMMARY = "side by side with peers: collide bench --help"
REQUESTS = ()
#: Name -> what it answers.  Each is the module of that name in experiments/bench, with a `REQUEST`
#: of its options and a `run` that takes it and a `Progress`.
BENCHMARKS = {
    "lp": "one certified vertex from a cold start, beside HiGHS alone and QSopt_ex",
    "deep": "images that collide at a deep layer: build, certified vertex, check, a layer each",
    "units": "all inactive units of one target, certified: seconds a vertex",
    "fc6": "certificates of a 4,096 x 25,088 layer, one exact vertex on request: seconds, memory",
    "finder": "vertex-steps a second of the relaxed search, one batch beside one at a time",
    "enumeration": "all vertices of float32 layers, certified, beside lrs, Normaliz, PPL, cdd.gmp",
    "checker": "the stand-alone checker on large certificates: seconds, on one core",
    "gap": "how close the relaxed search comes to the exact optimum, and at which tolerance",
}


@dataclass(frozen=True, kw_only=True)
class BenchWords(Request):
    """Words for the parser of the benchmarks, which loads the peers."""

    words: tuple[str, ...] = option("name of a benchmark and its options", positional=True)


@dataclass(frozen=True, kw_only=True)
class Printing(Request):
    """What every benchmark is asked about its words and its folder."""

    debug: bool = option("show the traceback of an error", default=False)
    quiet: bool = option("no progress on stderr", default=False)
    out: Path | None = option("folder for record.json", default=None, metavar="FOLDER")


def run(request: BenchWords, desk: Desk) -> int:
    """Benchmarks beside peers."""
    sys.argv[0] = "collide bench"
    return main(request.words)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs a benchmark: prints a table, and writes a record where `--out` asks for it.

    Returns:
        0; a number that was not reached is printed as such and is no failure.

    Raises:
        CollisionError: bad options, data that cannot be read, a folder that cannot be written.
    """
    from experiments.bench.report import write_report
    from experiments.run.files import open_run_folder
    from experiments.run.progress import Progress

    given = vars(_parser().parse_args(argv))
    name, printing = given.pop("benchmark"), read_request(Printing, given)
    request = read_request(_module(name).REQUEST, given).shrunk()
    out = None if printing.out is None else open_run_folder(printing.out)
    report = _module(name).run(request, Progress(quiet=printing.quiet))
    print(report.text())
    if request.smoke:
        print("\n--smoke: sizes too small for these numbers to mean anything.")
    if out is not None:
        print(f"record: {write_report(out, name, request, report=report)}")
    return 0


def _module(name: str) -> ModuleType:
    return import_module(f"experiments.bench.{name}")


def _parser() -> argparse.ArgumentParser:
    from experiments.run.parser import add_options

    parser = argparse.ArgumentParser(
        prog="collide bench",
        description="How fast are we, beside the peers? Medians and ratios from one run.",
    )
    chosen = parser.add_subparsers(dest="benchmark", required=True, metavar="NAME")
    for name, summary in BENCHMARKS.items():
        words = f"{summary[0].upper()}{summary[1:]}."
        one = chosen.add_parser(name, help=summary, description=words)
        add_options(one, _module(name).REQUEST, Printing)
    return parser
