"""What do all vertices of a float32 layer cost?  Beside lrs, Normaliz, PPL and cdd with GMP."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from experiments.bench.enumeration_report import EnumerationResults, Measured, report_of
from experiments.bench.enumeration_sets import (
    FAMILIES,
    QUICK,
    SIZES,
    SMOKE,
    Family,
    LayerSize,
    Memory,
    enumerate_all,
    measure_memory,
)
from experiments.bench.exact_peers import Answer, installed
from experiments.bench.exact_sets import ExactSet, refuted, set_of, system_of
from experiments.bench.fresh import fresh
from experiments.bench.options import BenchRequest, count
from experiments.bench.peer_process import Peer
from experiments.bench.report import Report
from experiments.run.progress import Progress
from experiments.run.request import option
from polytope.errors import InputError

#: A run longer than this is not repeated.
_ONCE = 5.0


@dataclass(frozen=True, kw_only=True)
class EnumerationRequest(BenchRequest):
    """Options of `collide bench enumeration`."""

    runs: int = count("of each program that is fast enough", 5)
    limit: float = option("seconds for a peer on one set (30)", default=30.0, metavar="S", above=0)
    quick: bool = option("the smaller sets only", default=False)
    family: tuple[Family, ...] = option("one only (both)", default=())
    size: tuple[tuple[int, int], ...] = option(
        "sets of this size only", default=(), metavar="D HALFSPACES"
    )

    def __post_init__(self) -> None:
        """Checks the sizes and the ranges.

        Raises:
            InputError: a layer without units.
        """
        super().__post_init__()
        for d, halfspaces in self.size:
            if d < 1 or halfspaces <= 2 * d:
                raise InputError(
                    f"size: expected D > 0 and more than 2 D half-spaces, got {d} {halfspaces}"
                )

    def sizes(self) -> list[LayerSize]:
        """Returns the sets that are measured."""
        usual = SMOKE if self.smoke else QUICK if self.quick else SIZES
        return [
            LayerSize(family, d, halfspaces, self.seed)
            for family in self.family or FAMILIES
            for d, halfspaces in self.size or usual
        ]


REQUEST = EnumerationRequest


def run(request: EnumerationRequest, progress: Progress) -> Report[EnumerationResults]:
    """Measures all programs in turns on each set, and compares what they list."""
    peers = [Peer(name) for name in installed()]
    measured: list[Measured] = []
    try:
        for peer in peers:
            peer.start()
        for size in request.sizes():
            one = Measured(size)
            progress.say(one.name)
            same = [other for other in measured if other.size.family == size.family]
            _one(one, _still_in_time(peers, same), request)
            measured.append(one)
    finally:
        for peer in peers:
            peer.stop()
    return report_of(measured, seed=request.seed, runs=request.runs, limit=request.limit)


def _still_in_time(peers: Sequence[Peer], measured: Sequence[Measured]) -> list[Peer]:
    """Returns the peers that were not late twice already; the sizes grow."""
    return [peer for peer in peers if sum(peer.name in one.late for one in measured) < 2]


def _one(one: Measured, peers: Sequence[Peer], request: EnumerationRequest) -> None:
    """Runs us and the peers in turns, each again while it is fast enough."""
    system = system_of(one.size.polytope())
    ours: ExactSet | None = None
    for k in range(request.runs):
        if k == 0 or sum(one.seconds["ours"]) < _ONCE:
            listed = enumerate_all(one.size)
            one.seconds["ours"].append(listed.seconds)
            if ours is None:
                ours, one.status = set_of(listed.found), listed.found.status.name
                one.vertices = len(ours.points)
            del listed
        for peer in peers:
            if k and (peer.name in one.verdicts and sum(one.seconds[peer.name]) >= _ONCE):
                continue
            if peer.name in one.late or one.verdicts.get(peer.name, "equal") != "equal":
                continue
            answer = peer.ask(system, limit=request.limit)
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


def _memory(size: LayerSize) -> Memory | None:
    """Measures memory in a fresh process; None where the system does not tell."""
    if not Path("/proc/self/clear_refs").exists():
        return None
    return fresh(measure_memory, size, words="memory")
