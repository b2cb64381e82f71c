"""What does one certified vertex cost, from a cold start?  Beside HiGHS alone and QSopt_ex."""

import time
from collections import defaultdict
from dataclasses import dataclass
from fractions import Fraction
from typing import ClassVar

from experiments.bench.layers import subject
from experiments.bench.options import BenchRequest, count
from experiments.bench.peers import ESOLVER, esolver_path, highs_alone, qsopt_ex
from experiments.bench.report import Goal, Report, ratio, spread
from experiments.measure.case import Case
from experiments.run.progress import Progress
from experiments.run.request import option
from polytope import verify
from polytope.errors import InputError

#: Key of each measured time -> its line in the table.
LINES = {
    "total": "ours: certified vertex, cold start",
    "float": "  of which HiGHS within ours",
    "proof": "  of which proof of optimality and vertex",
    "rest": "  of which exact split, scaling, model",
    "cpu": "  CPU time of all this",
    "verify": "ours: verify() from the stored numbers",
    "highs_ours": "HiGHS alone, our options (presolve off)",
    "highs_default": "HiGHS alone, its default options",
    "qsopt_ex": "QSopt_ex (esolver process, with reading)",
}


@dataclass(frozen=True, kw_only=True)
class LpRequest(BenchRequest):
    """Options of `collide bench lp`."""

    units: int = count("how many inactive units, the first", 5)
    runs: int = count("times that each unit is solved", 3)
    qsopt_units: int = count("of these, given to QSopt_ex", 1, least=0)
    qsopt_runs: int = count("times that QSopt_ex solves each", 1, least=0)
    qsopt_limit: float = option("its seconds for each (600)", default=600.0, metavar="S", above=0)


REQUEST = LpRequest


@dataclass(frozen=True, kw_only=True)
class LpResults:
    """What does not depend on the machine.

    Attributes:
        units: that were solved.
        values: unit -> its least pre-activation, exact.
        qsopt_ex_agrees: unit -> whether QSopt_ex found the same, of those it was given.
    """

    SCHEMA: ClassVar[str] = "collision-polytopes/bench-lp/2"
    units: tuple[int, ...]
    values: dict[int, Fraction]
    qsopt_ex_agrees: dict[int, bool]


def run(request: LpRequest, progress: Progress) -> Report[LpResults]:
    """Measures ours, HiGHS and QSopt_ex in turns on the same programs.

    Raises:
        InputError: there are fewer inactive units.
    """
    measured = subject(request)
    case = measured.case()
    system = case.polytope().layer.system
    units = case.polytope().inactive_units[: request.units]
    if len(units) < request.units:
        raise InputError(
            f"units: expected at most {len(units)}, the inactive ones, got {request.units}"
        )
    times: dict[str, list[float]] = defaultdict(list)
    values: dict[int, Fraction] = {}
    off: list[float] = []
    turns = [unit for _ in range(request.runs) for unit in units]
    for unit in progress.track(turns, total=len(turns), unit="vertices"):
        values[unit] = _ours(case, unit, times)
        for key, ours in (("highs_ours", True), ("highs_default", False)):
            answer = highs_alone(case, unit, ours=ours)
            times[key].append(answer.seconds)
            off.append(abs(answer.value - float(values[unit])))
    agree = _exact_peer(request, case, values, times, progress)
    return Report(
        title=f"One certified vertex, cold start, proof included. {measured.words}; units "
        f"{', '.join(map(str, units))}; {system.n_inputs} variables x {len(system.rows)} rows; "
        f"runs: {request.runs}.",
        headings=["seconds", "median", "min", "max"],
        rows=[[line, *spread(times[key])] for key, line in LINES.items()],
        goals=_goals(times),
        notes=[
            '"Ours" starts from the float32 arrays and ends with point, value and witness in hand.',
            f"Largest difference of a HiGHS value from the exact one: {max(off):.1e}.",
            _verdict(request, agree),
        ],
        data=measured.data,
        results=LpResults(units=units, values=values, qsopt_ex_agrees=agree),
        timings={key: times[key] for key in LINES},
    )


def _ours(case: Case, unit: int, times: dict[str, list[float]]) -> Fraction:
    """Solves one unit from scratch and notes where the time went."""
    began, cpu = time.perf_counter(), time.process_time()
    result = case.polytope().unit_vertex(unit)
    if result.certificate is None or result.value is None or not result.is_vertex:
        raise AssertionError(f"a bounded polytope with its target has a vertex: {result.reason}")
    solved = time.perf_counter()
    _ = result.certificate.witness
    ended = time.perf_counter()
    times["cpu"].append(time.process_time() - cpu)
    # Refinement steps and an exact engine, where they were needed, count as proof.
    inside = {k: v for k, v in result.timings.items() if k != "float"}
    proof = sum(inside.values()) + ended - solved
    times["total"].append(ended - began)
    times["float"].append(result.timings["float"])
    times["proof"].append(proof)
    times["rest"].append(ended - began - proof - result.timings["float"])
    began = time.perf_counter()
    verify(result.certificate)
    times["verify"].append(time.perf_counter() - began)
    return result.value


def _exact_peer(
    request: LpRequest,
    case: Case,
    values: dict[int, Fraction],
    times: dict[str, list[float]],
    progress: Progress,
) -> dict[int, bool]:
    """Gives the first programs to QSopt_ex, where it is here; whether its values equal ours."""
    agree: dict[int, bool] = {}
    if not request.qsopt_runs or esolver_path() is None:
        return agree
    layer = case.polytope().layer
    for unit in list(values)[: request.qsopt_units]:
        progress.say(f"QSopt_ex solves unit {unit} (half a minute or so)")
        for _ in range(request.qsopt_runs):
            answer = qsopt_ex(layer.system, unit, limit=request.qsopt_limit)
            times["qsopt_ex"].append(answer.seconds)
            same = answer.value + layer.biases[unit] == values[unit]
            agree[unit] = agree.get(unit, True) and same
    return agree


def _verdict(request: LpRequest, agree: dict[int, bool]) -> str:
    if not (request.qsopt_units and request.qsopt_runs):
        return "QSopt_ex was not asked for."
    if not agree:
        return (
            f"QSopt_ex is missing: no comparison with it (its program {ESOLVER} is in the Debian "
            "package qsopt-ex)."
        )
    verdict = "equal ours exactly" if all(agree.values()) else "DIFFER from ours"
    return f"QSopt_ex's optimal values {verdict} ({len(agree)} compared)."


def _goals(times: dict[str, list[float]]) -> list[Goal]:
    def proof(words: str, key: str) -> Goal:
        found = ratio(times["proof"], times[key])
        return Goal(f"proof / HiGHS alone{words}", found, 0.5, "at most", " x")

    found = ratio(times["qsopt_ex"], times["total"])
    return [
        proof(" with our options", "highs_ours"),
        proof(", defaults", "highs_default"),
        Goal("QSopt_ex / ours", found, 40, "at least", " x"),
    ]
