"""What do all vertices of a float32 layer cost?  Beside lrs, Normaliz, PPL and cdd with GMP."""

import argparse
import json
import os
import subprocess
import sys
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import log
from pathlib import Path
from statistics import linear_regression, median

from experiments.bench.enumeration_figure import seconds_figure
from experiments.bench.enumeration_sets import FAMILIES, QUICK, SIZES, SMOKE, LayerSize
from experiments.bench.enumeration_worker import enumerate_all
from experiments.bench.exact_peers import SOLVERS, Answer, Peer, installed, missing
from experiments.bench.exact_sets import ExactSet, refuted, set_of, system_of
from experiments.bench.report import Goal, Report
from experiments.run.progress import Progress
from polytope.errors import CollisionError, InputError

#: A run longer than this is not repeated.
_ONCE = 5.0
#: From these on a set counts as large: the goals for ratios are about 8 to 10 dimensions.
_LARGE_VERTICES, _LARGE_DIMENSIONS = 3000, (8, 9, 10)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Adds this benchmark's options."""
    parser.add_argument("--runs", type=int, default=5, help="of each program that is fast enough")
    parser.add_argument("--limit", type=float, default=30, help="seconds for a peer on one set")
    parser.add_argument("--quick", action="store_true", help="the smaller sets only")
    parser.add_argument("--family", choices=list(FAMILIES), action="append", help="one only")
    parser.add_argument(
        "--size",
        nargs=2,
        type=int,
        action="append",
        metavar=("D", "HALFSPACES"),
        help="sets of this size only",
    )


@dataclass
class _Measured:
    """One set: seconds by program, and what was listed."""

    size: LayerSize
    vertices: int = 0
    status: str = ""
    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    late: set[str] = field(default_factory=set)
    verdicts: dict[str, str] = field(default_factory=dict)
    memory: dict[str, int] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return f"{self.size.family} {self.size.dimension} x {self.size.halfspaces}"

    @property
    def is_large(self) -> bool:
        return self.vertices >= _LARGE_VERTICES and self.size.dimension in _LARGE_DIMENSIONS

    def middle(self, program: str) -> float | None:
        """Returns the median of a program's seconds; None where it did not end in time."""
        return median(self.seconds[program]) if self.seconds[program] else None

    def ratio(self, program: str, limit: float) -> tuple[float, bool] | None:
        """Returns a peer's time over ours, and whether the peer was stopped (then it is more)."""
        ours, theirs = self.middle("ours"), self.middle(program)
        if ours is None or (theirs is None and program not in self.late):
            return None
        return (limit if theirs is None else theirs) / ours, theirs is None

    def fastest(self) -> tuple[str, float] | None:
        """Returns the fastest peer and its time over ours."""
        ours, found = self.middle("ours"), []
        for program in SOLVERS:
            theirs = self.middle(program)
            if theirs is not None and ours is not None:
                found.append((theirs / ours, program))
        return (min(found)[1], min(found)[0]) if found else None


def run(options: argparse.Namespace) -> Report:
    """Measures all programs in turns on each set, and compares what they list.

    Raises:
        InputError: an option is not positive, or a size has no unit.
    """
    sizes = _sizes(options)
    progress = Progress(quiet=options.quiet)
    peers = [Peer(name) for name in installed()]
    measured: list[_Measured] = []
    try:
        for peer in peers:
            peer.start()
        for size in sizes:
            one = _Measured(size)
            progress.say(one.name)
            same = [other for other in measured if other.size.family == size.family]
            _one(one, _still_in_time(peers, same), options)
            measured.append(one)
    finally:
        for peer in peers:
            peer.stop()
    return _report(measured, options)


def _sizes(options: argparse.Namespace) -> list[LayerSize]:
    if options.runs < 1 or options.limit <= 0:
        raise InputError("runs and limit must be positive")
    sizes = options.size or (SMOKE if options.smoke else QUICK if options.quick else SIZES)
    for d, halfspaces in sizes:
        if d < 1 or halfspaces <= 2 * d:
            got = f"{d} {halfspaces}"
            raise InputError(f"size must be D > 0 and more than 2 D half-spaces; got {got}")
    return [
        LayerSize(family, d, halfspaces, options.seed)
        for family in options.family or FAMILIES
        for d, halfspaces in sizes
    ]


def _still_in_time(peers: Sequence[Peer], measured: Sequence[_Measured]) -> list[Peer]:
    """Returns the peers that were not late twice already; the sizes grow."""
    return [peer for peer in peers if sum(peer.name in one.late for one in measured) < 2]


def _one(one: _Measured, peers: Sequence[Peer], options: argparse.Namespace) -> None:
    """Runs us and the peers in turns, each again while it is fast enough."""
    system = system_of(one.size.polytope(one.size.layer()))
    ours: ExactSet | None = None
    for k in range(options.runs):
        if k == 0 or sum(one.seconds["ours"]) < _ONCE:
            found, seconds = enumerate_all(one.size)
            one.seconds["ours"].append(seconds)
            if ours is None:
                ours, one.status = set_of(found), found.status.name
                one.vertices = len(ours.points)
            del found
        for peer in peers:
            if k and (peer.name in one.verdicts and sum(one.seconds[peer.name]) >= _ONCE):
                continue
            if peer.name in one.late or one.verdicts.get(peer.name, "equal") != "equal":
                continue
            answer = peer.ask(system, limit=options.limit)
            verdict = _verdict(answer, ours)
            one.verdicts[peer.name] = verdict
            if verdict == "late":
                one.late.add(peer.name)
            elif answer.listed is not None:
                one.seconds[peer.name].append(answer.seconds)
                if verdict == "different" and ours is not None:
                    one.verdicts[peer.name] += f": it {refuted(system, answer.listed, ours)}"
    one.memory = _memory(one.size)


def _verdict(answer: Answer, ours: ExactSet | None) -> str:
    if answer.listed is None:
        late = answer.failure.startswith("more than")
        return "late" if late else f"failed: {answer.failure}"
    return "equal" if answer.listed == ours else "different"


def _memory(size: LayerSize) -> dict[str, int]:
    """Measures memory in a fresh process; empty where the system does not tell."""
    if not Path("/proc/self/clear_refs").exists():
        return {}
    arguments = (size.family, size.dimension, size.halfspaces, size.seed)
    done = subprocess.run(
        [sys.executable, "-m", "experiments.bench.enumeration_worker", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        reason = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise CollisionError(f"the process that measures memory ended: {reason}")
    answer: dict[str, int] = json.loads(done.stdout)
    return answer


# ---- What is printed ---------------------------------------------------------------------------


def _report(measured: Sequence[_Measured], options: argparse.Namespace) -> Report:
    programs = ["ours", *SOLVERS]
    points = {
        name: [(one.vertices, t) for one in measured if (t := one.middle(name)) is not None]
        for name in programs
    }
    return Report(
        title=f"All vertices of float32 layers, {' or '.join(FAMILIES.values())} (seed "
        f"{options.seed}): seconds, medians of up to {options.runs} runs in turns; peers are "
        f"stopped after {options.limit:g} s.",
        headings=["family, d x half-spaces", "vertices", *programs, "fastest / ours",
                  "cdd.gmp / ours", "our peak bytes / vertex"],
        rows=[_row(one, options.limit) for one in measured],
        goals=_goals(measured, options.limit),
        notes=_notes(measured),
        results={
            one.name: {"vertices": one.vertices, "status": one.status, "peers": one.verdicts}
            for one in measured
        },
        timings={
            "seconds": {one.name: dict(one.seconds) for one in measured},
            "memory": {one.name: one.memory for one in measured},
        },
        figures={"seconds": seconds_figure(points, options.limit)},
    )  # fmt: skip


def _row(one: _Measured, limit: float) -> list[str]:
    cells = []
    for program in ("ours", *SOLVERS):
        seconds = one.middle(program)
        cells.append(f"{seconds:.3f}" if seconds is not None else _absent(one, program, limit))
    fastest, cdd = one.fastest(), one.ratio("cdd.gmp", limit)
    per_vertex = one.memory.get("peak", 0) / max(1, one.vertices)
    return [
        one.name,
        f"{one.vertices:,}",
        *cells,
        "-" if fastest is None else f"{fastest[1]:.2g} ({fastest[0]})",
        "-" if cdd is None else f"{'>' if cdd[1] else ''}{cdd[0]:.3g}",
        f"{per_vertex:,.0f}" if one.memory else "-",
    ]


def _absent(one: _Measured, program: str, limit: float) -> str:
    return f">{limit:g}" if program in one.late else "-"


def _goals(measured: Sequence[_Measured], limit: float) -> list[Goal]:
    large = [one for one in measured if one.is_large]
    fastest = [best[1] for one in large if (best := one.fastest())]
    cdd = [found[0] for one in large if (found := one.ratio("cdd.gmp", limit))]
    small = [1 / best[1] for one in measured if not one.is_large and (best := one.fastest())]
    where = f"8 to 10 dimensions, {_LARGE_VERTICES:,} vertices or more, least"
    return [
        Goal(f"fastest peer / ours, {where}", min(fastest, default=None), 3, "at least", " x"),
        Goal(f"cdd.gmp / ours, {where}", min(cdd, default=None), 100, "at least", " x"),
        Goal("ours / fastest peer, other sets, most", max(small, default=None), 2, "at most", " x"),
        Goal("memory grows with vertices x d to the power", _power(measured), 1.1, "at most"),
    ]


def _power(measured: Sequence[_Measured]) -> float | None:
    """Returns the slope of log peak memory over log output, from sets of 3,000 vertices on."""
    points = [
        (log(one.vertices * one.size.dimension), log(one.memory["peak"]))
        for one in measured
        if one.vertices >= _LARGE_VERTICES and one.memory.get("peak")
    ]
    if len(points) < 3:
        return None
    return linear_regression(*zip(*points, strict=True)).slope


def _notes(measured: Sequence[_Measured]) -> list[str]:
    compared = [verdict for one in measured for verdict in one.verdicts.values()]
    equal, late = compared.count("equal"), compared.count("late")
    notes = [
        "Ours: from the integer rows to every exact coordinate and the witness of completeness. "
        "PPL, cdd.gmp, Normaliz (GMP integers): in a warm process, from their integer rows to "
        "their generators. lrs: the processor time that it states, reading and printing included, "
        "to 1 ms; a stated 0.000 counts as such.",
        f"Threads: OMP_NUM_THREADS is {os.environ.get('OMP_NUM_THREADS', 'not set')}, "
        f"{os.cpu_count()} cores (Normaliz is parallel where it may be).",
        f"Lists compared as sets with ours: {equal} equal, {late} stopped, "
        f"{len(compared) - equal - late} other.",
        f"Our lists: {', '.join(sorted({one.status for one in measured}))}.",
        "Memory: peak resident memory of a fresh process above what imports and a small "
        "enumeration need, exact coordinates and witness included.",
        *missing(),
    ]
    for one in measured:
        for peer, verdict in one.verdicts.items():
            if verdict not in ("equal", "late"):
                notes.append(f"{one.name}: {peer} {verdict}")
    return notes
