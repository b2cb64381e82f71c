"""Every question of CollisionPolytope against PPL and cdd with GMP; each certificate is verified.

    python -m tests.campaigns.differential --count 10000 --start 0

prints how many answers were compared and how many of them two exact engines gave, how many were
undecided and why, and each disagreement, crash or failure of an engine.  Exit code 0 if nothing was
wrong.  A run that was stopped goes on with ``--start``: instance k is the same in every run.
"""

from __future__ import annotations

import argparse
import sys
import time
import warnings
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from typing import Any

import numpy as np

from experiments.bench.exact_peers import installed
from experiments.bench.peer_process import Peer
from tests.campaigns.differential_case import Case
from tests.campaigns.differential_questions import OF_REGIONS, QUESTIONS
from tests.campaigns.differential_tally import Tally
from tests.examples.adversarial_layers import adversarial
from tests.examples.random_layers import instance
from tests.examples.structured_layers import structured
from tests.oracles.exact_engines import CDD, PPL, Engine, Normaliz
from tests.oracles.exact_oracle import Oracle

#: One instance in so many has a structure (convolutions, sparse, networks); the others alternate.
_STRUCTURED = 10


def draw(seed: int, largest: tuple[int, int] = (6, 4)) -> Any:
    """Instance number ``seed``: plain random layers, adversarial ones, now and then a structure."""
    number, kind = divmod(seed, _STRUCTURED)
    if kind == _STRUCTURED - 1:
        return structured(number)
    half, odd = divmod(number * (_STRUCTURED - 1) + kind, 2)
    return adversarial(half, largest=largest) if odd else instance(half, largest=largest)


class Comparison:
    """Compares one instance after the other; a context manager, for the referee's process."""

    def __init__(self) -> None:
        self.tally = Tally()
        self._stack = ExitStack()
        self._peer = Peer("Normaliz") if "Normaliz" in installed() else None

    def __enter__(self) -> Comparison:
        if self._peer is not None:
            self._stack.enter_context(self._peer)
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def ask(self, case: Any, *, seed: int = 0, squares: bool = True) -> None:
        """Ask every question of one instance."""
        self.tally.name = case.name
        try:
            polytope = case.polytope()
        except Exception as error:
            self.tally.crash("polytope", error)
            return
        oracle: Oracle = case.oracle()
        engines = (PPL(oracle), CDD(oracle.half_spaces, oracle.n))
        given = Case(
            polytope,
            oracle,
            engines,
            lambda: self._referee(oracle),
            self.tally,
            np.random.default_rng([7, seed]),
        )
        asked: tuple[Callable[[Case], None], ...] = QUESTIONS
        if getattr(case, "is_region", False):
            asked = OF_REGIONS
        for question in asked:
            if question.__name__ == "squares" and not squares:
                continue
            try:
                question(given)
            except Exception as error:
                self.tally.crash(question.__name__, error)

    def _referee(self, oracle: Oracle) -> Engine:
        if self._peer is None:
            return Engine(oracle.half_spaces, oracle.n)
        return Normaliz(oracle.half_spaces, oracle.n, self._peer)


def compare_all(cases: Iterable[tuple[int, Any]], *, squares: bool = True) -> Tally:
    """Compare numbered instances."""
    with Comparison() as comparison:
        for seed, case in cases:
            comparison.ask(case, seed=seed, squares=squares)
    return comparison.tally


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Compare polytope with PPL and cdd with GMP.")
    parser.add_argument("--count", type=int, default=2000, help="number of layers")
    parser.add_argument("--start", type=int, default=0, help="number of the first layer")
    parser.add_argument("--units", type=int, default=6, help="largest number of units")
    parser.add_argument("--inputs", type=int, default=4, help="largest number of inputs")
    parser.add_argument("--every", type=int, default=1000, help="a line of progress")
    options = parser.parse_args(argv)
    warnings.simplefilter("error")  # what warns would stop somebody's run: it counts as a crash
    began, done = time.perf_counter(), 0
    with Comparison() as comparison:
        tally = comparison.tally
        try:
            for seed in range(options.start, options.start + options.count):
                largest = (options.units, options.inputs)
                comparison.ask(draw(seed, largest), seed=seed)
                done += 1
                if done % options.every == 0:
                    line = f"{done} instances, {len(tally.wrong)} wrong, next --start {seed + 1}"
                    print(line, file=sys.stderr, flush=True)
        except KeyboardInterrupt:
            print(f"stopped; go on with --start {options.start + done}", file=sys.stderr)
    print(tally.report())
    print(f"{done} instances, {time.perf_counter() - began:.0f} s")
    if done < options.count:
        return 130
    return 0 if tally.is_clean else 1


if __name__ == "__main__":
    sys.exit(main())
