"""`collide bench`: side by side with peers."""

import sys
from dataclasses import dataclass

from experiments.run.desk import Desk
from experiments.run.request import Request, option

SUMMARY = "side by side with peers: collide bench --help"
REQUESTS = ()


@dataclass(frozen=True, kw_only=True)
class BenchRequest(Request):
    """Words for the parser of the benchmarks, which loads the peers."""

    words: tuple[str, ...] = option("name of a benchmark and its options", positional=True)


def run(request: BenchRequest, desk: Desk) -> int:
    """Benchmarks beside peers."""
    from experiments.bench import main

    sys.argv[0] = "collide bench"
    return int(main(request.words))
