"""How fast are we, beside the peers?  `collide bench NAME`: medians and ratios from one run.

Every benchmark measures us and the peers in turns, in the same run, and prints the ratio beside
the number to reach.  A peer that is not installed is named.  None of this is a test: times depend
on the machine and on who else uses it.
"""

import argparse
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from types import ModuleType

from experiments.bench.report import Report, write_report
from experiments.run.files import open_run_folder

#: Name -> what it answers.  Each is the module of that name in this folder.
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

#: What `--smoke` leaves of the options that a benchmark has.
_SMOKE = {
    "runs": 1,
    "units": 2,
    "targets": 3,
    "steps": 10,
    "singles": 2,
    "max_steps": 2000,
}


def main(argv: Sequence[str] | None = None) -> int:
    """Runs `collide bench`: prints a table, and writes a record where `--out` asks for it.

    Returns:
        0; a number that was not reached is printed as such and is no failure.

    Raises:
        CollisionError: bad options, data that cannot be read, a folder that cannot be written.
    """
    options = vars(_parser().parse_args(argv))
    name, out = options.pop("benchmark"), options.pop("out")
    del options["debug"]  # read by the command line itself
    if options["smoke"]:
        options |= {
            key: most if options[key] is None else min(options[key], most)
            for key, most in _SMOKE.items()
            if key in options
        }
    if out is not None:
        out = open_run_folder(out)
    report: Report = _module(name).run(argparse.Namespace(**options))
    print(report.text())
    if options["smoke"]:
        print("\n--smoke: sizes too small for these numbers to mean anything.")
    if out is not None:
        print(f"record: {write_report(out, name, options, report=report)}")
    return 0


def _module(name: str) -> ModuleType:
    return import_module(f"experiments.bench.{name}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="collide bench",
        description="How fast are we, beside the peers? Medians and ratios from one run.",
    )
    chosen = parser.add_subparsers(dest="benchmark", required=True, metavar="NAME")
    for name, summary in BENCHMARKS.items():
        one = chosen.add_parser(
            name,
            help=summary,
            description=f"{summary[0].upper()}{summary[1:]}.",
            formatter_class=argparse.ArgumentDefaultsHelpFormatter,
        )
        _module(name).add_options(one)
        one.add_argument("--seed", type=int, default=0, help="of the network and everything random")
        one.add_argument("--smoke", action="store_true", help="tiny sizes: does it run at all?")
        one.add_argument("--debug", action="store_true", help="show the traceback of an error")
        one.add_argument("--quiet", action="store_true", help="no progress on stderr")
        one.add_argument("--out", type=Path, help="folder for record.json")
    return parser
