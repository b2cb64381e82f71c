"""What is said of an enumeration?  Seconds beside the peers', ratios, growth of memory."""

import os
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import log
from statistics import linear_regression
from typing import ClassVar

from experiments.bench.enumeration_figure import seconds_figure
from experiments.bench.enumeration_sets import FAMILIES, LayerSize, Memory
from experiments.bench.exact_peers import SOLVERS, missing
from experiments.bench.report import Goal, Report, middle, ratio

#: From these on a set counts as large: the goals for ratios are about 8 to 10 dimensions.
_LARGE_VERTICES, _LARGE_DIMENSIONS = 3000, (8, 9, 10)


@dataclass(frozen=True, kw_only=True)
class Listed:
    """One set: how many vertices, how far ours were proved, and each peer's verdict."""

    vertices: int
    status: str
    peers: dict[str, str]


@dataclass(frozen=True, kw_only=True)
class EnumerationResults:
    """What does not depend on the machine, but for peers that were stopped: set -> its list."""

    SCHEMA: ClassVar[str] = "collision-polytopes/bench-enumeration/2"
    sets: dict[str, Listed]


@dataclass(frozen=True)
class Ratio:
    """A peer's time over ours; `stopped`: it is more."""

    value: float
    stopped: bool = False


@dataclass
class Measured:
    """One set: seconds by program, and what was listed."""

    size: LayerSize
    vertices: int = 0
    status: str = ""
    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    late: set[str] = field(default_factory=set)
    verdicts: dict[str, str] = field(default_factory=dict)
    memory: Memory | None = None

    @property
    def name(self) -> str:
        """In tables."""
        return f"{self.size.family} {self.size.dimension} x {self.size.halfspaces}"

    @property
    def is_large(self) -> bool:
        """Whether the goals for ratios are about it."""
        return self.vertices >= _LARGE_VERTICES and self.size.dimension in _LARGE_DIMENSIONS

    def middle(self, program: str) -> float | None:
        """Returns the median of a program's seconds; None where it did not end in time."""
        return middle(self.seconds[program])

    def ratio(self, program: str, limit: float) -> Ratio | None:
        """Returns a peer's time over ours; None where either was not measured."""
        ours, theirs = self.middle("ours"), self.middle(program)
        if ours is None or (theirs is None and program not in self.late):
            return None
        return Ratio((limit if theirs is None else theirs) / ours, theirs is None)

    def fastest(self) -> str | None:
        """Returns the fastest peer."""
        timed = {name: found for name in SOLVERS if (found := self.middle(name)) is not None}
        return min(timed, key=lambda name: timed[name]) if timed else None

    def best(self) -> float | None:
        """Returns the fastest peer's time over ours."""
        peer = self.fastest()
        return None if peer is None else ratio(self.seconds[peer], self.seconds["ours"])


def report_of(
    measured: Sequence[Measured], *, seed: int, runs: int, limit: float
) -> Report[EnumerationResults]:
    """Returns what is said of the sets.

    Args:
        measured: of what was asked for, in its order.
        seed: of the sets.
        runs: of each program, at most.
        limit: seconds after which peers were stopped.
    """
    programs = ["ours", *SOLVERS]
    points = {
        name: [(one.vertices, t) for one in measured if (t := one.middle(name)) is not None]
        for name in programs
    }
    return Report(
        title=f"All vertices of float32 layers, {' or '.join(FAMILIES.values())} (seed "
        f"{seed}): seconds, medians of up to {runs} runs in turns; peers are "
        f"stopped after {limit:g} s.",
        headings=["family, d x half-spaces", "vertices", *programs, "fastest / ours",
                  "cdd.gmp / ours", "our peak bytes / vertex"],
        rows=[_row(one, limit) for one in measured],
        goals=_goals(measured, limit),
        notes=_notes(measured),
        results=EnumerationResults(
            sets={
                one.name: Listed(vertices=one.vertices, status=one.status, peers=one.verdicts)
                for one in measured
            }
        ),
        timings={
            "seconds": {one.name: dict(one.seconds) for one in measured},
            "memory": {one.name: one.memory for one in measured},
        },
        figures={"seconds": seconds_figure(points, limit)},
    )  # fmt: skip


def _row(one: Measured, limit: float) -> list[str]:
    cells = []
    for program in ("ours", *SOLVERS):
        seconds = one.middle(program)
        cells.append(f"{seconds:.3f}" if seconds is not None else _absent(one, program, limit))
    cdd, memory = one.ratio("cdd.gmp", limit), one.memory
    return [
        one.name,
        f"{one.vertices:,}",
        *cells,
        "-" if one.best() is None else f"{one.best():.2g} ({one.fastest()})",
        "-" if cdd is None else f"{'>' if cdd.stopped else ''}{cdd.value:.3g}",
        "-" if memory is None else f"{memory.peak / max(1, one.vertices):,.0f}",
    ]


def _absent(one: Measured, program: str, limit: float) -> str:
    return f">{limit:g}" if program in one.late else "-"


def _goals(measured: Sequence[Measured], limit: float) -> list[Goal]:
    large = [one for one in measured if one.is_large]
    fastest = [best for one in large if (best := one.best())]
    cdd = [found.value for one in large if (found := one.ratio("cdd.gmp", limit))]
    small = [1 / best for one in measured if not one.is_large and (best := one.best())]
    where = f"8 to 10 dimensions, {_LARGE_VERTICES:,} vertices or more, least"
    return [
        Goal(f"fastest peer / ours, {where}", min(fastest, default=None), 3, "at least", " x"),
        Goal(f"cdd.gmp / ours, {where}", min(cdd, default=None), 100, "at least", " x"),
        Goal("ours / fastest peer, other sets, most", max(small, default=None), 2, "at most", " x"),
        Goal("memory grows with vertices x d to the power", _power(measured), 1.1, "at most"),
    ]


def _power(measured: Sequence[Measured]) -> float | None:
    """Returns the slope of log peak memory over log output, from sets of 3,000 vertices on."""
    points = [
        (log(one.vertices * one.size.dimension), log(one.memory.peak))
        for one in measured
        if one.vertices >= _LARGE_VERTICES and one.memory and one.memory.peak
    ]
    if len(points) < 3:
        return None
    return linear_regression(*zip(*points, strict=True)).slope


def _notes(measured: Sequence[Measured]) -> list[str]:
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
