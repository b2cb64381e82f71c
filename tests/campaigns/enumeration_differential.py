"""P.vertices() against the exact peers, on random polyhedra; a sample of certificates is verified.

    python -m tests.campaigns.enumeration_differential --start 0 --count 5000

prints, by family, how many sets were compared and how they ended, and each disagreement.  Exit
code 0 if there is none.
"""

from __future__ import annotations

import argparse
import sys
import time
import traceback
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from experiments.bench.exact_peers import SOLVERS, installed, missing
from experiments.bench.exact_sets import refuted, set_of, system_of
from experiments.bench.peer_process import Peer
from polytope import verify
from polytope.answers.generators import Completeness, Generators
from polytope.sets.halfspaces import Row
from tests.examples.random_polyhedra import FAMILIES, Polyhedron, polyhedron

#: Seconds for a peer.  What takes longer is counted as "late" and not compared with it.
_LIMIT = 30
_KNOWN = (Completeness.CERTIFIED, Completeness.CROSS_CHECKED, Completeness.EMPTY)


@dataclass
class Tally:
    """What came of the comparisons so far."""

    families: Counter[tuple[str, str]] = field(default_factory=Counter)
    peers: Counter[tuple[str, str]] = field(default_factory=Counter)
    verified: int = 0
    points: int = 0
    wrong: list[str] = field(default_factory=list)
    #: A peer that failed, or whose list substitution and ranks refute (and ours they do not).
    peer_errors: list[str] = field(default_factory=list)
    open: list[str] = field(default_factory=list)

    @property
    def compared(self) -> int:
        """Sets whose list was complete here and equal to that of two peers or more."""
        return self.peers["any two", "equal"]

    def report(self) -> str:
        statuses = [status.name for status in Completeness]
        lines = [" ".join([f"{'family':18s}", *(f"{name:>13s}" for name in statuses)])]
        for family in FAMILIES:
            cells = [f"{self.families[family, name]:13d}" for name in statuses]
            lines.append(" ".join([f"{family:18s}", *cells]))
        lines += [f"{peer}: {n} {word}" for (peer, word), n in sorted(self.peers.items())]
        lines += [f"undecided: {line}" for line in self.open]
        lines += [f"a peer is wrong: {line}" for line in self.peer_errors]
        lines += [f"WRONG: {line}" for line in self.wrong]
        total = sum(self.families.values())
        lines.append(
            f"{total} sets with {self.points} points, {self.compared} equal to two exact peers or "
            f"more, {len(self.open)} undecided, {self.verified} certificates verified, "
            f"{len(self.wrong)} disagreements; {len(self.peer_errors)} times a peer failed, or its "
            "list was refuted by substitution and ranks"
        )
        return "\n".join(lines)


def compare(case: Polyhedron, peers: Sequence[Peer], tally: Tally, *, check: bool) -> None:
    """Compare one set; an exception counts as a disagreement."""
    system = system_of(case.polytope)
    for peer in peers:
        peer.send(system, limit=_LIMIT)
    found: Generators | None = None
    try:
        found = case.polytope.vertices()
        tally.families[case.family, found.status.name] += 1
    except Exception as error:
        tally.families[case.family, "UNDECIDED"] += 1
        where = traceback.extract_tb(error.__traceback__)[-1]
        tally.wrong.append(f"{case.name}: {error!r} at {where.filename}:{where.lineno}")
    answers = {peer.name: peer.receive() for peer in peers}
    if found is None:
        return
    if found.status not in _KNOWN:
        tally.open.append(f"{case.name}: {found.status.name}: {found.reason or 'NO REASON'}")
        return
    ours, equal = set_of(found), 0
    sizes = (len(ours.points), len(ours.rays), len(ours.lines))
    if sizes != (len(found.points), len(found.rays), len(found.lines)):
        tally.wrong.append(f"{case.name}: something is listed twice: {ours.words()} in truth")
    for name, answer in answers.items():
        word = "equal" if answer.listed == ours else "DIFFERENT"
        if answer.listed is None:
            word = "late" if answer.failure.startswith("more than") else "failed"
        tally.peers[name, word] += 1
        equal += word == "equal"
        if word == "failed":
            tally.peer_errors.append(f"{case.name}: {name}: {answer.failure}")
        if answer.listed is not None and word == "DIFFERENT":
            theirs = refuted(system, answer.listed, ours)
            if theirs and not refuted(system, ours, answer.listed):
                tally.peer_errors.append(f"{case.name}: {name} {theirs}")
            else:
                words = f"{ours.words()} here, {answer.listed.words()} by {name}"
                tally.wrong.append(f"{case.name}: {words}")
    tally.peers["any two", "equal" if equal >= 2 else "not equal"] += 1
    tally.points += len(ours.points)
    if check:
        _check(case, found, tally)


def _check(case: Polyhedron, found: Generators, tally: Tally) -> None:
    """Verify the certificate and the incidence matrix."""
    try:
        if found.certificate is not None:
            verify(found.certificate)
            tally.verified += 1
        if found.status is not Completeness.EMPTY:
            expected = [
                [_slack(case.polytope.layer.system, h, v, k < len(found.points)) == 0
                 for h in found.halfspaces]
                for k, v in enumerate([*found.points, *found.rays])
            ]  # fmt: skip
            if found.incidence.tolist() != expected:
                tally.wrong.append(f"{case.name}: the incidence matrix is wrong")
            if case.polytope.dimension().value != found.dimension:
                tally.wrong.append(f"{case.name}: dimension {found.dimension} is wrong")
    except Exception as error:
        tally.wrong.append(f"{case.name}: certificate or incidence: {error!r}")


def _slack(system: Any, halfspace: Any, v: Any, is_point: bool) -> Fraction:
    """Slack of a point, or rate of a ray, in a row or bound."""
    if isinstance(halfspace, Row):
        row, scale = system.integer_row(halfspace.unit), system.scale(halfspace.unit)
        product = sum(a * b for a, b in zip(row, v.numerators, strict=True))
        right = system.rhs[system.position[halfspace]] if is_point else 0
        return right - halfspace.sign * Fraction(product, scale * v.denominator)
    side = system.lower if halfspace.side == "lower" else system.upper
    bound = side[halfspace.coordinate] if is_point else 0
    return abs(bound - v[halfspace.coordinate])


def run(seeds: Sequence[int], *, names: Sequence[str], every: int) -> Tally:
    """Compare the sets of some seeds; verify every so many of each family."""
    tally = Tally()
    peers = [Peer(name) for name in names]
    try:
        for seed in seeds:
            check = seed // len(FAMILIES) % every == 0
            compare(polyhedron(seed), peers, tally, check=check)
    finally:
        for peer in peers:
            peer.stop()
    return tally


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Compare P.vertices() with the exact peers.")
    parser.add_argument("--count", type=int, default=5000, help="number of sets")
    parser.add_argument("--start", type=int, default=0, help="seed of the first set")
    parser.add_argument("--verify-every", type=int, default=5, help="of each family")
    parser.add_argument("--peers", nargs="+", choices=list(SOLVERS), default=installed())
    options = parser.parse_args(argv)
    began = time.perf_counter()
    seeds = range(options.start, options.start + options.count)
    tally = run(seeds, names=options.peers, every=options.verify_every)
    print("\n".join(missing()) or "All peers are here.")
    print(tally.report())
    print(f"{time.perf_counter() - began:.0f} s")
    return 1 if tally.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
