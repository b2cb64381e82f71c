"""`collide bench`: side by side with peers."""

import argparse
import sys


def bench(options: argparse.Namespace) -> int:
    """Benchmarks beside peers."""
    from experiments.bench import main

    sys.argv[0] = "collide bench"
    return int(main(options.rest))
