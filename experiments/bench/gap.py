"""How good is the relaxed search?  Its vertices beside the exact optimum of the same units."""

import time
from dataclasses import dataclass
from statistics import fmean
from typing import TYPE_CHECKING, ClassVar, Literal

from experiments.bench.layers import Subject, subject
from experiments.bench.options import BenchRequest, count
from experiments.bench.report import Goal, Report
from experiments.run.progress import Progress
from experiments.run.request import option
from polytope import LPResult

if TYPE_CHECKING:
    from optimize import VertexComparison, VertexSearch

Others = Literal["hinge", "absolute"]
#: Line of the table -> which terms; the default optimiser of each.
FORMS: dict[Others, str] = {
    "hinge": "hinge (constrained)",
    "absolute": "absolute (the paper's eq. 1)",
}
_HEADINGS = ["relative gap max", "mean", "tolerance max", "converged", "steps max",
             "search s", "steps x vertices / s"]  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class GapRequest(BenchRequest):
    """Options of `collide bench gap`."""

    targets: int = count("test images, the first ones", 20)
    units: int = count("units of each target", 5)
    max_steps: int = count("limit of the search", 20_000)
    device: str = option('"cpu", "cuda", or "auto" (cpu)', default="cpu")


REQUEST = GapRequest


@dataclass(frozen=True, kw_only=True)
class VertexGap:
    """One vertex beside the exact optimum of its unit, rounded."""

    target: int
    unit: int
    found: float
    exact: float | None
    relative_gap: float | None
    smallest_tolerance: float


@dataclass(frozen=True, kw_only=True)
class Gaps:
    """One search beside the exact optima."""

    method: str
    converged: int
    steps_max: int
    per_vertex: tuple[VertexGap, ...]

    @property
    def proved(self) -> int:
        """How many of the optima."""
        return sum(one.exact is not None for one in self.per_vertex)

    @property
    def relative_gaps(self) -> list[float]:
        """Of those whose optimum is proved, and not 0."""
        return [one.relative_gap for one in self.per_vertex if one.relative_gap is not None]

    @property
    def smallest_tolerance_max(self) -> float:
        """The least tolerance at which every found point collides."""
        return max(one.smallest_tolerance for one in self.per_vertex)


@dataclass(frozen=True, kw_only=True)
class GapResults:
    """What does not depend on the machine: a search with each penalty."""

    SCHEMA: ClassVar[str] = "collision-polytopes/bench-gap/2"
    hinge: Gaps
    absolute: Gaps


def run(request: GapRequest, progress: Progress) -> Report[GapResults]:
    """Searches with each penalty and compares with the exact optima, in exact arithmetic.

    Raises:
        InputError: the device is absent.
    """
    measured = subject(request, targets=request.targets, digit=None)
    exact: list[dict[int, LPResult]] = [{} for _ in measured.targets]
    rows: list[list[str]] = []
    gaps: dict[Others, Gaps] = {}
    timings: dict[str, dict[str, float]] = {}
    for others, words in FORMS.items():
        progress.say(f"search: {words}")
        found = _search(others, measured, request, progress=progress)
        progress.say(f"exact optima beside it: {words}")
        began = time.perf_counter()
        compared = _compare(found, measured, exact, progress)
        timings[others] = {"search": found.seconds, "exact": time.perf_counter() - began}
        gaps[others] = _gaps(found, compared)
        rows.append([words, *_cells(found, gaps[others])])
    hinge = gaps["hinge"]
    return Report(
        title=f"Relaxed vertices beside exact ones: {len(measured.targets)} targets x "
        f"{request.units} units, started at the target, default optimiser. {measured.words}.",
        headings=["penalty on the other units", *_HEADINGS],
        rows=rows,
        goals=[
            Goal("hinge: largest relative gap", max(hinge.relative_gaps), 0.02, "at most"),
            Goal(
                "hinge: largest smallest tolerance", hinge.smallest_tolerance_max, 1e-3, "at most"
            ),
        ],
        notes=[
            "Relative gap: |found - exact minimum| / |exact minimum| of the unit's pre-activation. "
            "Tolerance: the least at which the found point truly collides. Both computed exactly.",
            "Converged: within the method's duality gap, computed in float64.",
        ],
        data=measured.data,
        results=GapResults(hinge=hinge, absolute=gaps["absolute"]),
        timings=timings,
    )


def _search(
    others: Others, measured: Subject, request: GapRequest, *, progress: Progress
) -> "VertexSearch":
    from optimize import Objective, Stopping, find_vertices

    return find_vertices(
        measured.network(),
        "0",
        measured.targets,
        units=request.units,
        objective=Objective(others=others),
        stopping=Stopping(max_steps=request.max_steps),
        seed=request.seed,
        device=request.device,
        progress=not progress.quiet,
    )


def _compare(
    found: "VertexSearch",
    measured: Subject,
    exact: list[dict[int, LPResult]],
    progress: Progress,
) -> list["VertexComparison"]:
    """Compares target by target, so that one polytope lives at a time; keeps the exact optima."""
    from optimize import compare

    compared: list[VertexComparison] = []
    targets = range(len(measured.targets))
    for index in progress.track(targets, total=len(targets), unit="targets"):
        polytope = measured.case(index).polytope()
        part = compare(
            polytope, found, exact=exact[index], distance=None, target=index, progress=False
        )
        exact[index].update({one.unit: one.exact for one in part})
        compared += part
    return compared


def _gaps(found: "VertexSearch", compared: list["VertexComparison"]) -> Gaps:
    return Gaps(
        method=found.method,
        converged=int(found.converged.sum()),
        steps_max=int(found.steps.max()),
        per_vertex=tuple(
            VertexGap(
                target=one.target,
                unit=one.unit,
                found=float(one.found_value),
                exact=None if one.exact_value is None else float(one.exact_value),
                relative_gap=one.relative_gap,
                smallest_tolerance=float(one.smallest_tolerance),
            )
            for one in compared
        ),
    )


def _cells(found: "VertexSearch", gaps: Gaps) -> list[str]:
    return [
        f"{max(gaps.relative_gaps):.2%}",
        f"{fmean(gaps.relative_gaps):.2%}",
        f"{gaps.smallest_tolerance_max:.1e}",
        f"{gaps.converged} of {len(gaps.per_vertex)}",
        str(gaps.steps_max),
        f"{found.seconds:.1f}",
        f"{float(found.steps.sum()) / found.seconds:,.0f}",
    ]
